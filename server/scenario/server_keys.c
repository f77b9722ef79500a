/*
 * `server:`: which keys there are, what they take, and where it goes. One
 * table serves files and --set.
 */
#include "scenario/inside.h"

#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define KEY_SIZE 128
#define DAY 86400LL
#define YEAR 31557600LL /* a Julian one */

static const struct word windows_words[] = { { "2008r2", WINDOWS_2008R2, NULL },
	{ "2012", WINDOWS_2012, NULL }, { "2012r2", WINDOWS_2012R2, NULL },
	{ "2016", WINDOWS_2016, NULL }, { "2019", WINDOWS_2019, NULL },
	{ "2022", WINDOWS_2022, NULL }, { "2025", WINDOWS_2025, NULL },
	{ NULL, 0, NULL } };
static const struct word page_words[] = { { "article", PAGES_ARTICLE, NULL },
	{ "detailed", PAGES_DETAILED, NULL }, { "remote", PAGES_REMOTE, NULL },
	{ NULL, 0, NULL } };
static const struct word field_words[] = { { "default", LOG_FIELDS_DEFAULT,
					       NULL },
	{ "article", LOG_FIELDS_ARTICLE, NULL }, { NULL, 0, NULL } };
static const struct word line_end_words[] = { { "lf", LINE_END_LF, NULL },
	{ "crlf", LINE_END_CRLF, NULL }, { NULL, 0, NULL } };
static const struct word digest_words[] = { { "md5", DIGEST_MD5, NULL },
	{ "sha1", DIGEST_SHA1, NULL }, { "sha256", DIGEST_SHA256, NULL },
	{ "sha512", DIGEST_SHA512, NULL }, { NULL, 0, NULL } };
static const struct word cipher_words[] = { { "des", CIPHER_DES, NULL },
	{ "des3", CIPHER_DES3, NULL }, { "aes-128-cbc", CIPHER_AES128, NULL },
	{ "aes-192-cbc", CIPHER_AES192, NULL },
	{ "aes-256-cbc", CIPHER_AES256, NULL }, { NULL, 0, NULL } };
static const struct word authentication_words[] = {
	{ "none", AUTHENTICATION_NONE, NULL },
	{ "basic", AUTHENTICATION_BASIC, NULL }, { NULL, 0, NULL }
};
static const struct word challenge_words[] = { { "one-time",
						   CHALLENGES_ONE_TIME, NULL },
	{ "single", CHALLENGES_SINGLE, NULL },
	{ "static", CHALLENGES_STATIC, NULL },
	{ "none", CHALLENGES_NONE, NULL }, { NULL, 0, NULL } };
static const struct word unreadable_words[] = { { "profile", AS_PROFILE, NULL },
	{ "general", UNREADABLE_GENERAL, NULL },
	{ "empty", UNREADABLE_EMPTY, NULL },
	{ "cert_rep", UNREADABLE_CERT_REP, NULL }, { NULL, 0, NULL } };
static const struct word repeat_words[] = { { "new", REPEAT_NEW, NULL },
	{ "same", REPEAT_SAME, NULL }, { NULL, 0, NULL } };
static const struct word queries_words[] = { { "answered", QUERIES_ANSWERED,
						 NULL },
	{ "refused", QUERIES_REFUSED, NULL }, { NULL, 0, NULL } };
static const struct word approval_words[] = { { "automatic", APPROVAL_AUTOMATIC,
						  NULL },
	{ "manual", APPROVAL_MANUAL, NULL }, { NULL, 0, NULL } };
static const struct word ca_key_words[] = { { "given", -1, NULL },
	{ "rsa-2048", 0, NULL }, { "rsa-3072", 1, NULL },
	{ "rsa-4096", 2, NULL }, { "ec-p256", 3, NULL }, { "ec-p384", 4, NULL },
	{ NULL, 0, NULL } };
static const struct word profile_words[] = { { "ndes", PROFILE_NDES, NULL },
	{ "rfc8894", PROFILE_RFC8894, NULL }, { NULL, 0, NULL } };
static const struct word reply_digest_words[] = {
	{ "profile", AS_PROFILE, NULL }, { "request", AS_REQUEST, NULL },
	{ "sha1", DIGEST_SHA1, NULL }, { "sha256", DIGEST_SHA256, NULL },
	{ "sha512", DIGEST_SHA512, NULL }, { NULL, 0, NULL }
};
static const struct word reply_cipher_words[] = { { "profile", AS_PROFILE,
						      NULL },
	{ "request", AS_REQUEST, NULL }, { "des", CIPHER_DES, NULL },
	{ "des3", CIPHER_DES3, NULL }, { "aes-128-cbc", CIPHER_AES128, NULL },
	{ "aes-192-cbc", CIPHER_AES192, NULL },
	{ "aes-256-cbc", CIPHER_AES256, NULL }, { NULL, 0, NULL } };
