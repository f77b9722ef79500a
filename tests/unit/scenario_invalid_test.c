/*
 * Every error that the loader can utter, with its exact words: the folder
 * tests/scenarios/invalid, and here what no file of it can show. The last
 * tests hold this against the source.
 */
#include "unit/scenarios.h"

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/files.h"

#define FOLDER "tests/scenarios/invalid"
#define EXPECT "# expect: "
#define SAID_MAX 500
#define CALL_SIZE 2048
#define SIXTY "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

/* All that was said, for the last tests. */
static char *said[SAID_MAX];
static size_t said_count;

static void
note(const struct errors *errors)
{
	for (size_t i = 0; i < errors->count && i < ERRORS_MAX; i++) {
		assert_true(said_count < SAID_MAX);
		said[said_count] = strdup(errors->list[i].text);
		assert_non_null(said[said_count++]);
	}
}

/* The lines that a file begins with, without what marks them. */
static void
expectation(const char *path, char out[TEXT_SIZE])
{
	struct buffer text = { 0 };
	const char *at;
	size_t len = 0;

	assert_true(file_read(path, &text));
	at = (const char *)text.data;
	while (strncmp(at, EXPECT, strlen(EXPECT)) == 0) {
		at += strlen(EXPECT);
		len += (size_t)snprintf(out + len, TEXT_SIZE - len, "%s%.*s",
		    len > 0 ? "\n" : "", (int)strcspn(at, "\n"), at);
		at += strcspn(at, "\n") + 1;
	}
	if (len == 0)
		fail_msg("%s does not say what is expected", path);
	buffer_free(&text);
}

static void
is_refused(const char *what, const char *wanted)
{
	struct errors errors = { 0 };
	struct scenario *s = NULL;
	char text[TEXT_SIZE];

	if (scenario_load(what, NULL, &s, &errors) == 0)
		fail_msg("%s is taken", what);
	assert_null(s);
	note(&errors);
	assert_string_equal(errors_print(&errors, text, sizeof(text)), wanted);
	errors_clear(&errors);
}

static void
folder(void **state)
{
	char path[FILE_PATH_SIZE], wanted[TEXT_SIZE];
	struct dirent *entry;
	const char *end;
	size_t count = 0;
	DIR *dir;

	(void)state;
	assert_int_equal(chdir(path_in_source(path, FOLDER)), 0);
	assert_non_null(dir = opendir("."));
	while ((entry = readdir(dir)) != NULL) {
		end = strrchr(entry->d_name, '.');
		if (end == NULL || strcmp(end, ".yaml") != 0)
			continue;
		expectation(entry->d_name, wanted);
		is_refused(entry->d_name, wanted);
		count++;
	}
	closedir(dir);
	assert_true(count > 80);
}

static const struct path {
	const char *row, *path, *error;
} paths[] = {
	{ "a directory", "/", "/: not a file, but a directory" },
	{ "a device", "/dev/null", "/dev/null: not a file, but a device" },
	{ "no such file", "/no/such.yaml",
	    "/no/such.yaml: No such file or directory" },
	{ "no such name", "helthy",
	    "unknown scenario \"helthy\", did you mean \"healthy\"?" },
	{ "a name that is none", "..healthy",
	    "unknown scenario \"..healthy\", did you mean \"healthy\"?" },
};

static void
refuses_path(void **state)
{
	const struct path *t = *state;

	is_refused(t->path, t->error);
}

/* Nobody writes to it, and nobody waits for that. */
static void
pipe_for_a_file(void **state)
{
	char dir[FILE_PATH_SIZE], path[FILE_PATH_SIZE], wanted[1024];

	(void)state;
	path_in(path, dir_make(dir), "x.yaml");
	snprintf(wanted, sizeof(wanted), "%s: not a file, but a pipe", path);
	assert_int_equal(mkfifo(path, 0600), 0);
	is_refused(path, wanted);
	dir_remove(dir);
}

