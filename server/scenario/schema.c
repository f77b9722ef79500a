/*
 * Which keys there are, what they take, and where it goes. One table serves
 * files and --set.
 */
#include "scenario/scenario.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/der.h"
#include "base/nearest.h"
#include "scenario/shipped.h"
#include "scenario/yaml.h"

#define KEY_SIZE 128
#define DAY 86400LL
#define YEAR 31557600LL /* a Julian one */

struct server_key;
typedef int reader(const struct server_key *, const struct yaml *, void *to,
    struct error *);

struct server_key {
	const char *name; /* dotted, below `server` */
	size_t offset;
	reader *read;
	const struct word *words; /* of an enumeration */
	int64_t min, max;	  /* of a number; max: room for a text */
};

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
static const char *const top_words[] = { "mockndes", "name", "title",
	"description", "server", NULL };

static reader read_word, read_bool, read_number, read_duration, read_text,
    read_lines, read_oids;

/* The name of a key is that of its field. */
#define KEY(field, reads, list, least, most)                                   \
	{                                                                      \
		.name = #field, .offset = offsetof(struct stack_state, field), \
		.read = reads, .words = list, .min = least, .max = most        \
	}
#define ROOM(field) sizeof(((struct stack_state *)NULL)->field)
#define WORD(field, words) KEY(field, read_word, words, 0, 0)
#define BOOL(field) KEY(field, read_bool, NULL, 0, 0)
#define NUMBER(field, min, max) KEY(field, read_number, NULL, min, max)
#define DURATION(field, min, max) KEY(field, read_duration, NULL, min, max)
#define TEXT(field) KEY(field, read_text, NULL, 0, ROOM(field))
#define LINES(field) KEY(field, read_lines, NULL, 0, ROOM(field))
#define OIDS(field) KEY(field, read_oids, NULL, 0, ROOM(field))

static const struct server_key keys[] = {
	WORD(windows, windows_words),
	NUMBER(http_sys.max_field_length, 64, 65534),
	NUMBER(http_sys.max_request_bytes, 256, 16777216),
	DURATION(http_sys.connection_timeout, 1, DAY),
	DURATION(http_sys.header_wait, 1, DAY),
	DURATION(http_sys.entity_body, 1, DAY),
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
	DURATION(mscep.challenge.validity, 1, 366 * DAY),
	NUMBER(mscep.challenge.cache, 0, 100000),
	WORD(ca.key, ca_key_words),
	NUMBER(ca.tiers, 1, 3),
	WORD(ca.approval, approval_words),
	DURATION(ca.pending_lifetime, 1, 10 * YEAR),
	DURATION(ca.rollover_after, 0, 10 * YEAR),
	DURATION(ca.crl_lifetime, 1, 10 * YEAR),
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

static int
unknown(const struct mark *at, const char *what, const struct nearest *n,
    struct error *err)
{
	return error_at(err, at, "unknown %s \"%.60s\", did you mean \"%s\"?",
	    what, n->asked, n->best);
}

static int
read_word(const struct server_key *key, const struct yaml *node, void *to,
    struct error *err)
{
	struct nearest n = { .asked = node->text };

	for (const struct word *w = key->words; w->text != NULL; w++) {
		if (strcmp(w->text, node->text) == 0) {
			*(int *)to = w->value;
			return 0;
		}
		nearest_consider(&n, w->text);
	}
	return unknown(&node->at, "value", &n, err);
}

static int
read_bool(const struct server_key *key, const struct yaml *node, void *to,
    struct error *err)
{
	(void)key;
	if (strcmp(node->text, "true") == 0)
		*(bool *)to = true;
	else if (strcmp(node->text, "false") == 0)
		*(bool *)to = false;
	else
		return error_at(err, &node->at,
		    "\"%.60s\" is neither true nor false", node->text);
	return 0;
}

static int
store_number(const struct server_key *key, const struct yaml *node,
    int64_t number, void *to, struct error *err)
{
	if (number < key->min || number > key->max)
		return error_at(err, &node->at,
		    "%s is not between %lld and %lld", node->text,
		    (long long)key->min, (long long)key->max);
	*(int64_t *)to = number;
	return 0;
}

static int
read_number(const struct server_key *key, const struct yaml *node, void *to,
    struct error *err)
{
	long long number;
	char *end;

	errno = 0;
	number = strtoll(node->text, &end, 10);
	if (end == node->text || *end != '\0' || errno != 0)
		return error_at(err, &node->at, "\"%.60s\" is not a number",
		    node->text);
	return store_number(key, node, number, to, err);
}

/* "3s 90m 2d"; a bare number has no unit and is refused. */
static int
read_duration(const struct server_key *key, const struct yaml *node, void *to,
    struct error *err)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', DAY },
		{ 'y', YEAR } };
	long long number;
	char *end;

	errno = 0;
	number = strtoll(node->text, &end, 10);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (end != node->text && errno == 0 &&
		    end[0] == units[i].unit && end[1] == '\0' &&
		    number < INT64_MAX / units[i].seconds &&
		    number > INT64_MIN / units[i].seconds)
			return store_number(key, node,
			    number * units[i].seconds, to, err);
	return error_at(err, &node->at,
	    "\"%.60s\" is not a duration such as "
	    "90s, 60m, 2h, 2d or 1y",
	    node->text);
}

