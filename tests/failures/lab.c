#include "failures/lab.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/openssl.h"
#include "support/test.h"

#define BODY_SIZE 1024

const char *
text_of(struct buffer *b)
{
	buffer_add_byte(b, 0);
	assert_false(b->failed);
	b->len--;
	return (const char *)b->data;
}

/* In the process; its JSON is the caller's to free, NULL: there is none. */
__attribute__((format(printf, 5, 6))) static json_t *
call(struct lab *lab, int status, const char *method, const char *body,
    const char *path, ...)
{
	char full[CONTROL_URL_SIZE];
	const struct saying saying = { .method = method,
		.path = full,
		.body = body };
	struct said said;
	json_t *json;
	va_list ap;

	va_start(ap, path);
	vsnprintf(full, sizeof(full), path, ap);
	va_end(ap);
	if (!control_try_inside(&lab->server, &saying, &said) ||
	    said.status != status)
		fail_msg("%s %s %s: %d %s", method, full,
		    body == NULL ? "" : body, said.status,
		    (char *)said.http.body.data);
	json = json_incref(said.json);
	said_clear(&said);
	return json;
}

void
lab_start(struct lab *lab)
{
	struct mockndes_options options = MOCKNDES_OPTIONS_INIT;
	json_t *json;

	memset(lab, 0, sizeof(*lab));
	options.challenge = LAB_CHALLENGE;
	web_start();
	dir_make(lab->dir);
	scepclient_make(&lab->client, lab->dir, "scepclient");
	controlled_start(&lab->server, &options);
	assert_true(device_make(&lab->device));
	assert_true(device_make_with(&lab->large, DEVICE_RSA_4096));
	json = call(lab, 200, "GET", NULL, "/v1/sites/default/actions");
	lab->actions = json_incref(json_object_get(json, "actions"));
	json_decref(json);
}

void
letters_clear(struct letters *l)
{
	buffer_free(&l->known_by);
	device_ca_certs_free(l->ca_certs);
	for (int i = 0; i < LETTERS; i++)
		device_message_clear(&l->of[i]);
	*l = (struct letters){ 0 };
}

void
lab_stop(struct lab *lab)
{
	for (size_t i = 0; i < LAB_LETTERS_MAX; i++)
		letters_clear(&lab->letters[i]);
	json_decref(lab->actions);
	device_clear(&lab->device);
	device_clear(&lab->large);
	controlled_stop(&lab->server);
	dir_remove(lab->dir);
}

void
lab_open(struct lab *lab, const char *scenario, const char *set,
    struct site_under_test *out)
{
	char body[BODY_SIZE];
	json_t *json;

	*out = (struct site_under_test){ .lab = lab, .scenario = scenario };
	snprintf(out->id, sizeof(out->id), "lab-%d", ++lab->sites);
	snprintf(body, sizeof(body),
	    "{\"id\": \"%s\", \"scenario\": \"%s\", \"set\": {%s}}", out->id,
	    scenario, set == NULL ? "" : set);
	json = call(lab, 201, "POST", body, "/v1/sites");
	snprintf(out->url, sizeof(out->url), "%s", json_at(json, "url"));
	snprintf(out->admin, sizeof(out->admin), "%s",
	    json_at(json, "admin_url"));
	json_decref(json);
}

void
lab_close(struct site_under_test *site)
{
	call(site->lab, 204, "DELETE", NULL, "/v1/sites/%s", site->id);
}

/* What comes last of an exchange is its entry in the journal. */
static void
wait_for_all(struct site_under_test *site)
{
	json_t *json;

	if (site->asked == site->awaited)
		return;
	site->awaited = site->asked;
	json = call(site->lab, 200, "GET", NULL,
	    "/v1/sites/%s/requests?since=%lld&wait=20&limit=1", site->id,
	    (long long)site->asked - 1);
	if (json_array_size(json_object_get(json, "requests")) == 0)
		fail_msg("the journal has no entry %lld",
		    (long long)site->asked);
	json_decref(json);
}

