/* Certificates by their bytes (RFC 5280 4.1). */
#include "crypto/context.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/der.h"

#define PEM_BEGIN "-----BEGIN CERTIFICATE-----"
#define PEM_END "-----END CERTIFICATE-----"

static int
two_digits(const uint8_t *p)
{
	if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
		return -1;
	return (p[0] - '0') * 10 + p[1] - '0';
}

int
x509_time(struct span *rest, int64_t *out)
{
	struct tm tm = { 0 };
	struct der d;
	int field[7], count, year;

	if (der_next(rest, &d) == -1 ||
	    (d.tag != DER_UTC_TIME && d.tag != DER_GENERALIZED_TIME))
		return -1;
	count = d.tag == DER_UTC_TIME ? 6 : 7;
	if (d.content.len != (size_t)count * 2 + 1)
		return -1;
	for (int i = 0; i < count; i++)
		if ((field[i] = two_digits(d.content.data + 2 * i)) == -1)
			return -1;
	if (d.tag == DER_UTC_TIME)
		year = field[0] + (field[0] < 50 ? 2000 : 1900);
	else
		year = field[0] * 100 + field[1];
	tm.tm_year = year - 1900;
	tm.tm_mon = field[count - 5] - 1;
	tm.tm_mday = field[count - 4];
	tm.tm_hour = field[count - 3];
	tm.tm_min = field[count - 2];
	tm.tm_sec = field[count - 1];
	*out = timegm(&tm);
	return 0;
}

static void
read_extensions(struct span rest, struct x509 *out)
{
	struct span list, ext, oid, value;
	struct der critical;

	if (der_expect(&rest, DER_SEQUENCE, &list) == -1)
		return;
	while (der_expect(&list, DER_SEQUENCE, &ext) == 0) {
		if (der_expect(&ext, DER_OID, &oid) == -1)
			return;
		der_optional(&ext, DER_BOOLEAN, &critical);
		if (der_expect(&ext, DER_OCTET_STRING, &value) == -1)
			continue;
		if (der_oid_is(oid, oid_ext_subject_key_id))
			der_expect(&value, DER_OCTET_STRING, &out->key_id);
		else if (der_oid_is(oid, oid_ext_key_usage))
			der_expect(&value, DER_BIT_STRING, &out->key_usage);
	}
}

int
x509_read(struct span der, struct x509 *out)
{
	struct der whole, tbs, name, spki, version, skipped;
	struct span rest, validity, algorithm;

	*out = (struct x509){ 0 };
	if (der_next(&der, &whole) == -1 || whole.tag != DER_SEQUENCE)
		return -1;
	out->whole = whole.whole;
	rest = whole.content;
	if (der_next(&rest, &tbs) == -1 || tbs.tag != DER_SEQUENCE)
		return -1;
	out->tbs = tbs.whole;
	if (der_expect(&rest, DER_SEQUENCE, &algorithm) == -1 ||
	    der_expect(&algorithm, DER_OID, &out->signature_oid) == -1 ||
	    der_expect(&rest, DER_BIT_STRING, &out->signature) == -1 ||
	    out->signature.len < 1)
		return -1;
	out->signature = span_of(out->signature.data + 1,
	    out->signature.len - 1);
	rest = tbs.content;
	der_optional(&rest, DER_CONTEXT_CONSTRUCTED(0), &version);
	if (der_expect(&rest, DER_INTEGER, &out->serial) == -1 ||
	    der_expect(&rest, DER_SEQUENCE, &algorithm) == -1 ||
	    der_next(&rest, &name) == -1 || name.tag != DER_SEQUENCE)
		return -1;
	out->issuer = name.whole;
	if (der_expect(&rest, DER_SEQUENCE, &validity) == -1)
		return -1;
	out->validity = validity;
	if (x509_time(&validity, &out->not_before) == -1 ||
	    x509_time(&validity, &out->not_after) == -1 ||
	    der_next(&rest, &name) == -1 || name.tag != DER_SEQUENCE ||
	    der_next(&rest, &spki) == -1 || spki.tag != DER_SEQUENCE)
		return -1;
	out->subject = name.whole;
	out->spki = spki.whole;
	der_optional(&rest, DER_CONTEXT(1), &skipped);
	der_optional(&rest, DER_CONTEXT(2), &skipped);
	if (der_optional(&rest, DER_CONTEXT_CONSTRUCTED(3), &skipped))
		read_extensions(skipped.content, out);
	return 0;
}

int
x509_from_pem(struct span pem, const char *name, struct blob *der,
    struct error *err)
{
	struct x509 checked;
	const char *begin, *end;
	uint8_t *text = NULL;
	int len;