static const struct word transport_words[] = { { "profile", AS_PROFILE, NULL },
	{ "pkcs1", TRANSPORT_PKCS1, NULL }, { "oaep", TRANSPORT_OAEP, NULL },
	{ NULL, 0, NULL } };
static const struct word content_words[] = { { "profile", AS_PROFILE, NULL },
	{ "zero", SCEP_CONTENT_ZERO, NULL },
	{ "empty", SCEP_CONTENT_EMPTY, NULL },
	{ "absent", SCEP_CONTENT_ABSENT, NULL }, { NULL, 0, NULL } };
static const struct word reply_bool_words[] = { { "profile", AS_PROFILE, NULL },
	{ "true", true, NULL }, { "false", false, NULL }, { NULL, 0, NULL } };

/* The name of a key is that of its field. */
#define ROOM(field) sizeof(((struct stack_state *)NULL)->field)
#define KEY(field, takes, list, least, most)                   \
	{                                                      \
		.key = { .name = #field,                       \
			.type = takes,                         \
			.words = list,                         \
			.min = least,                          \
			.max = most },                         \
		.offset = offsetof(struct stack_state, field), \
		.room = ROOM(field)                            \
	}
#define WORD(field, words) KEY(field, VALUE_WORD, words, 0, 0)
#define BOOL(field) KEY(field, VALUE_BOOL, NULL, 0, 0)
#define NUMBER(field, min, max) KEY(field, VALUE_NUMBER, NULL, min, max)
#define SECONDS(field, min, max) \
	KEY(field, VALUE_DURATION, NULL, (min)*1000LL, (max)*1000LL)
#define TEXT(field) KEY(field, VALUE_TEXT, NULL, 0, ROOM(field) - 1)
#define LINES(field) KEY(field, VALUE_TEXTS, NULL, 0, 0)
#define OIDS(field) KEY(field, VALUE_OIDS, NULL, 0, 0)

static const struct server_key keys[] = {
	WORD(windows, windows_words),
	NUMBER(http_sys.max_field_length, 64, 65534),
	NUMBER(http_sys.max_request_bytes, 256, 16777216),
	SECONDS(http_sys.connection_timeout, 1, DAY),
	SECONDS(http_sys.header_wait, 1, DAY),
	SECONDS(http_sys.entity_body, 1, DAY),
	BOOL(http_sys.require_content_length),
	WORD(iis.error_pages, page_words),
	WORD(iis.log_fields, field_words),
	BOOL(iis.x_powered_by),
	NUMBER(iis.max_url, 0, INT32_MAX),
	NUMBER(iis.max_query_string, 0, INT32_MAX),
	NUMBER(iis.max_allowed_content_length, 0, UINT32_MAX),
	LINES(mscep.capabilities),
	WORD(mscep.capabilities_separator, line_end_words),
	BOOL(mscep.capabilities_final_newline),
	TEXT(mscep.capabilities_content_type),
	BOOL(mscep.accept.post),
	BOOL(mscep.accept.get),
	BOOL(mscep.accept.renewal),
	WORD(mscep.accept.weakest_digest, digest_words),
	WORD(mscep.accept.weakest_cipher, cipher_words),
	WORD(mscep.unreadable, unreadable_words),
	WORD(mscep.reply.profile, profile_words),
	WORD(mscep.reply.digest, reply_digest_words),
	WORD(mscep.reply.cipher, reply_cipher_words),
	WORD(mscep.reply.key_transport, transport_words),
	WORD(mscep.reply.content, content_words),
	WORD(mscep.reply.fail_info_text, reply_bool_words),
	WORD(mscep.reply.microsoft_attributes, reply_bool_words),
	BOOL(mscep.renewal.subject_match),
	WORD(mscep.repeat, repeat_words),
	WORD(mscep.queries, queries_words),
	BOOL(mscep.bom),
	BOOL(mscep.odd_byte),
	WORD(mscep.admin.authentication, authentication_words),
	TEXT(mscep.admin.user),
	TEXT(mscep.admin.password),
	BOOL(mscep.admin.permission),
	WORD(mscep.challenge.mode, challenge_words),
	TEXT(mscep.challenge.password),
	NUMBER(mscep.challenge.length, 1, (CHALLENGE_SIZE - 1) / 2),
	SECONDS(mscep.challenge.validity, 1, 366 * DAY),
	NUMBER(mscep.challenge.cache, 0, 100000),
	WORD(ca.key, ca_key_words),
	NUMBER(ca.tiers, 1, 3),
	WORD(ca.approval, approval_words),
	SECONDS(ca.pending_lifetime, 1, 10 * YEAR),
	SECONDS(ca.rollover_after, 0, 10 * YEAR),
	SECONDS(ca.crl_lifetime, 1, 10 * YEAR),
	NUMBER(ca.minimum_key_size, 512, 16384),
	NUMBER(ca.subject_max, 2, 1000000),
	BOOL(policy_module.installed),
	TEXT(policy_module.expect.subject),
	TEXT(policy_module.expect.san),
	TEXT(policy_module.expect.challenge),
	OIDS(policy_module.expect.eku),
	NUMBER(policy_module.expect.key_size, 0, 16384),
};
#define KEYS (sizeof(keys) / sizeof(keys[0]))