void
lab_reset(struct site_under_test *site)
{
	wait_for_all(site);
	json_decref(
	    call(site->lab, 200, "POST", NULL, "/v1/sites/%s/reset", site->id));
	memset(site->read, 0, sizeof(site->read));
}

static const char *
word(const json_t *entry, const char *name)
{
	const char *text = json_string_value(json_object_get(entry, name));

	return text == NULL ? "" : text;
}

/* Codes in the text of an event, which tell causes apart; no time stamps. */
static void
add_codes(const char *text, struct buffer *out)
{
	static const char stamp[] = "stamp: ";
	size_t skip = strlen(stamp);

	for (const char *at = text; (at = strstr(at, "0x")) != NULL;) {
		size_t len = strspn(at + 2, "0123456789abcdefABCDEF");

		if (len >= 7 &&
		    ((size_t)(at - text) < skip ||
			strncmp(at - skip, stamp, skip) != 0))
			buffer_printf(out, " %.*s", (int)len + 2, at);
		at += 2 + len;
	}
}

#define GUID_SIZE 36 /* as text */
#define NUMBER_MIN 6 /* digits of what is never twice the same */

/* A line of a text, without what is never twice the same. */
static void
add_line(const char *text, struct buffer *out)
{
	static const char page[] = "<!DOCTYPE";
	size_t len;

	for (; *text != '\0' && *text != '\r' && *text != '\n'; text += len) {
		if (strncmp(text, page, strlen(page)) == 0) {
			buffer_add_text(out, "(a page)");
			return;
		}
		len = strspn(text, "0123456789abcdefABCDEF-");
		if (len == GUID_SIZE) {
			buffer_add_text(out, "GUID");
			continue;
		}
		len = strspn(text, "0123456789");
		if (len >= NUMBER_MIN)
			buffer_add_text(out, "N");
		else
			buffer_add(out, text, len = len > 0 ? len : 1);
	}
}

static void
add_entry(const char *log, const json_t *e, struct buffer *out)
{
	if (json_is_string(e)) {
		buffer_printf(out, "%s: ", log);
		add_line(json_string_value(e), out);
	} else if (json_object_get(e, "s-reason") != NULL) {
		buffer_printf(out, "HTTPERR %s %s %s", word(e, "sc-status"),
		    word(e, "s-reason"), word(e, "s-queuename"));
	} else if (json_object_get(e, "sc-status") != NULL) {
		buffer_printf(out, "IIS %s %s %s", word(e, "sc-status"),
		    word(e, "sc-substatus"), word(e, "sc-win32-status"));
		if (strstr(word(e, "cs-uri-stem"), "Registration") != NULL)
			buffer_printf(out, " %s %s", word(e, "cs-method"),
			    word(e, "cs-uri-stem"));
	} else if (json_object_get(e, "source") != NULL) {
		buffer_printf(out, "%s: %d %s", word(e, "log"),
		    (int)json_integer_value(json_object_get(e, "id")),
		    word(e, "source"));
		add_codes(word(e, "text"), out);
	} else {
		buffer_printf(out, "%s: ", log);
		add_line(word(e, "text"), out);
	}
}

static void
read_log(struct site_under_test *site, const char *log, size_t *read,
    const char *indent, struct buffer *out)
{
	json_t *json = call(site->lab, 200, "GET", NULL,
	    "/v1/sites/%s/evidence/%s?format=json", site->id, log);
	const json_t *entries = json_object_get(json, "entries");

	for (; *read < json_array_size(entries); ++*read) {
		buffer_add_text(out, indent);
		add_entry(log, json_array_get(entries, *read), out);
		buffer_add_text(out, "\n");
	}
	json_decref(json);
}

void
lab_read_logs(struct site_under_test *site, const char *indent,
    struct buffer *out)
{
	static const char end[] = "-log";
	json_t *json, *one;
	size_t i;