/* It is told by its size: nothing of it is read. */
static void
large_file(void **state)
{
	char dir[FILE_PATH_SIZE], path[FILE_PATH_SIZE], wanted[1024];

	(void)state;
	path_in(path, dir_make(dir), "x.yaml");
	file_write(path, "x", 1);
	assert_int_equal(truncate(path, 10 << 20), 0);
	snprintf(wanted, sizeof(wanted),
	    "%s: more than the 1048576 octets it may have", path);
	is_refused(path, wanted);
	dir_remove(dir);
}

/* Takes the descriptor. */
static void
from_stdin(int fd, const char *wanted)
{
	int before = dup(STDIN_FILENO);

	assert_true(fd != -1 && dup2(fd, STDIN_FILENO) != -1);
	close(fd);
	is_refused("-", wanted);
	if (before != -1) {
		dup2(before, STDIN_FILENO);
		close(before);
	}
}

static void
standard_input(void **state)
{
	int ends[2];

	(void)state;
	from_stdin(open("/", O_RDONLY), "standard input: Is a directory");
	from_stdin(open("/dev/zero", O_RDONLY),
	    "stdin:1:1: more than the 1 MiB that a scenario may have");
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "- a\n", 4), 4);
	close(ends[1]);
	from_stdin(ends[0],
	    "stdin:1:1: a scenario is a map that begins with "
	    "\"mockndes: 1\"");
}

/* Texts that came from nowhere. */
static const struct loose {
	const char *row, *yaml, *set, *error;
} looses[] = {
	{ "extends a file", TOP "extends: ./base.yaml\n", NULL,
	    "pki.yaml:3:10: a scenario that is not a file cannot name one" },
	{ "sends a file", TOP "faults: [{do: {http: {file: x}}}]\n", NULL,
	    "pki.yaml:3:29: a scenario that is not a file cannot name one" },
	{ "a name of 65 characters", "mockndes: 1\nname: " SIXTY "12345\n",
	    NULL,
	    "pki.yaml:2:7: a name is made of A-Z a-z 0-9 . _ -, 64 of them at "
	    "most, with no dot in front" },
	{ "what would lead a terminal",
	    TOP "server: {windows: \"\\e[1m\\n\\x7f\"}\n", NULL,
	    "pki.yaml:3:19: unknown value \"?[1m??\", did you mean "
	    "\"2012\"?" },
	{ "what is cut within a character",
	    TOP "server: {windows: 12345678901234567890123456789012345678901"
		"234567890123456789\xc3\xa4}\n",
	    NULL,
	    "pki.yaml:3:19: unknown value \"12345678901234567890123456789"
	    "012345678901234567890123456789?\", did you mean \"2008r2\"?" },
	{ "a set without a value", TOP, "server.windows",
	    "the setting \"server.windows\" is not of the form KEY=VALUE" },
};

static void
refuses_loose(void **state)
{
	const struct loose *t = *state;
	const struct scenario_options options = { &t->set, t->set != NULL,
		NULL };
	const struct scenario_text text = { span_text(t->yaml), "pki.yaml",
		NULL };
	struct errors errors = { 0 };
	struct scenario *s = NULL;
	char out[TEXT_SIZE];

	assert_int_equal(scenario_parse(&text, &options, &s, &errors), -1);
	assert_null(s);
	note(&errors);
	assert_string_equal(errors_print(&errors, out, sizeof(out)), t->error);
	errors_clear(&errors);
}

/* Twenty are told, in their order, and how many there are beside. */
static void
many(void **state)
{
	char yaml[1024] = TOP "server:\n", out[TEXT_SIZE];
	const char *line = out;

	(void)state;
	for (int i = 0; i < 30; i++)
		snprintf(yaml + strlen(yaml), sizeof(yaml) - strlen(yaml),
		    "  key%d: 1\n", i);
	strcpy(out, refusal(yaml, NULL));
	for (int i = 0; i < ERRORS_MAX; i++) {
		char begin[64];

		snprintf(begin, sizeof(begin),
		    "pki.yaml:%d:3: unknown key \"key%d\"", i + 4, i);
		assert_int_equal(strncmp(line, begin, strlen(begin)), 0);
		assert_non_null(line = strchr(line, '\n'));
		line++;
	}
	assert_string_equal(line, "and 10 more");
}

