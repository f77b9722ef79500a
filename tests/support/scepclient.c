#include "support/scepclient.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/test.h"

#define VERSION "2.1.0"
#define WORDS_MAX 32

bool
scepclient_is_known(void)
{
	const char *const argv[] = { "scepclient", "-version", NULL };
	struct child_result said;
	bool known;

	child_run(argv, NULL, &said);
	known = strcmp((char *)said.out.data, VERSION "\n") == 0;
	child_result_clear(&said);
	return known;
}

void
scepclient_make(struct scepclient *c, const char *parent, const char *name)
{
	path_in(c->dir, parent, name);
	assert_int_equal(mkdir(c->dir, 0700), 0);
	path_in(c->key, c->dir, "client.key");
	path_in(c->cert, c->dir, "client.pem");
}

void
scepclient_forget(const struct scepclient *c)
{
	/* self.pem: its own while there is none from a CA. */
	static const char *const names[] = { "client.pem", "csr.pem",
		"self.pem" };
	char path[FILE_PATH_SIZE];

	for (size_t i = 0; i < COUNT_OF(names); i++)
		unlink(path_in(path, c->dir, names[i]));
}

void
scepclient_forget_csr(const struct scepclient *c)
{
	char path[FILE_PATH_SIZE];

	assert_int_equal(unlink(path_in(path, c->dir, "csr.pem")), 0);
}

static size_t
add(const char *argv[WORDS_MAX], size_t count, const char *const words[])
{
	for (; words != NULL && *words != NULL; words++) {
		assert_true(count < WORDS_MAX - 1);
		argv[count++] = *words;
	}
	argv[count] = NULL;
	return count;
}

static void
start(const struct scepclient *c, const char *const by[], const char *url,
    const char *challenge, const char *const more[], struct child *child)
{
	const char *const words[] = { "scepclient", "-server-url", url,
		"-private-key", c->key, "-certificate", c->cert, "-cn",
		"printer 1", "-organization", "Office", NULL };
	const char *const with[] = { "-challenge", challenge, NULL };
	const char *argv[WORDS_MAX];
	size_t count;

	count = add(argv, 0, by);
	count = add(argv, count, words);
	if (challenge != NULL)
		count = add(argv, count, with);
	add(argv, count, more);
	child_start(child, argv, NULL);
}

void
scepclient_run(const struct scepclient *c, const char *url,
    const char *challenge, const char *const more[],
    struct child_result *result)
{
	struct child child;

	start(c, NULL, url, challenge, more, &child);
	child_finish(&child, result);
}

void
scepclient_run_to_pending(const struct scepclient *c, const char *url,
    const char *challenge)
{
	/* It speaks to stderr. */
	static const char *const by[] = { "sh", "-c", "exec \"$@\" 2>&1", "sh",
		NULL };
	struct child_result result;
	struct buffer line;
	struct child child;
	bool pending = false;

	start(c, by, url, challenge, NULL, &child);
	while (!pending) {
		if (!child_read_line(&child, &line))
			fail_msg("it ended without PENDING");
		pending = strstr((char *)line.data, "pkiStatus=PENDING");
		buffer_free(&line);
	}
	child_signal(&child, SIGKILL);
	child_finish(&child, &result);
	assert_int_equal(result.status, -SIGKILL);
	child_result_clear(&result);
}
