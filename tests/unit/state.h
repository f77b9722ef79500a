/* State directories in tests, with the keys of tests/fixtures/keys. */
#ifndef UNIT_STATE_H
#define UNIT_STATE_H

#include "unit/authority.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state/state_dir.h"
#include "support/child.h"
#include "support/files.h"

static struct authority ra;
static EVP_PKEY *state_key; /* a device's */

/* What it said was recovered, without the directory: "serial: ...|". */
static char state_notes[4096];

static inline void
state_note(void *cls, const char *line)
{
	const char *dir = cls;
	size_t at = strlen(state_notes), len = strlen(dir);

	assert_int_equal(strncmp(line, dir, len), 0);
	snprintf(state_notes + at, sizeof(state_notes) - at, "%s|",
	    line + len + (line[len] == '/'));
}

static inline int
state_try(struct state_dir **out, const char *dir, struct error *err)
{
	const struct state_dir_options options = {
		.path = dir,
		.crypto = ra.crypto,
		.keys = ra.keys,
		.note = state_note,
		.cls = (char *)(uintptr_t)dir,
	};

	state_notes[0] = '\0';
	return state_dir_open(out, &options, err);
}

static inline struct state_dir *
state_open(const char *dir)
{
	struct error err = { 0 };
	struct state_dir *d;

	if (state_try(&d, dir, &err) == -1)
		fail_msg("%s", err.text);
	return d;
}

static inline void
state_set_up(void)
{
	ra = authority_open();
	state_key = device_key("device/device.key");
}

static inline void
state_tear_down(void)
{
	EVP_PKEY_free(state_key);
	authority_close(&ra);
}

/* Of its CA. The caller frees them. */
static inline struct credentials *
state_credentials(struct state_dir *d)
{
	struct key_set *keys = state_dir_keys(d);
	struct credentials *cred;
	struct error err = { 0 };

	if (credentials_new(keys, &CA_SHAPE_GIVEN, 0, &cred, &err) == -1)
		fail_msg("%s", err.text);
	key_set_free(keys);
	return cred;
}

struct state_issued {
	uint8_t serial[CA_SERIAL_SIZE];
	char text[2 * CA_SERIAL_SIZE + 1]; /* of the serial, as in file names */
	struct blob der;
};

/* A certificate as a device gets it. Fails no test: for threads. */
static inline int
state_issue(const struct credentials *cred, uint32_t number,
    struct span subject, int64_t now, struct state_issued *out)
{
	struct blob spki;
	uint8_t *der = NULL;
	int ret, len = i2d_PUBKEY(state_key, &der);

	spki = (struct blob){ der, (size_t)len };
	ret = ca_serial(cred->crypto, number, out->serial);
	for (int i = 0; i < CA_SERIAL_SIZE; i++)
		snprintf(out->text + 2 * i, 3, "%02X", out->serial[i]);
	if (ret == 0)
		ret = ca_issue(cred, subject, blob_span(&spki), SPAN_EMPTY,
		    span_of(out->serial, CA_SERIAL_SIZE), now, &out->der, NULL);
	OPENSSL_free(der);
	return ret;
}

/* "CN=device-NUMBER" */
static inline struct span
state_subject(uint32_t number, uint8_t out[32])
{
	static const uint8_t head[] = { 0x30, 0x16, 0x31, 0x14, 0x30, 0x12,
		0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x0b };
	char text[16];

	snprintf(text, sizeof(text), "device-%04u", number % 10000);
	memcpy(out, head, sizeof(head));
	memcpy(out + sizeof(head), text, 11);
	return span_of(out, sizeof(head) + 11);
}

/* Issued now, and added. The caller frees out->der. */
static inline void
state_add(struct state_dir *d, uint32_t number, struct state_issued *out)
{
	struct credentials *cred = state_credentials(d);
	struct error err = { 0 };
	uint8_t subject[32];

	assert_int_equal(state_issue(cred, number,
			     state_subject(number, subject), time(NULL), out),
	    0);
	if (state_dir_add(d, blob_span(&out->der), &err) == -1)
		fail_msg("%s", err.text);
	credentials_free(cred);
}

/* What is in `from`, with its modes, to `to`, which is there. */
static inline void
state_copy_into(const char *from, const char *to)
{
	char source[FILE_PATH_SIZE], target[FILE_PATH_SIZE];
	DIR *list = opendir(from);
	struct dirent *entry;
	struct buffer text;
	struct stat st;

	assert_non_null(list);
	while ((entry = readdir(list)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		path_in(target, to, entry->d_name);
		assert_int_equal(stat(path_in(source, from, entry->d_name),
				     &st),
		    0);
		if (S_ISDIR(st.st_mode)) {
			assert_int_equal(mkdir(target, 0700), 0);
			state_copy_into(source, target);
			continue;
		}
		assert_true(file_read(source, &text));
		file_write(target, text.data, text.len);
		assert_int_equal(chmod(target, st.st_mode & 07777), 0);
		buffer_free(&text);
	}
	closedir(list);
}

/* A new one that is the same. */
static inline char *
state_copy(const char *from, char out[FILE_PATH_SIZE])
{
	state_copy_into(from, dir_make(out));
	return out;
}

/* A shell's line in `dir`; all that it said. The caller clears *out. */
static inline void
state_shell(const char *dir, const char *line, int status, struct buffer *out)
{
	const char *const argv[] = { "sh", "-c",
		"cd \"$0\" && exec 2>&1 && eval \"$1\"", dir, line, NULL };
	struct child_result result;

	child_run(argv, NULL, &result);
	if (result.status != status)
		fail_msg("%s: status %d: %s", line, result.status,
		    (char *)result.out.data);
	*out = result.out;
	buffer_free(&result.err);
}

#endif
