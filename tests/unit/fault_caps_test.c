/* `do: caps`: the octets of the answer to GetCACaps, and nothing else. */
#include "unit/edits.h"
#include "unit/exchanges.h"

#include "stack/stack.h"

#define TYPED "Content-Type Server X-Powered-By Date"
#define UNTYPED "Server X-Powered-By Date"
#define HEALTHY "POSTPKIOperation\nRenewal\nSHA-512\nSHA-256\nSHA-1\nDES3"

static const struct answered {
	const char *row, *edits;
	const char *wanted; /* the body */
	const char *type;   /* NULL: text/plain; empty: none */
} answereds[] = {
	{ "nothing is changed", "", HEALTHY, NULL },
	{ "another list", "caps.list=SCEPStandard,AES", "SCEPStandard\nAES",
	    NULL },
	{ "an empty list", "caps.list=", "", NULL },
	{ "more words", "caps.add=AES,SCEPStandard",
	    HEALTHY "\nAES\nSCEPStandard", NULL },
	{ "fewer words", "caps.remove=SHA-512,renewal,sha-1,Update",
	    "POSTPKIOperation\nSHA-256\nDES3", NULL },
	{ "a word in place of another", "caps.remove=DES3; caps.add=AES",
	    "POSTPKIOperation\nRenewal\nSHA-512\nSHA-256\nSHA-1\nAES", NULL },
	{ "LF", "caps.list=A,B,C; caps.separator=lf", "A\nB\nC", NULL },
	{ "CR LF", "caps.list=A,B,C; caps.separator=crlf", "A\r\nB\r\nC",
	    NULL },
	{ "CR", "caps.list=A,B,C; caps.separator=cr", "A\rB\rC", NULL },
	{ "spaces", "caps.list=A,B,C; caps.separator=space", "A B C", NULL },
	{ "commas", "caps.list=A,B,C; caps.separator=comma", "A,B,C", NULL },
	{ "upper case", "caps.list=Renewal,SHA-1,aes; caps.case=upper",
	    "RENEWAL\nSHA-1\nAES", NULL },
	{ "lower case", "caps.case=lower",
	    "postpkioperation\nrenewal\nsha-512\nsha-256\nsha-1\ndes3", NULL },
	{ "mixed case", "caps.list=POSTPKIOperation,AES; caps.case=mixed",
	    "pOsTpKiOpErAtIoN\naEs", NULL },
	{ "trailing spaces", "caps.list=A,B; caps.noise=trailing-spaces",
	    "A  \nB  ", NULL },
	{ "blank lines", "caps.list=A,B; caps.noise=blank-lines", "A\n\nB\n",
	    NULL },
	{ "unknown words", "caps.list=A,B,C,D; caps.noise=unknown-words",
	    "A\nX-Unknown\nB\nQuantum-Ready\nC\nSHA-0\nD\nX-Unknown", NULL },
	{ "comments", "caps.list=A,B; caps.noise=comments",
	    "# a comment\nA\n# a comment\nB", NULL },
	{ "every noise, in whatever order",
	    "caps.list=A; "
	    "caps.noise=trailing-spaces,blank-lines,comments,unknown-words",
	    "# a comment  \n  \nA  \n  \n# a comment  \n  \nX-Unknown  \n  ",
	    NULL },
	{ "the same noise twice", "caps.list=A,B; caps.noise=comments,comments",
	    "# a comment\nA\n# a comment\nB", NULL },
	{ "noise between carriage returns",
	    "caps.list=A,B; caps.noise=blank-lines; caps.separator=crlf; "
	    "caps.final_newline=true",
	    "A\r\n\r\nB\r\n\r\n", NULL },
	{ "a byte order mark", "caps.bom=true", "\xef\xbb\xbf" HEALTHY, NULL },
	{ "no byte order mark, as it is", "caps.bom=false", HEALTHY, NULL },
	{ "a final newline", "caps.final_newline=true", HEALTHY "\n", NULL },
	{ "no final newline, as it is", "caps.final_newline=false", HEALTHY,
	    NULL },
	{ "empty", "caps.answer=empty", "", NULL },
	{ "another type", "caps.content_type=text/html; caps.list=A", "A",
	    "text/html" },
	{ "no type", "caps.content_type=", HEALTHY, "" },
	{ "empty without type", "caps.answer=empty; caps.content_type=", "",
	    "" },
};

