/* Key sets in directories. A message names the file it speaks of. */
#include "unit/authority.h"
#include "unit/folder.h"

static struct authority ra; /* bare keys, from tests/fixtures/keys */
static const char *const names[] = { "ca.key", "ca.pem", "ra-signing.key",
	"ra-signing.pem", "ra-encryption.key", "ra-encryption.pem" };

static int64_t now;

static void
save(const char *dir)
{
	struct error err = { 0 };

	if (key_set_save(ra.keys, dir, now, &err) == -1)
		fail_msg("%s", err.text);
}

static void
saved_files(void **state)
{
	struct folder f = folder_new();
	char path[FOLDER_PATH], dir[FOLDER_PATH];
	struct stat st;
	mode_t before = umask(0);

	(void)state;
	save(folder_path(&f, "keys", dir));
	umask(before);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	for (size_t i = 0; i < 6; i++) {
		snprintf(path, sizeof(path), "%s/keys/%s", f.path, names[i]);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, i % 2 == 0 ? 0600 : 0644);
	}
}

/* What is in the files is what OpenSSL reads of them. */
static void
saved_pem(void **state)
{
	struct folder f = folder_new();
	char path[FOLDER_PATH];

	(void)state;
	save(f.path);
	for (int role = 0; role < CA_ROLES; role++) {
		BIO *bio = BIO_new_file(folder_path(&f, names[2 * role], path),
		    "r");
		EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
		X509 *cert;

		BIO_free(bio);
		bio = BIO_new_file(folder_path(&f, names[2 * role + 1], path),
		    "r");
		cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
		BIO_free(bio);
		assert_non_null(key);
		assert_non_null(cert);
		assert_int_equal(EVP_PKEY_eq(key, ra.credentials->keys[role]),
		    1);
		assert_int_equal(X509_check_private_key(cert, key), 1);
		X509_free(cert);
		EVP_PKEY_free(key);
	}
}

static void
loaded_again(void **state)
{
	struct folder f = folder_new();
	struct credentials *first = NULL, *second = NULL;
	struct key_set *set = NULL;
	struct error err = { 0 };

	(void)state;
	save(f.path);
	assert_int_equal(key_set_load(ra.crypto, f.path, &set, &err), 0);
	assert_int_equal(credentials_new(set, &CA_SHAPE_GIVEN, now, &first,
			     &err),
	    0);
	/* The certificates come from the files, however late it is. */
	assert_int_equal(credentials_new(set, &CA_SHAPE_GIVEN, now + 5000,
			     &second, &err),
	    0);
	for (int role = 0; role < CA_ROLES; role++) {
		assert_int_equal(EVP_PKEY_eq(first->keys[role],
				     ra.credentials->keys[role]),
		    1);
		assert_octets(blob_span(&second->der[role]),
		    first->der[role].data, first->der[role].len);
	}
	assert_int_equal(first->certs[CA_ISSUING].not_before, now - 600);
	key_set_free(set);
	credentials_free(first);
	credentials_free(second);
	assert_string_equal(err.text, "");
}

/* RAs that were changed become again what the files say. */
static void
restored(void **state)
{
	struct ra_shape ras[CA_ROLES] = { [CA_RA_SIGNING] = {
					      .not_after = now - 1 } };
	struct folder f = folder_new();
	struct credentials *first = NULL, *second = NULL, *third = NULL;
	struct key_set *set = NULL;
	struct error err = { 0 };

	(void)state;
	save(f.path);
	assert_int_equal(key_set_load(ra.crypto, f.path, &set, &err), 0);
	assert_int_equal(credentials_new(set, &CA_SHAPE_GIVEN, now, &first,
			     &err),
	    0);
	assert_int_equal(credentials_with_ras(first, ras, &second, &err), 0);
	assert_false(span_equal(blob_span(&second->der[CA_RA_SIGNING]),
	    blob_span(&first->der[CA_RA_SIGNING])));
	ras[CA_RA_SIGNING].not_after = 0;
	assert_int_equal(credentials_with_ras(second, ras, &third, &err), 0);
	for (int role = 0; role < CA_ROLES; role++)
		assert_octets(blob_span(&third->der[role]),
		    first->der[role].data, first->der[role].len);
	key_set_free(set);
	credentials_free(first);
	credentials_free(second);
	credentials_free(third);
}

