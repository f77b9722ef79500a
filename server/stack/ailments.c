/* What keeps clients from their certificates: healthy is without any of it. */
#include "stack/stack.h"

#include <stddef.h>
#include <string.h>

/* A word of GetCACaps; clients ignore case (RFC 8894 3.5.2 [C]). */
static bool
advertises(const struct stack_state *s, const char *word)
{
	const char *line = s->mscep.capabilities;
	size_t len;

	for (; *line != '\0'; line += len + (line[len] == '\n')) {
		len = strcspn(line, "\n");
		if (span_is_nocase(span_of(line, len), word))
			return true;
	}
	return false;
}

/* What a client takes that does as it is told; MD5: it is told nothing. */
static enum digest
advertised_digest(const struct stack_state *s)
{
	return advertises(s, "SHA-512") ? DIGEST_SHA512 :
	    advertises(s, "SHA-256") || advertises(s, "SCEPStandard") ?
					  DIGEST_SHA256 :
	    advertises(s, "SHA-1") ? DIGEST_SHA1 :
				     DIGEST_MD5;
}

static enum cipher
advertised_cipher(const struct stack_state *s)
{
	return advertises(s, "AES") || advertises(s, "SCEPStandard") ?
	    CIPHER_AES128 :
	    advertises(s, "DES3") ? CIPHER_DES3 :
				    CIPHER_DES;
}

static bool
nobody_comes(const struct stack_state *s)
{
	return s->network.device != DEVICE_REACHES;
}

static bool
url_leads_nowhere(const struct stack_state *s)
{
	return s->app_proxy.external_url != EXTERNAL_URL_DEFAULT_DOMAIN;
}

static bool
connector_service_is_stopped(const struct stack_state *s)
{
	return s->app_proxy.connector_service != SERVICE_RUNNING;
}

static bool
back_end_is_unreachable(const struct stack_state *s)
{
	return s->app_proxy.back_end != BACK_END_REACHABLE;
}

static bool
queue_is_full(const struct stack_state *s)
{
	return s->http_sys.queue != HTTP_QUEUE_OPEN;
}

/* "/certsrv/mscep/mscep.dll/pkiclient.exe"; a limit of 0 is none. */
static bool
segments_are_too_short(const struct stack_state *s)
{
	return s->http_sys.url_segment_max_length != 0 &&
	    s->http_sys.url_segment_max_length <
	    (int64_t)strlen("pkiclient.exe");
}

static bool
segments_are_too_few(const struct stack_state *s)
{
	return s->http_sys.url_segment_max_count != 0 &&
	    s->http_sys.url_segment_max_count < 4;
}

static bool
handshake_fails(const struct stack_state *s)
{
	return s->tls.handshake != HANDSHAKE_GOOD;
}

static bool
tls_is_old(const struct stack_state *s)
{
	return s->tls.versions == TLS_VERSIONS_1_0 ||
	    s->tls.versions == TLS_VERSIONS_1_1;
}

static bool
tls_certificate_is_bad(const struct stack_state *s)
{
	return s->tls.certificate != SERVER_CERTIFICATE_GOOD;
}

static bool
tls_chain_is_incomplete(const struct stack_state *s)
{
	return s->tls.chain != TLS_CHAIN_COMPLETE;
}

static bool
tls_wants_certificate(const struct stack_state *s)
{
	return s->tls.client_certificate == CLIENT_CERTIFICATE_REQUIRED;
}

static bool
pool_is_not_started(const struct stack_state *s)
{
	return s->app_pool.state != POOL_STARTED;
}

static bool
account_has_no_right(const struct stack_state *s)
{
	return s->app_pool.identity == IDENTITY_NO_LOGON_RIGHT;
}

static bool
takes_no_message(const struct stack_state *s)
{
	return !s->mscep.accept.post && !s->mscep.accept.get;
}

static bool
post_is_a_trap(const struct stack_state *s)
{
	return !s->mscep.accept.post &&
	    (advertises(s, "POSTPKIOperation") ||
		advertises(s, "SCEPStandard"));
}

static bool
get_is_a_trap(const struct stack_state *s)
{
	return !s->mscep.accept.get && !advertises(s, "POSTPKIOperation") &&
	    !advertises(s, "SCEPStandard");
}

