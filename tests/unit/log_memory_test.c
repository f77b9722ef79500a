/* Logs in memory: to the octet those of the files, bounded, and as JSON. */
#include "unit/exchanges.h"
#include "unit/folder.h"
#include "unit/rows.h"

#include <jansson.h>
#include <pthread.h>

#include "evidence/evidence.h"

#define NDES "Microsoft-Windows-NetworkDeviceEnrollmentService"

static const struct iis_log_form plain = { .version = "10.0", .referer = true };
static const struct iis_log_form article = { .version = "10.0",
	.referer = true,
	.bytes = true };
static const struct iis_log_form windows_2008r2 = { .version = "7.5" };

static struct log_memories *
open_all(size_t each, size_t octets)
{
	const struct log_memories_options options = { each, octets };
	struct log_memories *all;
	struct error err = { 0 };

	assert_int_equal(log_memories_new(&all, &options, &err), 0);
	return all;
}

static struct log_memory *
open_one(struct log_memories *all)
{
	struct log_memory *m;
	struct error err = { 0 };

	assert_int_equal(log_memory_open(all, &m, &err), 0);
	return m;
}

/* With a NUL behind it; the caller frees it. */
static char *
text_of(struct log_memory *m, enum evidence e)
{
	struct buffer b = { 0 };

	assert_int_equal(log_memory_print(m, e, &b), 0);
	buffer_add_byte(&b, 0);
	assert_false(b.failed);
	return (char *)b.data;
}

static void
text_must_be(struct log_memory *m, enum evidence e, const char *wanted)
{
	char *text = text_of(m, e);

	assert_string_equal(text, wanted);
	free(text);
}

static void
make(struct exchange *ex, const char *target, enum layer layer, int status)
{
	exchange_make(ex, "GET", target);
	exchange_header(ex, "User-Agent", "a b");
	ex->request.source = exchange_endpoint("10.5.14.22", 50123);
	ex->request.local = exchange_endpoint("10.1.2.5", 443);
	exchange_answer(ex, layer, status, 0, 0);
	if (layer == LAYER_HTTP_SYS)
		ex->verdict.reason = "QueueFull";
}

static void
add(struct log_memory *m, const char *target, enum layer layer, int status)
{
	struct exchange ex;

	make(&ex, target, layer, status);
	log_memory_add(m, &ex, &plain);
	exchange_clear(&ex);
}

#define DAY 86400
#define HALF 43200

/* What comes by, one after the other. */
static const struct passing {
	const struct iis_log_form *form;
	int64_t after; /* seconds */
	enum layer layer;
	int status;
} passings[] = {
	{ &plain, 0, LAYER_IIS, 404 },
	{ &plain, 1, LAYER_MSCEP, 200 },
	{ &plain, 2, LAYER_HTTP_SYS, 503 },
	{ &plain, 3, LAYER_NETWORK, 0 },
	{ &plain, 4, LAYER_APP_PROXY, 504 },
	{ &plain, 5, LAYER_MOCK, 404 },
	{ &article, 6, LAYER_MSCEP, 200 },
	{ &article, 7, LAYER_CA, 200 },
	{ &article, DAY, LAYER_POLICY_MODULE, 403 },
	{ &article, DAY + 1, LAYER_HTTP_SYS, 400 },
	{ &windows_2008r2, DAY + 2, LAYER_IIS, 500 },
	{ &windows_2008r2, DAY + HALF, LAYER_IIS, 500 },
	{ &windows_2008r2, 2 * DAY, LAYER_IIS, 500 },
};

static void
files_hold(const struct folder *f, const char *const *names, const char *text)
{
	struct buffer all = { 0 };
	char path[FOLDER_PATH];

	for (; *names != NULL; names++) {
		struct blob one = folder_read(folder_path(f, *names, path));

		buffer_add_span(&all, blob_span(&one));
		blob_free(&one);
	}
	buffer_add_byte(&all, 0);
	assert_string_equal((char *)all.data, text);
	buffer_free(&all);
}

static void
entries_must_be(struct log_memory *m, enum evidence e, size_t count)
{
	json_t *json = log_memory_json(m, e);

	assert_int_equal(json_array_size(json_object_get(json, "entries")),
	    count);
	json_decref(json);
}

