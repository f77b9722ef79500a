#include "support/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/test.h"

#define ENVIRONMENT_MAX 256

/* Where both name a variable, ours goes: the first of two would win. */
static void
merge_environment(const char *const added[], const char *out[ENVIRONMENT_MAX])
{
	size_t count = 0;

	for (; added != NULL && *added != NULL; added++)
		out[count++] = *added;
	for (char **at = environ; *at != NULL; at++) {
		size_t len = strcspn(*at, "=") + 1;
		bool replaced = false;

		for (size_t i = 0; i < count && !replaced; i++)
			replaced = strncmp(out[i], *at, len) == 0;
		if (!replaced && count < ENVIRONMENT_MAX - 1)
			out[count++] = *at;
	}
	out[count] = NULL;
}

static void
exec_child(const char *const argv[], const char *const env[], int out, int err)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (dup2(out, STDOUT_FILENO) != -1 && dup2(err, STDERR_FILENO) != -1)
		execvpe(argv[0], (char *const *)argv, (char *const *)env);
	_exit(127);
}

void
child_start(struct child *c, const char *const argv[], const char *const env[])
{
	const char *merged[ENVIRONMENT_MAX];
	int out[2], err[2];

	merge_environment(env, merged);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(pipe2(err, O_CLOEXEC), 0);
	c->pid = fork();
	assert_int_not_equal(c->pid, -1);
	if (c->pid == 0)
		exec_child(argv, merged, out[1], err[1]);
	close(out[1]);
	close(err[1]);
	c->out = out[0];
	c->err = err[0];
}

static void
give_up(struct child *c, const char *what)
{
	kill(c->pid, SIGKILL);
	waitpid(c->pid, NULL, 0);
	fail_msg("a child %s within %d s", what, CHILD_SECONDS);
}

static int
wait_ms(int64_t until)
{
	int64_t left = until - clock_ticks_ms();

	return left < 0 ? 0 : (int)left;
}

bool
child_read_line(struct child *c, struct buffer *line)
{
	int64_t until = clock_ticks_ms() + CHILD_SECONDS * 1000;
	struct pollfd p = { .fd = c->out, .events = POLLIN };
	char byte = '\0';

	*line = (struct buffer){ 0 };
	while (byte != '\n') {
		if (poll(&p, 1, wait_ms(until)) == 0)
			give_up(c, "did not say a line");
		if (read(c->out, &byte, 1) != 1)
			break;
		if (byte != '\n')
			buffer_add_byte(line, (uint8_t)byte);
	}
	buffer_add_byte(line, 0);
	line->len--;
	return byte == '\n';
}

void
child_signal(const struct child *c, int sig)
{
	assert_int_equal(kill(c->pid, sig), 0);
}

/* True while there may be more. */
static bool
read_some(struct pollfd *p, struct buffer *to)
{
	char chunk[4096];
	ssize_t len;

	if (p->fd == -1 || p->revents == 0)
		return p->fd != -1;
	len = read(p->fd, chunk, sizeof(chunk));
	if (len > 0) {
		buffer_add(to, chunk, (size_t)len);
		return true;
	}
	close(p->fd);
	p->fd = -1;
	return false;
}

static void
read_both(struct child *c, struct child_result *result, int64_t until)
{
	struct pollfd p[] = { { c->out, POLLIN, 0 }, { c->err, POLLIN, 0 } };
	bool more = true;

	while (more) {
		if (poll(p, 2, wait_ms(until)) == 0)
			give_up(c, "did not end");
		more = read_some(&p[0], &result->out);
		more |= read_some(&p[1], &result->err);
	}
	buffer_add_byte(&result->out, 0);
	buffer_add_byte(&result->err, 0);
	result->out.len--;
	result->err.len--;
}

void
child_finish(struct child *c, struct child_result *result)
{
	int64_t until = clock_ticks_ms() + CHILD_SECONDS * 1000;
	int status;

	*result = (struct child_result){ 0 };
	read_both(c, result, until);
	while (waitpid(c->pid, &status, WNOHANG) == 0) {
		if (wait_ms(until) == 0)
			give_up(c, "did not end");
		poll(NULL, 0, 2);
	}
	result->status = WIFEXITED(status) ? WEXITSTATUS(status) :
					     -WTERMSIG(status);
}

void
child_run(const char *const argv[], const char *const env[],
    struct child_result *result)
{
	struct child c;

	child_start(&c, argv, env);
	child_finish(&c, result);
}

bool
child_has_said(const struct child_result *result, const char *words)
{
	return strstr((char *)result->out.data, words) != NULL ||
	    strstr((char *)result->err.data, words) != NULL;
}

void
child_result_clear(struct child_result *result)
{
	buffer_free(&result->out);
	buffer_free(&result->err);
}
