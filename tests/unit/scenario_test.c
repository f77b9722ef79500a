/* The scenario language (design B4): what it takes, and what it answers. */
#include "unit/scenarios.h"

#include "scenario/shipped.h"

static void
full_file(void **state)
{
	struct scenario *s = accept_all(
	    "# what is wrong here\n"
	    "mockndes: 1\n"
	    "name: all-of-it\n"
	    "title: Everything is set\n"
	    "description: |\n"
	    "  Two\n"
	    "  lines.\n"
	    "server:\n"
	    "  windows: 2012r2\n"
	    "  http_sys:\n"
	    "    max_field_length: 64\n"
	    "    max_request_bytes: 16777216\n"
	    "    header_wait: 30s\n"
	    "    require_content_length: true\n"
	    "  iis: {error_pages: remote, log_fields: article,\n"
	    "    x_powered_by: false, max_url: 4096, max_query_string: 0,\n"
	    "    max_allowed_content_length: 4294967295}\n"
	    "  mscep:\n"
	    "    capabilities: [POSTPKIOperation, \"SHA-256\"]\n"
	    "    bom: true\n"
	    "    odd_byte: true\n"
	    "    challenge: {length: 32, validity: 90m, cache: 0}\n"
	    "  policy_module: {installed: false}\n"
	    "  ca: {minimum_key_size: 4096}\n",
	    NULL);

	(void)state;
	assert_string_equal(s->name, "all-of-it");
	assert_string_equal(s->title, "Everything is set");
	assert_string_equal(s->description, "Two\nlines.\n");
	assert_int_equal(s->state.windows, WINDOWS_2012R2);
	assert_int_equal(s->state.http_sys.max_field_length, 64);
	assert_int_equal(s->state.http_sys.max_request_bytes, 16777216);
	assert_int_equal(s->state.http_sys.header_wait, 30);
	assert_true(s->state.http_sys.require_content_length);
	assert_int_equal(s->state.iis.error_pages, PAGES_REMOTE);
	assert_int_equal(s->state.iis.log_fields, LOG_FIELDS_ARTICLE);
	assert_false(s->state.iis.x_powered_by);
	assert_int_equal(s->state.iis.max_url, 4096);
	assert_int_equal(s->state.iis.max_query_string, 0);
	assert_int_equal(s->state.iis.max_allowed_content_length, UINT32_MAX);
	assert_string_equal(s->state.mscep.capabilities,
	    "POSTPKIOperation\nSHA-256");
	assert_true(s->state.mscep.bom);
	assert_true(s->state.mscep.odd_byte);
	assert_int_equal(s->state.mscep.challenge.length, 32);
	assert_int_equal(s->state.mscep.challenge.validity, 5400);
	assert_int_equal(s->state.mscep.challenge.cache, 0);
	assert_false(s->state.policy_module.installed);
	assert_int_equal(s->state.ca.minimum_key_size, 4096);
	scenario_free(s);
}

static void
shortest_file(void **state)
{
	struct scenario *s = accept_all(TOP, NULL);
	struct stack_state healthy;

	(void)state;
	stack_healthy(&healthy);
	assert_string_equal(s->name, "x");
	assert_null(s->title);
	assert_null(s->description);
	assert_memory_equal(&s->state, &healthy, sizeof(healthy));
	assert_ptr_equal(scenario_ref(s), s);
	scenario_free(s);
	assert_string_equal(s->name, "x");
	scenario_free(s);
	scenario_free(NULL);
}