	wait_for_all(site);
	json = call(site->lab, 200, "GET", NULL, "/v1/sites/%s/evidence",
	    site->id);
	json_array_foreach(json_object_get(json, "evidence"), i, one)
	{
		const char *name = json_at(one, "name");
		size_t len = strlen(name);

		assert_true(i < LAB_EVIDENCE_MAX);
		if (len > strlen(end) &&
		    strcmp(name + len - strlen(end), end) == 0)
			read_log(site, name, &site->read[i], indent, out);
	}
	json_decref(json);
}

bool
lab_is_healthy(struct site_under_test *site, struct buffer *why)
{
	json_t *json = call(site->lab, 200, "GET", NULL, "/v1/sites/%s",
	    site->id);
	bool healthy = json_is_true(json_object_get(json, "healthy"));

	if (!healthy && why != NULL)
		add_line(json_at(json, "why"), why);
	json_decref(json);
	return healthy;
}

/* The youngest of the policy module's, as the registry wants it. */
static void
find_thumbprint(struct site_under_test *site, char *out, size_t size)
{
	json_t *json = call(site->lab, 200, "GET", NULL,
	    "/v1/sites/%s/evidence/certificates?format=json", site->id);
	const char *found = "none";
	json_t *one;
	size_t i;

	json_array_foreach(json_object_get(json, "entries"), i,
	    one) if (strstr(word(one, "Enhanced Key Usage"),
			 "Authentication (") != NULL)
	    found = word(one, "Thumbprint");
	snprintf(out, size, "\"thumbprint\": \"%s\"", found);
	for (char *c = out; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	json_decref(json);
}

/* What the actions need that do not go without. */
static void
write_arguments(struct site_under_test *site, const char *action, char *out,
    size_t size)
{
	*out = '\0';
	if (strcmp(action, "set-password-max") == 0)
		snprintf(out, size, "\"passwords\": 50");
	else if (strcmp(action, "set-ndes-certificate-thumbprint") == 0)
		find_thumbprint(site, out, size);
}

void
lab_act(struct site_under_test *site, const char *action, struct acted *out)
{
	char arguments[BODY_SIZE / 2], body[BODY_SIZE];
	json_t *json, *one;
	size_t i;

	write_arguments(site, action, arguments, sizeof(arguments));
	snprintf(body, sizeof(body), "{%s}", arguments);
	json = call(site->lab, 200, "POST", body, "/v1/sites/%s/actions/%s",
	    site->id, action);
	*out = (struct acted){
		.healthy = json_is_true(json_object_get(json, "healthy")),
		.changed = json_array_size(json_object_get(json, "changed")) > 0
	};
	json_array_foreach(json_object_get(json, "waits_for"), i, one)
	    buffer_printf(&out->waits_for, "%s%s", i > 0 ? " " : "",
		json_string_value(one));
	json_decref(json);
}

void
lab_complain(struct lab *lab, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	buffer_printf(&lab->complaints, "%s\n", text);
}

void
lab_check(struct lab *lab)
{
	char text[4096];

	snprintf(text, sizeof(text), "%s", text_of(&lab->complaints));
	buffer_free(&lab->complaints);
	if (text[0] != '\0')
		fail_msg("%s", text);
}

bool
lab_real_client_enrols(struct site_under_test *site, struct buffer *why)
{
	const struct scepclient *client = &site->lab->client;
	struct child_result said;
	char cas[FILE_PATH_SIZE];
	bool enrols;

	scepclient_forget(client);
	scepclient_run(client, site->url, LAB_CHALLENGE, NULL, &said);
	enrols = said.status == 0 && child_has_said(&said, "pkiStatus=SUCCESS");
	if (!enrols)
		buffer_printf(why, "%d %s%s", said.status,
		    (char *)said.out.data, (char *)said.err.data);
	child_result_clear(&said);
	if (enrols) {
		path_in(cas, client->dir, "ca");
		openssl_get_ca_certs(site->url, cas);
		openssl_judge(client->cert, client->key, SCEPCLIENT_SUBJECT,
		    cas, 1);
	}
	return enrols;
}