/* It may become a header, a log's field, a name in ASCII. */
static int
read_text(const struct server_key *key, const struct yaml *node, void *to,
    struct error *err)
{
	size_t len = strlen(node->text);

	for (const char *c = node->text; *c != '\0'; c++)
		if (*c < ' ' || *c > '~')
			return error_at(err, &node->at,
			    "only printable ASCII is taken here");
	if ((int64_t)len >= key->max)
		return error_at(err, &node->at,
		    "the text is longer than %lld characters",
		    (long long)key->max - 1);
	memcpy(to, node->text, len + 1);
	return 0;
}

/* A list of words, one a line. */
static int
read_lines(const struct server_key *key, const struct yaml *node, void *to,
    struct error *err)
{
	struct buffer b = { 0 };
	int ret = 0;

	for (size_t i = 0; i < node->count; i++) {
		if (node->items[i]->kind != YAML_SCALAR) {
			buffer_free(&b);
			return error_at(err, &node->items[i]->at,
			    "a word is wanted here");
		}
		buffer_printf(&b, "%s%s", i > 0 ? "\n" : "",
		    node->items[i]->text);
	}
	buffer_add_byte(&b, 0);
	if (b.failed || (int64_t)b.len > key->max)
		ret = error_at(err, &node->at, "the list is too long");
	else
		memcpy(to, b.data, b.len);
	buffer_free(&b);
	return ret;
}

/* The same, each an OID in digits. */
static int
read_oids(const struct server_key *key, const struct yaml *node, void *to,
    struct error *err)
{
	const struct yaml *item;
	struct buffer oid = { 0 };
	int ret = 0;

	for (size_t i = 0; i < node->count && ret == 0; i++) {
		item = node->items[i];
		if (item->kind == YAML_SCALAR)
			ret = der_oid_from_text(item->text, &oid);
		if (ret == -1)
			error_at(err, &item->at,
			    "\"%.60s\" is not an OID such as "
			    "1.3.6.1.5.5.7.3.2",
			    item->text);
	}
	buffer_free(&oid);
	return ret == -1 ? -1 : read_lines(key, node, to, err);
}

/* True if some key lies below this dotted name. */
static bool
is_section(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < KEYS; i++)
		if (strncmp(keys[i].name, name, len) == 0 &&
		    keys[i].name[len] == '.')
			return true;
	return false;
}

