/* The numbers of a state directory: of requests, and of CRLs. */
#include "state/inside.h"

#include <stdio.h>
#include <string.h>

/* See ca_serial(): 47, number, random, 00 00, number. */
void
state_count_serial(struct state_dir *d, const struct index_line *line)
{
	const uint8_t *s = line->serial;
	uint32_t number, next = atomic_load(&d->next_request);

	if (line->serial_len != CA_SERIAL_SIZE || s[0] != 0x47 || s[13] != 0 ||
	    s[14] != 0)
		return;
	number = (uint32_t)s[1] << 24 | (uint32_t)s[2] << 16 |
	    (uint32_t)s[3] << 8 | s[4];
	while (number >= next && number < UINT32_MAX &&
	    !atomic_compare_exchange_weak(&d->next_request, &next, number + 1))
		;
}

uint32_t
state_dir_next_request(const struct state_dir *d)
{
	return atomic_load(&d->next_request);
}

int
state_serial_file(const struct state_dir *d, struct buffer *out,
    struct error *err)
{
	uint8_t serial[CA_SERIAL_SIZE];

	if (ca_serial(d->crypto, state_dir_next_request(d), serial) == -1)
		return error_set(err, "no random numbers");
	for (size_t i = 0; i < sizeof(serial); i++)
		buffer_printf(out, "%02X", serial[i]);
	buffer_add_text(out, "\n");
	return out->failed ? error_set(err, "out of memory") : 0;
}

int
state_write_serial(struct state_dir *d, struct error *err)
{
	struct buffer text = { 0 };
	int ret = -1;

	d->serial_request = state_dir_next_request(d);
	if (state_serial_file(d, &text, err) == 0)
		ret = disk_replace(&d->top, STATE_SERIAL, buffer_span(&text),
		    err);
	buffer_free(&text);
	return ret;
}

/* The first line of a file that holds nothing else. */
static int
read_word(const struct state_dir *d, const char *name, char out[64],
    struct error *err)
{
	struct blob text;
	size_t len;

	if (disk_read(&d->top, name, STATE_FILE_MAX, &text, err) == -1)
		return -1;
	for (len = 0; len < text.len && len < 63; len++)
		if (text.data[len] <= ' ' || text.data[len] > '~')
			break;
	memcpy(out, text.data, len);
	out[len] = '\0';
	while (len < text.len && strchr("\r\n", text.data[len]) != NULL)
		len++;
	if (len < text.len)
		out[0] = '\0';
	blob_free(&text);
	return 0;
}

/* What it says may be behind the lines, but also beyond them. */
int
state_read_serial(struct state_dir *d, struct error *err)
{
	uint32_t next = state_dir_next_request(d);
	struct index_line serial;
	bool stale;
	char word[64];

	if (!disk_has(&d->top, STATE_SERIAL)) {
		state_note(d, "%s/" STATE_SERIAL ": was missing, written anew",
		    d->path);
		return 1;
	}
	if (read_word(d, STATE_SERIAL, word, err) == -1)
		return -1;
	if (index_serial_read(span_text(word), &serial, NULL) == -1)
		return error_set(err,
		    "%s/" STATE_SERIAL
		    ":1: no serial number in hexadecimal digits",
		    d->path);
	/* It is the next one, not the last. */
	atomic_store(&d->next_request, CA_FIRST_REQUEST);
	state_count_serial(d, &serial);
	stale = state_dir_next_request(d) <= next;
	if (!stale)
		next = state_dir_next_request(d) - 1;
	atomic_store(&d->next_request, next);
	d->serial_request = next;
	return stale;
}

int
state_read_crl_number(struct state_dir *d, struct error *err)
{
	uint32_t value = 0, now = atomic_load(&d->next_crl);
	struct index_line number;
	char word[64];

	if (read_word(d, STATE_CRL_NUMBER, word, err) == -1)
		return -1;
	if (index_serial_read(span_text(word), &number, NULL) == -1 ||
	    number.serial_len > sizeof(value))
		return error_set(err,
		    "%s/" STATE_CRL_NUMBER
		    ":1: no number of two to eight hexadecimal digits",
		    d->path);
	for (size_t i = 0; i < number.serial_len; i++)
		value = value << 8 | number.serial[i];
	while (now < value &&
	    !atomic_compare_exchange_weak(&d->next_crl, &now, value))
		;
	return 0;
}

uint32_t
state_dir_next_crl(struct state_dir *d)
{
	/* `openssl ca -gencrl` may have been here. */
	state_read_crl_number(d, NULL);
	return atomic_load(&d->next_crl);
}
