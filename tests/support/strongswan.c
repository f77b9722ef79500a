#include "support/strongswan.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/device.h"
#include "support/test.h"
#include "support/trust.h"

#define VERSION "strongSwan 5.9.8 "
#define WORDS_MAX 56

bool
strongswan_is_known(void)
{
	const char *const argv[] = { "pki", "--help", NULL };
	struct child_result said;
	bool known;

	child_run(argv, NULL, &said);
	known = child_has_said(&said, VERSION);
	child_result_clear(&said);
	return known;
}

void
strongswan_configure(const struct strongswan *s, const char *text)
{
	file_write(s->config, text, strlen(text));
}

void
strongswan_make(struct strongswan *s, const char *dir)
{
	memset(s, 0, sizeof(*s));
	strcpy(s->dir, dir);
	path_in(s->config, dir, "strongswan.conf");
	strongswan_configure(s, "");
}

static void
start(const struct strongswan *s, const char *const argv[], struct child *child)
{
	char config[FILE_PATH_SIZE + 32];
	/* What this machine has configured for its VPN shall not count. */
	const char *const env[] = { config, "no_proxy=*", "LC_ALL=C", NULL };
	const char *words[WORDS_MAX];

	snprintf(config, sizeof(config), "STRONGSWAN_CONF=%s", s->config);
	trust(s->trusted, argv, words, WORDS_MAX);
	child_start(child, words, env);
}

void
strongswan_run(const struct strongswan *s, const char *const argv[],
    struct child_result *said)
{
	struct child child;

	start(s, argv, &child);
	child_finish(&child, said);
}

static void
must(const struct strongswan *s, const char *const argv[],
    struct child_result *said)
{
	strongswan_run(s, argv, said);
	if (said->status != 0)
		fail_msg("pki %s: %d: %s", argv[1], said->status,
		    (char *)said->err.data);
}

static uint32_t
key_usage_of(const char *path)
{
	BIO *file = BIO_new_file(path, "r");
	X509 *cert = file == NULL ? NULL :
				    PEM_read_bio_X509(file, NULL, NULL, NULL);
	uint32_t usage;

	if (cert == NULL)
		fail_msg("%s: no certificate", path);
	usage = X509_get_key_usage(cert);
	X509_free(cert);
	BIO_free(file);
	return usage;
}

/* It numbers the RAs in the order of GetCACert, which is any. */
static void
sort_ras(struct strongswan *s, const char *dir)
{
	static const char *const names[] = { "ra.pem", "ra-2.pem" };
	char path[FILE_PATH_SIZE];

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		path_in(path, dir, names[i]);
		if (key_usage_of(path) == KU_KEY_ENCIPHERMENT)
			strcpy(s->encryption_ra, path);
		else
			strcpy(s->signing_ra, path);
	}
}

/* "ca.pem" is the root; those below it have numbers. */
static void
find_cas(struct strongswan *s, const char *dir)
{
	static const char *const names[STRONGSWAN_CAS_MAX] = { "ca.pem",
		"ca-1.pem", "ca-2.pem" };

	for (s->tiers = 0; s->tiers < STRONGSWAN_CAS_MAX; s->tiers++)
		if (access(path_in(s->cas[s->tiers], dir, names[s->tiers]),
			F_OK) == -1)
			break;
}

void
strongswan_get_ca(struct strongswan *s, const char *url)
{
	char name[32], dir[FILE_PATH_SIZE], ca[FILE_PATH_SIZE];
	char ra[FILE_PATH_SIZE];
	struct child_result said;

	snprintf(name, sizeof(name), "cas-%d", ++s->gets);
	assert_int_equal(mkdir(path_in(dir, s->dir, name), 0700), 0);
	must(s,
	    PKI("--scepca", "--url", url, "--caout", path_in(ca, dir, "ca.pem"),
		"--raout", path_in(ra, dir, "ra.pem"), "--outform", "pem"),
	    &said);
	child_result_clear(&said);
	find_cas(s, dir);
	sort_ras(s, dir);
}

void
strongswan_make_key(const struct strongswan *s, const char *name,
    char path[FILE_PATH_SIZE])
{
	struct child_result said;

	must(s,
	    PKI("--gen", "--type", "rsa", "--size", "2048", "--outform", "pem"),
	    &said);
	file_write(path_in(path, s->dir, name), said.out.data, said.out.len);
	child_result_clear(&said);
}

struct words {
	const char *argv[WORDS_MAX];
	size_t count;
};

/* "FLAG VALUE", unless there is no value. */
static void
add(struct words *w, const char *flag, const char *value)
{
	if (value == NULL)
		return;
	assert_true(w->count + 2 < WORDS_MAX);
	w->argv[w->count++] = flag;
	w->argv[w->count++] = value;
}

void
strongswan_start(const struct strongswan *s, const char *url,
    const struct strongswan_order *order, struct child *child)
{
	struct words w = { { "pki", "--scep" }, 2 };

	add(&w, "--url", url);
	add(&w, "--in", order->key);
	add(&w, "--dn", "CN=" DEVICE_SUBJECT);
	add(&w, "--san", DEVICE_DNS_NAME);
	add(&w, "--cacert-enc", s->encryption_ra);
	add(&w, "--cacert-sig", s->signing_ra);
	for (int i = 0; i < s->tiers; i++)
		add(&w, "--cacert", s->cas[i]);
	add(&w, "--cert", order->old_cert);
	add(&w, "--key", order->old_key);
	add(&w, "--password", order->password);
	add(&w, "--digest", order->digest);
	add(&w, "--rsa-padding", order->padding);
	add(&w, "--cipher", "des3");
	add(&w, "--interval", "1");
	add(&w, "--outform", "pem");
	start(s, w.argv, child);
}

void
strongswan_enrol(const struct strongswan *s, const char *url,
    const struct strongswan_order *order, struct child_result *said)
{
	struct child child;

	strongswan_start(s, url, order, &child);
	child_finish(&child, said);
}
