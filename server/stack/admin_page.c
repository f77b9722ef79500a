/*
 * NDES's pages. The sentences are those that scrapers match (ndes-facts
 * 5.2, 6.1 [C]); the markup around them is our own. The octets are UTF-16LE
 * although the Meta tag claims UTF-8, as on the wire of real NDES [C].
 */
#include "stack/stack.h"

#define NAME "Network Device Enrollment Service"

/* ASCII in, UTF-16LE out; BOM and one octet too many are settings (5.4). */
static int
to_utf16le(const struct stack_state *state, struct span ascii, struct blob *out)
{
	struct buffer b = { 0 };

	if (state->mscep.bom)
		buffer_add(&b, "\xff\xfe", 2);
	for (size_t i = 0; i < ascii.len; i++) {
		buffer_add_byte(&b, ascii.data[i]);
		buffer_add_byte(&b, 0);
	}
	if (state->mscep.odd_byte)
		buffer_add_byte(&b, 0);
	return buffer_finish(&b, out);
}

int
admin_page_build(const struct stack_state *state, const char *body,
    struct blob *out)
{
	struct buffer b = { 0 };
	int ret;

	buffer_printf(&b,
	    "<HTML><Head><Meta HTTP-Equiv=\"Content-Type\" "
	    "Content=\"text/html; charset=UTF-8\"><Title>" NAME "</Title>"
	    "</Head><Body BgColor=#FFFFFF><Table Border=0 Width=100%% "
	    "CellSpacing=0 CellPadding=4 BgColor=#008080><TR><TD>"
	    "<Font Color=#FFFFFF Face=\"Arial\" Size=2>" NAME "</Font></TD>"
	    "</TR></Table>%s<P> For more information see <A HREF=\""
	    "http://go.microsoft.com/fwlink/?LinkId=67852\">"
	    "Using Network Device Enrollment Service</A>. </P></Body></HTML>",
	    body);
	ret = b.failed ? -1 : to_utf16le(state, buffer_span(&b), out);
	buffer_free(&b);
	return ret;
}

#define COMPLETE                                           \
	"<P> To complete certificate enrollment for your " \
	"network device you will need the following information: </P>"

static void
add_thumbprint(struct buffer *b, const char *thumbprint)
{
	buffer_printf(b,
	    COMPLETE
	    "<P> The thumbprint (hash value) for the CA certificate is: "
	    "<B> %s </B> </P>",
	    thumbprint);
}

static void
add_password(struct buffer *b, const struct stack_state *state,
    const char *password)
{
	buffer_printf(b,
	    "<P> The enrollment challenge password is: <B> %s </B> </P>"
	    "<P> This password can be used only once and will expire within "
	    "%lld minutes. </P>"
	    "<P> Each enrollment requires a new challenge password. You can "
	    "refresh this web page to obtain a new challenge password. </P>",
	    password, (long long)state->mscep.challenge.validity / 60);
}

/* Between the two verbs [C] (quirks 1); the rest is assumed. */
static void
add_lasting(struct buffer *b, const char *password)
{
	buffer_add_text(b, "<P> The enrollment challenge password is: <B> ");
	iis_add_escaped(b, password);
	buffer_add_text(b,
	    " </B> </P>"
	    "<P> This password can be used multiple times and will not "
	    "expire. </P>");
}

static void
add_cache_full(struct buffer *b, const struct stack_state *state)
{
	buffer_printf(b,
	    "<P> The password cache is full. </P>"
	    "<P> To obtain a password do one of the following: </P>"
	    "<P> Wait until one of the passwords expires (by default %lld "
	    "minutes).<BR>Restart Internet Information Services (IIS).<BR>"
	    "Configure the service to cache more than %lld passwords. </P>",
	    (long long)state->mscep.challenge.validity / 60,
	    (long long)state->mscep.challenge.cache);
}

/* That the event goes with it is inferred (5.2). */
static void
add_no_permission(struct buffer *b, struct exchange *ex)
{
	buffer_add_text(b,
	    "<P> You do not have sufficient permission to enroll with SCEP.  "
	    "Please contact your system administrator. </P>");
	exchange_event(ex, "Application", MSCEP_EVENT_SOURCE, 6, "Error",
	    "The Network Device Enrollment Service cannot provide its password "
	    "because the user does not have enroll permissions on the "
	    "configured certificate template, or the certification authority "
	    "is not enabled to issue certificates based on the configured "
	    "certificate template.");
}

static void
add_body(struct buffer *b, struct exchange *ex, const struct stack_state *state,
    enum challenge_answer answer, const char *password, const char *thumbprint)
{
	switch (answer) {
	case CHALLENGE_MADE:
		add_thumbprint(b, thumbprint);
		add_password(b, state, password);
		break;
	case CHALLENGE_LASTING:
		add_thumbprint(b, thumbprint);
		add_lasting(b, password);
		break;
	case CHALLENGE_NOT_NEEDED:
		/* Assumed: nobody has shown this page. */
		add_thumbprint(b, thumbprint);
		buffer_add_text(b,
		    "<P> No enrollment challenge password is required. </P>");
		break;
	case CHALLENGE_CACHE_FULL:
		add_cache_full(b, state);
		break;
	case CHALLENGE_NO_PERMISSION:
		add_no_permission(b, ex);
		break;
	case CHALLENGE_FAILED:
		break;
	}
}

void
admin_page_answer(struct exchange *ex, const struct stack_state *state,
    enum challenge_answer answer, const char *password, const char *thumbprint)
{
	struct buffer b = { 0 };
	struct blob page;
	int ret;

	add_body(&b, ex, state, answer, password, thumbprint);
	buffer_add_byte(&b, 0);
	ret = b.failed || answer == CHALLENGE_FAILED ?
	    -1 :
	    admin_page_build(state, (char *)b.data, &page);
	buffer_free(&b);
	if (ret == -1) {
		iis_answer(ex, state, LAYER_MSCEP, 500, 0, 0);
		return;
	}
	exchange_answer(ex, LAYER_MSCEP, 200, 0, 0);
	iis_send(ex, state, "text/html", page);
}