static void
evidence_and_cure(void **state)
{
	struct scenario *s = accept_all(TOP
	    "evidence:\n"
	    "  - {in: application-log, text: \"one\\n\"}\n"
	    "  - {in: system-log, text: two, source: DNS, id: 7,\n"
	    "     level: Warning}\n"
	    "  - {in: connector-log, text: three}\n"
	    "  - {in: connector-log, text: four, id: 20501}\n"
	    "  - {in: registry, text: \"five\\nsix\"}\n"
	    "cure: [[renew-ra-certificates, iisreset], [restart-server]]\n",
	    NULL);
	static const struct {
		enum evidence in;
		const char *text, *source;
		int id;
		const char *level;
	} wanted[] = {
		{ EVIDENCE_APPLICATION_LOG, "one", MSCEP_EVENT_SOURCE, 0,
		    "Error" },
		{ EVIDENCE_SYSTEM_LOG, "two", "DNS", 7, "Warning" },
		{ EVIDENCE_CONNECTOR_LOG, "three", NULL, 0, NULL },
		{ EVIDENCE_CONNECTOR_LOG, "four", "Microsoft Intune Connector",
		    20501, "Error" },
		{ EVIDENCE_REGISTRY, "five\nsix", NULL, 0, NULL },
	};

	(void)state;
	assert_int_equal(s->evidence_count, sizeof(wanted) / sizeof(wanted[0]));
	for (size_t i = 0; i < s->evidence_count; i++) {
		assert_int_equal(s->evidence[i].in, wanted[i].in);
		assert_string_equal(s->evidence[i].text, wanted[i].text);
		assert_int_equal(s->evidence[i].id, wanted[i].id);
		assert_int_equal(s->evidence[i].source == NULL,
		    wanted[i].source == NULL);
		if (wanted[i].source == NULL)
			continue;
		assert_string_equal(s->evidence[i].source, wanted[i].source);
		assert_string_equal(s->evidence[i].level, wanted[i].level);
	}
	assert_int_equal(s->cure_count, 2);
	assert_int_equal(s->cures[0].count, 2);
	assert_string_equal(s->cures[0].steps[1]->name, "iisreset");
	assert_string_equal(s->cures[1].steps[0]->name, "restart-server");
	scenario_free(s);
}

static const struct duration {
	const char *row, *text;
	int64_t seconds;
} durations[] = {
	{ "seconds", "90s", 90 },
	{ "minutes", "60m", 3600 },
	{ "hours", "2h", 7200 },
	{ "days", "366d", 366LL * 86400 },
	{ "years", "1y", 31557600 },
};

static void
reads_duration(void **state)
{
	const struct duration *t = *state;
	struct scenario *s;
	char yaml[200];

	snprintf(yaml, sizeof(yaml),
	    SERVER "  mscep: {challenge: {validity: %s}}\n", t->text);
	s = accept_all(yaml, NULL);
	assert_int_equal(s->state.mscep.challenge.validity, t->seconds);
	scenario_free(s);
}

static const struct said {
	const char *row;
	enum windows windows;
} words[] = {
	{ "2008r2", WINDOWS_2008R2 },
	{ "2012", WINDOWS_2012 },
	{ "2012r2", WINDOWS_2012R2 },
	{ "2016", WINDOWS_2016 },
	{ "2019", WINDOWS_2019 },
	{ "2022", WINDOWS_2022 },
	{ "2025", WINDOWS_2025 },
};

static void
reads_windows(void **state)
{
	const struct said *t = *state;
	struct scenario *s;
	char yaml[100];

	snprintf(yaml, sizeof(yaml), SERVER "  windows: %s\n", t->row);
	s = accept_all(yaml, NULL);
	assert_int_equal(s->state.windows, t->windows);
	scenario_free(s);
}

#define NO_DURATION "is not a duration such as 250ms, 90s, 60m, 2h, 2d or 1y"
#define NO_VERSION "a scenario begins with \"mockndes: 1\""
#define NO_MAP "a scenario is a map that begins with \"mockndes: 1\""
#define NOT_PLAIN                                                 \
	"anchors, aliases and tags are not part of the scenario " \
	"language"