static void
is_as_in_the_files(void **state)
{
	static const char *const iis[] = { "x/W3SVC1/u_ex130429.log",
		"x/W3SVC1/u_ex130430.log", "x/W3SVC1/u_ex130501.log", NULL };
	static const char *const httperr[] = { "x/HTTPERR/httperr1.log", NULL };
	struct folder f = folder_new();
	struct log_memories *all = open_all(0, 0);
	struct log_memory *m = open_one(all);
	struct log_files *files;
	struct error err = { 0 };
	char dir[FOLDER_PATH], *text;
	struct exchange ex;

	(void)state;
	assert_int_equal(log_files_open(folder_path(&f, "x", dir), &files,
			     &err),
	    0);
	for (size_t i = 0; i < sizeof(passings) / sizeof(passings[0]); i++) {
		make(&ex, "/x?y", passings[i].layer, passings[i].status);
		ex.at += passings[i].after;
		assert_int_equal(log_files_write(files, &ex, passings[i].form,
				     &err),
		    0);
		log_memory_add(m, &ex, passings[i].form);
		exchange_clear(&ex);
	}
	text = text_of(m, EVIDENCE_IIS_LOG);
	files_hold(&f, iis, text);
	free(text);
	text = text_of(m, EVIDENCE_HTTPERR_LOG);
	files_hold(&f, httperr, text);
	free(text);
	text_must_be(m, EVIDENCE_APPLICATION_LOG, "");
	entries_must_be(m, EVIDENCE_IIS_LOG, 8);
	entries_must_be(m, EVIDENCE_HTTPERR_LOG, 2);
	log_files_close(files);
	log_memory_close(m);
	log_memories_free(all);
}

static void
nothing_is_nothing(void **state)
{
	struct log_memories *all = open_all(0, 0);
	struct log_memory *m = open_one(all);

	(void)state;
	for (int e = 0; e < EVIDENCE_LOGS; e++) {
		text_must_be(m, (enum evidence)e, "");
		text_must_be(NULL, (enum evidence)e, "");
	}
	add(NULL, "/", LAYER_IIS, 404);
	log_memory_clear(NULL);
	log_memory_close(NULL);
	assert_int_equal(log_memories_octets(all), 0);
	log_memory_close(m);
	log_memories_free(all);
}

static void
add_event(struct log_memory *m, const char *log, int id, const char *text)
{
	struct exchange ex;

	make(&ex, "/", LAYER_MSCEP, 200);
	exchange_event(&ex, log, NDES, id, "Error", "%s", text);
	exchange_event(&ex, log, NDES, id + 1, "Warning", "%s", text);
	log_memory_add(m, &ex, &plain);
	exchange_clear(&ex);
}

#define EVENT(id, level, text)                   \
	"Log Name:      Application\r\n"         \
	"Source:        " NDES "\r\n"            \
	"Date:          2013-04-29 09:15:51\r\n" \
	"Event ID:      " id "\r\n"              \
	"Task Category: None\r\n"                \
	"Level:         " level "\r\n"           \
	"Keywords:      \r\n"                    \
	"Computer:      NDESServer01\r\n"        \
	"Description:\r\n" text "\r\n\r\n"

static void
events_are_shown(void **state)
{
	struct log_memories *all = open_all(0, 0);
	struct log_memory *m = open_one(all);
	json_t *json, *entry;

	(void)state;
	add_event(m, "Application", 29, "The password ...");
	add_event(m, "System", 5002, "Application pool ...");
	text_must_be(m, EVIDENCE_APPLICATION_LOG,
	    EVENT("29", "Error", "The password ...")
		EVENT("30", "Warning", "The password ..."));
	json = log_memory_json(m, EVIDENCE_APPLICATION_LOG);
	assert_int_equal(json_array_size(json_object_get(json, "entries")), 2);
	entry = json_array_get(json_object_get(json, "entries"), 0);
	assert_string_equal(json_string_value(json_object_get(json, "name")),
	    "application-log");
	assert_string_equal(json_string_value(json_object_get(entry, "log")),
	    "Application");
	assert_string_equal(json_string_value(json_object_get(entry, "source")),
	    NDES);
	assert_int_equal(json_integer_value(json_object_get(entry, "id")), 29);
	assert_string_equal(json_string_value(json_object_get(entry, "level")),
	    "Error");
	assert_string_equal(json_string_value(json_object_get(entry, "time")),
	    "2013-04-29T09:15:51Z");
	assert_string_equal(json_string_value(json_object_get(entry, "text")),
	    "The password ...");
	json_decref(json);
	log_memory_close(m);
	log_memories_free(all);
}

