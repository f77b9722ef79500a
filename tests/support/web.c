#include "support/web.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *trusted;

void
web_trust(const char *ca)
{
	trusted = ca;
}

void
web_start(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

static size_t
take_body(char *data, size_t one, size_t len, void *cls)
{
	buffer_add(cls, data, one * len);
	return one * len;
}

static void
take_value(const char *line, size_t len, const char *name, char *out,
    size_t size)
{
	size_t skip = strlen(name);

	if (len <= skip || strncasecmp(line, name, skip) != 0)
		return;
	while (skip < len && line[skip] == ' ')
		skip++;
	while (len > skip && (line[len - 1] == '\n' || line[len - 1] == '\r'))
		len--;
	snprintf(out, size, "%.*s", (int)(len - skip), line + skip);
}

static size_t
take_header(char *line, size_t one, size_t len, void *cls)
{
	struct web_reply *r = cls;

	len *= one;
	buffer_add(&r->head, line, len);
	take_value(line, len, "Content-Type:", r->content_type,
	    sizeof(r->content_type));
	take_value(line, len, "Server:", r->server, sizeof(r->server));
	take_value(line, len, "Location:", r->location, sizeof(r->location));
	return len;
}

static struct curl_slist *
make_headers(const struct web_request *q)
{
	struct curl_slist *list = NULL;
	char type[128];

	if (q->body != NULL) {
		snprintf(type, sizeof(type), "Content-Type: %s",
		    q->content_type != NULL ? q->content_type :
					      "application/x-pki-message");
		list = curl_slist_append(list, type);
	}
	for (size_t i = 0; q->headers != NULL && q->headers[i] != NULL; i++)
		list = curl_slist_append(list, q->headers[i]);
	return list;
}

static void
set_request(CURL *curl, const struct web_request *q, struct curl_slist *list)
{
	curl_easy_setopt(curl, CURLOPT_URL, q->url);
	curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	if (trusted != NULL)
		curl_easy_setopt(curl, CURLOPT_CAINFO, trusted);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)WEB_SECONDS);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
	if (q->body != NULL) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)q->length);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, q->body);
	}
	if (q->method != NULL && strcmp(q->method, "HEAD") == 0)
		curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
	else if (q->method != NULL)
		curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, q->method);
}

bool
web_ask(const struct web_request *q, struct web_reply *reply)
{
	CURL *curl = curl_easy_init();
	struct curl_slist *list;
	CURLcode code;
	bool good;

	*reply = (struct web_reply){ 0 };
	if (curl == NULL)
		return false;
	list = make_headers(q);
	set_request(curl, q, list);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &reply->body);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, reply);
	code = curl_easy_perform(curl);
	reply->is_reset = code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR;
	good = code == CURLE_OK &&
	    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply->status) ==
		CURLE_OK;
	curl_easy_cleanup(curl);
	curl_slist_free_all(list);
	buffer_add_byte(&reply->body, 0);
	buffer_add_byte(&reply->head, 0);
	if (reply->body.failed || reply->head.failed)
		return false;
	reply->body.len--;
	return good;
}

bool
web_get(const char *url, struct web_reply *reply)
{
	return web_ask(&(struct web_request){ .url = url }, reply);
}

void
web_reply_clear(struct web_reply *reply)
{
	buffer_free(&reply->body);
	buffer_free(&reply->head);
}

bool
web_reply_has(const struct web_reply *reply, const char *line)
{
	const char *at = (const char *)reply->head.data;
	size_t len = strlen(line);

	for (; at != NULL && *at != '\0'; at += strcspn(at, "\n") + 1)
		if (strncasecmp(at, line, len) == 0 &&
		    (at[len] == '\r' || at[len] == '\n'))
			return true;
	return false;
}

bool
web_page_text(const struct web_reply *reply, struct buffer *out)
{
	const struct buffer *page = &reply->body;

	*out = (struct buffer){ 0 };
	if (page->len == 0 || page->len % 2 != 0)
		return false;
	for (size_t i = 0; i < page->len; i += 2) {
		if (page->data[i] > 0x7e || page->data[i + 1] != 0)
			return false;
		buffer_add_byte(out, page->data[i]);
	}
	buffer_add_byte(out, 0);
	return !out->failed;
}