static void
bare_keys(void **state)
{
	struct folder f = folder_new();
	struct key_set *set = NULL;
	struct error err = { 0 };
	char path[FOLDER_PATH];

	(void)state;
	save(f.path);
	for (size_t i = 1; i < 6; i += 2)
		assert_int_equal(unlink(folder_path(&f, names[i], path)), 0);
	assert_int_equal(key_set_load(ra.crypto, f.path, &set, &err), 0);
	key_set_free(set);
}

/* As `openssl genrsa -traditional` and others write them. */
static void
keys_in_pkcs1(void **state)
{
	struct folder f = folder_new();
	struct credentials *cred = NULL;
	struct key_set *set = NULL;
	struct error err = { 0 };
	char path[FOLDER_PATH];

	(void)state;
	save(f.path);
	for (int role = 0; role < CA_ROLES; role++) {
		BIO *bio = BIO_new_file(folder_path(&f, names[2 * role], path),
		    "w");

		BIO_puts(bio, "somebody's notes\n");
		assert_int_equal(PEM_write_bio_PrivateKey_traditional(bio,
				     ra.credentials->keys[role], NULL, NULL, 0,
				     NULL, NULL),
		    1);
		BIO_free(bio);
	}
	assert_int_equal(key_set_load(ra.crypto, f.path, &set, &err), 0);
	assert_int_equal(credentials_new(set, &CA_SHAPE_GIVEN, now, &cred,
			     &err),
	    0);
	for (int role = 0; role < CA_ROLES; role++)
		assert_int_equal(EVP_PKEY_eq(cred->keys[role],
				     ra.credentials->keys[role]),
		    1);
	credentials_free(cred);
	key_set_free(set);
}

/* What a directory is spoiled with, after it was written whole. */
enum spoil {
	SPOIL_REMOVE,
	SPOIL_TEXT,
	SPOIL_EMPTY,
	SPOIL_COPY,   /* of the file `other` */
	SPOIL_EC,     /* of the curve `other` */
	SPOIL_LOCKED, /* a key with a passphrase */
	SPOIL_LARGE,
	SPOIL_FOLDER,
	SPOIL_FIFO,
	SPOIL_SMALL,	   /* an RSA key of 512 bits */
	SPOIL_SELF_SIGNED, /* the certificate of an RA */
	SPOIL_OTHER_KEY,   /* a certificate signed by a CA of that name */
	SPOIL_OTHER_KIND,  /* the same, by an EC key */
	SPOIL_RENAMED,	   /* the CA of the same key */
};

