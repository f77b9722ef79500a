/* What Prometheus is told: the format, and what is counted. */
#include "unit/exchanges.h"

#include <ctype.h>
#include <math.h>
#include <pthread.h>

#include "evidence/evidence.h"

#define NAME_SIZE 64
#define SERIES_SIZE 256
#define SERIES_MAX 1024
#define RULES_MAX 256
#define WRITERS 4
#define EACH 2000

/*
 * An independent reader of the text format 0.0.4: comments of a metric stand
 * before its samples, which stand together; no series comes twice.
 */
struct exposition {
	char text[1 << 18];
	struct series {
		char key[SERIES_SIZE]; /* name and labels */
		double value;
	} list[SERIES_MAX];
	size_t count;
	char metric[NAME_SIZE], type[NAME_SIZE]; /* of the last TYPE */
	char metrics[SERIES_MAX][NAME_SIZE];	 /* all of them */
	size_t metric_count;
};

static struct exposition shown;

static bool
is_name(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isalpha((unsigned char)text[i]) && text[i] != '_' &&
		    (i == 0 || !isdigit((unsigned char)text[i])))
			return false;
	return len > 0;
}

/* Behind the closing brace, or NULL. */
static const char *
skip_labels(const char *at)
{
	for (; *at != '}'; at += *at == ',') {
		size_t len = strcspn(at, "=");

		if (!is_name(at, len) || at[len + 1] != '"')
			return NULL;
		for (at += len + 2; *at != '"'; at++) {
			if (*at == '\\' && strchr("\\\"n", *++at) == NULL)
				return NULL;
			if ((unsigned char)*at < ' ' || *at == '\x7f')
				return NULL;
		}
		at++;
		if (*at != ',' && *at != '}')
			return NULL;
	}
	return at + 1;
}

static bool
ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), tail = strlen(end);

	return len >= tail && strcmp(text + len - tail, end) == 0;
}

static void
read_comment(struct exposition *x, const char *line)
{
	char kind[8], name[NAME_SIZE], rest[SERIES_SIZE];

	assert_int_equal(sscanf(line, "# %7s %63s %255[^\n]", kind, name, rest),
	    3);
	if (strcmp(kind, "HELP") == 0) {
		for (size_t i = 0; i < x->metric_count; i++)
			assert_string_not_equal(x->metrics[i], name);
		strcpy(x->metrics[x->metric_count++], name);
		x->type[0] = '\0';
		return;
	}
	assert_string_equal(kind, "TYPE");
	assert_string_equal(name, x->metrics[x->metric_count - 1]);
	assert_true(is_name(name, strlen(name)));
	assert_non_null(strstr("counter gauge histogram", rest));
	assert_int_equal(strcmp(rest, "counter") == 0,
	    ends_with(name, "_total"));
	strcpy(x->metric, name);
	strcpy(x->type, rest);
}

static void
check_belongs(const struct exposition *x, const char *name, size_t len)
{
	size_t metric = strlen(x->metric);
	const char *rest = name + metric;
	size_t rest_len = len - metric;

	assert_true(len >= metric && strncmp(name, x->metric, metric) == 0);
	if (strcmp(x->type, "histogram") == 0)
		assert_true(span_is(span_of(rest, rest_len), "_bucket") ||
		    span_is(span_of(rest, rest_len), "_sum") ||
		    span_is(span_of(rest, rest_len), "_count"));
	else
		assert_int_equal(rest_len, 0);
	assert_string_not_equal(x->type, "");
}

static void
read_sample(struct exposition *x, const char *line)
{
	size_t name = strcspn(line, "{ ");
	const char *at = line + name;
	struct series *s = &x->list[x->count++];
	char *end;

	assert_true(is_name(line, name));
	check_belongs(x, line, name);
	if (*at == '{')
		assert_non_null(at = skip_labels(at + 1));
	assert_in_range(at - line, 1, SERIES_SIZE - 1);
	snprintf(s->key, sizeof(s->key), "%.*s", (int)(at - line), line);
	assert_int_equal(*at, ' ');
	s->value = strtod(at + 1, &end);
	assert_ptr_not_equal(end, at + 1);
	assert_int_equal(*end, '\0');
	for (size_t i = 0; i + 1 < x->count; i++)
		assert_string_not_equal(x->list[i].key, s->key);
}

static void
exposition_read(struct exposition *x, struct buffer *b)
{
	char *line, *end;

	memset(x, 0, sizeof(*x));
	assert_false(b->failed);
	assert_in_range(b->len, 1, sizeof(x->text) - 1);
	assert_null(memchr(b->data, '\0', b->len));
	memcpy(x->text, b->data, b->len);
	assert_int_equal(x->text[b->len - 1], '\n');
	for (line = x->text; *line != '\0'; line = end + 1) {
		end = strchr(line, '\n');
		*end = '\0';
		if (*line == '#')
			read_comment(x, line);
		else
			read_sample(x, line);
	}
	buffer_free(b);
}

