/*
 * Counts for Prometheus, in its text format 0.0.4:
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 */
#include "evidence/entry.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RULES_MAX 256	/* beyond, they are "other" */
#define WHOLE_FROM 1e12 /* where a fraction matters no more */
#define LENGTH(list) (sizeof(list) / sizeof((list)[0]))

/* Labels have few values, so that nobody outside makes more series. */
static const char *const operations[] = {
	"GetCACaps", "GetCACert", "GetNextCACert", "PKIOperation", "admin",
	"browse", "other", /* what is none of these */
	"none",		   /* no request came */
};
#define OPERATION_OTHER (LENGTH(operations) - 2)
#define OPERATION_NONE (LENGTH(operations) - 1)

static const char *const statuses[] = { "none", "1xx", "2xx", "3xx", "4xx",
	"5xx", "other" };

/* RFC 8894 3.2.1.3 and 3.2.1.4 */
static const struct {
	const char *pki_status, *fail_info;
} results[] = {
	{ "", "" }, /* no CertRep */
	{ "SUCCESS", "" }, { "PENDING", "" }, { "FAILURE", "badAlg" },
	{ "FAILURE", "badMessageCheck" }, { "FAILURE", "badRequest" },
	{ "FAILURE", "badTime" }, { "FAILURE", "badCertId" },
	{ "FAILURE", "unknown" },
	{ "unknown", "" }, /* and whatever else there may be */
};

/* Ticks are milliseconds: nothing is finer. */
static const struct {
	int64_t ms;
	const char *seconds;
} buckets[] = {
	{ 1, "0.001" },
	{ 2, "0.002" },
	{ 5, "0.005" },
	{ 10, "0.01" },
	{ 20, "0.02" },
	{ 50, "0.05" },
	{ 100, "0.1" },
	{ 200, "0.2" },
	{ 500, "0.5" },
	{ 1000, "1" },
	{ 2000, "2" },
	{ 5000, "5" },
	{ 10000, "10" },
};

static const enum ending endings[] = { ENDED_SENT, ENDED_CLIENT_LEFT, ENDED_CUT,
	ENDED_FAULT };

struct duration {
	uint64_t in[LENGTH(buckets) + 1]; /* the last: longer than all */
	uint64_t count, ms;
};

struct rule_count {
	char file[sizeof(((struct rule_notes *)NULL)->files[0])];
	int line;
	uint64_t count;
};

struct metrics {
	pthread_mutex_t lock; /* everything below */
	uint64_t requests[LENGTH(operations)][LENGTH(statuses)]
			 [LENGTH(results)];
	struct duration durations[LENGTH(operations)];
	uint64_t endings[LENGTH(endings)];
	uint64_t sent;
	struct rule_count rules[RULES_MAX];
	size_t rule_count;
	uint64_t other_rules;
};

int
metrics_new(struct metrics **out, struct error *err)
{
	if ((*out = calloc(1, sizeof(**out))) == NULL)
		return error_set(err, "out of memory");
	pthread_mutex_init(&(*out)->lock, NULL);
	return 0;
}

void
metrics_free(struct metrics *m)
{
	if (m == NULL)
		return;
	pthread_mutex_destroy(&m->lock);
	free(m);
}

static size_t
find_operation(const char *name)
{
	if (name == NULL)
		return OPERATION_NONE;
	for (size_t i = 0; i < OPERATION_OTHER; i++)
		if (strcmp(operations[i], name) == 0)
			return i;
	return OPERATION_OTHER;
}

static size_t
find_status(int status)
{
	if (status == 0)
		return 0;
	return status < 100 || status > 599 ? LENGTH(statuses) - 1 :
					      (size_t)status / 100;
}

static size_t
find_result(const struct scep_facts *f)
{
	const char *status = "", *info = "";
	size_t i = 0;

	if (f->pki_status >= 0)
		status = pki_status_name(f->pki_status);
	if (f->fail_info >= 0)
		info = fail_info_name(f->fail_info);
	for (; i < LENGTH(results) - 1; i++)
		if (strcmp(results[i].pki_status, status) == 0 &&
		    strcmp(results[i].fail_info, info) == 0)
			break;
	return i;
}

static void
count_duration(struct duration *d, int64_t ms)
{
	size_t i = 0;

	while (i < LENGTH(buckets) && ms > buckets[i].ms)
		i++;
	d->in[i]++;
	d->count++;
	d->ms += ms < 0 ? 0 : (uint64_t)ms;
}

static void
count_rule(struct metrics *m, const char *file, int line)
{
	struct rule_count *r = m->rules, *end = r + m->rule_count;

	while (r < end && (r->line != line || strcmp(r->file, file) != 0))
		r++;
	if (r == m->rules + RULES_MAX) {
		m->other_rules++;
		return;
	}
	if (r == end) {
		snprintf(r->file, sizeof(r->file), "%s", file);
		r->line = line;
		m->rule_count++;
	}
	r->count++;
}

/* As labels have them, so that no two of them become the same one later. */
static void
count_rules(struct metrics *m, const struct rule_notes *notes)
{
	char file[sizeof(notes->files[0])];

	for (size_t i = 0; i < notes->count; i++) {
		const struct rule_note *n = &notes->list[i];

		if (n->unmet != NULL)
			continue;
		entry_printable(file, sizeof(file),
		    span_text(notes->files[n->file]));
		count_rule(m, file, n->line);
	}
}