static const struct spoiled {
	const char *row;
	enum spoil how;
	const char *file, *other, *error; /* %s is the directory */
} spoileds[] = {
	{ "a key is missing", SPOIL_REMOVE, "ca.key", NULL,
	    "%s/ca.key: No such file or directory" },
	{ "another key is missing", SPOIL_REMOVE, "ra-encryption.key", NULL,
	    "%s/ra-encryption.key: No such file or directory" },
	{ "a key is a text", SPOIL_TEXT, "ra-signing.key", NULL,
	    "%s/ra-signing.key: no unencrypted private key in PEM" },
	{ "a key is empty", SPOIL_EMPTY, "ca.key", NULL,
	    "%s/ca.key: no unencrypted private key in PEM" },
	{ "a key is a certificate", SPOIL_COPY, "ca.key", "ca.pem",
	    "%s/ca.key: no unencrypted private key in PEM" },
	{ "a key has a passphrase", SPOIL_LOCKED, "ca.key", NULL,
	    "%s/ca.key: no unencrypted private key in PEM" },
	{ "a key is an EC key", SPOIL_EC, "ra-encryption.key", "P-256",
	    "%s/ra-encryption.key: not an RSA key of 1024 to 8192 bits" },
	{ "another key is an EC key", SPOIL_EC, "ra-signing.key", "P-384",
	    "%s/ra-signing.key: not an RSA key of 1024 to 8192 bits" },
	{ "the CA has a large EC key", SPOIL_EC, "ca.key", "P-521",
	    "%s/ca.key: not an RSA key of 1024 to 8192 bits nor EC P-256 or "
	    "P-384" },
	{ "the CA has a key of another curve", SPOIL_EC, "ca.key", "secp256k1",
	    "%s/ca.key: not an RSA key of 1024 to 8192 bits nor EC P-256 or "
	    "P-384" },
	{ "the CA has a key of yet another curve", SPOIL_EC, "ca.key",
	    "brainpoolP384r1",
	    "%s/ca.key: not an RSA key of 1024 to 8192 bits nor EC P-256 or "
	    "P-384" },
	{ "the CA has a small key", SPOIL_SMALL, "ca.key", NULL,
	    "%s/ca.key: not an RSA key of 1024 to 8192 bits nor EC P-256 or "
	    "P-384" },
	{ "a key is too large a file", SPOIL_LARGE, "ca.key", NULL,
	    "%s/ca.key: larger than a key could be" },
	{ "a key is a directory", SPOIL_FOLDER, "ca.key", NULL,
	    "%s/ca.key: not a regular file" },
	{ "a key is a FIFO", SPOIL_FIFO, "ca.key", NULL,
	    "%s/ca.key: not a regular file" },
	{ "a certificate is a FIFO", SPOIL_FIFO, "ra-signing.pem", NULL,
	    "%s/ra-signing.pem: not a regular file" },
	{ "a key is small", SPOIL_SMALL, "ra-signing.key", NULL,
	    "%s/ra-signing.key: not an RSA key of 1024 to 8192 bits" },
	{ "an RA has signed itself", SPOIL_SELF_SIGNED, "ra-signing.pem", NULL,
	    "%s/ra-signing.pem: was not issued by the CA in ca.pem" },
	{ "another CA of that name has signed", SPOIL_OTHER_KEY,
	    "ra-encryption.pem", NULL,
	    "%s/ra-encryption.pem: was not issued by the CA in ca.pem" },
	{ "a CA of another kind has signed", SPOIL_OTHER_KIND,
	    "ra-encryption.pem", NULL,
	    "%s/ra-encryption.pem: was not issued by the CA in ca.pem" },
	{ "the CA has not signed itself", SPOIL_OTHER_KEY, "ca.pem", NULL,
	    "%s/ca.pem: was not issued by the CA in ca.pem" },
	{ "the CA has another name now", SPOIL_RENAMED, "ca.pem", NULL,
	    "%s/ra-signing.pem: was not issued by the CA in ca.pem" },
	{ "a certificate is a text", SPOIL_TEXT, "ra-signing.pem", NULL,
	    "%s/ra-signing.pem: no certificate in PEM" },
	{ "a certificate is empty", SPOIL_EMPTY, "ca.pem", NULL,
	    "%s/ca.pem: no certificate in PEM" },
	{ "a certificate is a key", SPOIL_COPY, "ca.pem", "ca.key",
	    "%s/ca.pem: no certificate in PEM" },
	{ "a certificate is of another key", SPOIL_COPY, "ra-encryption.pem",
	    "ra-signing.pem",
	    "%s/ra-encryption.pem: does not belong to the key beside it" },
	{ "a key is another", SPOIL_COPY, "ca.key", "ra-signing.key",
	    "%s/ca.pem: does not belong to the key beside it" },
	{ "of the certificates one is missing", SPOIL_REMOVE, "ra-signing.pem",
	    NULL,
	    "%s: of ca.pem, ra-signing.pem and ra-encryption.pem some are "
	    "missing" },
};

