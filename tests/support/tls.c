#include "support/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define HEAD_MAX 65536

static int
take_any(int good, X509_STORE_CTX *store)
{
	(void)good, (void)store;
	/* What is wrong stays to be asked for. */
	return 1;
}

static int
on_certificate_wanted(SSL *ssl, void *cls)
{
	struct tls_client *c = cls;

	(void)ssl;
	c->was_asked = true;
	return 1;
}

static void
set_up(struct tls_client *c, const struct tls_client_options *o)
{
	c->ctx = SSL_CTX_new(TLS_client_method());
	if (o->ca != NULL)
		SSL_CTX_load_verify_file(c->ctx, o->ca);
	SSL_CTX_set_min_proto_version(c->ctx, TLS1_VERSION);
	if (o->newest != 0)
		SSL_CTX_set_max_proto_version(c->ctx, o->newest);
	if (o->is_old) {
		SSL_CTX_set_security_level(c->ctx, 0);
		SSL_CTX_set_cipher_list(c->ctx, "ALL:@SECLEVEL=0");
	}
	if (o->cert != NULL) {
		SSL_CTX_use_certificate(c->ctx, o->cert);
		SSL_CTX_use_PrivateKey(c->ctx, o->key);
	}
	SSL_CTX_set_cert_cb(c->ctx, on_certificate_wanted, c);
	c->ssl = SSL_new(c->ctx);
	SSL_set_verify(c->ssl, SSL_VERIFY_PEER, take_any);
	if (o->host != NULL &&
	    !X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(c->ssl), o->host))
		SSL_set1_host(c->ssl, o->host);
	if (o->name != NULL)
		SSL_set_tlsext_host_name(c->ssl, o->name);
	if (o->session != NULL)
		SSL_set_session(c->ssl, o->session);
	SSL_set_fd(c->ssl, c->fd);
}

static void
see_end(struct tls_client *c, int ret)
{
	int error = SSL_get_error(c->ssl, ret), failed = errno;
	uint8_t more;

	c->reason = ERR_GET_REASON(ERR_peek_error());
	if (error == SSL_ERROR_ZERO_RETURN)
		c->end = recv(c->fd, &more, 1, 0) == 0 ? TLS_NOTIFIED :
							 TLS_FAILED;
	else if (error == SSL_ERROR_SSL &&
	    c->reason == SSL_R_UNEXPECTED_EOF_WHILE_READING)
		c->end = TLS_TRUNCATED;
	else if (error == SSL_ERROR_SYSCALL &&
	    (failed == ECONNRESET || failed == EPIPE))
		c->end = TLS_RESET;
	else if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
		c->end = TLS_SILENT;
	else
		c->end = TLS_FAILED;
	ERR_clear_error();
}

bool
tls_connect(struct tls_client *c, const char *url,
    const struct tls_client_options *o)
{
	const struct tls_client_options none = { 0 };
	int ret;

	*c = (struct tls_client){ .fd = tcp_connect(url) };
	if (c->fd == -1)
		return false;
	/* OpenSSL writes without MSG_NOSIGNAL. */
	signal(SIGPIPE, SIG_IGN);
	if (o == NULL)
		o = &none;
	if (o->wait_ms > 0) {
		const struct timeval limit = { .tv_sec = o->wait_ms / 1000,
			.tv_usec = o->wait_ms % 1000 * 1000 };

		setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &limit,
		    sizeof(limit));
	}
	ERR_clear_error();
	set_up(c, o);
	errno = 0;
	c->shaken = (ret = SSL_connect(c->ssl)) == 1;
	if (!c->shaken)
		see_end(c, ret);
	c->verified = SSL_get_verify_result(c->ssl);
	return c->shaken;
}

bool
tls_send(struct tls_client *c, const void *data, size_t len)
{
	const char *at = data;
	size_t sent;

	ERR_clear_error();
	for (; len > 0; at += sent, len -= sent)
		if (c->ssl == NULL || SSL_write_ex(c->ssl, at, len, &sent) != 1)
			return false;
	return true;
}

bool
tls_send_text(struct tls_client *c, const char *text)
{
	return tls_send(c, text, strlen(text));
}

void
tls_half_close(struct tls_client *c)
{
	ERR_clear_error();
	SSL_shutdown(c->ssl);
	shutdown(c->fd, SHUT_WR);
}

size_t
tls_read(struct tls_client *c, void *out, size_t size)
{
	size_t len = 0;
	int ret;

	if (c->ssl == NULL || c->end != TLS_OPEN)
		return 0;
	ERR_clear_error();
	errno = 0;
	if ((ret = SSL_read_ex(c->ssl, out, size, &len)) != 1)
		see_end(c, ret);
	return len;
}

void
tls_read_all(struct tls_client *c, struct buffer *out)
{
	char chunk[16384];
	size_t len;

	*out = (struct buffer){ 0 };
	while ((len = tls_read(c, chunk, sizeof(chunk))) > 0)
		buffer_add(out, chunk, len);
	buffer_add_byte(out, 0);
	if (!out->failed)
		out->len--;
}

static bool
read_head(struct tls_client *c, struct buffer *head)
{
	char octet;

	while (head->len < HEAD_MAX && tls_read(c, &octet, 1) == 1) {
		buffer_add_byte(head, (uint8_t)octet);
		if (head->len >= 4 &&
		    memcmp(head->data + head->len - 4, "\r\n\r\n", 4) == 0)
			return true;
	}
	return false;
}

bool
tls_read_answer(struct tls_client *c, struct answer *a)
{
	char text[16], chunk[16384];
	size_t left = 0, len;
	bool whole;

	*a = (struct answer){ 0 };
	whole = read_head(c, &a->head);
	buffer_add_byte(&a->head, 0);
	if (whole &&
	    sscanf((char *)a->head.data, "HTTP/1.%*[01] %d ", &a->status) != 1)
		whole = false;
	if (whole &&
	    answer_header(a, "Content-Length", text, sizeof(text)) != NULL)
		left = strtoul(text, NULL, 10);
	for (; left > 0; left -= len) {
		len = tls_read(c, chunk,
		    left < sizeof(chunk) ? left : sizeof(chunk));
		if (len == 0)
			break;
		buffer_add(&a->body, chunk, len);
	}
	buffer_add_byte(&a->body, 0);
	if (a->head.failed || a->body.failed)
		return false;
	a->head.len--;
	a->body.len--;
	return whole && left == 0;
}

void
tls_close(struct tls_client *c)
{
	SSL_free(c->ssl);
	SSL_CTX_free(c->ctx);
	if (c->fd != -1)
		close(c->fd);
	*c = (struct tls_client){ .fd = -1 };
}

void
tls_abort(struct tls_client *c)
{
	if (c->fd != -1)
		tcp_abort(c->fd);
	c->fd = -1;
	tls_close(c);
}