/* Every dotted beginning of a key is a name too. */
static void
consider_sections(struct nearest *n)
{
	char section[KEY_SIZE];
	const char *dot;

	for (size_t i = 0; i < KEYS; i++) {
		if ((dot = strrchr(keys[i].name, '.')) == NULL)
			continue;
		snprintf(section, sizeof(section), "%.*s",
		    (int)(dot - keys[i].name), keys[i].name);
		nearest_consider(n, section);
	}
}

static int
apply(struct stack_state *state, const char *name, const struct mark *at,
    const struct yaml *node, struct error *err)
{
	struct nearest n = { .asked = name };
	enum yaml_kind wanted;

	for (size_t i = 0; i < KEYS; i++) {
		nearest_consider(&n, keys[i].name);
		if (strcmp(keys[i].name, name) != 0)
			continue;
		wanted = keys[i].read == read_lines ||
			keys[i].read == read_oids ?
		    YAML_LIST :
		    YAML_SCALAR;
		if (node->kind != wanted)
			return error_at(err, &node->at, "\"%s\" takes %s", name,
			    wanted == YAML_LIST ? "a list, [a, b]" :
						  "one value");
		return keys[i].read(&keys[i], node,
		    (char *)state + keys[i].offset, err);
	}
	if (is_section(name))
		return error_at(err, &node->at, "\"%s\" takes keys of its own",
		    name);
	consider_sections(&n);
	return unknown(at, "key", &n, err);
}

static int
apply_map(struct stack_state *state, const char *prefix, const struct yaml *map,
    struct error *err)
{
	char name[KEY_SIZE];
	int ret;

	for (size_t i = 0; i < map->count; i++) {
		snprintf(name, sizeof(name), "%s%s%s", prefix,
		    *prefix == '\0' ? "" : ".", map->keys[i]->text);
		if (map->items[i]->kind == YAML_MAP && is_section(name))
			ret = apply_map(state, name, map->items[i], err);
		else
			ret = apply(state, name, &map->keys[i]->at,
			    map->items[i], err);
		if (ret == -1)
			return -1;
	}
	return 0;
}

/* --set: the value is YAML too, so that a list can be written. */
static int
apply_set(struct stack_state *state, const char *set, struct error *err)
{
	const char *equals = strchr(set, '=');
	struct mark at = { "--set", 1, 1 };
	struct yaml *node;
	char name[KEY_SIZE];
	int ret;

	if (equals == NULL || strncmp(set, "server.", 7) != 0)
		return error_set(err,
		    "--set %s: not of the form "
		    "server.KEY=VALUE",
		    set);
	snprintf(name, sizeof(name), "%.*s", (int)(equals - set - 7), set + 7);
	if (yaml_read(span_text(equals + 1), set, &node, err) == -1)
		return -1;
	at.file = set;
	ret = node->kind == YAML_MAP && is_section(name) ?
	    apply_map(state, name, node, err) :
	    apply(state, name, &at, node, err);
	yaml_free(node);
	return ret;
}

static int
take_text(const struct yaml *root, const char *key, char **out,
    struct error *err)
{
	struct yaml *node = yaml_get(root, key);

	if (node == NULL)
		return 0;
	if (node->kind != YAML_SCALAR)
		return error_at(err, &node->at, "\"%s\" takes a text", key);
	*out = strdup(node->text);
	return *out != NULL ? 0 : error_set(err, "out of memory");
}

static int
check_top(const struct yaml *root, struct error *err)
{
	struct yaml *version;
	struct nearest n;
	bool known;

	if (root->kind != YAML_MAP)
		return error_at(err, &root->at,
		    "a scenario begins with \"mockndes: 1\"");
	for (size_t i = 0; i < root->count; i++) {
		n = (struct nearest){ .asked = root->keys[i]->text };
		known = false;
		for (int w = 0; top_words[w] != NULL; w++) {
			nearest_consider(&n, top_words[w]);
			known |= strcmp(top_words[w], n.asked) == 0;
		}
		if (!known)
			return unknown(&root->keys[i]->at, "key", &n, err);
	}
	if ((version = yaml_get(root, "mockndes")) == NULL ||
	    version->kind != YAML_SCALAR || strcmp(version->text, "1") != 0)
		return error_at(err, version == NULL ? &root->at : &version->at,
		    "a scenario begins with \"mockndes: 1\"");
	return 0;
}