static bool
renewal_is_a_trap(const struct stack_state *s)
{
	return !s->mscep.accept.renewal && advertises(s, "Renewal");
}

static bool
no_digest(const struct stack_state *s)
{
	return advertised_digest(s) == DIGEST_MD5;
}

static bool
no_cipher(const struct stack_state *s)
{
	return advertised_cipher(s) == CIPHER_DES;
}

static bool
digest_is_a_trap(const struct stack_state *s)
{
	return s->mscep.accept.weakest_digest > advertised_digest(s);
}

static bool
cipher_is_a_trap(const struct stack_state *s)
{
	return s->mscep.accept.weakest_cipher > advertised_cipher(s);
}

static bool
seals_with_des(const struct stack_state *s)
{
	return s->mscep.reply.cipher == CIPHER_DES;
}

static bool
seals_with_oaep(const struct stack_state *s)
{
	return s->mscep.reply.key_transport == TRANSPORT_OAEP;
}

/* The passwords that are asked for at the admin site. */
static bool
gives_out_passwords(const struct stack_state *s)
{
	return s->mscep.challenge.mode == CHALLENGES_ONE_TIME ||
	    s->mscep.challenge.mode == CHALLENGES_SINGLE;
}

static bool
nobody_may_enrol(const struct stack_state *s)
{
	return !s->mscep.admin.permission && gives_out_passwords(s);
}

static bool
no_password_finds_room(const struct stack_state *s)
{
	return s->mscep.challenge.mode == CHALLENGES_ONE_TIME &&
	    s->mscep.challenge.cache == 0;
}

static bool
connector_is_missing(const struct stack_state *s)
{
	return !s->policy_module.installed;
}

static bool
signing_ra_is_no_ra(const struct stack_state *s)
{
	return s->ra.signing.key_usage != RA_USAGE_USUAL &&
	    s->ra.signing.key_usage != RA_USAGE_SIGNING;
}

static bool
encryption_ra_is_no_ra(const struct stack_state *s)
{
	return s->ra.encryption.key_usage != RA_USAGE_USUAL &&
	    s->ra.encryption.key_usage != RA_USAGE_ENCRYPTION;
}

static bool
status_is_ordered(const struct stack_state *s)
{
	return s->iis.status[0] != '\0';
}

static bool
right_is_missing(const struct stack_state *s)
{
	return !s->iis.impersonation_right;
}

static bool
account_cannot_log_on(const struct stack_state *s)
{
	return s->app_pool.identity == IDENTITY_LOCKED ||
	    s->app_pool.identity == IDENTITY_PASSWORD_EXPIRED;
}

static bool
handlers_are_unordered(const struct stack_state *s)
{
	return !s->iis.handlers_ordered && s->windows == WINDOWS_2012;
}

static bool
registry_is_inconsistent(const struct stack_state *s)
{
	return s->mscep.registry != REGISTRY_CONSISTENT;
}

static bool
encrypted_password_is_bad(const struct stack_state *s)
{
	return s->mscep.encrypted_password ==
	    ENCRYPTED_PASSWORD_UNDECRYPTABLE ||
	    (s->mscep.encrypted_password == ENCRYPTED_PASSWORD_NOT_WRITABLE &&
		s->mscep.challenge.mode == CHALLENGES_SINGLE);
}

static bool
signing_key_is_locked(const struct stack_state *s)
{
	return !s->ra.signing.key_readable;
}

static bool
encryption_key_is_locked(const struct stack_state *s)
{
	return !s->ra.encryption.key_readable;
}

/* RSA-2048 is what clients make unless they are told otherwise. */
static bool
usual_keys_are_denied(const struct stack_state *s)
{
	return s->ca.minimum_key_size > 2048;
}

static bool
no_challenge_is_verified(const struct stack_state *s)
{
	return policy_module_cannot_verify(s, NULL);
}

static bool
intune_learns_nothing(const struct stack_state *s)
{
	return s->policy_module.installed &&
	    s->policy_module.notify != NOTIFY_WORKS;
}

static bool
ca_is_offline(const struct stack_state *s)
{
	return !s->ca.online;
}

static bool
ca_grants_nothing(const struct stack_state *s)
{
	return !s->ca.grants_request;
}

static bool
ca_cannot_check_revocation(const struct stack_state *s)
{
	return s->ca.crl != REACHABLE;
}