/* What a source says in one place: its words, and where. */
struct saying {
	const char *file;
	int line;
	char text[CALL_SIZE];
};

/* Appends the literals that stand there up to `end`, at the same depth. */
static const char *
read_literals(const char *at, const char *ends, char out[CALL_SIZE])
{
	size_t len = strlen(out);
	int depth = 0;

	for (; *at != '\0' && (depth > 0 || strchr(ends, *at) == NULL); at++) {
		depth += (*at == '(') - (*at == ')');
		if (*at != '"')
			continue;
		for (at++; *at != '"'; at++) {
			at += *at == '\\';
			assert_true(len + 1 < CALL_SIZE);
			out[len++] = *at;
		}
		out[len] = '\0';
	}
	return at;
}

/* Whether the words of a format, without what % leads, were said in order. */
static bool
says(const char *text, const char *format)
{
	char part[CALL_SIZE];
	size_t len = 0;

	for (; *format != '\0'; format++) {
		if (*format == '%' && format[1] != '%') {
			format += strcspn(format, "sdux");
			len = 0;
			continue;
		}
		format += *format == '%';
		part[len++] = *format;
		part[len] = '\0';
		if (format[1] != '\0' && (format[1] != '%' || format[2] == '%'))
			continue;
		if ((text = strstr(text, part)) == NULL)
			return false;
		text += len;
	}
	return true;
}

static bool
is_without_words(const char *format)
{
	while (*format == '%')
		format += strcspn(format, "s") + 1;
	return *format == '\0';
}

static void
was_said(const struct saying *s)
{
	if (s->text[0] == '\0')
		fail_msg("%s:%d: the words are not there to be read", s->file,
		    s->line);
	/* Others' words; and what no test can bring about. */
	if (is_without_words(s->text) || strcmp(s->text, "out of memory") == 0)
		return;
	for (size_t i = 0; i < said_count; i++)
		if (says(said[i], s->text))
			return;
	fail_msg("%s:%d: nothing shows \"%s\"", s->file, s->line, s->text);
}

static int
line_of(const char *text, const char *at)
{
	int line = 1;

	for (; text < at; text++)
		line += *text == '\n';
	return line;
}

/* Each call of it, whose format is after so many commas. */
static size_t
check_calls(const char *file, const char *text, const char *function,
    int commas)
{
	const char *at = text;
	struct saying s = { .file = file };
	char before[CALL_SIZE];
	size_t count = 0;

	while ((at = strstr(at, function)) != NULL) {
		at += strlen(function);
		s.line = line_of(text, at);
		for (int i = 0; i < commas; i++) {
			before[0] = '\0';
			at = read_literals(at, ",", before) + 1;
		}
		s.text[0] = '\0';
		at = read_literals(at, ",)", s.text);
		was_said(&s);
		count++;
	}
	return count;
}

static const struct source {
	const char *row; /* a file */
	const char *function;
	int commas;
} sources[] = {
	{ "server/scenario/yaml.c", "errors_at(", 2 },
	{ "server/scenario/values.c", "errors_at(", 2 },
	{ "server/scenario/keys.c", "errors_at(", 2 },
	{ "server/scenario/server_keys.c", "errors_at(", 2 },
	{ "server/scenario/rules.c", "errors_at(", 2 },
	{ "server/scenario/load.c", "errors_at(", 2 },
	{ "server/scenario/lab.c", "errors_at(", 2 },
	{ "server/scenario/find.c", "errors_at(", 2 },
	{ "server/scenario/find.c", "error_set(", 1 },
	{ "server/scenario/list.c", "errors_at(", 2 },
	{ "server/fault/rules.c", "errors_at(", 2 },
	{ "server/fault/when.c", "errors_at(", 2 },
	{ "server/fault/relations.c", "errors_at(", 2 },
};