static const struct mistake {
	const char *row, *yaml, *error;
} mistakes[] = {
	{ "an empty file", "", "pki.yaml:1:1: the file is empty" },
	{ "only a comment", "# nothing\n", "pki.yaml:2:1: the file is empty" },
	{ "a list for a file", "- mockndes\n", "pki.yaml:1:1: " NO_MAP },
	{ "a text for a file", "mockndes\n", "pki.yaml:1:1: " NO_MAP },
	{ "no version", "name: x\n", "pki.yaml:1:1: " NO_VERSION },
	{ "another version", "mockndes: 2\nname: x\n",
	    "pki.yaml:1:11: " NO_VERSION },
	{ "a version that is a list", "mockndes: [1]\nname: x\n",
	    "pki.yaml:1:11: " NO_VERSION },
	{ "no name", "mockndes: 1\n",
	    "pki.yaml:1:1: the key \"name\" is missing" },
	{ "a name that is a list", "mockndes: 1\nname: [a, b]\n",
	    "pki.yaml:2:7: \"name\" takes a text" },
	{ "a title that is a map", TOP "title: {a: b}\n",
	    "pki.yaml:3:8: \"title\" takes a text" },
	{ "an unknown key at the top", TOP "titel: y\n",
	    "pki.yaml:3:1: unknown key \"titel\", did you mean \"title\"?" },
	{ "a server that is a text", TOP "server: healthy\n",
	    "pki.yaml:3:9: \"server\" takes keys of its own" },
	{ "a server that is nothing", TOP "server:\n",
	    "pki.yaml:3:8: \"server\" takes keys of its own" },
	{ "an unknown key", SERVER "  windowss: 2022\n",
	    "pki.yaml:4:3: unknown key \"windowss\", did you mean "
	    "\"windows\"?" },
	{ "an unknown key in a section", SERVER "  iis:\n    max_ulr: 5\n",
	    "pki.yaml:5:5: unknown key \"iis.max_ulr\", did you mean "
	    "\"iis.max_url\"?" },
	{ "an unknown key in a section of a section",
	    SERVER "  mscep: {challenge: {lenght: 8}}\n",
	    "pki.yaml:4:23: unknown key \"mscep.challenge.lenght\", did you "
	    "mean \"mscep.challenge.length\"?" },
	{ "an unknown section", SERVER "  isi: {max_url: 5}\n",
	    "pki.yaml:4:3: unknown key \"isi\", did you mean \"iis\"?" },
	{ "a value for a section", SERVER "  mscep: {challenge: 8}\n",
	    "pki.yaml:4:22: \"mscep.challenge\" takes keys of its own" },
	{ "a key twice", SERVER "  windows: 2022\n  windows: 2025\n",
	    "pki.yaml:5:3: key \"windows\" stands here twice" },
	{ "a key twice at the top", TOP "name: y\n",
	    "pki.yaml:3:1: key \"name\" stands here twice" },
	{ "a map for a value", SERVER "  windows: {a: b}\n",
	    "pki.yaml:4:12: \"windows\" takes one value" },
	{ "a list for one of the texts of a map",
	    TOP "faults:\n- when: {header: {a: [b, c, d]}}\n",
	    "pki.yaml:4:22: a word is wanted here" },
	{ "a list for a value", SERVER "  iis:\n    max_url: [5]\n",
	    "pki.yaml:5:14: \"iis.max_url\" takes one value" },
	{ "a map for a list", SERVER "  mscep: {capabilities: {a: b}}\n",
	    "pki.yaml:4:25: \"mscep.capabilities\" takes a list, [a, b]" },
	{ "a list in a list", SERVER "  mscep: {capabilities: [A, [B]]}\n",
	    "pki.yaml:4:29: a word is wanted here" },
	{ "an unknown word", SERVER "  windows: 2021\n",
	    "pki.yaml:4:12: unknown value \"2021\", did you mean \"2022\"?" },
	{ "a word in capitals", SERVER "  iis: {error_pages: Article}\n",
	    "pki.yaml:4:22: unknown value \"Article\", did you mean "
	    "\"article\"?" },
	{ "yes for true", SERVER "  mscep: {bom: yes}\n",
	    "pki.yaml:4:16: \"yes\" is neither true nor false" },
	{ "a word for a number", SERVER "  iis: {max_url: many}\n",
	    "pki.yaml:4:18: \"many\" is not a number" },
	{ "a unit behind a number", SERVER "  iis: {max_url: 5k}\n",
	    "pki.yaml:4:18: \"5k\" is not a number" },
	{ "half a number", SERVER "  iis: {max_url: 1.5}\n",
	    "pki.yaml:4:18: \"1.5\" is not a number" },
	{ "no number", SERVER "  iis: {max_url: }\n",
	    "pki.yaml:4:18: \"\" is not a number" },
	{ "a number beyond numbers",
	    SERVER "  iis: {max_url: 99999999999999999999}\n",
	    "pki.yaml:4:18: \"99999999999999999999\" is not a number" },
	{ "a number too small", SERVER "  http_sys: {max_field_length: 63}\n",
	    "pki.yaml:4:32: 63 is not between 64 and 65534" },
	{ "a number too large",
	    SERVER "  http_sys: {max_field_length: 65535}\n",
	    "pki.yaml:4:32: 65535 is not between 64 and 65534" },
	{ "a number below zero", SERVER "  iis: {max_url: -1}\n",
	    "pki.yaml:4:18: -1 is not between 0 and 2147483647" },
	{ "a duration without a unit",
	    SERVER "  mscep:\n    challenge:\n      validity: 60\n",
	    "pki.yaml:6:17: \"60\" " NO_DURATION },
	{ "a duration of another unit",
	    SERVER "  mscep:\n    challenge:\n      validity: 5w\n",
	    "pki.yaml:6:17: \"5w\" " NO_DURATION },
	{ "a duration with a word",
	    SERVER "  mscep:\n    challenge:\n      validity: 5min\n",
	    "pki.yaml:6:17: \"5min\" " NO_DURATION },
	{ "a unit alone",
	    SERVER "  mscep:\n    challenge:\n      validity: m\n",
	    "pki.yaml:6:17: \"m\" " NO_DURATION },
	{ "a duration beyond numbers",
	    SERVER "  mscep:\n    challenge:\n"
		   "      validity: 9223372036854775807d\n",
	    "pki.yaml:6:17: \"9223372036854775807d\" " NO_DURATION },
	{ "the duration that has no opposite",
	    SERVER "  mscep:\n    challenge:\n"
		   "      validity: -9223372036854775808d\n",
	    "pki.yaml:6:17: \"-9223372036854775808d\" " NO_DURATION },
	{ "a duration too short",
	    SERVER "  mscep:\n    challenge:\n      validity: 0s\n",
	    "pki.yaml:6:17: 0s is not between 1s and 366d" },
	{ "an anchor", "mockndes: 1\nname: &a x\n",
	    "pki.yaml:2:7: " NOT_PLAIN },
	{ "an alias", TOP "title: *a\n", "pki.yaml:3:8: " NOT_PLAIN },
	{ "a tag", TOP "title: !!str y\n", "pki.yaml:3:8: " NOT_PLAIN },
	{ "an anchor of a map", TOP "server: &s {windows: 2022}\n",
	    "pki.yaml:3:9: " NOT_PLAIN },
	{ "a merge", SERVER "  <<: *a\n", "pki.yaml:4:7: " NOT_PLAIN },
	{ "a second document", TOP "---\nname: y\n",
	    "pki.yaml:3:1: a second document" },
	{ "a key that is a list", TOP "[a]: b\n",
	    "pki.yaml:3:1: a key must be plain text" },
	{ "a NUL in a text", TOP "title: \"a\\0b\"\n",
	    "pki.yaml:3:8: a NUL in the text" },
	{ "not YAML", TOP "title: [a\n",
	    "pki.yaml:4:1: not YAML: did not find expected ',' or ']'" },
	{ "a tab for blanks", SERVER "\twindows: 2022\n",
	    "pki.yaml:4:1: not YAML: found character that cannot start any token" },
};

