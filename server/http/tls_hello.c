/*
 * What OpenSSL is to do: nothing is decided before the ClientHello is there,
 * and all of it is decided for this connection alone.
 */
#include "http/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#define NAME_SIZE 256 /* of a host; NUL included */
#define HOST_NAME 0   /* RFC 6066 3 */

/* Old versions sign with SHA-1 and MD5: only level 0 lets them. */
#define LEVEL 1
#define CIPHERS_OLD "DEFAULT:@SECLEVEL=0"
#define CIPHERS "DEFAULT:@SECLEVEL=1"

struct tls_identity {
	X509 *cert;
	STACK_OF(X509) * others;
	EVP_PKEY *key;
	unsigned char id[8]; /* of sessions that were made with it */
	_Atomic int refs;
};

static X509 *
read_certificate(struct span der, OSSL_LIB_CTX *library)
{
	const unsigned char *at = der.data;
	X509 *cert = X509_new_ex(library, NULL);

	if (cert != NULL && d2i_X509(&cert, &at, (long)der.len) == NULL)
		cert = NULL;
	return cert;
}

/* The end of its signature: another certificate has another. */
static void
take_id(struct tls_identity *identity, struct span der)
{
	size_t len = sizeof(identity->id);

	if (der.len >= len)
		memcpy(identity->id, der.data + der.len - len, len);
}

int
tls_identity_new(struct tls_identity **out, EVP_PKEY *key,
    const struct span *certs, size_t count, OSSL_LIB_CTX *library,
    struct error *err)
{
	struct tls_identity *identity = calloc(1, sizeof(*identity));
	X509 *other;

	if ((*out = identity) == NULL)
		return error_set(err, "out of memory");
	identity->refs = 1;
	identity->others = sk_X509_new_null();
	identity->cert = count > 0 ? read_certificate(certs[0], library) : NULL;
	if (EVP_PKEY_up_ref(key) == 1)
		identity->key = key;
	for (size_t i = 1; i < count && identity->others != NULL; i++) {
		other = read_certificate(certs[i], library);
		if (other == NULL || !sk_X509_push(identity->others, other)) {
			X509_free(other);
			break;
		}
	}
	if (identity->cert != NULL && identity->key != NULL &&
	    sk_X509_num(identity->others) == (int)count - 1) {
		take_id(identity, certs[0]);
		return 0;
	}
	ERR_clear_error();
	tls_identity_free(identity);
	*out = NULL;
	return error_set(err, "OpenSSL does not take a certificate for TLS");
}

struct tls_identity *
tls_identity_ref(struct tls_identity *identity)
{
	atomic_fetch_add(&identity->refs, 1);
	return identity;
}

void
tls_identity_free(struct tls_identity *identity)
{
	if (identity == NULL || atomic_fetch_sub(&identity->refs, 1) > 1)
		return;
	X509_free(identity->cert);
	sk_X509_pop_free(identity->others, X509_free);
	EVP_PKEY_free(identity->key);
	free(identity);
}

/* So many octets of *rest. */
static int
take(struct span *rest, size_t len, struct span *out)
{
	if (rest->len < len)
		return -1;
	*out = span_of(rest->data, len);
	*rest = span_of(rest->data + len, rest->len - len);
	return 0;
}

/* Those that two octets of length stand before. */
static int
take_vector(struct span *rest, struct span *out)
{
	struct span len;

	if (take(rest, 2, &len) == -1)
		return -1;
	return take(rest, (size_t)(len.data[0] << 8 | len.data[1]), out);
}

/* The server_name of RFC 6066 3; NULL: none that a host can have. */
static const char *
read_name(SSL *ssl, char out[NAME_SIZE])
{
	struct span rest, list, type, name;
	const unsigned char *data;
	size_t len;

	if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &data,
		&len) != 1)
		return NULL;
	rest = span_of(data, len);
	if (take_vector(&rest, &list) == -1 || take(&list, 1, &type) == -1 ||
	    type.data[0] != HOST_NAME || take_vector(&list, &name) == -1 ||
	    name.len == 0 || name.len >= NAME_SIZE)
		return NULL;
	for (size_t i = 0; i < name.len; i++)
		if (name.data[i] <= ' ' || name.data[i] > '~')
			return NULL;
	memcpy(out, name.data, name.len);
	out[name.len] = '\0';
	return out;
}

