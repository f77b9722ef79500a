/* A key set in a directory. */
#include "ca/key_set.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define KEY_MIN_BITS 1024
#define KEY_MAX_BITS 8192
#define FILE_MAX (1 << 20)

static const char *const file_names[CA_ROLES] = {
	[CA_ISSUING] = "ca",
	[CA_RA_SIGNING] = "ra-signing",
	[CA_RA_ENCRYPTION] = "ra-encryption",
};

static int
read_file(const char *path, struct blob *out, struct error *err)
{
	struct buffer b = { 0 };
	uint8_t chunk[8192];
	struct stat st;
	ssize_t len;
	int fd;

	*out = (struct blob){ NULL, 0 };
	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) == -1)
		return error_set(err, "%s: %s", path, strerror(errno));
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
		close(fd);
		return error_set(err, "%s: not a regular file", path);
	}
	while ((len = read(fd, chunk, sizeof(chunk))) > 0 && b.len < FILE_MAX)
		buffer_add(&b, chunk, (size_t)len);
	if (len == -1)
		error_set(err, "%s: %s", path, strerror(errno));
	else if (len > 0)
		error_set(err, "%s: larger than a key could be", path);
	close(fd);
	if (len != 0) {
		buffer_free(&b);
		return -1;
	}
	return buffer_finish(&b, out);
}

static int
check_certificate(const struct key_set *set, int role, const char *path,
    struct error *err)
{
	struct x509 cert;
	struct blob spki;
	int ret = 0;

	x509_read(blob_span(&set->certs[role]), &cert);
	if (cert.not_after < (int64_t)time(NULL))
		return error_set(err,
		    "%s: has expired; remove the .pem files "
		    "of this key set, or make a new one",
		    path);
	if (crypto_key_to_spki(set->keys[role], &spki, err) == -1)
		return -1;
	if (!span_equal(cert.spki, blob_span(&spki)))
		ret = error_set(err, "%s: does not belong to the key beside it",
		    path);
	blob_free(&spki);
	return ret;
}

/* The certificate beside a key; a set of bare keys has none. */
static int
load_certificate(struct key_set *set, int role, const char *path,
    struct error *err)
{
	struct blob pem;
	int ret;

	if (access(path, F_OK) == -1 && errno == ENOENT)
		return 0;
	if (read_file(path, &pem, err) == -1)
		return -1;
	ret = x509_from_pem(blob_span(&pem), path, &set->certs[role], err);
	blob_free(&pem);
	return ret == -1 ? -1 : check_certificate(set, role, path, err);
}

/* Clients encrypt to the RAs, so these are RSA keys. */
static int
check_key(const struct key_set *set, int role, const char *path,
    struct error *err)
{
	const struct evp_pkey_st *key = set->keys[role];
	bool ca = role == CA_ISSUING;

	if (crypto_key_is_rsa(key) && crypto_key_bits(key) >= KEY_MIN_BITS &&
	    crypto_key_bits(key) <= KEY_MAX_BITS)
		return 0;
	if (ca && key_type_of(set->crypto, key) < KEY_TYPES)
		return 0;
	return error_set(err, "%s: not an RSA key of %d to %d bits%s", path,
	    KEY_MIN_BITS, KEY_MAX_BITS, ca ? " nor EC P-256 or P-384" : "");
}

static int
load_role(struct key_set *set, const char *dir, const char *folder, int role,
    struct error *err)
{
	char path[PATH_MAX];
	struct blob pem;
	int ret;

	snprintf(path, sizeof(path), "%s/%s%s.key", dir, folder,
	    file_names[role]);
	if (read_file(path, &pem, err) == -1)
		return -1;
	ret = crypto_key_from_pem(set->crypto, blob_span(&pem), path,
	    &set->keys[role], err);
	blob_free(&pem);
	if (ret == -1)
		return -1;
	if (check_key(set, role, path, err) == -1)
		return -1;
	snprintf(path, sizeof(path), "%s/%s.pem", dir, file_names[role]);
	return load_certificate(set, role, path, err);
}

/* NDES takes only RA certificates of the CA it is configured for [C] 2.4. */
static int
check_issued(const struct key_set *set, int role, const char *dir,
    struct error *err)
{
	struct x509 ca, cert;
	enum digest digest;