/* In place of a certificate, for the key beside it. */
static void
write_certificate(const char *path, const struct spoiled *t)
{
	enum ca_role role = strcmp(t->file, "ca.pem") == 0 ? CA_ISSUING :
	    strcmp(t->file, "ra-signing.pem") == 0	   ? CA_RA_SIGNING :
							     CA_RA_ENCRYPTION;
	EVP_PKEY *own = ra.credentials->keys[role];
	EVP_PKEY *signer = t->how == SPOIL_OTHER_KEY ? EVP_RSA_gen(2048) :
	    t->how == SPOIL_OTHER_KIND		     ? EVP_EC_gen("P-256") :
						       own;
	X509 *cert = device_cert(own, "CA of the same key");
	BIO *bio = BIO_new_file(path, "w");

	if (signer != own)
		assert_true(X509_set_issuer_name(cert,
		    X509_get_subject_name(ra.certs[CA_ISSUING])));
	if (t->how != SPOIL_RENAMED)
		assert_true(X509_set_subject_name(cert,
		    X509_get_subject_name(ra.certs[role])));
	if (t->how == SPOIL_SELF_SIGNED)
		assert_true(X509_set_issuer_name(cert,
		    X509_get_subject_name(ra.certs[role])));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(cert), 86400));
	assert_true(X509_sign(cert, signer, EVP_sha256()) > 0);
	assert_true(PEM_write_bio_X509(bio, cert));
	BIO_free(bio);
	X509_free(cert);
	if (signer != own)
		EVP_PKEY_free(signer);
}

/* Takes the key. */
static void
write_key(const char *path, EVP_PKEY *key, const char *passphrase)
{
	BIO *bio = BIO_new_file(path, "w");

	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, key,
			     passphrase == NULL ? NULL : EVP_aes_128_cbc(),
			     passphrase,
			     passphrase == NULL ? 0 : (int)strlen(passphrase),
			     NULL, NULL),
	    1);
	BIO_free(bio);
	EVP_PKEY_free(key);
}

static void
spoil(const struct folder *f, const struct spoiled *t)
{
	char path[FOLDER_PATH], other[FOLDER_PATH];
	struct blob text;

	folder_path(f, t->file, path);
	assert_int_equal(unlink(path), 0);
	switch (t->how) {
	case SPOIL_REMOVE:
		break;
	case SPOIL_TEXT:
		folder_write(f, t->file, span_text("-----BEGIN NOTHING-----"));
		break;
	case SPOIL_EMPTY:
		folder_write(f, t->file, SPAN_EMPTY);
		break;
	case SPOIL_COPY:
		text = folder_read(folder_path(f, t->other, other));
		folder_write(f, t->file, blob_span(&text));
		blob_free(&text);
		break;
	case SPOIL_EC:
		write_key(path, EVP_EC_gen(t->other), NULL);
		break;
	case SPOIL_LOCKED:
		write_key(path, EVP_EC_gen("P-256"), "secret");
		break;
	case SPOIL_LARGE:
		text = (struct blob){ calloc(3, 1 << 20), 3 << 20 };
		folder_write(f, t->file, blob_span(&text));
		blob_free(&text);
		break;
	case SPOIL_FOLDER:
		assert_int_equal(mkdir(path, 0700), 0);
		break;
	case SPOIL_FIFO:
		assert_int_equal(mkfifo(path, 0600), 0);
		break;
	case SPOIL_SMALL:
		write_key(path, EVP_RSA_gen(512), NULL);
		break;
	default:
		write_certificate(path, t);
	}
}