#define CRASH                                                                 \
	"Faulting application name: w3wp.exe, version: 8.5.9600.16384, time " \
	"stamp: 0x5215df96\n"                                                 \
	"Faulting module name: ntdll.dll, version: 6.3.9600.18821, time "     \
	"stamp: 0x59ba86db\n"                                                 \
	"Exception code: 0xc0000005"
#define BEGIN(log, source, second)      \
	"Log Name:      " log "\r\n"    \
	"Source:        " source "\r\n" \
	"Date:          2013-04-29 09:15:" second "\r\n"

/* What happens outside of NDES, and what a log shows of it. */
static const struct happening {
	const char *row;
	enum evidence in;
	struct event event;
	const char *file, *text;
} happenings[] = {
	/* To the octet but for the date and the computer (ndes-facts 8.4). */
	{ "event 1000, as the article prints it", EVIDENCE_APPLICATION_LOG,
	    { .log = "Application",
		.source = "Application Error",
		.id = 1000,
		.level = "Error",
		.text = (char *)(CRASH) },
	    "x/Application.log",
	    BEGIN("Application", "Application Error",
		"51") "Event ID:      1000\r\n"
		      "Task Category: Application Crashing Events\r\n"
		      "Level:         Error\r\n"
		      "Keywords:      Classic\r\n"
		      "Computer:      NDESServer01\r\n"
		      "Description: Faulting application name: w3wp.exe, version: "
		      "8.5.9600.16384, time stamp: 0x5215df96\r\n"
		      "Faulting module name: ntdll.dll, version: 6.3.9600.18821, time "
		      "stamp: 0x59ba86db\r\n"
		      "Exception code: 0xc0000005\r\n\r\n" },
	{ "what WAS says, a while ago", EVIDENCE_SYSTEM_LOG,
	    { .log = "System",
		.source = "Microsoft-Windows-WAS",
		.id = 5002,
		.level = "Error",
		.ago = 41,
		.text = (char *)("Application pool ...") },
	    "x/System.log",
	    BEGIN("System", "Microsoft-Windows-WAS",
		"10") "Event ID:      5002\r\n"
		      "Task Category: None\r\n"
		      "Level:         Error\r\n"
		      "Keywords:      \r\n"
		      "Computer:      NDESServer01\r\n"
		      "Description:\r\nApplication pool ...\r\n\r\n" },
	{ "CAPI2", EVIDENCE_CAPI2_LOG,
	    { .log = "Microsoft-Windows-CAPI2/Operational",
		.source = "Microsoft-Windows-CAPI2",
		.id = 11,
		.level = "Error",
		.text = (char *)("For more details") },
	    "x/CAPI2.log",
	    BEGIN("Microsoft-Windows-CAPI2/Operational",
		"Microsoft-Windows-CAPI2",
		"51") "Event ID:      11\r\n"
		      "Task Category: Build Chain\r\n"
		      "Level:         Error\r\n"
		      "Keywords:      \r\n"
		      "Computer:      NDESServer01\r\n"
		      "Description:\r\nFor more details\r\n\r\n" },
	{ "the CA, on its own computer", EVIDENCE_APPLICATION_LOG,
	    { .log = "Application",
		.source = "Microsoft-Windows-CertificationAuthority",
		.id = 53,
		.level = "Warning",
		.text = (char *)("denied") },
	    "x/Application.log",
	    BEGIN("Application", "Microsoft-Windows-CertificationAuthority",
		"51") "Event ID:      53\r\n"
		      "Task Category: None\r\n"
		      "Level:         Warning\r\n"
		      "Keywords:      \r\n"
		      "Computer:      CA01.contoso.com\r\n"
		      "Description:\r\ndenied\r\n\r\n" },
	{ "a line of the policy module", EVIDENCE_POLICY_MODULE_LOG,
	    { .log = "NDESPlugin.log",
		.text = (char *)("Calling VerifyRequest ...") },
	    "x/NDESPlugin.log",
	    "2013-04-29 09:15:51 Calling VerifyRequest ...\r\n" },
	{ "a line of the registration point", EVIDENCE_CONNECTOR_LOG,
	    { .log = "CertificateRegistrationPoint.svclog",
		.text = (char *)("VerifyRequest Started.") },
	    "x/Connector.log",
	    "2013-04-29 09:15:51 VerifyRequest Started.\r\n" },
	{ "an event of the connector", EVIDENCE_CONNECTOR_LOG,
	    { .log = "Microsoft Intune Connector",
		.source = "Microsoft Intune Connector",
		.id = 20501,
		.level = "Warning",
		.text = (char *)("0x411") },
	    "x/Connector.log",
	    BEGIN("Microsoft Intune Connector", "Microsoft Intune Connector",
		"51") "Event ID:      20501\r\n"
		      "Task Category: None\r\n"
		      "Level:         Warning\r\n"
		      "Keywords:      \r\n"
		      "Computer:      NDESServer01\r\n"
		      "Description:\r\n0x411\r\n\r\n" },
	{ "a line of another IIS", EVIDENCE_HTTPERR_LOG,
	    { .log = "HTTPERR", .text = (char *)("a line") },
	    "x/HTTPERR/httperr1.log",
	    "#Software: Microsoft HTTP API 2.0\r\n"
	    "#Version: 1.0\r\n"
	    "#Date: 2013-04-29 09:15:51\r\n" },
};