/* What no key can say of itself. */
static int
check_state(const struct stack_state *s, const struct mark *at,
    struct error *err)
{
	if (s->mscep.challenge.mode == CHALLENGES_STATIC &&
	    s->mscep.challenge.password[0] == '\0')
		return error_at(err, at,
		    "\"mscep.challenge.mode\" is static, but there is no "
		    "\"mscep.challenge.password\"");
	if (s->mscep.admin.authentication != AUTHENTICATION_NONE &&
	    s->mscep.admin.user[0] == '\0')
		return error_at(err, at,
		    "\"mscep.admin.authentication\" is on, but there is no "
		    "\"mscep.admin.user\"");
	/* RFC 7617 2: nobody could log on. */
	if (strchr(s->mscep.admin.user, ':') != NULL)
		return error_at(err, at,
		    "\"mscep.admin.user\" has a colon, which Basic cannot "
		    "carry");
	return 0;
}

static int
fill(struct scenario *s, const struct yaml *root,
    const struct scenario_set *set, struct error *err)
{
	struct yaml *server;

	if (check_top(root, err) == -1 ||
	    take_text(root, "name", &s->name, err) == -1 ||
	    take_text(root, "title", &s->title, err) == -1 ||
	    take_text(root, "description", &s->description, err) == -1)
		return -1;
	if (s->name == NULL)
		return error_at(err, &root->at, "the key \"name\" is missing");
	if ((server = yaml_get(root, "server")) != NULL) {
		if (server->kind != YAML_MAP)
			return error_at(err, &server->at,
			    "\"server\" takes keys of its own");
		if (apply_map(&s->state, "", server, err) == -1)
			return -1;
	}
	for (size_t i = 0; set != NULL && i < set->count; i++)
		if (apply_set(&s->state, set->list[i], err) == -1)
			return -1;
	return check_state(&s->state, server != NULL ? &server->at : &root->at,
	    err);
}

int
scenario_parse(struct span yaml, const char *file,
    const struct scenario_set *set, struct scenario **out, struct error *err)
{
	struct scenario *s = calloc(1, sizeof(*s));
	struct yaml *root;
	int ret;

	*out = NULL;
	if (s == NULL)
		return error_set(err, "out of memory");
	s->refs = 1;
	stack_healthy(&s->state);
	if (yaml_read(yaml, file, &root, err) == -1) {
		scenario_free(s);
		return -1;
	}
	ret = fill(s, root, set, err);
	yaml_free(root);
	if (ret == -1)
		scenario_free(s);
	else
		*out = s;
	return ret;
}

int
scenario_find(const char *name, const struct scenario_set *set,
    struct scenario **out, struct error *err)
{
	struct nearest n = { .asked = name };

	*out = NULL;
	for (size_t i = 0; i < shipped_scenario_count; i++) {
		nearest_consider(&n, shipped_scenarios[i].name);
		if (strcmp(shipped_scenarios[i].name, name) == 0)
			return scenario_parse(span_of(shipped_scenarios[i].text,
						  shipped_scenarios[i].size),
			    name, set, out, err);
	}
	return error_set(err,
	    "unknown scenario \"%.60s\", did you mean "
	    "\"%s\"?",
	    name, n.best);
}

struct scenario *
scenario_ref(struct scenario *s)
{
	s->refs++;
	return s;
}

void
scenario_free(struct scenario *s)
{
	if (s == NULL || --s->refs > 0)
		return;
	free(s->name);
	free(s->title);
	free(s->description);
	faults_clear(&s->faults);
	free(s);
}
