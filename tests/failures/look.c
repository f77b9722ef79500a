#include "failures/look.h"

#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "support/test.h"

#define LINE_SIZE 512

static const char *const names[] = {
	[PROBE_BROWSE] = "browse",
	[PROBE_CAPS] = "GetCACaps",
	[PROBE_CA_CERT] = "GetCACert",
	[PROBE_POST] = "POST",
	[PROBE_GET] = "GET",
	[PROBE_LONG_GET] = "long GET",
	[PROBE_ADMIN] = "admin",
};

/* What tells one page from another. */
static const char *const telling[] = {
	"This URL is used by network devices to submit certificate requests",
	"The enrollment challenge password is",
	"The password cache is full",
	"You do not have sufficient permission",
	"414 Request-URI Too Long",
};
/* What the words of the others stand behind. */
static const char *const headings[] = { "HTTP Error", "<h2>", "<h1>", "<p>",
	"<body>" };

/* Up to the next tag. */
static void
add_words(const char *at, struct buffer *out)
{
	buffer_printf(out, " \"%.*s\"", (int)strcspn(at, "<\r\n"), at);
}

static const char *
without_tag(const char *at)
{
	return *at == '<' ? strchr(at, '>') + 1 : at;
}

/* Pages of NDES are UTF-16: their NULs go. */
static void
find_words(const struct web_reply *reply, struct buffer *out)
{
	struct buffer page = { 0 };
	const char *text, *at;

	for (size_t i = 0; i < reply->body.len; i++)
		if (reply->body.data[i] != 0)
			buffer_add_byte(&page, reply->body.data[i]);
	text = text_of(&page);
	for (size_t i = 0; i < COUNT_OF(telling); i++)
		if (strstr(text, telling[i]) != NULL) {
			buffer_printf(out, " \"%s\"", telling[i]);
			goto out;
		}
	for (size_t i = 0; i < COUNT_OF(headings); i++)
		if ((at = strcasestr(text, headings[i])) != NULL) {
			add_words(without_tag(at), out);
			goto out;
		}
	add_words(text, out);
out:
	buffer_free(&page);
}

/* Status, words, and who says so. */
static void
tell(const struct web_reply *reply, const char *words, struct buffer *out)
{
	const char *line;

	if (reply->status == 0) {
		buffer_add_text(out, reply->is_reset ? "reset" : "no answer");
		return;
	}
	line = (const char *)reply->head.data;
	line += strcspn(line, " ") + 1;
	buffer_printf(out, "%.*s", (int)strcspn(line, "\r\n"), line);
	if (words != NULL)
		buffer_printf(out, " %s", words);
	else if (strncmp(reply->content_type, "text/html", 9) == 0 ||
	    reply->status != 200)
		find_words(reply, out);
	buffer_printf(out, " (%s; %s)", reply->content_type,
	    reply->server[0] == '\0' ? "no Server" : reply->server);
}

static void
probe_page(const char *url, struct buffer *out)
{
	struct web_reply reply;

	web_get(url, &reply);
	tell(&reply, NULL, out);
	web_reply_clear(&reply);
}

static void
make_letters(struct lab *lab, const struct web_reply *ca_cert,
    struct letters *l)
{
	struct device_order order = { .challenge = LAB_CHALLENGE,
		.recipients = sk_X509_new_null() };

	l->ca_certs = device_ca_certs_in(ca_cert);
	assert_non_null(l->ca_certs);
	sk_X509_push(order.recipients,
	    device_ra(l->ca_certs, KU_KEY_ENCIPHERMENT));
	for (int i = 0; i < LETTERS; i++)
		assert_true(device_message_make(i == LETTER_LONG ? &lab->large :
								   &lab->device,
		    &order, &l->of[i]));
	sk_X509_free(order.recipients);
}

/* Those for what GetCACert says there; if it says nothing, any. */
static struct letters *
find_letters(struct site_under_test *site, const struct web_reply *ca_cert)
{
	struct lab *lab = site->lab;
	struct letters *l;

	for (size_t i = 0; i < LAB_LETTERS_MAX; i++) {
		l = &lab->letters[i];
		if (l->ca_certs != NULL &&
		    (ca_cert->status != 200 ||
			span_equal(buffer_span(&l->known_by),
			    buffer_span(&ca_cert->body))))
			return l;
	}
	assert_int_equal(ca_cert->status, 200);
	l = &lab->letters[lab->letter_count++ % LAB_LETTERS_MAX];
	letters_clear(l);
	buffer_add_span(&l->known_by, buffer_span(&ca_cert->body));
	make_letters(lab, ca_cert, l);
	return l;
}