/* In memory and in its file, of an exchange and without one. */
static void
happens(void **state)
{
	const struct happening *t = *state;
	struct folder f = folder_new();
	struct log_memories *all = open_all(0, 0);
	struct log_memory *m = open_one(all);
	const char *const names[] = { t->file, NULL };
	struct log_files *files;
	struct error err = { 0 };
	char dir[FOLDER_PATH], *text;
	json_t *json;

	assert_int_equal(log_files_open(folder_path(&f, "x", dir), &files,
			     &err),
	    0);
	log_memory_add_events(m, &t->event, EXCHANGE_AT, &plain);
	assert_int_equal(log_files_write_events(files, &t->event, EXCHANGE_AT,
			     &plain, &err),
	    0);
	text = text_of(m, t->in);
	assert_int_equal(strncmp(text, t->text, strlen(t->text)), 0);
	files_hold(&f, names, text);
	if (t->in != EVIDENCE_HTTPERR_LOG)
		assert_string_equal(text, t->text);
	else
		assert_non_null(strstr(text, "\r\na line\r\n"));
	free(text);
	json = log_memory_json(m, t->in);
	assert_int_equal(json_array_size(json_object_get(json, "entries")), 1);
	for (int e = 0; e < EVIDENCE_LOGS; e++)
		if (e != (int)t->in)
			text_must_be(m, (enum evidence)e, "");
	json_decref(json);
	log_files_close(files);
	log_memory_close(m);
	log_memories_free(all);
}

static const char *
field(json_t *json, size_t at, const char *name)
{
	return json_string_value(json_object_get(
	    json_array_get(json_object_get(json, "entries"), at), name));
}

/* Each line by the header that it stands below. */
static void
fields_have_names(void **state)
{
	struct log_memories *all = open_all(0, 0);
	struct log_memory *m = open_one(all);
	struct exchange ex;
	json_t *json;

	(void)state;
	add(m, "/x?a=b%20c", LAYER_MSCEP, 200);
	make(&ex, "/y", LAYER_MSCEP, 500);
	ex.verdict.win32 = 1346;
	ex.sent = 77;
	ex.duration_ms = 31;
	log_memory_add(m, &ex, &article);
	exchange_clear(&ex);
	add(m, "/z", LAYER_HTTP_SYS, 503);

	json = log_memory_json(m, EVIDENCE_IIS_LOG);
	assert_int_equal(json_array_size(json_object_get(json, "entries")), 2);
	assert_int_equal(json_object_size(
			     json_array_get(json_object_get(json, "entries"),
				 0)),
	    15);
	assert_string_equal(field(json, 0, "date"), "2013-04-29");
	assert_string_equal(field(json, 0, "time"), "09:15:51");
	assert_string_equal(field(json, 0, "cs-uri-query"), "a=b%20c");
	assert_string_equal(field(json, 0, "cs(User-Agent)"), "a+b");
	assert_string_equal(field(json, 0, "sc-status"), "200");
	assert_null(field(json, 0, "sc-bytes"));
	assert_string_equal(field(json, 1, "sc-win32-status"), "1346");
	assert_string_equal(field(json, 1, "sc-bytes"), "77");
	assert_string_equal(field(json, 1, "time-taken"), "31");
	json_decref(json);
	json = log_memory_json(m, EVIDENCE_HTTPERR_LOG);
	assert_string_equal(field(json, 0, "c-port"), "50123");
	assert_string_equal(field(json, 0, "s-reason"), "QueueFull");
	assert_string_equal(field(json, 0, "s-queuename"), "-");
	json_decref(json);
	log_memory_close(m);
	log_memories_free(all);
}

