/* The journal of a site. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "control/inside.h"

#define LIMIT_USUAL 100

/* What is asked for, and what of it there is. */
struct asking {
	struct journal *journal;
	struct journal_filter filter;
	uint64_t since, lost;
	int64_t limit;
	json_t *list; /* NULL: no memory */
};

static void
ask(const struct call *call, struct asking *out)
{
	*out = (struct asking){
		.journal = site_journal(call->site),
		.filter = { call_parameter(call, "operation"),
		    call_parameter(call, "message_type"),
		    call_parameter(call, "transaction_id"),
		    (int)call_parameter_number(call, "status", 0) },
		.since = (uint64_t)call_parameter_number(call, "since", 0),
		.limit = call_parameter_number(call, "limit", LIMIT_USUAL),
		.list = json_array(),
	};
}

static void
add(struct asking *a, json_t *entry)
{
	if (json_array_append_new(a->list, entry) == 0)
		return;
	json_decref(a->list);
	a->list = NULL;
}

/* Those that there are, where to go on, and what went before it was told. */
static void
collect(struct asking *a)
{
	struct journal_entry *e;

	for (int64_t left = a->limit; left > 0; left--) {
		e = journal_next(a->journal, &a->since, &a->filter, &a->lost);
		if (e == NULL)
			return;
		add(a, journal_entry_json(e));
		journal_entry_free(e);
	}
}

/* How much longer it may be waited, in milliseconds. */
static int64_t
patience(const struct call *call, const struct asking *a)
{
	if (json_array_size(a->list) > 0 || a->journal == NULL)
		return 0;
	return call_parameter_number(call, "wait", 0) * 1000 -
	    (clock_ticks_ms() - call->request->started_ms);
}

/* True: the call is to be made again. */
static bool
wait_for_more(struct call *call, struct asking *a)
{
	int64_t ms = patience(call, a);

	if (ms > 0 && call->request->may_block) {
		journal_entry_free(
		    journal_wait(a->journal, a->since, &a->filter, ms));
		collect(a);
		return false;
	}
	if (ms <= 0 || !call->request->may_return)
		return false;
	call->reply->waiting = (struct waiting){ a->journal, ms };
	return true;
}

void
list_requests(struct call *call)
{
	struct asking a;

	ask(call, &a);
	collect(&a);
	if (wait_for_more(call, &a))
		json_decref(a.list);
	else
		call_json(call, 200,
		    json_pack("{so, sI, sI}", "requests", a.list, "next",
			(json_int_t)a.since, "lost", (json_int_t)a.lost));
}

void
clear_requests(struct call *call)
{
	journal_clear(site_journal(call->site));
	call_nothing(call);
}

/* Its number in the path; a reference, or NULL: it has answered. */
static struct journal_entry *
find_entry(struct call *call)
{
	struct journal *journal = site_journal(call->site);
	const char *text = call->values[1];
	struct journal_entry *e = NULL;
	unsigned long long seq = 0;
	char *end = NULL;

	errno = 0;
	if (*text >= '1' && *text <= '9')
		seq = strtoull(text, &end, 10);
	if (seq == 0 || errno != 0 || *end != '\0') {
		call_fail(call, FAIL_REQUEST_UNKNOWN,
		    "\"%.60s\" is no number of a request", text);
		return NULL;
	}
	e = journal_find(journal, seq - 1, NULL);
	if (e != NULL && e->seq == seq)
		return e;
	journal_entry_free(e);
	if (seq > journal_last(journal))
		call_fail(call, FAIL_REQUEST_UNKNOWN,
		    "there is no request %llu yet", seq);
	else
		call_fail(call, FAIL_REQUEST_GONE,
		    "request %llu is kept no longer", seq);
	return NULL;
}

void
get_request(struct call *call)
{
	struct journal_entry *e = find_entry(call);

	if (e != NULL)
		call_json(call, 200, journal_entry_json(e));
	journal_entry_free(e);
}

static void
answer_octets(struct call *call, struct span octets, bool cut)
{
	call_header(call, "X-Mockndes-Truncated", "%s", cut ? "true" : "false");
	call_octets(call, 200, "application/octet-stream", octets);
}

void
get_request_octets(struct call *call)
{
	struct journal_entry *e = find_entry(call);

	if (e != NULL)
		answer_octets(call, e->request, e->request_cut);
	journal_entry_free(e);
}

void
get_reply_octets(struct call *call)
{
	struct journal_entry *e = find_entry(call);

	if (e != NULL)
		answer_octets(call, e->reply, e->reply_cut);
	journal_entry_free(e);
}