static void
show(struct metrics *m)
{
	struct buffer b = { 0 };

	metrics_print(m, &b);
	exposition_read(&shown, &b);
}

/* -1: there is none. */
static double
value_of(const char *key)
{
	for (size_t i = 0; i < shown.count; i++)
		if (strcmp(shown.list[i].key, key) == 0)
			return shown.list[i].value;
	return -1;
}

static void
must_be(const char *key, double value)
{
	if (value_of(key) != value)
		fail_msg("%s is %g, not %g", key, value_of(key), value);
}

static size_t
count_series(const char *name)
{
	size_t count = 0;

	for (size_t i = 0; i < shown.count; i++)
		count += strncmp(shown.list[i].key, name, strlen(name)) == 0;
	return count;
}

static struct metrics *new (void)
{
	struct metrics *m;

	assert_int_equal(metrics_new(&m, NULL), 0);
	return m;
}

static void
nothing(void **state)
{
	struct metrics *m = new ();

	(void)state;
	show(m);
	assert_int_equal(shown.metric_count, 5);
	assert_int_equal(count_series("mockndes_requests_total"), 0);
	assert_int_equal(count_series("mockndes_faults_total"), 0);
	must_be("mockndes_sent_bytes_total", 0);
	must_be("mockndes_endings_total{how=\"sent\"}", 0);
	must_be("mockndes_endings_total{how=\"client-left\"}", 0);
	must_be("mockndes_endings_total{how=\"cut\"}", 0);
	must_be("mockndes_endings_total{how=\"fault\"}", 0);
	metrics_free(m);
	metrics_free(NULL);
}

static const struct asked {
	const char *row, *operation;
	int status;
	uint64_t sent;
	int pki_status, fail_info;
	const char *labels;
} asks[] = {
	{ "GetCACaps", "GetCACaps", 200, 9, -1, -1,
	    "operation=\"GetCACaps\",status=\"2xx\",pki_status=\"\","
	    "fail_info=\"\"" },
	{ "what nothing was sent for", "GetCACert", 200, 0, -1, -1,
	    "operation=\"GetCACert\",status=\"none\",pki_status=\"\","
	    "fail_info=\"\"" },
	{ "a redirect", "GetNextCACert", 302, 9, -1, -1,
	    "operation=\"GetNextCACert\",status=\"3xx\",pki_status=\"\","
	    "fail_info=\"\"" },
	{ "a page", "admin", 404, 9, -1, -1,
	    "operation=\"admin\",status=\"4xx\",pki_status=\"\","
	    "fail_info=\"\"" },
	{ "browsing", "browse", 599, 9, -1, -1,
	    "operation=\"browse\",status=\"5xx\",pki_status=\"\","
	    "fail_info=\"\"" },
	{ "no request", NULL, 100, 9, -1, -1,
	    "operation=\"none\",status=\"1xx\",pki_status=\"\","
	    "fail_info=\"\"" },
	{ "an operation that nobody knows", "x\"\n", 999, 9, -1, -1,
	    "operation=\"other\",status=\"other\",pki_status=\"\","
	    "fail_info=\"\"" },
	{ "SUCCESS", "PKIOperation", 200, 9, 0, -1,
	    "operation=\"PKIOperation\",status=\"2xx\","
	    "pki_status=\"SUCCESS\",fail_info=\"\"" },
	{ "PENDING", "PKIOperation", 200, 9, 3, -1,
	    "operation=\"PKIOperation\",status=\"2xx\","
	    "pki_status=\"PENDING\",fail_info=\"\"" },
	{ "badAlg", "PKIOperation", 200, 9, 2, 0,
	    "operation=\"PKIOperation\",status=\"2xx\","
	    "pki_status=\"FAILURE\",fail_info=\"badAlg\"" },
	{ "badCertId", "PKIOperation", 200, 9, 2, 4,
	    "operation=\"PKIOperation\",status=\"2xx\","
	    "pki_status=\"FAILURE\",fail_info=\"badCertId\"" },
	{ "a failInfo that there is not", "PKIOperation", 200, 9, 2, 77,
	    "operation=\"PKIOperation\",status=\"2xx\","
	    "pki_status=\"FAILURE\",fail_info=\"unknown\"" },
	{ "a pkiStatus that there is not", "PKIOperation", 200, 9, 1, -1,
	    "operation=\"PKIOperation\",status=\"2xx\","
	    "pki_status=\"unknown\",fail_info=\"\"" },
};

