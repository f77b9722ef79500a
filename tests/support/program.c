#include "support/program.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "support/files.h"
#include "support/test.h"

const char *
program_path(void)
{
	const char *path = getenv("MOCKNDES_PROGRAM");

	if (path == NULL)
		fail_msg("MOCKNDES_PROGRAM is not set: run this with ctest");
	return path;
}

static size_t
add(const char *argv[], size_t count, const char *const words[])
{
	for (; words != NULL && *words != NULL; words++) {
		assert_true(count < PROGRAM_ARGUMENTS_MAX - 1);
		argv[count++] = *words;
	}
	argv[count] = NULL;
	return count;
}

void
program_run(const char *const words[], const char *const env[],
    struct child_result *result)
{
	const char *argv[PROGRAM_ARGUMENTS_MAX] = { program_path() };

	add(argv, 1, words);
	child_run(argv, env, result);
}

static void
read_ready(struct program *p, const char *line)
{
	json_error_t error;

	p->ready = json_loads(line + strlen("READY "), JSON_REJECT_DUPLICATES,
	    &error);
	if (p->ready == NULL)
		fail_msg("\"%s\": %s", line, error.text);
	p->base = json_string_value(json_object_get(p->ready, "base_url"));
	p->url = json_string_value(json_object_get(p->ready, "url"));
	p->admin = json_string_value(json_object_get(p->ready, "admin_url"));
	p->control = json_string_value(json_object_get(p->ready, "control"));
	p->tls = json_string_value(json_object_get(p->ready, "tls_url"));
}

void
program_start_by(struct program *p, const char *const by[],
    const char *const arguments[], const char *const env[])
{
	char keys[FILE_PATH_SIZE];
	const char *const serve[] = { program_path(), "serve", "--listen",
		"127.0.0.1:0", "--control", "127.0.0.1:0", "--keys",
		path_in_source(keys, "tests/fixtures/keys"), NULL };
	const char *argv[PROGRAM_ARGUMENTS_MAX];
	struct child_result result;
	struct buffer line;
	size_t count;

	count = add(argv, 0, by);
	count = add(argv, count, serve);
	add(argv, count, arguments);
	memset(p, 0, sizeof(*p));
	child_start(&p->child, argv, env);
	if (!child_read_line(&p->child, &line) ||
	    strncmp((char *)line.data, "READY ", 6) != 0) {
		child_finish(&p->child, &result);
		fail_msg("not ready but \"%s\": %s", (char *)line.data,
		    (char *)result.err.data);
	}
	read_ready(p, (char *)line.data);
	buffer_free(&line);
}

void
program_start(struct program *p, const char *const arguments[],
    const char *const env[])
{
	program_start_by(p, NULL, arguments, env);
}

void
program_finish(struct program *p, int sig, struct child_result *result)
{
	child_signal(&p->child, sig);
	child_finish(&p->child, result);
	json_decref(p->ready);
	p->ready = NULL;
}

void
program_stop(struct program *p, int sig)
{
	struct child_result result;

	program_finish(p, sig, &result);
	if (result.status != 0)
		fail_msg("it ended with %d: %s", result.status,
		    (char *)result.err.data);
	child_result_clear(&result);
}