static int
take_any_certificate(int good, X509_STORE_CTX *store)
{
	(void)good, (void)store;
	return 1;
}

/*
 * A session of another certificate is not resumed: its client would see
 * nothing of the new one.
 */
static bool
name_sessions(SSL *ssl, const struct tls_settings *s)
{
	unsigned char id[sizeof(s->identity->id) + 2];

	memcpy(id, s->identity->id, sizeof(s->identity->id));
	id[sizeof(id) - 2] = (unsigned char)s->newest;
	id[sizeof(id) - 1] = s->needs_certificate ? 2 :
	    s->asks_for_certificate		  ? 1 :
						    0;
	return SSL_set_session_id_context(ssl, id, sizeof(id)) == 1;
}

/* SSL_set_SSL_CTX() would bring along the certificate and nothing else. */
static bool
apply(SSL *ssl, const struct tls_settings *s)
{
	const struct tls_identity *identity = s->identity;
	bool old = s->newest < TLS_1_2;
	int verify = s->needs_certificate ?
	    SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT :
	    s->asks_for_certificate ? SSL_VERIFY_PEER :
				      SSL_VERIFY_NONE;

	SSL_set_verify(ssl, verify, take_any_certificate);
	SSL_set_security_level(ssl, old ? 0 : LEVEL);
	return (!old || SSL_set_cipher_list(ssl, CIPHERS_OLD) == 1) &&
	    SSL_set_min_proto_version(ssl, s->oldest) == 1 &&
	    SSL_set_max_proto_version(ssl, s->newest) == 1 &&
	    SSL_use_cert_and_key(ssl, identity->cert, identity->key,
		identity->others, 1) == 1 &&
	    name_sessions(ssl, s);
}

/* Before OpenSSL has chosen a version. */
static int
on_hello(SSL *ssl, int *alert, void *cls)
{
	struct hello *hello = SSL_get_app_data(ssl);
	struct tls_settings settings = { 0 };
	char name[NAME_SIZE];
	bool good;

	(void)cls;
	*alert = SSL_AD_INTERNAL_ERROR;
	if (hello->service->settings(hello->service->cls, true,
		read_name(ssl, name), &settings) == -1)
		return SSL_CLIENT_HELLO_ERROR;
	hello->verdict = settings.handshake;
	/* It comes back to tls.c, which goes by the verdict; ERROR alerts. */
	if (settings.handshake != TLS_GOES_ON) {
		tls_identity_free(settings.identity);
		return SSL_CLIENT_HELLO_RETRY;
	}
	good = settings.identity != NULL && apply(ssl, &settings);
	tls_identity_free(settings.identity);
	return good ? SSL_CLIENT_HELLO_SUCCESS : SSL_CLIENT_HELLO_ERROR;
}

int
hello_start(OSSL_LIB_CTX *library, SSL_CTX **out, struct error *err)
{
	SSL_CTX *ctx = SSL_CTX_new_ex(library, NULL, TLS_server_method());

	*out = ctx;
	if (ctx == NULL || SSL_CTX_set_cipher_list(ctx, CIPHERS) != 1) {
		ERR_clear_error();
		return error_set(err, "OpenSSL does not do TLS");
	}
	SSL_CTX_set_mode(ctx,
	    SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS |
		SSL_MODE_NO_AUTO_CHAIN);
	/* A client that only closes has half-closed, as without TLS. */
	SSL_CTX_set_options(ctx,
	    SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(ctx, 1);
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_min_proto_version(ctx, TLS_1_0);
	SSL_CTX_set_max_proto_version(ctx, TLS_1_3);
	SSL_CTX_set_dh_auto(ctx, 1);
	SSL_CTX_set_client_hello_cb(ctx, on_hello, NULL);
	return 0;
}

SSL *
hello_new(SSL_CTX *ctx, int fd, struct hello *hello)
{
	SSL *ssl = SSL_new(ctx);

	if (ssl == NULL || SSL_set_app_data(ssl, hello) != 1 ||
	    SSL_set_fd(ssl, fd) != 1) {
		ERR_clear_error();
		SSL_free(ssl);
		return NULL;
	}
	SSL_set_accept_state(ssl);
	return ssl;
}