/* Whatever a client sends is told. */
static void
no_octets_spoil_json(void **state)
{
	struct log_memories *all = open_all(0, 0);
	struct log_memory *m = open_one(all);
	struct exchange ex;
	json_t *json;

	(void)state;
	make(&ex, "/", LAYER_IIS, 404);
	exchange_header(&ex, "Referer", "\xff\xe4\"x\xc3\xa9");
	log_memory_add(m, &ex, &plain);
	exchange_clear(&ex);
	add(m, "/\xc3\xa9", LAYER_IIS, 404);
	json = log_memory_json(m, EVIDENCE_IIS_LOG);
	assert_string_equal(field(json, 0, "cs(Referer)"),
	    "\xef\xbf\xbd\xef\xbf\xbd\"x\xef\xbf\xbd\xef\xbf\xbd");
	assert_string_equal(field(json, 1, "cs-uri-stem"), "/\xc3\xa9");
	json_decref(json);
	log_memory_close(m);
	log_memories_free(all);
}

static size_t
count_lines(const char *text)
{
	size_t count = 0;

	for (; (text = strstr(text, "\r\n")) != NULL; text += 2)
		count++;
	return count;
}

/* The oldest lines go; header and count stay. */
static void
a_text_is_bounded(void **state)
{
	struct log_memories *all = open_all(8192, 0);
	struct log_memory *m = open_one(all);
	char target[32], wanted[64], *text;
	size_t kept;
	json_t *json;

	(void)state;
	for (int i = 0; i < 500; i++) {
		snprintf(target, sizeof(target), "/%d", i);
		add(m, target, LAYER_IIS, 404);
		assert_in_range(log_memories_octets(all), 1, 8192);
	}
	text = text_of(m, EVIDENCE_IIS_LOG);
	kept = count_lines(text) - 5; /* four of the header, and the remark */
	assert_in_range(kept, 20, 100);
	assert_int_equal(strncmp(text, "#Software: ", 11), 0);
	snprintf(wanted, sizeof(wanted),
	    "\r\n#Remark: %zu older lines are "
	    "gone\r\n2013-",
	    500 - kept);
	assert_non_null(strstr(text, wanted));
	assert_null(strstr(text, " /1 "));
	assert_non_null(strstr(text, " /499 "));
	free(text);
	json = log_memory_json(m, EVIDENCE_IIS_LOG);
	assert_int_equal(json_integer_value(json_object_get(json, "lost")),
	    500 - kept);
	assert_string_equal(field(json, 0, "sc-status"), "404");
	json_decref(json);
	log_memory_clear(m);
	assert_int_equal(log_memories_octets(all), 0);
	text_must_be(m, EVIDENCE_IIS_LOG, "");
	log_memory_close(m);
	log_memories_free(all);
}

static void
events_are_bounded(void **state)
{
	struct log_memories *all = open_all(4096, 0);
	struct log_memory *m = open_one(all);
	char *text;

	(void)state;
	for (int i = 0; i < 200; i++)
		add_event(m, "Application", i, "Something happened.");
	text = text_of(m, EVIDENCE_APPLICATION_LOG);
	assert_int_equal(text[0], '(');
	assert_non_null(
	    strstr(text, " older events are gone)\r\n\r\nLog Name"));
	assert_non_null(strstr(text, "Event ID:      200\r\n"));
	free(text);
	log_memory_close(m);
	log_memories_free(all);
}