static void
ask(struct exchange *ex, const char *edits, bool final_newline)
{
	struct faults f = edits_make(edits);
	struct stack_state state;
	struct error err = { 0 };
	struct scep_caps caps;

	stack_healthy(&state);
	state.mscep.capabilities_final_newline = final_newline;
	exchange_make(ex, "GET", "/x?operation=GetCACaps");
	mscep_plan_caps(&state, &caps);
	if (edits_apply(&f, ex, NULL, FAULT_CAPS, &caps, &err) == -1)
		fail_msg("%s", err.text);
	mscep_answer_caps(ex, &state, &caps);
	faults_clear(&f);
}

static void
is_answered(void **state)
{
	const struct answered *t = *state;
	struct exchange ex;

	ask(&ex, t->edits, false);
	exchange_must_say(&ex, LAYER_MSCEP, 200, 0, 0);
	assert_octets(blob_span(&ex.reply.body), t->wanted, strlen(t->wanted));
	exchange_must_be_measured(&ex);
	if (t->type != NULL && *t->type == '\0') {
		exchange_must_have_headers(&ex, UNTYPED);
	} else {
		exchange_must_have_headers(&ex, TYPED);
		exchange_must_have_header(&ex, "Content-Type",
		    t->type == NULL ? "text/plain" : t->type);
	}
	exchange_clear(&ex);
}

/* Against a setting that is on. */
static void
ends_without_newline(void **state)
{
	struct exchange ex;

	(void)state;
	ask(&ex, "caps.list=A,B", true);
	assert_octets(blob_span(&ex.reply.body), "A\nB\n", 4);
	exchange_clear(&ex);
	ask(&ex, "caps.list=A,B; caps.final_newline=false", true);
	assert_octets(blob_span(&ex.reply.body), "A\nB", 3);
	exchange_clear(&ex);
}

static const struct not_said {
	const char *row, *edits;
	int status;
	const char *has;
} not_saids[] = {
	{ "a page", "caps.answer=html", 200, "<HTML" },
	{ "no such operation", "caps.answer=absent", 404, "404" },
};

static bool
body_has(const struct exchange *ex, const char *text)
{
	char wide[2 * 20] = "";
	size_t len = strlen(text);

	/* NDES's pages are in UTF-16LE. */
	for (size_t i = 0; i < len; i++)
		wide[2 * i] = text[i];
	return exchange_body_has(ex, text) ||
	    memmem(ex->reply.body.data, ex->reply.body.len, wide, 2 * len) !=
	    NULL;
}

static void
is_not_said(void **state)
{
	const struct not_said *t = *state;
	struct exchange ex;

	ask(&ex, t->edits, false);
	exchange_must_say(&ex, LAYER_MSCEP, t->status, 0, 0);
	assert_true(body_has(&ex, t->has));
	assert_false(body_has(&ex, "SHA-256"));
	assert_false(body_has(&ex, "AES"));
	exchange_clear(&ex);
}

/* The plan has room for so many words, and loses what is beyond. */
static void
is_bounded(void **state)
{
	struct exchange ex;

	(void)state;
	ask(&ex,
	    "caps.list=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,"
	    "21,22,23,24,25,26,27,28,29,30; "
	    "caps.noise=unknown-words,comments,blank-lines,trailing-spaces; "
	    "caps.separator=comma",
	    false);
	assert_int_equal(ex.reply.body.len > 0, 1);
	for (size_t i = 0, words = 1; i < ex.reply.body.len; i++) {
		words += ex.reply.body.data[i] == ',';
		assert_in_range(words, 1, SCEP_CAPS_MAX);
	}
	exchange_clear(&ex);
}

static void
all_are_tested(void **state)
{
	(void)state;
	edits_must_be_complete("caps.");
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(is_answered, answereds),
		ONE(ends_without_newline, "a final newline is taken away"),
		ROWS(is_not_said, not_saids),
		ONE(is_bounded, "noise ends with the room for it"),
		ONE(all_are_tested, "every key and every word is tested"),
	};

	return ROWS_RUN(tables, NULL, NULL);
}