static void
refuses_to_load(void **state)
{
	const struct spoiled *t = *state;
	struct folder f = folder_new();
	struct key_set *set = (void *)&f;
	struct error err = { 0 };
	char before[FOLDER_PATH], wanted[2 * FOLDER_PATH];
	const char *percent = strstr(t->error, "%s");

	save(f.path);
	spoil(&f, t);
	snprintf(before, sizeof(before), "%.*s", (int)(percent - t->error),
	    t->error);
	snprintf(wanted, sizeof(wanted), "%s%s%s", before, f.path, percent + 2);
	assert_int_equal(key_set_load(ra.crypto, f.path, &set, &err), -1);
	assert_string_equal(err.text, wanted);
	assert_null(set);
}

static void
no_directory(void **state)
{
	struct key_set *set = NULL;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(key_set_load(ra.crypto, "/nonexistent/keys", &set,
			     &err),
	    -1);
	assert_string_equal(err.text,
	    "/nonexistent/keys/ca.key: No such file or directory");
	assert_null(set);
	err = (struct error){ 0 };
	assert_int_equal(key_set_save(ra.keys, "/nonexistent/keys", now, &err),
	    -1);
	assert_string_equal(err.text,
	    "/nonexistent/keys: No such file or directory");
}

static void
expired(void **state)
{
	struct folder f = folder_new();
	struct key_set *set = NULL;
	struct error err = { 0 };
	char wanted[2 * FOLDER_PATH];

	(void)state;
	assert_int_equal(key_set_save(ra.keys, f.path, 86400, &err), 0);
	assert_int_equal(key_set_load(ra.crypto, f.path, &set, &err), -1);
	snprintf(wanted, sizeof(wanted),
	    "%s/ca.pem: has expired; remove the .pem files of this key set, "
	    "or make a new one",
	    f.path);
	assert_string_equal(err.text, wanted);
	assert_null(set);
}

static const struct taken {
	const char *row, *file;
} takens[] = {
	{ "the first key is there", "ca.key" },
	{ "another key is there", "ra-signing.key" },
	{ "the last key is there", "ra-encryption.key" },
	{ "a certificate is there", "ra-signing.pem" },
};

/* The file that is there stays as it is. */
static void
refuses_to_overwrite(void **state)
{
	const struct taken *t = *state;
	struct folder f = folder_new();
	struct error err = { 0 };
	char path[FOLDER_PATH], wanted[2 * FOLDER_PATH];
	struct blob text;

	folder_write(&f, t->file, span_text("mine"));
	folder_path(&f, t->file, path);
	snprintf(wanted, sizeof(wanted), "%s: File exists", path);
	assert_int_equal(key_set_save(ra.keys, f.path, now, &err), -1);
	assert_string_equal(err.text, wanted);
	text = folder_read(path);
	assert_string_equal((char *)text.data, "mine");
	blob_free(&text);
	for (size_t i = 0; i < 6; i++)
		if (strcmp(names[i], t->file) != 0)
			assert_int_equal(access(folder_path(&f, names[i], path),
					     F_OK),
			    -1);
}

/* It looks as if there were none, until it is written. */
static void
left_half_way(void **state)
{
	struct folder f = folder_new();
	struct error err = { 0 };
	char path[FOLDER_PATH];

	(void)state;
	folder_path(&f, "ra-signing.pem", path);
	assert_int_equal(symlink("nowhere", path), 0);
	assert_int_equal(key_set_save(ra.keys, f.path, now, &err), -1);
	assert_non_null(strstr(err.text, "ra-signing.pem: File exists"));
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(access(folder_path(&f, names[i], path), F_OK),
		    -1);
}

static void
small_keys(void **state)
{
	const struct ca_shape below_root = { CA_KEY_GIVEN, 2, 0 };
	struct credentials *cred = NULL;
	X509 *root;
	struct folder f = folder_new();
	struct key_set *set = NULL;
	struct error err = { 0 };
	char path[FOLDER_PATH];

	(void)state;
	for (size_t i = 0; i < 6; i += 2)
		write_key(folder_path(&f, names[i], path), EVP_RSA_gen(1024),
		    NULL);
	if (key_set_load(ra.crypto, f.path, &set, &err) == -1 ||
	    credentials_new(set, &below_root, now, &cred, &err) == -1)
		fail_msg("%s", err.text);
	/* There is no making more of this size. */
	root = authority_read(blob_span(&cred->chain[0]));
	assert_int_equal(EVP_PKEY_get_bits(cred->keys[CA_ISSUING]), 1024);
	assert_int_equal(EVP_PKEY_get_bits(X509_get0_pubkey(root)), 2048);
	X509_free(root);
	credentials_free(cred);
	key_set_free(set);
}