static struct letters *
probe_ca_cert(struct site_under_test *site, struct buffer *out)
{
	char url[sizeof(site->url) + 64];
	struct web_reply reply;
	struct letters *l;

	snprintf(url, sizeof(url), "%s?operation=GetCACert&message=ca",
	    site->url);
	web_get(url, &reply);
	tell(&reply, NULL, out);
	l = find_letters(site, &reply);
	web_reply_clear(&reply);
	return l;
}

static void
tell_cert_rep(const struct device_answer *a, char *out, size_t size)
{
	if (a->pki_status == 0)
		snprintf(out, size, "SUCCESS%s%s", a->why[0] == '\0' ? "" : " ",
		    a->why);
	else
		snprintf(out, size, "pkiStatus %d failInfo %d 0x%08lx %s",
		    a->pki_status, a->fail_info,
		    (unsigned long)(uint32_t)a->ms_error, a->ms_message);
}

static void
probe_letter(struct site_under_test *site, struct letters *l, enum letter which,
    struct buffer *out)
{
	static const char all[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqr"
				  "stuvwxyz0123456789+/=";
	struct lab *lab = site->lab;
	const struct device_message *m = &l->of[which];
	struct device_answer answer = { .pki_status = -1 };
	struct web_reply reply;
	char words[DEVICE_TEXT_SIZE * 2] = "";

	if (which == LETTER_POST)
		device_post(site->url, m, &reply);
	else
		device_get(site->url, m, which == LETTER_GET ? "+/=" : all,
		    &reply);
	if (device_answer_read(which == LETTER_LONG ? &lab->large :
						      &lab->device,
		m, l->ca_certs, buffer_span(&reply.body), &answer))
		tell_cert_rep(&answer, words, sizeof(words));
	tell(&reply, words[0] == '\0' ? NULL : words, out);
	device_answer_clear(&answer);
	web_reply_clear(&reply);
}

static void
probe(struct site_under_test *site, enum probe which, struct letters **l,
    struct buffer *out)
{
	char url[sizeof(site->url) + 64];

	site->asked++;
	switch (which) {
	case PROBE_BROWSE:
		probe_page(site->url, out);
		break;
	case PROBE_CAPS:
		snprintf(url, sizeof(url), "%s?operation=GetCACaps&message=ca",
		    site->url);
		probe_page(url, out);
		break;
	case PROBE_CA_CERT:
		*l = probe_ca_cert(site, out);
		break;
	case PROBE_ADMIN:
		probe_page(site->admin, out);
		break;
	default:
		probe_letter(site, *l,
		    (enum letter)(which - PROBE_POST + LETTER_POST), out);
	}
}

void
look_at(struct site_under_test *site, bool with_logs, struct look *out)
{
	struct letters *l = NULL;

	*out = (struct look){ 0 };
	if (with_logs)
		lab_read_logs(site, "", &out->past);
	text_of(&out->past);
	for (int p = 0; p < PROBES; p++) {
		probe(site, (enum probe)p, &l, &out->client[p]);
		text_of(&out->client[p]);
		if (with_logs)
			lab_read_logs(site, "", &out->logs[p]);
		text_of(&out->logs[p]);
	}
}

void
look_again(struct site_under_test *site, struct look *before, struct look *out)
{
	static const bool asked[PROBES] = { [PROBE_BROWSE] = true,
		[PROBE_CA_CERT] = true,
		[PROBE_POST] = true };
	struct letters *l = NULL;

	*out = (struct look){ 0 };
	for (int p = 0; p < PROBES; p++) {
		if (asked[p])
			probe(site, (enum probe)p, &l, &out->client[p]);
		else
			buffer_add_span(&out->client[p],
			    buffer_span(&before->client[p]));
		text_of(&out->client[p]);
		text_of(&out->logs[p]);
	}
}

void
look_clear(struct look *l)
{
	buffer_free(&l->past);
	for (int p = 0; p < PROBES; p++) {
		buffer_free(&l->client[p]);
		buffer_free(&l->logs[p]);
	}
}

bool
look_is_same(struct look *a, struct look *b)
{
	for (int p = 0; p < PROBES; p++)
		if (strcmp((char *)a->client[p].data,
			(char *)b->client[p].data) != 0)
			return false;
	return true;
}

static bool
says_the_same(struct look *l, int a, int b, bool with_logs)
{
	return strcmp((char *)l->client[a].data, (char *)l->client[b].data) ==
	    0 &&
	    (!with_logs ||
		strcmp((char *)l->logs[a].data, (char *)l->logs[b].data) == 0);
}

/* The names of all that say the same as this one; false: one before it did. */
static bool
print_names(struct look *l, int p, bool with_logs, struct buffer *out)
{
	struct buffer list = { 0 };
	int count = 0;
	bool first = true;

	for (int i = 0; i < PROBES; i++) {
		if (!says_the_same(l, p, i, with_logs))
			continue;
		first = first && i >= p;
		buffer_printf(&list, "%s%s", count++ > 0 ? ", " : "", names[i]);
	}
	if (first)
		buffer_add_text(out,
		    count == PROBES ? "everything" : text_of(&list));
	buffer_free(&list);
	return first;
}

/* Of logs that are texts, which have many lines. */
static bool
is_usual(const char *line, const char *healthy)
{
	return healthy != NULL && strstr(line, "-log: ") != NULL &&
	    strstr(healthy, line) != NULL;
}

static void
print_count(int count, const char *indent, struct buffer *out)
{
	if (count > 0)
		buffer_printf(out, "%s(%d lines as of a healthy site)\n",
		    indent, count);
}

void
print_logs(const char *lines, const char *healthy, const char *indent,
    struct buffer *out)
{
	char line[LINE_SIZE];
	int usual = 0, times = 1;