const struct server_key *
server_key_at(size_t row)
{
	return row < KEYS ? &keys[row] : NULL;
}

static const struct key *
key_at(size_t row)
{
	return row < KEYS ? &keys[row].key : NULL;
}

static void
put_seconds(struct loading *l, const struct value *v, void *field)
{
	if (!v->is_word && v->number % 1000 != 0)
		errors_at(l->errors, &v->at, "whole seconds are wanted here");
	else
		*(int64_t *)field = v->is_word ? v->number : v->number / 1000;
}

/* One a line. */
static void
put_lines(struct loading *l, const struct value *v, char *field, size_t room)
{
	struct buffer b = { 0 };

	for (size_t i = 0; i < v->count; i++)
		buffer_printf(&b, "%s%s", i > 0 ? "\n" : "", v->texts[i]);
	buffer_add_byte(&b, 0);
	if (b.failed || b.len > room)
		errors_at(l->errors, &v->at, "the list is too long");
	else
		memcpy(field, b.data, b.len);
	buffer_free(&b);
}

static void
put_words(const struct value *v, int *field)
{
	*field = 0;
	for (size_t i = 0; i < v->count; i++)
		*field |= (int)v->numbers[i];
}

static void
put(struct loading *l, void *to, size_t row, struct value *v)
{
	void *field = (char *)to + keys[row].offset;

	switch (keys[row].key.type) {
	case VALUE_WORD:
		*(int *)field = (int)v->number;
		break;
	case VALUE_BOOL:
		*(bool *)field = v->number != 0;
		break;
	case VALUE_DURATION:
		put_seconds(l, v, field);
		break;
	case VALUE_TEXT:
		memcpy(field, v->text, v->length + 1);
		break;
	case VALUE_TEXTS:
	case VALUE_OIDS:
		put_lines(l, v, field, keys[row].room);
		break;
	case VALUE_WORDS:
		put_words(v, field);
		break;
	default:
		*(int64_t *)field = v->number;
		break;
	}
	value_clear(v);
}

static const struct key_table table = { key_at, put };

/* What no key can say of itself. */
static void
check_state(struct loading *l, const struct mark *at)
{
	const struct stack_state *s = &l->out->state;

	if (s->mscep.challenge.mode == CHALLENGES_STATIC &&
	    s->mscep.challenge.password[0] == '\0')
		errors_at(l->errors, at,
		    "\"mscep.challenge.mode\" is static, but there is no "
		    "\"mscep.challenge.password\"");
	if (s->mscep.admin.authentication != AUTHENTICATION_NONE &&
	    s->mscep.admin.user[0] == '\0')
		errors_at(l->errors, at,
		    "\"mscep.admin.authentication\" is on, but there is no "
		    "\"mscep.admin.user\"");
	/* RFC 7617 2: nobody could log on. */
	if (strchr(s->mscep.admin.user, ':') != NULL)
		errors_at(l->errors, at,
		    "\"mscep.admin.user\" has a colon, which Basic cannot "
		    "carry");
}

/* The value is YAML too, so that a list can be written. */
static void
set_one(struct loading *l, const char *set)
{
	const char *equals = strchr(set, '=');
	struct mark at = { set, 1, 1 };
	char name[KEY_SIZE];
	struct yaml *node;

	if (equals == NULL || strncmp(set, "server.", 7) != 0) {
		errors_at(l->errors, NULL,
		    "--set %.200s: not of the form server.KEY=VALUE", set);
		return;
	}
	snprintf(name, sizeof(name), "%.*s", (int)(equals - set - 7), set + 7);
	/* An empty value is one; an empty document is none. */
	node = yaml_read(span_text(equals[1] == '\0' ? "''" : equals + 1), set,
	    l->errors);
	if (node != NULL)
		keys_read_one(l, &table, name, &at, node, &l->out->state);
	yaml_free(node);
}

void
server_read(struct loading *l, const struct yaml *node)
{
	const struct scenario_options *o = l->options;
	size_t before = l->errors->count;

	if (node != NULL && node->kind == YAML_MAP)
		keys_read(l, &table, node, &l->out->state);
	else if (node != NULL && node->kind != YAML_BROKEN)
		errors_at(l->errors, &node->at,
		    "\"server\" takes keys of its own");
	for (size_t i = 0; l->child == NULL && i < o->set_count; i++)
		set_one(l, o->sets[i]);
	if (l->errors->count == before)
		check_state(l, node != NULL ? &node->at : &l->at);
}
