#include "readyz.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define SECONDS 5

static int
split(const char *where, char host[256], char port[8], struct error *err)
{
	const char *at = where;
	char rest = '/';
	int count;

	if (strncasecmp(at, "http://", 7) == 0)
		at += 7;
	if (*at == '[')
		count = sscanf(at, "[%255[^]]]:%7[0-9]%c", host, port, &rest);
	else
		count = sscanf(at, "%255[^:/]:%7[0-9]%c", host, port, &rest);
	if (count < 2 || rest != '/')
		return error_set(err,
		    "\"%s\" is not a URL such as "
		    "http://127.0.0.1:8081",
		    where);
	return 0;
}

static int
connect_to(const char *host, const char *port)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	const struct timeval limit = { .tv_sec = SECONDS };
	struct addrinfo *list, *at;
	int fd = -1;

	if (getaddrinfo(host, port, &hints, &list) != 0)
		return -1;
	for (at = list; at != NULL; at = at->ai_next) {
		fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd == -1)
			continue;
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
		if (connect(fd, at->ai_addr, at->ai_addrlen) == 0)
			break;
		close(fd);
		fd = -1;
	}
	freeaddrinfo(list);
	return fd;
}

int
readyz(const char *where, struct error *err)
{
	/* "localhost" passes the guard against foreign hosts. */
	static const char ask[] =
	    "GET /healthz HTTP/1.1\r\n"
	    "Host: localhost\r\nConnection: close\r\n\r\n";
	char host[256], port[8], answer[13] = "";
	ssize_t len;
	int fd;

	if (split(where, host, port, err) == -1)
		return -1;
	if ((fd = connect_to(host, port)) == -1)
		return error_set(err, "%s: nobody listens there", where);
	len = send(fd, ask, sizeof(ask) - 1, MSG_NOSIGNAL);
	if (len == (ssize_t)sizeof(ask) - 1)
		len = recv(fd, answer, sizeof(answer) - 1, MSG_WAITALL);
	close(fd);
	if (len != (ssize_t)sizeof(answer) - 1 ||
	    strcmp(answer, "HTTP/1.1 200") != 0)
		return error_set(err, "%s: not ready", where);
	return 0;
}
