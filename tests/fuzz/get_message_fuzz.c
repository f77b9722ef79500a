/* The `message` of a GET: whoever writes the octets anew reads them back. */
#include "fuzz/fuzz.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "scep/scep.h"

static void
expect(struct span text, struct span octets)
{
	struct blob again;

	REQUIRE(scep_get_message(text, &again) == 0);
	REQUIRE(span_equal(blob_span(&again), octets));
	blob_free(&again);
}

/* Percent escapes, as those of a form. */
static void
add_escaped(struct buffer *b, struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		buffer_printf(b, "%%%02X", text.data[i]);
}

/* Lines of 64 characters, the end of each escaped. */
static void
add_lines(struct buffer *b, struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		buffer_add_byte(b, text.data[i]);
		if (i % 64 == 63)
			buffer_add_text(b, "%0D%0A");
	}
}

/* The alphabet of RFC 4648 5, without padding. */
static void
add_url_safe(struct buffer *b, struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		switch (text.data[i]) {
		case '=':
			break;
		case '+':
			buffer_add_byte(b, '-');
			break;
		case '/':
			buffer_add_byte(b, '_');
			break;
		default:
			buffer_add_byte(b, text.data[i]);
		}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const spellings[])(struct buffer *,
	    struct span) = { buffer_add_span, add_escaped, add_lines,
		add_url_safe };
	struct blob octets, exact;
	struct span text;

	if (scep_get_message(span_of(data, size), &octets) == -1) {
		REQUIRE(octets.data == NULL && octets.len == 0);
		return 0;
	}
	REQUIRE(octets.len > 0 && octets.len <= size / 4 * 3 + 2);
	text.data = malloc(octets.len / 3 * 4 + 5);
	text.len = (size_t)EVP_EncodeBlock((uint8_t *)(uintptr_t)text.data,
	    octets.data, (int)octets.len);
	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		struct buffer b = { 0 };

		spellings[i](&b, text);
		REQUIRE(buffer_finish(&b, &exact) == 0);
		expect(blob_span(&exact), blob_span(&octets));
		blob_free(&exact);
	}
	free((void *)(uintptr_t)text.data);
	blob_free(&octets);
	return 0;
}
