/* Where scenarios come from, and what they take over from others. */
#include "unit/scenarios.h"

#include <unistd.h>

#include "support/files.h"

#define HEAD(name) "mockndes: 1\nname: " name "\n"

static char dir[FILE_PATH_SIZE];

static void
put(const char *name, const char *yaml)
{
	char path[FILE_PATH_SIZE];

	file_write(path_in(path, dir, name), yaml, strlen(yaml));
}

static struct scenario *
load(const char *what, const char *from)
{
	const struct scenario_options options = { NULL, 0, from };
	struct errors errors = { 0 };
	struct scenario *s;
	char text[TEXT_SIZE];

	if (scenario_load(what, &options, &s, &errors) == -1)
		fail_msg("%s", errors_print(&errors, text, sizeof(text)));
	return s;
}

static void
refused(const char *what, const char *from, const char *wanted)
{
	const struct scenario_options options = { NULL, 0, from };
	struct errors errors = { 0 };
	struct scenario *s;
	char text[TEXT_SIZE];

	assert_int_equal(scenario_load(what, &options, &s, &errors), -1);
	assert_string_equal(errors_print(&errors, text, sizeof(text)), wanted);
	errors_clear(&errors);
}

/* Nothing is kept of a directory: a file is read when it is asked for. */
static void
directory_goes_first(void **state)
{
	struct scenario *s = load("healthy", dir);

	(void)state;
	assert_int_equal(s->state.windows, WINDOWS_2022);
	scenario_free(s);
	put("healthy.yaml", HEAD("healthy") "server: {windows: 2012}\n");
	s = load("healthy", dir);
	assert_int_equal(s->state.windows, WINDOWS_2012);
	scenario_free(s);
	s = load("healthy", NULL);
	assert_int_equal(s->state.windows, WINDOWS_2022);
	scenario_free(s);
	put("frozen.yaml", HEAD("frozen"));
	refused("forzen", dir,
	    "unknown scenario \"forzen\", did you mean \"frozen\"?");
	refused("../frozen", dir, "../frozen: No such file or directory");
}

/* It has the name, so "did you mean" would say the same again. */
static void
link_to_nowhere(void **state)
{
	char path[FILE_PATH_SIZE], wanted[1024];

	(void)state;
	assert_int_equal(symlink("nowhere", path_in(path, dir, "link.yaml")),
	    0);
	snprintf(wanted, sizeof(wanted), "%s: No such file or directory", path);
	refused("link", dir, wanted);
	assert_int_equal(unlink(path), 0);
}

static void
name_of_the_file(void **state)
{
	char path[FILE_PATH_SIZE], wanted[1024];
	struct scenario *s;

	(void)state;
	put("healthi.yml", HEAD("healthi"));
	s = load(path_in(path, dir, "healthi.yml"), NULL);
	assert_string_equal(s->name, "healthi");
	scenario_free(s);
	/* Under its name only with .yaml. */
	refused("healthi", dir,
	    "unknown scenario \"healthi\", did you mean \"healthy\"?");
	put("wrong.yaml", HEAD("other"));
	snprintf(wanted, sizeof(wanted),
	    "%s:2:7: the name is \"other\", but the file is called \"wrong\"",
	    path_in(path, dir, "wrong.yaml"));
	refused("wrong", dir, wanted);
	refused(path, NULL, wanted);
}