	x509_read(blob_span(&set->certs[CA_ISSUING]), &ca);
	x509_read(blob_span(&set->certs[role]), &cert);
	digest = digest_by_signature_oid(cert.signature_oid);
	if (!span_equal(cert.issuer, ca.subject) || digest == DIGEST_COUNT ||
	    crypto_verify(set->crypto, set->keys[CA_ISSUING], digest, cert.tbs,
		cert.signature) == -1)
		return error_set(err,
		    "%s/%s.pem: was not issued by the CA in ca.pem", dir,
		    file_names[role]);
	return 0;
}

int
key_set_load(struct crypto *c, const char *dir, struct key_set **out,
    struct error *err)
{
	return key_set_load_from(c, dir, "", out, err);
}

int
key_set_load_from(struct crypto *c, const char *dir, const char *folder,
    struct key_set **out, struct error *err)
{
	struct key_set *set = key_set_new(c);
	int with_cert = 0;

	*out = NULL;
	if (set == NULL)
		return error_set(err, "out of memory");
	for (int role = 0; role < CA_ROLES; role++) {
		if (load_role(set, dir, folder, role, err) == -1)
			goto fail;
		with_cert += set->certs[role].len > 0;
	}
	if (with_cert != 0 && with_cert != CA_ROLES) {
		error_set(err,
		    "%s: of ca.pem, ra-signing.pem and "
		    "ra-encryption.pem some are missing",
		    dir);
		goto fail;
	}
	for (int role = 0; with_cert > 0 && role < CA_ROLES; role++)
		if (check_issued(set, role, dir, err) == -1)
			goto fail;
	*out = set;
	return 0;
fail:
	key_set_free(set);
	return -1;
}

static int
write_file(const char *dir, const char *name, const char *suffix,
    struct span text, mode_t mode, struct error *err)
{
	char path[PATH_MAX];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "%s/%s%s", dir, name, suffix);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd == -1)
		return error_set(err, "%s: %s", path, strerror(errno));
	len = write(fd, text.data, text.len);
	if (close(fd) == -1 || len != (ssize_t)text.len)
		return error_set(err, "%s: %s", path,
		    len == -1 ? strerror(errno) : "could not be written whole");
	return 0;
}

/* The i-th file of a set. */
static char *
file_of(char path[PATH_MAX], const char *dir, int i)
{
	snprintf(path, PATH_MAX, "%s/%s%s", dir, file_names[i / 2],
	    i % 2 == 0 ? ".key" : ".pem");
	return path;
}

/* All or nothing: a half written set would be worse than none. */
static int
check_absent(const char *dir, struct error *err)
{
	char path[PATH_MAX];

	for (int i = 0; i < 2 * CA_ROLES; i++)
		if (access(file_of(path, dir, i), F_OK) == 0)
			return error_set(err, "%s: %s", path, strerror(EEXIST));
	return 0;
}

int
key_set_save(struct key_set *set, const char *dir, int64_t now,
    struct error *err)
{
	struct credentials *cred = NULL;
	char path[PATH_MAX];
	struct blob text;
	int ret = 0, written = 0;

	if (mkdir(dir, 0700) == -1 && errno != EEXIST)
		return error_set(err, "%s: %s", dir, strerror(errno));
	if (check_absent(dir, err) == -1)
		return -1;
	if (credentials_new(set, &CA_SHAPE_GIVEN, now, &cred, err) == -1)
		return -1;
	for (int role = 0; role < CA_ROLES && ret == 0; role++) {
		if ((ret = crypto_key_to_pem(set->keys[role], &text, err)) ==
		    -1)
			break;
		ret = write_file(dir, file_names[role], ".key",
		    blob_span(&text), 0600, err);
		blob_free(&text);
		if (ret == -1)
			break;
		written++;
		ret = x509_to_pem(blob_span(&cred->der[role]), &text);
		if (ret == -1)
			break;
		ret = write_file(dir, file_names[role], ".pem",
		    blob_span(&text), 0644, err);
		blob_free(&text);
		written += ret == 0;
	}
	credentials_free(cred);
	for (int i = 0; ret == -1 && i < written; i++)
		unlink(file_of(path, dir, i));
	return ret;
}