static void
add(struct metrics *m, const struct asked *t)
{
	struct exchange ex;

	exchange_init(&ex);
	ex.scep.operation = t->operation;
	ex.reply.status = t->status;
	ex.sent = t->sent;
	ex.scep.pki_status = t->pki_status;
	ex.scep.fail_info = t->fail_info;
	metrics_add(m, &ex);
	exchange_clear(&ex);
}

static void
counted(void **state)
{
	const struct asked *t = *state;
	char key[SERIES_SIZE];
	struct metrics *m = new ();

	add(m, t);
	add(m, t);
	show(m);
	assert_int_equal(count_series("mockndes_requests_total"), 1);
	snprintf(key, sizeof(key), "mockndes_requests_total{%s}", t->labels);
	must_be(key, 2);
	must_be("mockndes_sent_bytes_total", 2 * (double)t->sent);
	metrics_free(m);
}

static void
all_counted(void **state)
{
	const size_t count = sizeof(asks) / sizeof(asks[0]);
	struct metrics *m = new ();

	(void)state;
	for (size_t i = 0; i < count; i++)
		add(m, &asks[i]);
	show(m);
	assert_int_equal(count_series("mockndes_requests_total"), count);
	metrics_free(m);
}

static void
add_long(struct metrics *m, int64_t ms, enum ending ending)
{
	struct exchange ex;

	exchange_init(&ex);
	ex.scep.operation = "GetCACaps";
	ex.duration_ms = ms;
	ex.ending = ending;
	metrics_add(m, &ex);
	exchange_clear(&ex);
}

static const struct bucket {
	const char *row, *le;
	double count;
} buckets[] = {
	{ "the least", "0.001", 2 },
	{ "the next", "0.002", 3 },
	{ "five", "0.005", 3 },
	{ "ten", "0.01", 4 },
	{ "below a second", "0.5", 4 },
	{ "a second", "1", 5 },
	{ "ten seconds", "10", 6 },
	{ "all", "+Inf", 8 },
};

static void
durations(void **state)
{
	static const int64_t took[] = { 0, 1, 2, 6, 1000, 10000, 10001,
		5000000000 };
	const struct bucket *t = *state;
	struct metrics *m = new ();
	char key[SERIES_SIZE];

	for (size_t i = 0; i < sizeof(took) / sizeof(took[0]); i++)
		add_long(m, took[i], ENDED_SENT);
	show(m);
	snprintf(key, sizeof(key),
	    "mockndes_request_duration_seconds_bucket{"
	    "operation=\"GetCACaps\",le=\"%s\"}",
	    t->le);
	must_be(key, t->count);
	must_be(
	    "mockndes_request_duration_seconds_sum{operation=\"GetCACaps\"}",
	    5000021.01);
	must_be(
	    "mockndes_request_duration_seconds_count{operation=\"GetCACaps\"}",
	    8);
	metrics_free(m);
}

static void
endings(void **state)
{
	struct metrics *m = new ();

	(void)state;
	add_long(m, 1, ENDED_SENT);
	for (int i = 0; i < 2; i++)
		add_long(m, 1, ENDED_CLIENT_LEFT);
	for (int i = 0; i < 3; i++)
		add_long(m, 1, ENDED_CUT);
	for (int i = 0; i < 4; i++)
		add_long(m, 1, ENDED_FAULT);
	show(m);
	must_be("mockndes_endings_total{how=\"sent\"}", 1);
	must_be("mockndes_endings_total{how=\"client-left\"}", 2);
	must_be("mockndes_endings_total{how=\"cut\"}", 3);
	must_be("mockndes_endings_total{how=\"fault\"}", 4);
	metrics_free(m);
}

static void
add_rule(struct metrics *m, const char *file, int line, const char *unmet)
{
	struct exchange ex;

	exchange_init(&ex);
	strcpy(ex.notes.files[1], file);
	ex.notes.count = 2;
	ex.notes.list[0].unmet = "nth";
	ex.notes.list[0].line = 1;
	ex.notes.list[1].file = 1;
	ex.notes.list[1].line = line;
	ex.notes.list[1].unmet = unmet;
	metrics_add(m, &ex);
	exchange_clear(&ex);
}

static void
rules(void **state)
{
	struct metrics *m = new ();

	(void)state;
	add_rule(m, "flaky.yaml", 12, NULL);
	add_rule(m, "flaky.yaml", 12, NULL);
	add_rule(m, "flaky.yaml", 12, "subject");
	add_rule(m, "flaky.yaml", 13, NULL);
	add_rule(m, "other.yaml", 12, NULL);
	show(m);
	assert_int_equal(count_series("mockndes_faults_total"), 3);
	must_be("mockndes_faults_total{rule=\"flaky.yaml:12\"}", 2);
	must_be("mockndes_faults_total{rule=\"flaky.yaml:13\"}", 1);
	must_be("mockndes_faults_total{rule=\"other.yaml:12\"}", 1);
	metrics_free(m);
}