static bool
template_is_not_published(const struct stack_state *s)
{
	return !s->ca.template_published;
}

static bool
templates_are_wrong(const struct stack_state *s)
{
	return s->mscep.templates != TEMPLATES_RIGHT;
}

/*
 * What keeps a client from its certificate that does as RFC 8894 and the
 * capabilities tell it; and what the article calls a fault. Not here, since
 * such a client gets by: other algorithms and sizes of body, chunks, the
 * expectations of the policy module, and a manager of the CA who has to
 * approve. Each says what it does to whom.
 */
static const struct ailment {
	bool (*has)(const struct stack_state *);
	const char *text;
} ailments[] = {
	{ nobody_comes, "network.device: no device reaches the server" },
	{ url_leads_nowhere,
	    "app_proxy.external_url: devices go to a URL that nobody serves" },
	{ connector_service_is_stopped,
	    "app_proxy.connector_service: the application proxy answers with "
	    "GatewayTimeout" },
	{ back_end_is_unreachable,
	    "app_proxy.back_end: the application proxy answers with "
	    "BadGateway" },
	{ queue_is_full,
	    "http_sys.queue: http.sys answers every request to NDES with "
	    "status 503" },
	{ segments_are_too_short,
	    "http_sys.url_segment_max_length: http.sys refuses the paths of "
	    "NDES" },
	{ segments_are_too_few,
	    "http_sys.url_segment_max_count: http.sys refuses the paths of "
	    "NDES" },
	{ handshake_fails, "tls.handshake: no TLS connection is made" },
	{ tls_is_old, "tls.versions: clients of today refuse TLS below 1.2" },
	{ tls_certificate_is_bad,
	    "tls.certificate: no client that looks at the server's "
	    "certificate accepts it" },
	{ tls_chain_is_incomplete,
	    "tls.chain: clients that know the root alone find no way to it" },
	{ tls_wants_certificate,
	    "tls.client_certificate: who comes for a first certificate has "
	    "none to show" },
	{ pool_is_not_started,
	    "app_pool.state: the application pool is not started, and "
	    "http.sys answers 503 in its place" },
	{ account_has_no_right,
	    "app_pool.identity: the service account may not log on as a "
	    "batch job, and the application pool cannot start" },
	{ account_cannot_log_on,
	    "app_pool.identity: the service account of NDES cannot log on" },
	{ status_is_ordered,
	    "iis.status: every request to NDES gets this status" },
	{ right_is_missing,
	    "iis.impersonation_right: every request to NDES gets status "
	    "500" },
	{ handlers_are_unordered,
	    "iis.handlers_ordered: the admin site gets status 500, and nobody "
	    "a password" },
	{ registry_is_inconsistent, "mscep.registry: NDES does not start" },
	{ encrypted_password_is_bad,
	    "mscep.encrypted_password: NDES does not start" },
	{ signing_key_is_locked,
	    "ra.signing.key_readable: NDES does not start" },
	{ encryption_key_is_locked,
	    "ra.encryption.key_readable: NDES does not start" },
	{ takes_no_message,
	    "mscep.accept: no message reaches NDES, by GET or by POST" },
	{ post_is_a_trap,
	    "mscep.accept.post: GetCACaps offers POST, and who believes it "
	    "gets NDES's page" },
	{ get_is_a_trap,
	    "mscep.accept.get: GetCACaps does not offer POST, and GET is "
	    "refused" },
	{ renewal_is_a_trap,
	    "mscep.accept.renewal: GetCACaps offers renewal, and whoever "
	    "renews is refused" },
	/* iOS from 10 on (MM#23), strongSwan as measured. */
	{ no_digest,
	    "mscep.capabilities: without a SHA among them iOS and strongSwan "
	    "do not enrol" },
	{ no_cipher,
	    "mscep.capabilities: without AES or DES3 among them strongSwan "
	    "does not enrol" },
	{ digest_is_a_trap,
	    "mscep.accept.weakest_digest: the strongest that GetCACaps offers "
	    "is refused" },
	{ cipher_is_a_trap,
	    "mscep.accept.weakest_cipher: the strongest that GetCACaps offers "
	    "is refused" },
	{ seals_with_des,
	    "mscep.reply.cipher: certmonger, as others with a crypto library "
	    "of today, cannot open single DES" },
	{ seals_with_oaep,
	    "mscep.reply.key_transport: neither scepclient nor certmonger nor "
	    "strongSwan can open OAEP" },
	{ nobody_may_enrol,
	    "mscep.admin.permission: the admin site gives nobody a password" },
	{ no_password_finds_room,
	    "mscep.challenge.cache: the password cache has no room for any" },
	{ connector_is_missing,
	    "policy_module.installed: without the Intune connector no "
	    "challenge from outside is known, and browsing shows NDES's own "
	    "page" },
	/* What NDES would not even pick (ndes-facts 2.4). */
	{ signing_ra_is_no_ra,
	    "ra.signing.key_usage: clients that go by keyUsage choose the "
	    "wrong RA certificate" },
	{ encryption_ra_is_no_ra,
	    "ra.encryption.key_usage: clients that go by keyUsage choose the "
	    "wrong RA certificate" },
	{ no_challenge_is_verified,
	    "policy_module.verify_request: the policy module has no challenge "
	    "verified, and whoever sends one is refused" },
	{ intune_learns_nothing,
	    "policy_module.notify: no client notices, but Intune is not told "
	    "of any certificate" },
	{ ca_is_offline,
	    "ca.online: the CA cannot be reached, and issues nothing" },
	{ ca_grants_nothing,
	    "ca.grants_request: NDES may not request certificates" },
	{ ca_cannot_check_revocation,
	    "ca.crl: the CA cannot check revocation, and denies" },
	{ template_is_not_published,
	    "ca.template_published: the CA does not issue by the template of "
	    "NDES" },
	{ templates_are_wrong,
	    "mscep.templates: the CA does not know the template that NDES asks "
	    "for" },
	{ usual_keys_are_denied,
	    "ca.minimum_key_size: the CA denies keys of 2048 bits, which "
	    "clients make" },
};