static void
refuses(void **state)
{
	const struct mistake *t = *state;

	assert_string_equal(refusal(t->yaml, NULL), t->error);
}

/* So deep a list of lists as a title: "title: [[[...]]]". */
static void
depth(void **state)
{
	char yaml[200], wanted[100];

	(void)state;
	snprintf(yaml, sizeof(yaml), TOP "title: %.31s%.31s\n",
	    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
	    "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
	assert_string_equal(refusal(yaml, NULL),
	    "pki.yaml:3:8: \"title\" takes a text");
	snprintf(yaml, sizeof(yaml), TOP "title: %.34s%.34s\n",
	    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
	    "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
	snprintf(wanted, sizeof(wanted),
	    "pki.yaml:3:%d: deeper or larger than a scenario is", 8 + 32);
	assert_string_equal(refusal(yaml, NULL), wanted);
}

static void
size(void **state)
{
	char *yaml = calloc(1, (1 << 20) + 2);
	char *nodes = calloc(1, 40000);

	(void)state;
	strcpy(yaml, TOP "#");
	memset(yaml + strlen(yaml), 'x', (1 << 20) - strlen(yaml));
	scenario_free(accept_all(yaml, NULL));
	strcat(yaml, "x");
	assert_string_equal(refusal(yaml, NULL),
	    "pki.yaml:1:1: more than the 1 MiB that a scenario may have");
	strcpy(nodes, TOP "title: [");
	for (char *to = nodes + strlen(nodes); to < nodes + 30000; to += 2)
		memcpy(to, "a,", 2);
	assert_non_null(strstr(refusal(nodes, NULL),
	    ": deeper or larger than a scenario is"));
	free(nodes);
	free(yaml);
}

static void
long_list(void **state)
{
	char yaml[2 * CAPABILITIES_SIZE];
	struct scenario *s;

	(void)state;
	snprintf(yaml, sizeof(yaml), SERVER "  mscep: {capabilities: [%0*d]}\n",
	    CAPABILITIES_SIZE - 1, 7);
	s = accept_all(yaml, NULL);
	assert_int_equal(strlen(s->state.mscep.capabilities),
	    CAPABILITIES_SIZE - 1);
	scenario_free(s);
	snprintf(yaml, sizeof(yaml), SERVER "  mscep: {capabilities: [%0*d]}\n",
	    CAPABILITIES_SIZE, 7);
	assert_string_equal(refusal(yaml, NULL),
	    "pki.yaml:4:25: the list is too long");
}

static const struct setting {
	const char *row, *sets[2];
	size_t count;
	const char *error; /* NULL: taken */
} settings[] = {
	{ "a word", { "server.windows=2016" }, 1, NULL },
	{ "a number", { "server.iis.max_url=4096" }, 1, NULL },
	{ "a list", { "server.mscep.capabilities=[Renewal, SHA-1]" }, 1, NULL },
	{ "an empty list", { "server.mscep.capabilities=[]" }, 1, NULL },
	{ "the later one counts",
	    { "server.windows=2016", "server.windows=2016" }, 2, NULL },
	{ "without server", { "windows=2016" }, 1, NULL },
	{ "without a value", { "server.windows" }, 1,
	    "the setting \"server.windows\" is not of the form KEY=VALUE" },
	{ "an unknown key", { "server.iis.max_ulr=5" }, 1,
	    "server.iis.max_ulr=5:1:1: unknown key \"iis.max_ulr\", did you "
	    "mean \"iis.max_url\"?" },
	{ "no key", { "server.=5" }, 1,
	    "server.=5:1:1: unknown key \"\", did you mean \"ca\"?" },
	{ "another type", { "server.iis.max_url=many" }, 1,
	    "server.iis.max_url=many:1:1: \"many\" is not a number" },
	{ "a list for a value", { "server.iis.max_url=[5]" }, 1,
	    "server.iis.max_url=[5]:1:1: \"iis.max_url\" takes one value" },
	{ "a map for a list", { "server.mscep.capabilities={a: b}" }, 1,
	    "server.mscep.capabilities={a: b}:1:1: \"mscep.capabilities\" "
	    "takes a list, [a, b]" },
	{ "one that stands for a list", { "server.mscep.capabilities=Renewal" },
	    1, NULL },
	{ "an empty value", { "server.windows=" }, 1,
	    "server.windows=:1:1: unknown value \"\", did you mean \"2012\"?" },
	{ "an empty text", { "server.mscep.capabilities_content_type=" }, 1,
	    NULL },
	{ "of two the second is wrong",
	    { "server.windows=2016", "server.windows=95" }, 2,
	    "server.windows=95:1:1: unknown value \"95\", did you mean "
	    "\"2025\"?" },
};

static void
sets(void **state)
{
	const struct setting *t = *state;
	const struct scenario_options set = { t->sets, t->count, NULL };
	struct scenario *s;

	if (t->error != NULL) {
		assert_string_equal(refusal(TOP, &set), t->error);
		return;
	}
	s = accept_all(SERVER "  windows: 2012\n  iis: {max_url: 100}\n", &set);
	if (strstr(t->sets[0], "windows") != NULL)
		assert_int_equal(s->state.windows, WINDOWS_2016);
	else
		assert_int_equal(s->state.windows, WINDOWS_2012);
	if (strstr(t->sets[0], "max_url") != NULL)
		assert_int_equal(s->state.iis.max_url, 4096);
	if (strstr(t->sets[0], "SHA-1") != NULL)
		assert_string_equal(s->state.mscep.capabilities,
		    "Renewal\nSHA-1");
	if (strstr(t->sets[0], "[]") != NULL)
		assert_string_equal(s->state.mscep.capabilities, "");
	scenario_free(s);
}

static void
shipped(void **state)
{
	(void)state;
	assert_true(shipped_scenario_count > 0);
	for (size_t i = 0; i < shipped_scenario_count; i++) {
		struct scenario *s = NULL;
		struct errors errors = { 0 };
		char text[TEXT_SIZE];

		if (scenario_find(shipped_scenarios[i].name, NULL, &s,
			&errors) == -1)
			fail_msg("%s",
			    errors_print(&errors, text, sizeof(text)));
		assert_string_equal(s->name, shipped_scenarios[i].name);
		assert_non_null(s->title);
		assert_non_null(s->description);
		scenario_free(s);
	}
}

static void
found_by_name(void **state)
{
	const char *set_list[] = { "server.windows=2016" };
	const struct scenario_options set = { set_list, 1, NULL };
	struct scenario *s = NULL;
	struct errors errors = { 0 };

	(void)state;
	assert_int_equal(scenario_find("healthy", &set, &s, &errors), 0);
	assert_int_equal(s->state.windows, WINDOWS_2016);
	scenario_free(s);
	assert_int_equal(scenario_find("helthy", NULL, &s, &errors), -1);
	assert_int_equal(errors.count, 1);
	assert_string_equal(errors.list[0].text,
	    "unknown scenario \"helthy\", did you mean \"healthy\"?");
	assert_null(s);
}

int
main(void)
{
	static const struct table tables[] = {
		ONE(full_file, "every key goes where it belongs"),
		ONE(shortest_file, "what is not said is healthy"),
		ONE(evidence_and_cure, "evidence and cure"),
		ROWS(reads_duration, durations),
		ROWS(reads_windows, words),
		ROWS(refuses, mistakes),
		ONE(depth, "32 levels are deep enough"),
		ONE(size, "a scenario has a size"),
		ONE(long_list, "a list has a length"),
		ROWS(sets, settings),
		ONE(shipped, "every scenario in the program is good"),
		ONE(found_by_name, "a scenario is found by its name"),
	};

	return ROWS_RUN(tables, NULL, NULL);
}
