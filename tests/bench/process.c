#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench.h"

#define READY_MS 60000

/* What children say on standard error, for when one fails. */
static int
complaints(void)
{
	static int fd = -1;

	if (fd == -1)
		fd = memfd_create("stderr", MFD_CLOEXEC);
	return fd;
}

static _Noreturn void
die_with_complaints(const char *what)
{
	char text[4096];
	ssize_t len = pread(complaints(), text, sizeof(text), 0);

	die("%s\n%.*s", what, len > 0 ? (int)len : 0, text);
}

/* In the child. vfork() has no copies to make, which would count as start. */
static _Noreturn void
become(const char *const argv[], int out)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (dup2(out, STDOUT_FILENO) != -1 &&
	    dup2(complaints(), STDERR_FILENO) != -1)
		execvp(argv[0], (char *const *)argv);
	_exit(127);
}

void
process_start(struct process *p, const char *const argv[])
{
	int out[2];

	if (complaints() == -1 || ftruncate(complaints(), 0) == -1 ||
	    lseek(complaints(), 0, SEEK_SET) == -1 ||
	    pipe2(out, O_CLOEXEC) == -1)
		die("no pipe for a child");
	p->pid = vfork();
	if (p->pid == 0)
		become(argv, out[1]);
	close(out[1]);
	p->out = out[0];
	if (p->pid == -1 || clock_getcpuclockid(p->pid, &p->clock) != 0)
		die("cannot start %s", argv[0]);
}

void
process_finish(struct process *p)
{
	int status;

	if (waitpid(p->pid, &status, 0) != p->pid || status != 0)
		die_with_complaints("a child failed");
	close(p->out);
}

long
process_rss_kib(const struct process *p)
{
	char path[64], line[128];
	long kib = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/status", (long)p->pid);
	if ((f = fopen(path, "re")) == NULL)
		die("%s cannot be read", path);
	while (fgets(line, sizeof(line), f) != NULL &&
	    sscanf(line, "VmRSS: %ld", &kib) != 1)
		continue;
	fclose(f);
	return kib;
}

static double
used_by(int who)
{
	struct rusage u;

	getrusage(who, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	    (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* proc(5): user, nice, system, idle, iowait, irq, softirq, steal. */
void
machine_cpu(double *all, double *ours)
{
	long t[8] = { 0 };
	FILE *f = fopen("/proc/stat", "re");

	if (f == NULL ||
	    fscanf(f, "cpu %ld %ld %ld %ld %ld %ld %ld %ld", &t[0], &t[1],
		&t[2], &t[3], &t[4], &t[5], &t[6], &t[7]) != 8)
		die("/proc/stat cannot be read");
	fclose(f);
	*all = (double)(t[0] + t[1] + t[2] + t[5] + t[6] + t[7]) /
	    (double)sysconf(_SC_CLK_TCK);
	*ours = used_by(RUSAGE_SELF) + used_by(RUSAGE_CHILDREN);
}

/* The READY line comes in one write, so that one read mostly has it. */
static void
read_ready(struct mock *m)
{
	static const char before[] = "READY {\"url\":\"";
	struct pollfd p = { .fd = m->process.out, .events = POLLIN };
	char line[4096];
	size_t len = 0, url;
	unsigned port;

	line[0] = '\0';
	while (strchr(line, '\n') == NULL) {
		ssize_t got = poll(&p, 1, READY_MS) != 1 ?
		    0 :
		    read(p.fd, line + len, sizeof(line) - 1 - len);

		if (got <= 0)
			die_with_complaints("the server did not get ready");
		line[len += (size_t)got] = '\0';
	}
	url = strlen(before);
	len = strcspn(line + url, "\"");
	if (strncmp(line, before, url) != 0 || len >= sizeof(m->url) ||
	    sscanf(line + url, "http://127.0.0.1:%u/", &port) != 1)
		die("an odd READY line: %s", line);
	snprintf(m->url, sizeof(m->url), "%.*s", (int)len, line + url);
	m->at = (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

void
mock_start(struct mock *m, const char *program, const char *keys,
    const char *const *flags)
{
	const char *argv[8 + 2 + MOCK_FLAGS_MAX + 1] = { program, "serve",
		"--listen", "127.0.0.1:0", "--control", "off", "--challenge",
		MOCK_CHALLENGE };
	size_t end = 8;

	if (keys != NULL) {
		argv[end++] = "--keys";
		argv[end++] = keys;
	}
	while (flags != NULL && *flags != NULL)
		argv[end++] = *flags++;
	process_start(&m->process, argv);
	read_ready(m);
}

void
mock_stop(struct mock *m)
{
	kill(m->process.pid, SIGTERM);
	process_finish(&m->process);
}
