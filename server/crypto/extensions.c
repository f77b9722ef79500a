/* What a CSR asks for in its extensions (RFC 5280 4.2.1). */
#include "crypto/crypto.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/der.h"

struct span
x509_extension(struct span list, struct span wanted)
{
	struct span ext, oid, value;
	struct der critical;

	while (der_expect(&list, DER_SEQUENCE, &ext) == 0) {
		if (der_expect(&ext, DER_OID, &oid) == -1)
			break;
		der_optional(&ext, DER_BOOLEAN, &critical);
		if (der_oid_is(oid, wanted) &&
		    der_expect(&ext, DER_OCTET_STRING, &value) == 0)
			return value;
	}
	return SPAN_EMPTY;
}

bool
x509_asks_for_usage(struct span extensions, struct span wanted)
{
	struct span value, list, oid;

	value = x509_extension(extensions, oid_ext_extended_key_usage);
	if (der_expect(&value, DER_SEQUENCE, &list) == -1)
		return false;
	while (der_expect(&list, DER_OID, &oid) == 0)
		if (der_oid_is(oid, wanted))
			return true;
	return false;
}

static void
add_printable(struct buffer *b, struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		buffer_add_byte(b,
		    text.data[i] >= ' ' && text.data[i] <= '~' ? text.data[i] :
								 '?');
}

static void
add_address(struct buffer *b, struct span content)
{
	char text[INET6_ADDRSTRLEN];

	if (content.len == 4)
		inet_ntop(AF_INET, content.data, text, sizeof(text));
	else if (content.len == 16)
		inet_ntop(AF_INET6, content.data, text, sizeof(text));
	else
		strcpy(text, "?");
	buffer_add_text(b, text);
}

static void
add_directory_name(struct buffer *b, struct span content)
{
	size_t size = X509_NAME_TEXT_SIZE(content);
	char *text = malloc(size);

	if (text == NULL)
		b->failed = true;
	else
		buffer_add_text(b, x509_name_text(content, text, size));
	free(text);
}

/* Only Microsoft's user principal name has a value that can be shown. */
static void
add_other_name(struct buffer *b, struct span content)
{
	struct span oid, inside;
	struct der value;

	if (der_expect(&content, DER_OID, &oid) == 0 &&
	    der_oid_is(oid, oid_ms_upn) &&
	    der_expect(&content, DER_CONTEXT_CONSTRUCTED(0), &inside) == 0 &&
	    der_next(&inside, &value) == 0) {
		buffer_add_text(b, "UPN:");
		add_printable(b, value.content);
	} else {
		buffer_add_text(b, "otherName:?");
	}
}

static const struct {
	int tag;
	const char *name;
	void (*add)(struct buffer *, struct span content);
} alt_names[] = {
	{ DER_CONTEXT_CONSTRUCTED(0), "", add_other_name },
	{ DER_CONTEXT(1), "email:", add_printable },
	{ DER_CONTEXT(2), "DNS:", add_printable },
	{ DER_CONTEXT_CONSTRUCTED(4), "dirName:", add_directory_name },
	{ DER_CONTEXT(6), "URI:", add_printable },
	{ DER_CONTEXT(7), "IP:", add_address },
};

static void
add_alt_name(struct buffer *b, const struct der *name)
{
	for (size_t i = 0; i < sizeof(alt_names) / sizeof(alt_names[0]); i++)
		if (alt_names[i].tag == name->tag) {
			buffer_add_text(b, alt_names[i].name);
			alt_names[i].add(b, name->content);
			return;
		}
	buffer_add_text(b, "?");
}

void
x509_alt_name_text(struct span extensions, struct buffer *out)
{
	struct span value, list;
	struct der name;

	value = x509_extension(extensions, oid_ext_subject_alt_name);
	if (der_expect(&value, DER_SEQUENCE, &list) == -1)
		return;
	while (der_next(&list, &name) == 0) {
		add_alt_name(out, &name);
		if (list.len > 0)
			buffer_add_text(out, ", ");
	}
}
