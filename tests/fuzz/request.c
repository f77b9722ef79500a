#include "fuzz/request.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct stack_state
request_settings(unsigned choice)
{
	struct stack_state s;

	stack_healthy(&s);
	s.windows = choice % 7;
	s.iis.error_pages = choice / 7 % 3;
	if (choice / 7 % 3 == 2) {
		s.mscep.admin.authentication = AUTHENTICATION_BASIC;
		strcpy(s.mscep.admin.user, "a");
		strcpy(s.mscep.admin.password, "b");
	}
	if (choice / 21 % 2 == 1) {
		s.http_sys.max_field_length = 400;
		s.http_sys.max_request_bytes = 800;
		s.iis.max_url = 200;
		s.iis.max_query_string = 100;
		s.iis.max_allowed_content_length = 64;
	}
	s.mscep.bom = s.mscep.odd_byte = s.http_sys.require_content_length =
	    choice / 42 % 2 == 1;
	s.policy_module.installed = s.iis.x_powered_by = choice / 84 % 2 == 1;
	s.iis.log_fields = choice / 168;
	return s;
}

/* Up to the first of these octets, which becomes the end of the text. */
static char *
take(char **at, const char *ends)
{
	char *text = *at;

	*at += strcspn(text, ends);
	if (**at != '\0')
		*(*at)++ = '\0';
	return text;
}

/* To libmicrohttpd a CR is the end of a line only before an LF. */
static char *
take_line(char **at)
{
	char *text = take(at, "\n");
	size_t len = strlen(text);

	if (len > 0 && text[len - 1] == '\r')
		text[len - 1] = '\0';
	return text;
}

/* As parse.c fills it. */
static void
read_head(struct request *r, char *at)
{
	char *line = take_line(&at);
	const char *value;
	size_t len;

	r->head_size = strlen(line) + 4;
	r->method = take(&line, " ");
	r->asked = strdup(take(&line, " "));
	r->version = line;
	r->headers = calloc(strlen(at) + 1, sizeof(r->headers[0]));
	while (*at != '\0') {
		line = take_line(&at);
		r->head_size += strlen(line) + 2;
		r->headers[r->header_count].name = take(&line, ":");
		line += strspn(line, " \t");
		r->headers[r->header_count++].value = line;
		if ((len = strlen(line)) > r->longest_header)
			r->longest_header = len;
	}
	if ((value = request_header(r, "Content-Length")) != NULL)
		r->content_length = atoll(value);
	value = request_header(r, "Transfer-Encoding");
	r->chunked = value != NULL && strcasecmp(value, "chunked") == 0;
	r->broken = value != NULL && !r->chunked;
	request_split_target(r);
}

void
request_read(struct request *r, struct span in)
{
	const uint8_t *end = memmem(in.data, in.len, "\r\n\r\n", 4);
	size_t head = end == NULL ? in.len : (size_t)(end - in.data);

	r->memory = span_dup_text(span_of(in.data, head));
	read_head(r, r->memory);
	if (end != NULL)
		buffer_add(&r->body, end + 4, in.len - head - 4);
	r->local.address.v4 = (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_port = htons(8080) };
	r->source.address.v6 = (struct sockaddr_in6){ .sin6_family = AF_INET6 };
}
