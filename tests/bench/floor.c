#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench.h"

#define REPETITIONS 60
#define EVENTS 64

struct rsa_floor {
	EVP_PKEY *key;
	EVP_PKEY_CTX *sign, *verify, *encrypt, *decrypt;
	uint8_t digest[32], content_key[16], signature[256], sealed[256];
};

static EVP_PKEY_CTX *
context(struct rsa_floor *f, int (*init)(EVP_PKEY_CTX *), bool hashes)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(f->key, NULL);

	if (ctx == NULL || init(ctx) != 1 ||
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) != 1 ||
	    (hashes && EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) != 1))
		die("OpenSSL has no RSA");
	return ctx;
}

struct rsa_floor *
rsa_floor_new(void)
{
	struct rsa_floor *f = calloc(1, sizeof(*f));

	if (f == NULL || (f->key = EVP_RSA_gen(2048)) == NULL)
		die("no RSA key could be made");
	f->sign = context(f, EVP_PKEY_sign_init, true);
	f->verify = context(f, EVP_PKEY_verify_init, true);
	f->encrypt = context(f, EVP_PKEY_encrypt_init, false);
	f->decrypt = context(f, EVP_PKEY_decrypt_init, false);
	return f;
}

void
rsa_floor_free(struct rsa_floor *f)
{
	EVP_PKEY_CTX_free(f->sign);
	EVP_PKEY_CTX_free(f->verify);
	EVP_PKEY_CTX_free(f->encrypt);
	EVP_PKEY_CTX_free(f->decrypt);
	EVP_PKEY_free(f->key);
	free(f);
}

/*
 * The certificate and the CertRep are signed, the envelope is sealed and
 * opened, message and CSR are verified.
 */
static bool
once(struct rsa_floor *f)
{
	uint8_t opened[256];
	size_t len = sizeof(f->signature), sealed = sizeof(f->sealed),
	       again = sizeof(f->signature), size = sizeof(opened);

	return EVP_PKEY_sign(f->sign, f->signature, &len, f->digest,
		   sizeof(f->digest)) == 1 &&
	    EVP_PKEY_sign(f->sign, f->signature, &again, f->digest,
		sizeof(f->digest)) == 1 &&
	    EVP_PKEY_encrypt(f->encrypt, f->sealed, &sealed, f->content_key,
		sizeof(f->content_key)) == 1 &&
	    EVP_PKEY_decrypt(f->decrypt, opened, &size, f->sealed, sealed) ==
	    1 &&
	    EVP_PKEY_verify(f->verify, f->signature, len, f->digest,
		sizeof(f->digest)) == 1 &&
	    EVP_PKEY_verify(f->verify, f->signature, len, f->digest,
		sizeof(f->digest)) == 1;
}

double
rsa_floor_measure(struct rsa_floor *f)
{
	struct samples s = { 0 };
	double median, start;

	for (int i = 0; i < REPETITIONS; i++) {
		start = seconds(CLOCK_THREAD_CPUTIME_ID);
		if (!once(f))
			die("OpenSSL cannot do RSA");
		samples_add(&s, seconds(CLOCK_THREAD_CPUTIME_ID) - start);
	}
	median = samples_median(&s);
	samples_free(&s);
	return median;
}

static void
echo(int epoll, int listener, struct span answer)
{
	struct epoll_event events[EVENTS], ev = { .events = EPOLLIN };
	char chunk[4096];
	int count = epoll_wait(epoll, events, EVENTS, -1);

	for (int i = 0; i < count; i++) {
		int fd = events[i].data.fd;

		if (fd == listener) {
			ev.data.fd = accept(fd, NULL, NULL);
			epoll_ctl(epoll, EPOLL_CTL_ADD, ev.data.fd, &ev);
		} else if (recv(fd, chunk, sizeof(chunk), 0) <= 0 ||
		    send(fd, answer.data, answer.len, MSG_NOSIGNAL) == -1) {
			close(fd);
		}
	}
}

void
echo_start(struct process *p, struct sockaddr_in *at, struct span answer)
{
	struct epoll_event ev = { .events = EPOLLIN };
	socklen_t len = sizeof(*at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	*at = (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	ev.data.fd = fd;
	if (bind(fd, (struct sockaddr *)at, len) == -1 ||
	    listen(fd, SOMAXCONN) == -1 ||
	    getsockname(fd, (struct sockaddr *)at, &len) == -1 ||
	    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev) == -1)
		die("cannot listen on loopback");
	p->pid = fork();
	if (p->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			echo(epoll, fd, answer);
	}
	if (p->pid == -1 || clock_getcpuclockid(p->pid, &p->clock) != 0)
		die("cannot fork");
	p->out = -1;
	close(epoll);
	close(fd);
}

void
echo_stop(struct process *p)
{
	kill(p->pid, SIGKILL);
	waitpid(p->pid, NULL, 0);
}