/* A line that is too large by itself leaves nothing behind. */
static void
nothing_exceeds_the_bound(void **state)
{
	struct log_memories *all = open_all(512, 0);
	struct log_memory *m = open_one(all);
	char target[2048], *text;

	(void)state;
	memset(target, 'x', sizeof(target));
	target[0] = '/';
	target[sizeof(target) - 1] = '\0';
	add(m, target, LAYER_IIS, 404);
	text = text_of(m, EVIDENCE_IIS_LOG);
	assert_non_null(strstr(text, "#Remark: 1 older lines are gone\r\n"));
	assert_int_equal(count_lines(text), 5);
	free(text);
	log_memory_close(m);
	assert_int_equal(log_memories_octets(all), 0);
	log_memories_free(all);
}

#define SITES 8

/* Who holds most loses: a busy site takes nothing from a quiet one. */
static void
all_are_bounded(void **state)
{
	struct log_memories *all = open_all(65536, 65536);
	struct log_memory *m[SITES];
	char *text;

	(void)state;
	for (int i = 0; i < SITES; i++) {
		m[i] = open_one(all);
		add(m[i], "/quiet", LAYER_IIS, 404);
		add(m[i], "/quiet", LAYER_HTTP_SYS, 503);
	}
	for (int i = 0; i < 2000; i++) {
		add(m[i % 2], "/busy", LAYER_IIS, 404);
		assert_in_range(log_memories_octets(all), 1, 65536);
	}
	for (int i = 0; i < SITES; i++) {
		text = text_of(m[i], EVIDENCE_IIS_LOG);
		assert_int_equal(strstr(text, "#Remark") != NULL, i < 2);
		assert_int_equal(strstr(text, "/quiet") != NULL, i >= 2);
		free(text);
		text = text_of(m[i], EVIDENCE_HTTPERR_LOG);
		assert_non_null(strstr(text, "/quiet"));
		free(text);
	}
	for (int i = 0; i < SITES; i++)
		log_memory_close(m[i]);
	assert_int_equal(log_memories_octets(all), 0);
	log_memories_free(all);
}

static void
names_lead_there(void **state)
{
	(void)state;
	for (int e = 0; e < EVIDENCES; e++) {
		const char *name = evidence_name((enum evidence)e);

		assert_int_equal(evidence_find(name), e);
		assert_non_null(evidence_title((enum evidence)e));
	}
	assert_int_equal(evidence_find("capi3-log"), EVIDENCES);
	assert_int_equal(evidence_find(""), EVIDENCES);
}

#define THREADS 4

struct sharing {
	struct log_memories *all;
	struct log_memory *common;
};

static void *
share(void *cls)
{
	struct sharing *s = cls;
	struct log_memory *own = open_one(s->all);

	for (int i = 0; i < 200; i++) {
		add(s->common, "/common", LAYER_IIS, 404);
		add_event(own, "Application", i, "own");
		free(text_of(s->common, EVIDENCE_IIS_LOG));
		json_decref(log_memory_json(own, EVIDENCE_APPLICATION_LOG));
		if (i % 50 == 0)
			log_memory_clear(s->common);
	}
	log_memory_close(own);
	return NULL;
}

static void
many_can_use_it(void **state)
{
	struct log_memories *all = open_all(4096, 16384);
	struct sharing s = { all, open_one(all) };
	pthread_t threads[THREADS];

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, share, &s),
		    0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	log_memory_close(s.common);
	assert_int_equal(log_memories_octets(all), 0);
	log_memories_free(all);
}

int
main(void)
{
	const struct table tables[] = {
		ONE(is_as_in_the_files, "is as in the files"),
		ONE(nothing_is_nothing, "nothing is nothing"),
		ONE(events_are_shown, "events are shown"),
		ROWS(happens, happenings),
		ONE(fields_have_names, "fields have names"),
		ONE(no_octets_spoil_json, "no octets spoil the JSON"),
		ONE(a_text_is_bounded, "a text is bounded"),
		ONE(events_are_bounded, "events are bounded"),
		ONE(nothing_exceeds_the_bound, "nothing exceeds the bound"),
		ONE(all_are_bounded, "all together are bounded"),
		ONE(names_lead_there, "names lead there"),
		ONE(many_can_use_it, "many can use it"),
	};

	return ROWS_RUN(tables, NULL, NULL);
}
