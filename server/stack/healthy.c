/* What is healthy, and how one Windows differs from the next. */
#include "stack/stack.h"

#include <string.h>

#define DAY 86400

static const struct {
	const char *server;
	int build;
} versions[] = {
	[WINDOWS_2008R2] = { "Microsoft-IIS/7.5", 7601 },
	[WINDOWS_2012] = { "Microsoft-IIS/8.0", 9200 },
	[WINDOWS_2012R2] = { "Microsoft-IIS/8.5", 9600 },
	[WINDOWS_2016] = { "Microsoft-IIS/10.0", 14393 },
	[WINDOWS_2019] = { "Microsoft-IIS/10.0", 17763 },
	[WINDOWS_2022] = { "Microsoft-IIS/10.0", 20348 },
	[WINDOWS_2025] = { "Microsoft-IIS/10.0", 26100 },
};

const char *
windows_server_header(enum windows w)
{
	return versions[w].server;
}

int
windows_build(enum windows w)
{
	return versions[w].build;
}

_Static_assert(sizeof(struct stack_state) < STACK_STATE_MAX,
    "a state is copied often");

void
stack_healthy(struct stack_state *s)
{
	memset(s, 0, sizeof(*s));
	s->windows = WINDOWS_2022;
	/* The limits are those of the article's fix for 414. */
	s->http_sys.max_field_length = 65534;
	s->http_sys.max_request_bytes = 65534;
	s->http_sys.url_segment_max_length = 260;
	s->http_sys.url_segment_max_count = 255;
	s->http_sys.connection_timeout = 120;
	s->http_sys.header_wait = 120;
	s->http_sys.entity_body = 120;
	s->iis.max_url = 65534;
	s->iis.max_query_string = 65534;
	s->iis.max_allowed_content_length = 30000000;
	s->iis.impersonation_right = true;
	s->iis.certificate_registration.anonymous = true;
	s->iis.handlers_ordered = true;
	s->iis.error_pages = PAGES_ARTICLE;
	/* The connector needs ASP.NET, which adds the header. */
	s->iis.x_powered_by = true;
	s->app_pool.start_with_server = true;
	s->app_pool.rapid_fail_protection = true;
	s->app_pool.rapid_fail_max_crashes = 5;
	s->app_pool.rapid_fail_interval = 5 * 60;
	/* Assumed (ndes-facts 1.3): no body of a real NDES is known. */
	strcpy(s->mscep.capabilities,
	    "POSTPKIOperation\nRenewal\nSHA-512\n"
	    "SHA-256\nSHA-1\nDES3");
	strcpy(s->mscep.capabilities_content_type, "text/plain");
	s->mscep.accept.post = true;
	s->mscep.accept.get = true;
	s->mscep.accept.renewal = true;
	s->mscep.accept.weakest_digest = DIGEST_MD5;
	s->mscep.accept.weakest_cipher = CIPHER_DES;
	s->mscep.unreadable = AS_PROFILE;
	s->mscep.reply.profile = PROFILE_NDES;
	s->mscep.reply.digest = AS_PROFILE;
	s->mscep.reply.cipher = AS_PROFILE;
	s->mscep.reply.key_transport = AS_PROFILE;
	s->mscep.reply.content = AS_PROFILE;
	s->mscep.reply.fail_info_text = AS_PROFILE;
	s->mscep.reply.microsoft_attributes = AS_PROFILE;
	s->mscep.renewal.subject_match = true;
	s->mscep.repeat = REPEAT_NEW;
	s->mscep.queries = QUERIES_ANSWERED;
	s->mscep.admin.authentication = AUTHENTICATION_NONE;
	s->mscep.admin.permission = true;
	s->mscep.challenge.mode = CHALLENGES_ONE_TIME;
	s->mscep.challenge.length = 8;
	s->mscep.challenge.validity = 60 * 60;
	s->mscep.challenge.cache = 5;
	s->policy_module.installed = true;
	s->policy_module.certificate.not_before = RA_USUAL;
	s->policy_module.certificate.not_after = RA_USUAL;
	s->ra.signing.not_before = s->ra.signing.not_after = RA_USUAL;
	s->ra.encryption.not_before = s->ra.encryption.not_after = RA_USUAL;
	s->ra.signing.key_readable = s->ra.encryption.key_readable = true;
	s->ca.key = -1;
	s->ca.tiers = 1;
	s->ca.approval = APPROVAL_AUTOMATIC;
	s->ca.pending_lifetime = 30 * DAY;
	s->ca.crl_lifetime = 7 * DAY;
	/* Assumed: what a template asks for is the administrator's choice. */
	s->ca.minimum_key_size = 1024;
	s->ca.subject_max = 4096;
	s->ca.online = true;
	s->ca.template_published = true;
	s->ca.grants_request = true;
}