static const struct label {
	const char *row, *file, *label;
} labels[] = {
	{ "a quote", "a\"b", "a\\\"b:1" },
	{ "a backslash", "a\\n", "a\\\\n:1" },
	{ "a new line", "a\nb", "a?b:1" },
	{ "what is no text", "\xff\xc3", "??:1" },
	{ "what looks like more labels", "x\",y=\"1\"} 7\nz 8",
	    "x\\\",y=\\\"1\\\"} 7?z 8:1" },
};

static void
odd_label(void **state)
{
	const struct label *t = *state;
	struct metrics *m = new ();
	char key[SERIES_SIZE];

	add_rule(m, t->file, 1, NULL);
	show(m);
	snprintf(key, sizeof(key), "mockndes_faults_total{rule=\"%s\"}",
	    t->label);
	must_be(key, 1);
	metrics_free(m);
}

/* Two that look the same become one series: two would be no format. */
static void
same_label(void **state)
{
	struct metrics *m = new ();

	(void)state;
	add_rule(m, "a\xff", 1, NULL);
	add_rule(m, "a\xfe", 1, NULL);
	show(m);
	must_be("mockndes_faults_total{rule=\"a?:1\"}", 2);
	metrics_free(m);
}

static void
many_rules(void **state)
{
	struct metrics *m = new ();

	(void)state;
	for (int line = 1; line <= RULES_MAX + 50; line++)
		add_rule(m, "x", line, NULL);
	add_rule(m, "x", RULES_MAX, NULL);
	add_rule(m, "x", RULES_MAX + 1, NULL);
	show(m);
	assert_int_equal(count_series("mockndes_faults_total"), RULES_MAX + 1);
	must_be("mockndes_faults_total{rule=\"x:1\"}", 1);
	must_be("mockndes_faults_total{rule=\"x:256\"}", 2);
	must_be("mockndes_faults_total{rule=\"other\"}", 51);
	metrics_free(m);
}

static const struct number {
	const char *row;
	double value;
	const char *text;
} numbers[] = {
	{ "zero", 0, "0" },
	{ "a count", 64, "64" },
	{ "octets", 67108864, "67108864" },
	{ "a large one", 9007199254740992, "9007199254740992" },
	{ "below zero", -7.5, "-7.500000" },
	{ "a fraction", 0.0625, "0.062500" },
	{ "what rounds up", 0.99999999, "1" },
	{ "what is none", NAN, "NaN" },
	{ "without end", INFINITY, "+Inf" },
	{ "without end, below", -INFINITY, "-Inf" },
};

static void
number(void **state)
{
	const struct number *t = *state;
	struct buffer b = { 0 };
	char line[80];

	metrics_value(&b, "mockndes_x", "gauge", "Some number.", t->value);
	buffer_add_byte(&b, 0);
	assert_non_null(strstr((char *)b.data,
	    "# HELP mockndes_x Some number.\n# TYPE mockndes_x gauge\n"));
	snprintf(line, sizeof(line), "\nmockndes_x %s\n", t->text);
	assert_non_null(strstr((char *)b.data, line));
	b.len--;
	exposition_read(&shown, &b);
}

/* Below, what threads use is static: they go on when a check has failed. */
static struct metrics *shared;

static void *
add_some(void *cls)
{
	(void)cls;
	for (int i = 0; i < EACH; i++) {
		add(shared, &asks[i % 3]);
		add_rule(shared, "x", i % 9, NULL);
	}
	return NULL;
}

static void
many_at_once(void **state)
{
	pthread_t threads[WRITERS];
	struct buffer b = { 0 };

	(void)state;
	shared = new ();
	for (size_t i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, add_some,
				     NULL),
		    0);
	metrics_print(shared, &b);
	exposition_read(&shown, &b);
	for (size_t i = 0; i < WRITERS; i++)
		pthread_join(threads[i], NULL);
	show(shared);
	must_be("mockndes_endings_total{how=\"sent\"}", 2 * WRITERS * EACH);
	metrics_free(shared);
}

int
main(void)
{
	static const struct table tables[] = {
		ONE(nothing, "at the start there is little"),
		ROWS(counted, asks),
		ONE(all_counted, "each kind has a series of its own"),
		ROWS(durations, buckets),
		ONE(endings, "how exchanges end is counted"),
		ONE(rules, "rules are counted that apply"),
		ROWS(odd_label, labels),
		ONE(same_label, "labels that look the same are one"),
		ONE(many_rules, "there are so many rules, and others"),
		ROWS(number, numbers),
		ONE(many_at_once, "many add at once"),
	};

	return ROWS_RUN(tables, NULL, NULL);
}