void
metrics_add(struct metrics *m, const struct exchange *ex)
{
	size_t operation = find_operation(ex->scep.operation);
	size_t status = find_status(entry_status(ex));
	size_t result = find_result(&ex->scep);

	pthread_mutex_lock(&m->lock);
	m->requests[operation][status][result]++;
	count_duration(&m->durations[operation], ex->duration_ms);
	m->endings[ex->ending]++;
	m->sent += ex->sent;
	count_rules(m, &ex->notes);
	pthread_mutex_unlock(&m->lock);
}

static void
print_head(struct buffer *b, const char *name, const char *type,
    const char *help)
{
	buffer_printf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
	    type);
}

static void
print_requests(const struct metrics *m, struct buffer *b)
{
	print_head(b, "mockndes_requests_total", "counter",
	    "Exchanges that are over, by what was asked for and sent.");
	for (size_t o = 0; o < LENGTH(operations); o++)
		for (size_t s = 0; s < LENGTH(statuses); s++)
			for (size_t r = 0; r < LENGTH(results); r++) {
				uint64_t count = m->requests[o][s][r];

				if (count == 0)
					continue;
				buffer_printf(b,
				    "mockndes_requests_total{operation=\"%s\","
				    "status=\"%s\",pki_status=\"%s\","
				    "fail_info=\"%s\"} %llu\n",
				    operations[o], statuses[s],
				    results[r].pki_status, results[r].fail_info,
				    (unsigned long long)count);
			}
}

static void
print_duration(const struct duration *d, const char *operation,
    struct buffer *b)
{
	static const char name[] = "mockndes_request_duration_seconds";
	unsigned long long sum = 0;

	for (size_t i = 0; i < LENGTH(buckets); i++) {
		sum += d->in[i];
		buffer_printf(b, "%s_bucket{operation=\"%s\",le=\"%s\"} %llu\n",
		    name, operation, buckets[i].seconds, sum);
	}
	buffer_printf(b,
	    "%s_bucket{operation=\"%s\",le=\"+Inf\"} %llu\n"
	    "%s_sum{operation=\"%s\"} %llu.%03u\n"
	    "%s_count{operation=\"%s\"} %llu\n",
	    name, operation, (unsigned long long)d->count, name, operation,
	    (unsigned long long)(d->ms / 1000), (unsigned)(d->ms % 1000), name,
	    operation, (unsigned long long)d->count);
}

static void
print_durations(const struct metrics *m, struct buffer *b)
{
	print_head(b, "mockndes_request_duration_seconds", "histogram",
	    "From the head of a request to the end of its answer.");
	for (size_t i = 0; i < LENGTH(operations); i++)
		if (m->durations[i].count > 0)
			print_duration(&m->durations[i], operations[i], b);
}

static void
print_endings(const struct metrics *m, struct buffer *b)
{
	print_head(b, "mockndes_endings_total", "counter",
	    "Exchanges that are over, by how they ended.");
	for (size_t i = 0; i < LENGTH(endings); i++)
		buffer_printf(b, "mockndes_endings_total{how=\"%s\"} %llu\n",
		    ending_name(endings[i]),
		    (unsigned long long)m->endings[endings[i]]);
	print_head(b, "mockndes_sent_bytes_total", "counter",
	    "Octets of answers that were sent, heads included.");
	buffer_printf(b, "mockndes_sent_bytes_total %llu\n",
	    (unsigned long long)m->sent);
}

static void
print_label(struct buffer *b, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			buffer_add_byte(b, '\\');
		buffer_add_byte(b, (uint8_t)*text);
	}
}

static void
print_rules(const struct metrics *m, struct buffer *b)
{
	print_head(b, "mockndes_faults_total", "counter",
	    "Exchanges that a rule of a scenario was applied to.");
	for (size_t i = 0; i < m->rule_count; i++) {
		buffer_add_text(b, "mockndes_faults_total{rule=\"");
		print_label(b, m->rules[i].file);
		buffer_printf(b, ":%d\"} %llu\n", m->rules[i].line,
		    (unsigned long long)m->rules[i].count);
	}
	if (m->other_rules > 0)
		buffer_printf(b, "mockndes_faults_total{rule=\"other\"} %llu\n",
		    (unsigned long long)m->other_rules);
}

void
metrics_print(struct metrics *m, struct buffer *b)
{
	pthread_mutex_lock(&m->lock);
	print_requests(m, b);
	print_durations(m, b);
	print_endings(m, b);
	print_rules(m, b);
	pthread_mutex_unlock(&m->lock);
}

/* With a point, whatever the locale has. */
static void
print_value(struct buffer *b, double value)
{
	double size = value < 0 ? -value : value;
	long long millionths;

	if (isnan(value) || isinf(value)) {
		buffer_add_text(b,
		    isnan(value)  ? "NaN" :
			value > 0 ? "+Inf" :
				    "-Inf");
		return;
	}
	if (value < 0)
		buffer_add_byte(b, '-');
	if (size >= WHOLE_FROM) {
		buffer_printf(b, "%.0f", size);
		return;
	}
	millionths = (long long)(size * 1e6 + 0.5);
	buffer_printf(b, "%lld", millionths / 1000000);
	if (millionths % 1000000 != 0)
		buffer_printf(b, ".%06lld", millionths % 1000000);
}

void
metrics_value(struct buffer *b, const char *name, const char *type,
    const char *help, double value)
{
	print_head(b, name, type, help);
	buffer_printf(b, "%s ", name);
	print_value(b, value);
	buffer_add_byte(b, '\n');
}