static void
extends(void **state)
{
	char path[FILE_PATH_SIZE];
	struct scenario *s;

	(void)state;
	put("base.yaml",
	    HEAD("base") "title: Base\n"
			 "reference: {article: a}\n"
			 "server: {windows: 2012, iis: {max_url: 5}}\n"
			 "faults:\n"
			 "- {when: {first: 1}, do: {delay: 1s}}\n"
			 "- {do: {delay: 2s}}\n"
			 "evidence: [{in: registry, text: a}]\n"
			 "cure: [[iisreset]]\n");
	put("middle.yaml",
	    HEAD("middle") "extends: base\n"
			   "server: {iis: {max_query_string: 6}}\n");
	put("child.yaml",
	    HEAD("child") "extends: ./middle.yaml\n"
			  "server: {windows: 2016}\n"
			  "faults: [{do: {delay: 3s}}]\n");
	s = load(path_in(path, dir, "child.yaml"), NULL);
	assert_string_equal(s->name, "child");
	assert_null(s->title);
	assert_int_equal(s->reference[REFERENCE_ARTICLE].count, 0);
	assert_int_equal(s->evidence_count, 0);
	assert_int_equal(s->cure_count, 0);
	assert_int_equal(s->state.windows, WINDOWS_2016);
	assert_int_equal(s->state.iis.max_url, 5);
	assert_int_equal(s->state.iis.max_query_string, 6);
	/* Its own rule goes first, and may well hide the others. */
	assert_int_equal(s->faults.count, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(s->faults.rules[i].edits[0].value.number,
		    i == 0     ? 3000 :
			i == 1 ? 1000 :
				 2000);
	assert_string_equal(s->faults.rules[0].at.file, path);
	assert_int_equal(s->faults.rules[0].at.line, 5);
	assert_string_equal(s->faults.rules[2].at.file,
	    path_in(path, dir, "base.yaml"));
	assert_int_equal(s->faults.rules[2].at.line, 8);
	scenario_free(s);
}

/* A text from nowhere may still build on what has a name. */
static void
extends_by_name(void **state)
{
	const struct scenario_text text = {
		span_text(HEAD("x") "extends: named\n"), "pki.yaml", NULL
	};
	const char *set = "server.iis.max_url=7";
	const struct scenario_options options = { &set, 1, dir };
	struct errors errors = { 0 };
	struct scenario *s;

	(void)state;
	put("named.yaml", HEAD("named") "server: {windows: 2019}\n");
	assert_int_equal(scenario_parse(&text, &options, &s, &errors), 0);
	assert_int_equal(s->state.windows, WINDOWS_2019);
	assert_int_equal(s->state.iis.max_url, 7);
	scenario_free(s);
}

/* And what is wrong then is said at the document that was asked for. */
static void
sets_come_last(void **state)
{
	const char *sets[] = { "server.mscep.challenge.password=",
		"server.windows=2025" };
	const struct scenario_options options = { sets, 2, dir };
	struct errors errors = { 0 };
	struct scenario *s;
	char text[TEXT_SIZE], path[FILE_PATH_SIZE], wanted[2048];

	(void)state;
	put("static.yaml",
	    HEAD("static") "server:\n"
			   "  mscep: {challenge: {mode: static, "
			   "password: P}}\n");
	put("over.yaml", HEAD("over") "extends: static\n");
	assert_int_equal(scenario_find("over", &options, &s, &errors), -1);
	snprintf(wanted, sizeof(wanted),
	    "%s:1:1: \"mscep.challenge.mode\" is static, but there is no "
	    "\"mscep.challenge.password\"",
	    path_in(path, dir, "over.yaml"));
	assert_string_equal(errors_print(&errors, text, sizeof(text)), wanted);
	errors_clear(&errors);
}

static void
reference(void **state)
{
	struct scenario *s = accept_all(TOP
	    "reference:\n"
	    "  article: device-to-ndes\n"
	    "  section: \"500 - Internal server error\"\n"
	    "  cause: 2\n"
	    "  thread: [\"gh:jscep#49\", \"gh:micromdm/scep#122\"]\n",
	    NULL);

	(void)state;
	assert_string_equal(s->reference[REFERENCE_ARTICLE].texts[0],
	    "device-to-ndes");
	assert_string_equal(s->reference[REFERENCE_SECTION].texts[0],
	    "500 - Internal server error");
	assert_string_equal(s->reference[REFERENCE_CAUSE].texts[0], "2");
	assert_int_equal(s->reference[REFERENCE_THREAD].count, 2);
	assert_string_equal(s->reference[REFERENCE_THREAD].texts[1],
	    "gh:micromdm/scep#122");
	assert_int_equal(s->reference[REFERENCE_RFC].count, 0);
	scenario_free(s);
}

/* What each type of value becomes; the rows of `when:` and `do:` lend keys. */
static const struct value_row {
	const char *row; /* below `do:`, or "when" and what is there */
	int64_t number;
	bool is_word, is_percent;
	const char *text;
	int64_t numbers[3];
	size_t count;
	const char *texts[4];
} values[] = {
	{ "delay: 250ms", 250, 0, 0, NULL, { 0 }, 0, { 0 } },
	{ "delay: 90m", 5400000, 0, 0, NULL, { 0 }, 0, { 0 } },
	{ "certificate: {not_after: -1d}", -86400000, 0, 0, NULL, { 0 }, 0,
	    { 0 } },
	{ "certificate: {not_after: +2y}", 63115200000, 0, 0, NULL, { 0 }, 0,
	    { 0 } },
	{ "wire: {close: 50%}", 50, 0, 1, NULL, { 0 }, 0, { 0 } },
	{ "wire: {close: 100%}", 100, 0, 1, NULL, { 0 }, 0, { 0 } },
	{ "wire: {close: 0}", 0, 0, 0, NULL, { 0 }, 0, { 0 } },
	{ "wire: {drip: {octets: 7}}", 7, 0, 0, NULL, { 0 }, 0, { 0 } },
	{ "wire: {garbage: \"\\u00e4\\n\"}", 0, 0, 0, "\xc3\xa4\n", { 0 }, 0,
	    { 0 } },
	{ "certificate: {version: 3}", 3, 0, 0, NULL, { 0 }, 0, { 0 } },
	{ "certificate: {ca: true}", 1, 0, 0, NULL, { 0 }, 0, { 0 } },
	{ "caps: {add: one}", 0, 0, 0, NULL, { 0 }, 1, { "one" } },
	{ "caps: {add: [one, two]}", 0, 0, 0, NULL, { 0 }, 2,
	    { "one", "two" } },
	{ "caps: {list: []}", 0, 0, 0, NULL, { 0 }, 0, { 0 } },
	{ "certificate: {extended_key_usage: [1.2.3, 2.5.29]}", 0, 0, 0, NULL,
	    { 0 }, 2, { "1.2.3", "2.5.29" } },
	{ "when {chance: 0.25}", 250000, 0, 0, NULL, { 0 }, 0, { 0 } },
	{ "when {chance: 0.000001}", 1, 0, 0, NULL, { 0 }, 0, { 0 } },
	{ "when {chance: 1}", 1000000, 0, 0, NULL, { 0 }, 0, { 0 } },
	{ "when {chance: 1.0}", 1000000, 0, 0, NULL, { 0 }, 0, { 0 } },
	{ "when {chance: 0}", 0, 0, 0, NULL, { 0 }, 0, { 0 } },
	{ "when {nth: 3}", 0, 0, 0, NULL, { 3 }, 1, { 0 } },
	{ "when {nth: [1, 3]}", 0, 0, 0, NULL, { 1, 3 }, 2, { 0 } },
	{ "when {between: [0s, 1m]}", 0, 0, 0, NULL, { 0, 60000 }, 2, { 0 } },
	{ "when {header: {Accept: \"*\", X: \"\"}}", 0, 0, 0, NULL, { 0 }, 4,
	    { "Accept", "*", "X", "" } },
	{ "when {path: /certsrv/*}", 0, 0, 0, "/certsrv/*", { 0 }, 0, { 0 } },
};

static void
reads_value(void **state)
{
	const struct value_row *t = *state;
	bool is_test = strncmp(t->row, "when ", 5) == 0;
	const struct value *v;
	struct scenario *s;
	char yaml[400];

	if (is_test)
		snprintf(yaml, sizeof(yaml),
		    TOP "faults: [{when: %s, do: {delay: 1s}}]\n", t->row + 5);
	else
		snprintf(yaml, sizeof(yaml), TOP "faults: [{do: {%s}}]\n",
		    t->row);
	s = accept_all(yaml, NULL);
	assert_int_equal(s->faults.count, 1);
	assert_int_equal(s->faults.rules[0].edit_count, 1);
	v = is_test ? &s->faults.rules[0].tests[0].value :
		      &s->faults.rules[0].edits[0].value;
	assert_int_equal(v->number, t->number);
	assert_int_equal(v->is_word, t->is_word);
	assert_int_equal(v->is_percent, t->is_percent);
	assert_int_equal(v->count, t->count);
	if (t->text != NULL) {
		assert_string_equal(v->text, t->text);
		assert_int_equal(v->length, strlen(t->text));
	}
	for (size_t i = 0; i < t->count; i++)
		if (t->texts[0] != NULL)
			assert_string_equal(v->texts[i], t->texts[i]);
		else
			assert_int_equal(v->numbers[i], t->numbers[i]);
	scenario_free(s);
}

static void
words(void **state)
{
	struct scenario *s = accept_all(TOP
	    "faults:\n"
	    "- when: {operation: [GetCACert, PKIOperation]}\n"
	    "  do: {wire: {hang: forever}}\n"
	    "  continue: true\n"
	    "  processed: true\n",
	    NULL);
	const struct fault_rule *rule = &s->faults.rules[0];
	const struct word *w = rule->tests[0].kind->key.words;

	(void)state;
	assert_int_equal(rule->tests[0].value.count, 2);
	for (size_t i = 0; w->text != NULL; w++)
		if (i < 2 && w->value == rule->tests[0].value.numbers[i])
			assert_string_equal(w->text,
			    i++ == 0 ? "GetCACert" : "PKIOperation");
	assert_true(rule->edits[0].value.is_word);
	assert_true(rule->goes_on);
	assert_true(rule->processed);
	assert_true(rule->instead);
	assert_int_equal(rule->at.line, 4);
	assert_string_equal(rule->at.file, "pki.yaml");
	scenario_free(s);
}

/* `do: {}` spares an exchange the rules after it. */
static void
nothing_is_done(void **state)
{
	struct scenario *s = accept_all(TOP
	    "faults:\n"
	    "- {when: {user_agent: \"good/*\"}, do: {}}\n"
	    "- {do: {delay: 1s}}\n",
	    NULL);

	(void)state;
	assert_int_equal(s->faults.count, 2);
	assert_int_equal(s->faults.rules[0].edit_count, 0);
	scenario_free(s);
}

static int
make(void **state)
{
	(void)state;
	dir_make(dir);
	return 0;
}

static int
clean(void **state)
{
	(void)state;
	dir_remove(dir);
	return 0;
}

int
main(void)
{
	static const struct table tables[] = {
		ONE(directory_goes_first, "the directory goes first"),
		ONE(link_to_nowhere, "a link to nowhere is told as one"),
		ONE(name_of_the_file, "a file has the name of its scenario"),
		ONE(extends, "a child of a child"),
		ONE(extends_by_name, "a text extends what has a name"),
		ONE(sets_come_last, "sets come after what is extended"),
		ONE(reference, "where the story comes from"),
		ROWS(reads_value, values),
		ONE(words, "words, and what a rule is"),
		ONE(nothing_is_done, "a rule that spares"),
	};

	return ROWS_RUN(tables, make, clean);
}