	for (size_t len; *lines != '\0'; lines += len) {
		len = strcspn(lines, "\n") + 1;
		snprintf(line, sizeof(line), "%.*s", (int)len, lines);
		if (is_usual(line, healthy)) {
			usual++;
			continue;
		}
		print_count(usual, indent, out);
		usual = 0;
		if (strncmp(lines + len, line, len) == 0) {
			times++;
			continue;
		}
		buffer_printf(out, "%s%.*s", indent, (int)len - 1, lines);
		if (times > 1)
			buffer_printf(out, " (%d times)", times);
		buffer_add_text(out, "\n");
		times = 1;
	}
	print_count(usual, indent, out);
}

/* The server and its version are no difference to a client. */
bool
look_says_the_same(struct look *a, struct look *b, int p)
{
	const char *one = (char *)a->client[p].data;
	const char *two = (char *)b->client[p].data;
	size_t len = strcspn(one, ";");

	return strcspn(two, ";") == len && strncmp(one, two, len) == 0;
}

static bool
is_healthy(struct look *l, int p, struct look *healthy)
{
	return healthy != NULL &&
	    strcmp((char *)l->client[p].data,
		(char *)healthy->client[p].data) == 0 &&
	    strcmp((char *)l->logs[p].data, (char *)healthy->logs[p].data) == 0;
}

void
look_print(struct look *l, struct look *healthy, const char *indent,
    struct buffer *out)
{
	const char *between = indent;
	char deeper[32];

	snprintf(deeper, sizeof(deeper), "%s    ", indent);
	for (int p = 0; p < PROBES; p++) {
		struct buffer line = { 0 };

		if (!is_healthy(l, p, healthy) &&
		    print_names(l, p, true, &line)) {
			buffer_printf(out, "%s%s:\n%s%s\n", indent,
			    text_of(&line), deeper, (char *)l->client[p].data);
			print_logs((char *)l->logs[p].data,
			    healthy == NULL ? NULL :
					      (char *)healthy->logs[p].data,
			    deeper, out);
		}
		buffer_free(&line);
	}
	for (int p = 0; p < PROBES; p++)
		if (is_healthy(l, p, healthy)) {
			buffer_printf(out, "%s%s", between, names[p]);
			between = ", ";
		}
	if (between != indent)
		buffer_add_text(out, ": as of a healthy site\n");
}

void
look_print_short(struct look *l, struct look *healthy, struct buffer *out)
{
	const char *between = "";
	size_t begin = out->len;

	for (int p = 0; p < PROBES; p++) {
		struct buffer line = { 0 };
		const char *client = (char *)l->client[p].data;

		if ((healthy == NULL || !look_says_the_same(l, healthy, p)) &&
		    print_names(l, p, false, &line)) {
			buffer_printf(out, "%s%s: %.*s", between,
			    text_of(&line), (int)strcspn(client, "("), client);
			while (out->len > 0 && out->data[out->len - 1] == ' ')
				out->len--;
			between = "; ";
		}
		buffer_free(&line);
	}
	if (out->len == begin)
		buffer_add_text(out, "as of a healthy site");
}
