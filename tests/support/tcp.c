#include "support/tcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define HEAD_MAX 65536
#define BODY_MAX (1 << 24)
#define ROW_MAX 16

int
tcp_connect(const char *url)
{
	const struct timeval limit = { .tv_sec = TCP_SECONDS };
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
		.sin6_addr = IN6ADDR_LOOPBACK_INIT };
	const char *at = strstr(url, "://"), *port;
	bool is_v6 = at != NULL && strncmp(at, "://[::1]:", 9) == 0;
	int fd, failed;

	if (at == NULL || (!is_v6 && strncmp(at, "://127.0.0.1:", 13) != 0))
		return -1;
	port = is_v6 ? at + 9 : at + 13;
	v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	v4.sin_port = v6.sin6_port = htons((uint16_t)atoi(port));
	fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	failed = is_v6 ? connect(fd, (struct sockaddr *)&v6, sizeof(v6)) :
			 connect(fd, (struct sockaddr *)&v4, sizeof(v4));
	if (failed == 0)
		return fd;
	close(fd);
	return -1;
}

int
tcp_take_port(unsigned port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd == -1)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0 &&
	    listen(fd, 1) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Tests that run beside this one begin elsewhere. */
unsigned
tcp_free_ports(unsigned count)
{
	static unsigned next;
	unsigned taken, first;
	int fds[ROW_MAX];

	if (next == 0)
		next = 12000 + ROW_MAX * ((unsigned)getpid() % 1000);
	for (first = next; first + count < 32768; first += count) {
		for (taken = 0; taken < count && taken < ROW_MAX &&
		     (fds[taken] = tcp_take_port(first + taken)) != -1;
		     taken++)
			;
		next = first + count;
		for (unsigned i = 0; i < taken; i++)
			close(fds[i]);
		if (taken == count)
			return first;
	}
	return 0;
}

bool
tcp_send(int fd, const void *data, size_t len)
{
	const char *at = data;
	ssize_t sent;

	for (; len > 0; at += sent, len -= (size_t)sent)
		if ((sent = send(fd, at, len, MSG_NOSIGNAL)) <= 0)
			return false;
	return true;
}

bool
tcp_send_text(int fd, const char *text)
{
	return tcp_send(fd, text, strlen(text));
}

void
tcp_half_close(int fd)
{
	shutdown(fd, SHUT_WR);
}

void
tcp_abort(int fd)
{
	const struct linger none = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	close(fd);
}

static void
end_text(struct buffer *b)
{
	buffer_add_byte(b, 0);
	if (!b->failed)
		b->len--;
}

enum tcp_end
tcp_read_all(int fd, struct buffer *out)
{
	char chunk[16384];
	ssize_t len;

	*out = (struct buffer){ 0 };
	while ((len = recv(fd, chunk, sizeof(chunk), 0)) > 0 &&
	    out->len < BODY_MAX)
		buffer_add(out, chunk, (size_t)len);
	end_text(out);
	return len == 0			     ? TCP_CLOSED :
	    len == -1 && errno == ECONNRESET ? TCP_RESET :
					       TCP_SILENT;
}

static bool
read_head(int fd, struct answer *a)
{
	char c;

	while (a->head.len < HEAD_MAX && recv(fd, &c, 1, 0) == 1) {
		buffer_add_byte(&a->head, (uint8_t)c);
		if (a->head.len >= 4 &&
		    memcmp(a->head.data + a->head.len - 4, "\r\n\r\n", 4) == 0)
			return true;
	}
	return false;
}

static bool
read_body(int fd, struct answer *a)
{
	char text[16], chunk[16384];
	size_t left, want;
	ssize_t len;

	if (answer_header(a, "Content-Length", text, sizeof(text)) == NULL)
		return true;
	for (left = strtoul(text, NULL, 10); left > 0; left -= (size_t)len) {
		want = left < sizeof(chunk) ? left : sizeof(chunk);
		if ((len = recv(fd, chunk, want, 0)) <= 0)
			return false;
		buffer_add(&a->body, chunk, (size_t)len);
	}
	return true;
}

bool
answer_read(int fd, bool has_body, struct answer *a)
{
	bool whole;

	*a = (struct answer){ 0 };
	whole = read_head(fd, a);
	end_text(&a->head);
	whole = whole &&
	    sscanf((char *)a->head.data, "HTTP/1.%*[01] %d ", &a->status) == 1;
	if (whole && has_body && a->status != 100)
		whole = read_body(fd, a);
	end_text(&a->body);
	a->octets = a->head.len + a->body.len;
	return whole;
}

char *
answer_header(const struct answer *a, const char *name, char *out, size_t size)
{
	const char *at = (const char *)a->head.data;
	size_t len = strlen(name);

	while ((at = strstr(at, "\r\n")) != NULL) {
		at += 2;
		if (strncasecmp(at, name, len) != 0 || at[len] != ':')
			continue;
		at += len + 1 + strspn(at + len + 1, " ");
		snprintf(out, size, "%.*s", (int)strcspn(at, "\r"), at);
		return out;
	}
	return NULL;
}

void
answer_clear(struct answer *a)
{
	buffer_free(&a->head);
	buffer_free(&a->body);
}

bool
answer_ask(const char *url, const char *request, struct answer *a)
{
	int fd = tcp_connect(url);
	bool good;

	*a = (struct answer){ 0 };
	if (fd == -1)
		return false;
	good = tcp_send_text(fd, request) &&
	    answer_read(fd, strncmp(request, "HEAD ", 5) != 0, a);
	close(fd);
	return good;
}

bool
tcp_is_served(const char *url)
{
	struct answer a;
	bool good = answer_ask(url,
			"GET /certsrv/mscep/mscep.dll?operation=GetCACaps "
			"HTTP/1.1\r\nHost: test\r\n\r\n",
			&a) &&
	    a.status == 200 &&
	    strstr((char *)a.body.data, "POSTPKIOperation") != NULL;

	answer_clear(&a);
	return good;
}