/* Smaller than in a deployment that works: some requests do not fit. */
#define LIMIT(field, text)                                        \
	{                                                         \
#field, offsetof(struct stack_state, field), text \
	}
static const struct limit {
	const char *key;
	size_t offset;
	const char *text;
} limits[] = {
	LIMIT(http_sys.max_field_length,
	    "http.sys refuses long requests by GET, and long headers"),
	LIMIT(http_sys.max_request_bytes,
	    "http.sys refuses long requests by GET"),
	LIMIT(iis.max_url, "request filtering refuses long paths"),
	LIMIT(iis.max_query_string,
	    "request filtering refuses long requests by GET"),
	LIMIT(iis.max_allowed_content_length,
	    "request filtering refuses large requests by POST"),
	LIMIT(ca.subject_max, "the CA denies long subjects"),
};

static int64_t
limit_of(const struct stack_state *s, const struct limit *l)
{
	return *(const int64_t *)(const void *)((const char *)s + l->offset);
}

static int
check_limits(const struct stack_state *s, struct error *why)
{
	struct stack_state healthy;

	stack_healthy(&healthy);
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		if (limit_of(s, &limits[i]) < limit_of(&healthy, &limits[i]))
			return error_set(why, "%s is %lld, less than %lld: %s",
			    limits[i].key, (long long)limit_of(s, &limits[i]),
			    (long long)limit_of(&healthy, &limits[i]),
			    limits[i].text);
	return 0;
}

static int
check_certificates(const struct credentials *cred, int64_t now,
    struct error *why)
{
	const struct x509 *ca = cred == NULL ? NULL : &cred->certs[CA_ISSUING];

	if (ca != NULL && now > ca->not_after)
		return error_set(why, "the certificate of the CA has expired");
	if (ca != NULL && now < ca->not_before)
		return error_set(why,
		    "the certificate of the CA is not valid yet");
	return mscep_has_ras(cred, now, why) ? 0 : -1;
}

bool
stack_is_healthy(const struct stack_state *state,
    const struct credentials *cred, int64_t now, struct error *why)
{
	struct error unasked = { 0 };

	if (why == NULL)
		why = &unasked;
	for (size_t i = 0; i < sizeof(ailments) / sizeof(ailments[0]); i++)
		if (ailments[i].has(state)) {
			error_set(why, "%s", ailments[i].text);
			return false;
		}
	return check_limits(state, why) == 0 &&
	    check_certificates(cred, now, why) == 0;
}