static void
all_is_shown(void **state)
{
	const struct source *t = *state;
	struct buffer text = { 0 };
	char path[FILE_PATH_SIZE];

	assert_true(file_read(path_in_source(path, t->row), &text));
	if (check_calls(t->row, (const char *)text.data, t->function,
		t->commas) == 0)
		fail_msg("%s: no %s", t->row, t->function);
	buffer_free(&text);
}

/* Whoever adds a file that speaks has to add a row above. */
static void
every_source(void **state)
{
	static const char *const rooms[] = { "server/scenario",
		"server/fault" };
	char path[FILE_PATH_SIZE], name[FILE_PATH_SIZE];
	struct buffer text = { 0 };
	struct dirent *entry;
	bool known;
	DIR *dir;

	(void)state;
	for (int r = 0; r < 2; r++) {
		assert_non_null(dir = opendir(path_in_source(path, rooms[r])));
		while ((entry = readdir(dir)) != NULL) {
			path_in(name, rooms[r], entry->d_name);
			known = strstr(name, ".c") == NULL;
			for (size_t i = 0;
			     i < sizeof(sources) / sizeof(sources[0]); i++)
				known |= strcmp(sources[i].row, name) == 0;
			text = (struct buffer){ 0 };
			if (!known &&
			    file_read(path_in_source(path, name), &text) &&
			    strstr((const char *)text.data, "errors_at(") !=
				NULL)
				fail_msg("%s is not looked at", name);
			buffer_free(&text);
		}
		closedir(dir);
	}
}

static bool
is_key(const char *glob)
{
	const struct fault_condition *c;
	const struct fault_kind *k;
	char name[128];

	for (size_t i = 0; (c = fault_condition_at(i)) != NULL; i++) {
		snprintf(name, sizeof(name), "when.%s", c->key.name);
		if (fnmatch(glob, name, 0) == 0)
			return true;
	}
	for (size_t i = 0; (k = fault_kind_at(i)) != NULL; i++) {
		snprintf(name, sizeof(name), "do.%s", k->key.name);
		if (fnmatch(glob, name, 0) == 0)
			return true;
	}
	return false;
}

/* "do.http.page do.wire.reset=before" */
static void
are_keys(const char *names)
{
	char *list = names == NULL ? NULL : strdup(names);

	for (char *at = list == NULL ? NULL : strtok(list, " "); at != NULL;
	     at = strtok(NULL, " ")) {
		at[strcspn(at, "=")] = '\0';
		if (!is_key(at))
			fail_msg("there is no key %s", at);
	}
	free(list);
}

/* Each row of the table of what cannot stand together. */
static void
every_relation(void **state)
{
	struct saying s = { .file = "server/fault/relations.c" };
	const struct fault_relation *row;

	(void)state;
	for (size_t i = 0; (row = fault_relation_at(i)) != NULL; i++) {
		are_keys(row->keys);
		are_keys(row->others);
		snprintf(s.text, sizeof(s.text), "%s", row->why);
		was_said(&s);
	}
}

int
main(void)
{
	static const struct table tables[] = {
		ONE(folder, "every file of " FOLDER),
		ROWS(refuses_path, paths),
		ONE(pipe_for_a_file, "a pipe for a file"),
		ONE(large_file, "a file of 10 MiB"),
		ONE(standard_input, "standard input"),
		ROWS(refuses_loose, looses),
		ONE(many, "twenty errors are told"),
		ROWS(all_is_shown, sources),
		ONE(every_source, "no source is left out"),
		ONE(every_relation, "each row of what cannot stand together"),
	};

	return ROWS_RUN(tables, NULL, NULL);
}
