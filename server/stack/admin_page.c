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

static void
add_password(struct buffer *b, const struct stack_state *state,
    const char *password, const char *thumbprint)
{
	buffer_printf(b,
	    "<P> To complete certificate enrollment for your "
	    "network device you will need the following information: </P>"
	    "<P> The thumbprint (hash value) for the CA certificate is: "
	    "<B> %s </B> </P>"
	    "<P> The enrollment challenge password is: <B> %s </B> </P>"
	    "<P> This password can be used only once and will expire within "
	    "%lld minutes. </P>"
	    "<P> Each enrollment requires a new challenge password. You can "
	    "refresh this web page to obtain a new challenge password. </P>",
	    thumbprint, password,
	    (long long)state->mscep.challenge.validity / 60);
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

void
admin_page_answer(struct exchange *ex, const struct stack_state *state,
    enum challenge_answer answer, const char *password, const char *thumbprint)
{
	struct buffer b = { 0 };
	struct blob page;
	int ret;

	if (answer == CHALLENGE_MADE)
		add_password(&b, state, password, thumbprint);
	else
		add_cache_full(&b, state);
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