	*der = (struct blob){ NULL, 0 };
	if (pem.len == 0)
		goto bad;
	begin = memmem(pem.data, pem.len, PEM_BEGIN, strlen(PEM_BEGIN));
	if (begin == NULL)
		goto bad;
	begin += strlen(PEM_BEGIN);
	end = memmem(begin, pem.len - (size_t)(begin - (const char *)pem.data),
	    PEM_END, strlen(PEM_END));
	if (end == NULL)
		goto bad;
	if ((text = malloc((size_t)(end - begin) + 1)) == NULL)
		return error_set(err, "out of memory");
	len = 0;
	for (const char *p = begin; p < end; p++)
		if (strchr(" \t\r\n", *p) == NULL)
			text[len++] = (uint8_t)*p;
	if (len == 0 || len % 4 != 0 ||
	    (der->data = malloc((size_t)len)) == NULL)
		goto bad;
	/* EVP_DecodeBlock counts the padding as content; DER knows its end. */
	if ((len = EVP_DecodeBlock(der->data, text, len)) <= 0)
		goto bad;
	der->len = (size_t)len;
	if (x509_read(blob_span(der), &checked) == -1)
		goto bad;
	der->len = checked.whole.len;
	free(text);
	return 0;
bad:
	free(text);
	blob_free(der);
	return error_set(err, "%s: no certificate in PEM", name);
}

static int
to_pem(const char *begin, const char *end, struct span der, struct blob *pem)
{
	struct buffer b = { 0 };
	uint8_t line[65];

	buffer_add_text(&b, begin);
	for (size_t at = 0; at < der.len; at += 48) {
		int len = (int)(der.len - at < 48 ? der.len - at : 48);

		buffer_add(&b, line,
		    (size_t)EVP_EncodeBlock(line, der.data + at, len));
		buffer_add_text(&b, "\n");
	}
	buffer_add_text(&b, end);
	return buffer_finish(&b, pem);
}

int
x509_to_pem(struct span der, struct blob *pem)
{
	return to_pem(PEM_BEGIN "\n", PEM_END "\n", der, pem);
}

int
x509_crl_to_pem(struct span der, struct blob *pem)
{
	return to_pem("-----BEGIN X509 CRL-----\n", "-----END X509 CRL-----\n",
	    der, pem);
}

bool
x509_key_is(struct span spki, struct span algorithm)
{
	struct span seq, named, oid;

	return der_expect(&spki, DER_SEQUENCE, &seq) == 0 &&
	    der_expect(&seq, DER_SEQUENCE, &named) == 0 &&
	    der_expect(&named, DER_OID, &oid) == 0 &&
	    der_oid_is(oid, algorithm);
}

int
x509_key_id(struct crypto *c, struct span spki, uint8_t out[20])
{
	struct span seq, algorithm, bits;
	uint8_t hash[DIGEST_MAX_SIZE];

	if (der_expect(&spki, DER_SEQUENCE, &seq) == -1 ||
	    der_expect(&seq, DER_SEQUENCE, &algorithm) == -1 ||
	    der_expect(&seq, DER_BIT_STRING, &bits) == -1 || bits.len < 1 ||
	    crypto_digest(c, DIGEST_SHA1, span_of(bits.data + 1, bits.len - 1),
		hash) == -1)
		return -1;
	memcpy(out, hash, 20);
	return 0;
}

static const struct {
	const char *oid, *name;
} name_parts[] = {
	{ "\x55\x04\x03", "CN" },
	{ "\x55\x04\x05", "SERIALNUMBER" },
	{ "\x55\x04\x06", "C" },
	{ "\x55\x04\x07", "L" },
	{ "\x55\x04\x08", "ST" },
	{ "\x55\x04\x0a", "O" },
	{ "\x55\x04\x0b", "OU" },
	{ "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19", "DC" },
	{ "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01", "E" },
	{ "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x02", "unstructuredName" },
};

static void
add_name_part(struct span part, char *out, size_t size, size_t *len)
{
	const char *name = "?";
	struct span oid;
	struct der value;

	if (der_expect(&part, DER_OID, &oid) == -1 ||
	    der_next(&part, &value) == -1)
		return;
	for (size_t i = 0; i < sizeof(name_parts) / sizeof(name_parts[0]); i++)
		if (span_is(oid, name_parts[i].oid))
			name = name_parts[i].name;
	*len += (size_t)snprintf(out + *len, size - *len,
	    "%s%s=", *len > 0 ? ", " : "", name);
	for (size_t i = 0; i < value.content.len && *len + 1 < size; i++) {
		uint8_t c = value.content.data[i];

		/* The high octets of a BMPString are of no use here. */
		if (c != 0)
			out[(*len)++] = c >= ' ' && c < 0x7f ? (char)c : '?';
	}
	if (*len >= size)
		*len = size - 1;
	out[*len] = '\0';
}

char *
x509_name_text(struct span name, char *out, size_t size)
{
	struct span list, set, part;
	size_t len = 0;

	out[0] = '\0';
	if (der_expect(&name, DER_SEQUENCE, &list) == -1)
		return out;
	while (len + 1 < size && der_expect(&list, DER_SET, &set) == 0)
		while (len + 1 < size &&
		    der_expect(&set, DER_SEQUENCE, &part) == 0)
			add_name_part(part, out, size, &len);
	return out;
}