static const struct kind {
	const char *row, *curve; /* NULL: RSA-3072 */
} kinds[] = {
	{ "RSA-3072", NULL },
	{ "EC P-256", "P-256" },
	{ "EC P-384", "P-384" },
};

/* A bare key becomes a set with certificates, and comes back as that. */
static void
kind_of_ca(void **state)
{
	const struct kind *t = *state;
	struct folder f = folder_new(), saved = folder_new();
	struct credentials *cred = NULL;
	struct key_set *set = NULL;
	struct error err = { 0 };
	char path[FOLDER_PATH];
	EVP_PKEY *key = t->curve == NULL ?
	    device_key("tiers/rsa-3072-issuing.key") :
	    EVP_EC_gen(t->curve);
	X509 *cert;

	save(f.path);
	for (size_t i = 1; i < 6; i += 2)
		assert_int_equal(unlink(folder_path(&f, names[i], path)), 0);
	EVP_PKEY_up_ref(key);
	write_key(folder_path(&f, "ca.key", path), key, NULL);
	for (int again = 0; again < 2; again++) {
		const struct folder *from = again ? &saved : &f;

		if (key_set_load(ra.crypto, from->path, &set, &err) == -1 ||
		    (!again &&
			key_set_save(set, saved.path, now, &err) == -1) ||
		    credentials_new(set, &CA_SHAPE_GIVEN, now, &cred, &err) ==
			-1)
			fail_msg("%s", err.text);
		cert = authority_read(blob_span(&cred->der[CA_RA_SIGNING]));
		assert_int_equal(EVP_PKEY_eq(cred->keys[CA_ISSUING], key), 1);
		assert_int_equal(X509_verify(cert, key), 1);
		X509_free(cert);
		credentials_free(cred);
		key_set_free(set);
	}
	EVP_PKEY_free(key);
}

static void
saved_over_a_file(void **state)
{
	struct folder f = folder_new();
	struct error err = { 0 };
	char path[FOLDER_PATH], wanted[2 * FOLDER_PATH];

	(void)state;
	folder_write(&f, "file", span_text("x"));
	folder_path(&f, "file", path);
	assert_int_equal(key_set_save(ra.keys, path, now, &err), -1);
	snprintf(wanted, sizeof(wanted), "%s/ca.key: Not a directory", path);
	assert_string_equal(err.text, wanted);
}

static int
set_up(void **state)
{
	(void)state;
	ra = authority_open();
	now = (int64_t)time(NULL);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	authority_close(&ra);
	return 0;
}

int
main(void)
{
	static const struct table tables[] = {
		ONE(saved_files, "keys are for their owner alone"),
		ONE(saved_pem, "keys and certificates are plain PEM"),
		ONE(loaded_again, "a set comes back with its certificates"),
		ONE(restored, "RAs of files come back after others"),
		ONE(bare_keys, "a set of bare keys is a set"),
		ONE(keys_in_pkcs1, "keys in PKCS #1 are keys"),
		ROWS(refuses_to_load, spoileds),
		ONE(no_directory, "a directory that is not there is named"),
		ONE(expired, "certificates that have expired are refused"),
		ROWS(refuses_to_overwrite, takens),
		ONE(left_half_way, "what fails half-way leaves no file"),
		ONE(small_keys, "keys of 1024 bits are large enough"),
		ROWS(kind_of_ca, kinds),
		ONE(saved_over_a_file, "a file is no directory"),
	};

	return ROWS_RUN(tables, set_up, tear_down);
}
