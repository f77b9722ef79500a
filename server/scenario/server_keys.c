/*
 * `server:`: which keys there are, what they take, and where it goes. One
 * table serves files and --set.
 */
#include "scenario/inside.h"

#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_SIZE 128
#define DAY 86400LL
#define YEAR 31557600LL /* a Julian one */

static const struct word windows_words[] = {
	{ "2008r2", WINDOWS_2008R2, NULL },
	{ "2012", WINDOWS_2012, NULL },
	{ "2012r2", WINDOWS_2012R2, NULL },
	{ "2016", WINDOWS_2016, NULL },
	{ "2019", WINDOWS_2019, NULL },
	{ "2022", WINDOWS_2022, NULL },
	{ "2025", WINDOWS_2025, NULL },
	{ NULL, 0, NULL },
};
static const struct word page_words[] = {
	{ "article", PAGES_ARTICLE,
	    "403.0 as the detailed page, the others as the short ones" },
	{ "detailed", PAGES_DETAILED, "what IIS shows on the server itself" },
	{ "remote", PAGES_REMOTE, "what it shows to others" },
	{ NULL, 0, NULL },
};
static const struct word field_words[] = {
	{ "default", LOG_FIELDS_DEFAULT, "those of a new IIS" },
	{ "article", LOG_FIELDS_ARTICLE, "sc-bytes too, before time-taken" },
	{ NULL, 0, NULL },
};
static const struct word line_end_words[] = {
	{ "lf", LINE_END_LF, NULL },
	{ "crlf", LINE_END_CRLF, NULL },
	{ NULL, 0, NULL },
};
static const struct word digest_words[] = {
	{ "md5", DIGEST_MD5, NULL },
	{ "sha1", DIGEST_SHA1, NULL },
	{ "sha256", DIGEST_SHA256, NULL },
	{ "sha512", DIGEST_SHA512, NULL },
	{ NULL, 0, NULL },
};
static const struct word cipher_words[] = {
	{ "des", CIPHER_DES, NULL },
	{ "des3", CIPHER_DES3, NULL },
	{ "aes-128-cbc", CIPHER_AES128, NULL },
	{ "aes-192-cbc", CIPHER_AES192, NULL },
	{ "aes-256-cbc", CIPHER_AES256, NULL },
	{ NULL, 0, NULL },
};
static const struct word authentication_words[] = {
	{ "none", AUTHENTICATION_NONE, "whoever comes gets the page" },
	{ "basic", AUTHENTICATION_BASIC,
	    "IIS asks for user and password at /certsrv/mscep_admin, before "
	    "it redirects to the folder: 401.2 without credentials, 401.1 "
	    "with wrong ones" },
	{ NULL, 0, NULL },
};
static const struct word challenge_words[] = {
	{ "one-time", CHALLENGES_ONE_TIME, "each password is good once" },
	{ "single", CHALLENGES_SINGLE,
	    "one that lasts, as with UseSinglePassword; if no password is "
	    "set, the first visit of the admin page makes one, of 32 "
	    "digits" },
	{ "static", CHALLENGES_STATIC, "the one that is set as password" },
	{ "none", CHALLENGES_NONE,
	    "any or none is good, as with EnforcePassword 0; what the admin "
	    "page says then is assumed" },
	{ NULL, 0, NULL },
};
static const struct word unreadable_words[] = {
	{ "profile", AS_PROFILE, "general of ndes, cert_rep of rfc8894" },
	{ "general", UNREADABLE_GENERAL,
	    "NDES's own page; that it is HTTP 200 and no CertRep is known, "
	    "the body is assumed" },
	{ "empty", UNREADABLE_EMPTY, "nothing, without a Content-Type" },
	{ "cert_rep", UNREADABLE_CERT_REP, "a CertRep with FAILURE" },
	{ NULL, 0, NULL },
};
static const struct word repeat_words[] = {
	{ "new", REPEAT_NEW, "another certificate" },
	{ "same", REPEAT_SAME,
	    "the same again while it is valid; to renew it is no repetition" },
	{ NULL, 0, NULL },
};
static const struct word queries_words[] = {
	{ "answered", QUERIES_ANSWERED, NULL },
	{ "refused", QUERIES_REFUSED, NULL },
	{ NULL, 0, NULL },
};
static const struct word approval_words[] = {
	{ "automatic", APPROVAL_AUTOMATIC, "at once" },
	{ "manual", APPROVAL_MANUAL,
	    "a request waits until somebody approves or denies it" },
	{ NULL, 0, NULL },
};
static const struct word ra_time_words[] = {
	{ "usual", RA_USUAL, "two years from the begin of the CA" },
	{ NULL, 0, NULL },
};
static const struct word renewed_words[] = {
	{ "none", 0, "there is no such certificate" },
	{ NULL, 0, NULL },
};
static const struct word ra_usage_words[] = {
	{ "usual", RA_USAGE_USUAL, "what the template of the RA gives it" },
	{ "none", RA_USAGE_NONE, "no keyUsage at all" },
	{ "signing", RA_USAGE_SIGNING, "digitalSignature" },
	{ "encryption", RA_USAGE_ENCRYPTION, "keyEncipherment" },
	{ "both", RA_USAGE_BOTH, NULL },
	{ NULL, 0, NULL },
};
static const struct word ca_key_words[] = {
	{ "given", -1, "that of the key set" },
	{ "rsa-2048", 0, "a new one, as are the others" },
	{ "rsa-3072", 1, NULL },
	{ "rsa-4096", 2, NULL },
	{ "ec-p256", 3, NULL },
	{ "ec-p384", 4, NULL },
	{ NULL, 0, NULL },
};
static const struct word profile_words[] = {
	{ "ndes", PROFILE_NDES, "as NDES says it" },
	{ "rfc8894", PROFILE_RFC8894,
	    "as the RFC does, to the letter; failInfo too is what it gives "
	    "for the reason, whatever server.windows is" },
	{ NULL, 0, NULL },
};
static const struct word reply_digest_words[] = {
	{ "profile", AS_PROFILE, "request of ndes, sha256 of rfc8894" },
	{ "request", AS_REQUEST, "that of the request, and SHA-1 for MD5" },
	{ "sha1", DIGEST_SHA1, NULL },
	{ "sha256", DIGEST_SHA256, NULL },
	{ "sha512", DIGEST_SHA512, NULL },
	{ NULL, 0, NULL },
};
static const struct word reply_cipher_words[] = {
	{ "profile", AS_PROFILE, "request of ndes, aes-128-cbc of rfc8894" },
	{ "request", AS_REQUEST,
	    "that of the request, and 3DES for single DES" },
	{ "des", CIPHER_DES, NULL },
	{ "des3", CIPHER_DES3, NULL },
	{ "aes-128-cbc", CIPHER_AES128, NULL },
	{ "aes-192-cbc", CIPHER_AES192, NULL },
	{ "aes-256-cbc", CIPHER_AES256, NULL },
	{ NULL, 0, NULL },
};
static const struct word transport_words[] = {
	{ "profile", AS_PROFILE, "pkcs1 of both profiles" },
	{ "pkcs1", TRANSPORT_PKCS1, NULL },
	{ "oaep", TRANSPORT_OAEP, "as one real NDES was seen to do" },
	{ NULL, 0, NULL },
};
static const struct word content_words[] = {
	{ "profile", AS_PROFILE, "zero of ndes, absent of rfc8894" },
	{ "zero", SCEP_CONTENT_ZERO, "one octet 00; of PENDING assumed" },
	{ "empty", SCEP_CONTENT_EMPTY, "an empty OCTET STRING" },
	{ "absent", SCEP_CONTENT_ABSENT, "none" },
	{ NULL, 0, NULL },
};
static const struct word text_words[] = {
	{ "profile", AS_PROFILE,
	    "false of ndes, which is assumed, true of rfc8894" },
	{ "true", true, NULL },
	{ "false", false, NULL },
	{ NULL, 0, NULL },
};
static const struct word attribute_words[] = {
	{ "profile", AS_PROFILE, "true of ndes, false of rfc8894" },
	{ "true", true, NULL },
	{ "false", false, NULL },
	{ NULL, 0, NULL },
};
static const struct word device_words[] = {
	{ "reachable", DEVICE_REACHES, NULL },
	{ "refused", DEVICE_REFUSED,
	    "a port of the site's own is closed; on a shared one the "
	    "connection is reset after the request" },
	{ "silent", DEVICE_SILENT, "nobody ever answers" },
	{ NULL, 0, NULL },
};
static const struct word service_words[] = {
	{ "running", SERVICE_RUNNING, NULL },
	{ "stopped", SERVICE_STOPPED,
	    "the page GatewayTimeout; that it is 504 is assumed" },
	{ NULL, 0, NULL },
};
static const struct word startup_words[] = {
	{ "automatic", STARTUP_AUTOMATIC, NULL },
	{ "manual", STARTUP_MANUAL, "it is down after the next restart" },
	{ "disabled", STARTUP_DISABLED, "the same" },
	{ NULL, 0, NULL },
};
static const struct word external_url_words[] = {
	{ "default-domain", EXTERNAL_URL_DEFAULT_DOMAIN,
	    "that of TENANT.msappproxy.net" },
	{ "wrong", EXTERNAL_URL_WRONG,
	    "another one: a port of the site's own is closed, on a shared one "
	    "the connection ends without an answer" },
	{ NULL, 0, NULL },
};
static const struct word back_end_words[] = {
	{ "reachable", BACK_END_REACHABLE, NULL },
	{ "unreachable", BACK_END_UNREACHABLE, "502, the page BadGateway" },
	{ NULL, 0, NULL },
};
static const struct word no_time_out_words[] = {
	{ "none", 0, "the proxy waits for ever" },
	{ NULL, 0, NULL },
};
static const struct word queue_words[] = {
	{ "open", HTTP_QUEUE_OPEN, NULL },
	{ "full", HTTP_QUEUE_FULL, "503, QueueFull in the HTTPERR log" },
	{ NULL, 0, NULL },
};
static const struct word too_long_words[] = {
	{ "article", TOO_LONG_ARTICLE,
	    "414 Request-URI Too Long, as the article words it; its line in "
	    "the IIS log is assumed" },
	{ "filtering", TOO_LONG_FILTERING,
	    "404.14 for the path, 404.15 for the query, as IIS's own "
	    "documentation has it" },
	{ NULL, 0, NULL },
};
static const struct word pool_state_words[] = {
	{ "started", POOL_STARTED, NULL },
	{ "stopped", POOL_STOPPED, "by an administrator" },
	{ "disabled", POOL_DISABLED, "by Windows, after failures" },
	{ NULL, 0, NULL },
};
static const struct word identity_words[] = {
	{ "good", IDENTITY_GOOD, NULL },
	{ "locked", IDENTITY_LOCKED, "the service account is locked out" },
	{ "password-expired", IDENTITY_PASSWORD_EXPIRED, NULL },
	{ "no-logon-right", IDENTITY_NO_LOGON_RIGHT,
	    "it may not log on as a batch job: always 503" },
	{ NULL, 0, NULL },
};
static const struct word identity_failure_words[] = {
	{ "article", IDENTITY_FAILS_500,
	    "500, as the article has it; substatus and win32 status are "
	    "assumed" },
	{ "was", IDENTITY_FAILS_503,
	    "503, as WAS documents it, with its events 5021, 5057 and 5059; "
	    "that an account of NDES ends so is assumed" },
	{ NULL, 0, NULL },
};
static const struct word pool_failure_words[] = {
	{ "crash", POOL_CRASHES, "as the article has it" },
	{ "status-500", POOL_ANSWERS_500,
	    "500, as seen in the field, for certificate_registration.windows and "
	    "certificates.crl_urls; substatus and win32 status are assumed" },
	{ NULL, 0, NULL },
};
static const struct word registry_words[] = {
	{ "consistent", REGISTRY_CONSISTENT, NULL },
	{ "inconsistent", REGISTRY_INCONSISTENT,
	    "500, events 2 and 10 with 0x80070002" },
	{ NULL, 0, NULL },
};
static const struct word encrypted_password_words[] = {
	{ "good", ENCRYPTED_PASSWORD_GOOD, NULL },
	{ "undecryptable", ENCRYPTED_PASSWORD_UNDECRYPTABLE,
	    "500, events 2 and 49 with 0x8009000b" },
	{ "not-writable", ENCRYPTED_PASSWORD_NOT_WRITABLE,
	    "with challenge.mode single: 500, events 2 and 10 with "
	    "0x80070002" },
	{ NULL, 0, NULL },
};
static const struct word templates_words[] = {
	{ "right", TEMPLATES_RIGHT, "IPSECIntermediateOffline" },
	{ "wrong", TEMPLATES_WRONG,
	    "one that the CA does not know: it denies with 0x80094800" },
	{ NULL, 0, NULL },
};
static const struct word verify_request_words[] = {
	{ "works", VERIFY_REQUEST_WORKS, NULL },
	{ "name-mismatch", VERIFY_REQUEST_NAME_MISMATCH,
	    "the server's certificate has another name: error 12175" },
	{ "untrusted", VERIFY_REQUEST_UNTRUSTED,
	    "the client certificate is not trusted: 403.16" },
	{ "no-client-auth", VERIFY_REQUEST_NO_CLIENT_AUTH,
	    "the client certificate is not for client authentication: 403" },
	{ "signing-certificate", VERIFY_REQUEST_SIGNING_CERTIFICATE,
	    "it is missing: false" },
	{ "temp-folder", VERIFY_REQUEST_TEMP_FOLDER,
	    "Network Service may not write there: 500, and the application "
	    "pool crashes" },
	{ NULL, 0, NULL },
};
static const struct word notify_words[] = {
	{ "works", NOTIFY_WORKS, NULL },
	{ "fails", NOTIFY_FAILS, "no client notices" },
	{ NULL, 0, NULL },
};
static const struct word connector_words[] = {
	{ "old", CONNECTOR_OLD, "Microsoft Intune Connector, of the article" },
	{ "new", CONNECTOR_NEW, "the certificate connector since 6.2109" },
	{ NULL, 0, NULL },
};
static const struct word group_policy_words[] = {
	{ "none", GROUP_POLICY_NONE, NULL },
	{ "pushes", GROUP_POLICY_PUSHES,
	    "one intermediate is there after each restart of the server" },
	{ "excluded", GROUP_POLICY_EXCLUDED, "it pushes, but not here" },
	{ NULL, 0, NULL },
};
static const struct word reachable_words[] = {
	{ "reachable", REACHABLE, NULL },
	{ "unreachable", UNREACHABLE, NULL },
	{ NULL, 0, NULL },
};
static const struct word tls_certificate_words[] = {
	{ "good", SERVER_CERTIFICATE_GOOD, "of the CA, for --tls-name" },
	{ "expired", SERVER_CERTIFICATE_EXPIRED, "a day ago" },
	{ "not-yet-valid", SERVER_CERTIFICATE_NOT_YET_VALID,
	    "not before tomorrow" },
	{ "wrong-host", SERVER_CERTIFICATE_WRONG_HOST,
	    "for another-host.invalid" },
	{ "self-signed", SERVER_CERTIFICATE_SELF_SIGNED, NULL },
	{ "untrusted", SERVER_CERTIFICATE_UNTRUSTED,
	    "of another CA, whose root is shown with it" },
	{ NULL, 0, NULL },
};
static const struct word tls_chain_words[] = {
	{ "complete", TLS_CHAIN_COMPLETE, "all up to the root" },
	{ "incomplete", TLS_CHAIN_INCOMPLETE,
	    "by an intermediate CA that nobody is shown" },
	{ NULL, 0, NULL },
};
static const struct word tls_version_words[] = {
	{ "modern", TLS_VERSIONS_MODERN, "1.2 and 1.3" },
	{ "tls1.0", TLS_VERSIONS_1_0, "and nothing newer" },
	{ "tls1.1", TLS_VERSIONS_1_1, "and nothing else" },
	{ "tls1.2", TLS_VERSIONS_1_2, "and nothing else" },
	{ "tls1.3", TLS_VERSIONS_1_3, "and nothing older" },
	{ NULL, 0, NULL },
};
static const struct word client_certificate_words[] = {
	{ "none", CLIENT_CERTIFICATE_NONE, "it is not asked for" },
	{ "asked", CLIENT_CERTIFICATE_ASKED, "and not missed" },
	{ "required", CLIENT_CERTIFICATE_REQUIRED,
	    "any will do, whoever has signed it" },
	{ NULL, 0, NULL },
};
static const struct word handshake_words[] = {
	{ "good", HANDSHAKE_GOOD, NULL },
	{ "hang", HANDSHAKE_HANG,
	    "once the connection is accepted, until the client leaves" },
	{ "reset", HANDSHAKE_RESET, "once the connection is accepted" },
	{ "hang-after-hello", HANDSHAKE_HANG_AFTER_HELLO,
	    "once the ClientHello is there" },
	{ "reset-after-hello", HANDSHAKE_RESET_AFTER_HELLO,
	    "once the ClientHello is there" },
	{ NULL, 0, NULL },
};

/* The name of a key is that of its field. */
#define ROOM(field) sizeof(((struct stack_state *)NULL)->field)
#define KEY(field, takes, list, least, most, text)                 \
	{                                                          \
		.key = { #field, takes, list, least, most, text }, \
		.offset = offsetof(struct stack_state, field),     \
		.room = ROOM(field)                                \
	}
#define WORD(field, words, help) KEY(field, VALUE_WORD, words, 0, 0, help)
#define BOOL(field, help) KEY(field, VALUE_BOOL, NULL, 0, 0, help)
#define NUMBER(field, min, max, help) \
	KEY(field, VALUE_NUMBER, NULL, min, max, help)
#define SECONDS(field, min, max, help) \
	KEY(field, VALUE_DURATION, NULL, (min)*1000LL, (max)*1000LL, help)
#define RA_TIME(field, help)                                         \
	KEY(field, VALUE_DURATION, ra_time_words, -50 * YEAR * 1000, \
	    100 * YEAR * 1000, help)
#define RENEWED_TIME(field, help)                                    \
	KEY(field, VALUE_DURATION, renewed_words, -50 * YEAR * 1000, \
	    100 * YEAR * 1000, help)
#define TEXT(field, help) KEY(field, VALUE_TEXT, NULL, 0, ROOM(field) - 1, help)
#define LINES(field, help) KEY(field, VALUE_TEXTS, NULL, 0, 0, help)
#define OIDS(field, help) KEY(field, VALUE_OIDS, NULL, 0, 0, help)

static const struct server_key keys[] = {
	WORD(windows, windows_words,
	    "The Windows Server: the Server header, the log fields, what a "
	    "refused challenge is told, and the versions in event 1000, of "
	    "which those of 2012r2 are known and the others assumed"),
	WORD(network.device, device_words,
	    "Whether devices reach the server; if not, no log has a line"),
	WORD(app_proxy.connector_service, service_words,
	    "The service Microsoft AAD Application Proxy Connector"),
	WORD(app_proxy.connector_startup, startup_words,
	    "Its startup type: whether it runs after the next restart"),
	WORD(app_proxy.external_url, external_url_words,
	    "The external URL of NDES in the application proxy"),
	WORD(app_proxy.back_end, back_end_words,
	    "Whether the connector reaches NDES"),
	KEY(app_proxy.back_end_timeout, VALUE_DURATION, no_time_out_words, 0,
	    DAY * 1000,
	    "How long the proxy waits for an answer: 85s is its setting "
	    "Default, 180s is Long. An answer that a scenario delays beyond "
	    "it becomes the page GatewayTimeout (assumed)"),
	NUMBER(http_sys.max_field_length, 64, 65534,
	    "Octets of the request line, or of one header, beyond which "
	    "http.sys refuses"),
	NUMBER(http_sys.max_request_bytes, 256, 16777216,
	    "Octets of request line and headers together"),
	NUMBER(http_sys.url_segment_max_length, 0, 32766,
	    "UrlSegmentMaxLength: characters between two slashes of the "
	    "path; beyond it 400 Invalid URL; 0: any"),
	NUMBER(http_sys.url_segment_max_count, 0, 16383,
	    "UrlSegmentMaxCount: segments of the path, likewise"),
	WORD(http_sys.queue, queue_words,
	    "The queue of requests for the application pool"),
	SECONDS(http_sys.connection_timeout, 1, DAY,
	    "How long a connection may be without a request, and how long "
	    "a client may take to read an answer"),
	SECONDS(http_sys.header_wait, 1, DAY,
	    "How long request line and headers may take"),
	SECONDS(http_sys.entity_body, 1, DAY,
	    "How long a body may pause. It, header_wait and "
	    "connection_timeout are looked at once a second; a client that "
	    "exceeds one is disconnected without a word, with a line in the "
	    "HTTPERR log"),
	BOOL(http_sys.require_content_length, "Answer chunked bodies with 411"),
	WORD(iis.error_pages, page_words, "Which page an error has"),
	WORD(iis.log_fields, field_words, "Which fields the IIS log has"),
	BOOL(iis.x_powered_by,
	    "Send X-Powered-By: ASP.NET, as a server with the Intune "
	    "connector does"),
	NUMBER(iis.max_url, 0, INT32_MAX,
	    "Octets of the path; beyond it as too_long has it"),
	NUMBER(iis.max_query_string, 0, INT32_MAX,
	    "Octets of the query; beyond it as too_long has it"),
	NUMBER(iis.max_allowed_content_length, 0, UINT32_MAX,
	    "Octets of a body; beyond it 413.1"),
	WORD(iis.too_long, too_long_words,
	    "What a URL gets that is longer than max_url or "
	    "max_query_string"),
	TEXT(iis.status,
	    "The status of every answer for NDES, as 401.2 or 500.0.1346: "
	    "status (400 to 599), substatus and win32 status of the IIS log, "
	    "with the page that IIS has for it; a win32 status that is left "
	    "out is the usual one of 401.1, 401.2, 403.7, 404.0 and 405.0, "
	    "else 0. Empty: as it is"),
	BOOL(iis.impersonation_right,
	    "Whether IIS_IUSRS may impersonate a client after "
	    "authentication; if not, all is 500 0 1346"),
	BOOL(iis.certificate_registration.anonymous,
	    "Whether CertificateRegistrationSvc has anonymous "
	    "authentication; without it, the application pool crashes"),
	BOOL(iis.certificate_registration.windows,
	    "Whether it has Windows authentication; with it, the "
	    "application pool crashes"),
	BOOL(iis.handlers_ordered,
	    "Whether the handler mappings have the order of KB2800975; if "
	    "not, on Windows Server 2012, the admin site is 500.0"),
	TEXT(iis.log_s_ip, "What the IIS log shows as s-ip; empty: the truth"),
	NUMBER(iis.log_s_port, 0, 65535,
	    "What it shows as s-port; 0: the truth"),
	TEXT(iis.log_c_ip, "What it shows as c-ip; empty: the truth"),
	WORD(app_pool.state, pool_state_words,
	    "The application pool SCEP; unless it is started, 503"),
	BOOL(app_pool.start_with_server,
	    "Whether it is started by iisreset and by a restart of the "
	    "server; assumed"),
	WORD(app_pool.identity, identity_words,
	    "The service account of NDES, which the pool runs as"),
	WORD(app_pool.identity_failure, identity_failure_words,
	    "What an account that is locked, or whose password has expired, "
	    "looks like"),
	WORD(app_pool.failure, pool_failure_words,
	    "What comes of a connector that cannot work"),
	BOOL(app_pool.rapid_fail_protection,
	    "Whether a pool that crashes too often is disabled"),
	NUMBER(app_pool.rapid_fail_max_crashes, 1, RAPID_FAIL_MOST,
	    "How many crashes are too many"),
	SECONDS(app_pool.rapid_fail_interval, 1, 30 * DAY, "Within which time"),
	LINES(mscep.capabilities,
	    "The answer to GetCACaps, one word a line: what is advertised. "
	    "Assumed: no body of a real NDES is public"),
	WORD(mscep.capabilities_separator, line_end_words,
	    "What is between them; assumed"),
	BOOL(mscep.capabilities_final_newline, "End the last one too; assumed"),
	TEXT(mscep.capabilities_content_type,
	    "The Content-Type of GetCACaps; with an empty one no such "
	    "header is sent, as 2008 R2 once did; assumed"),
	BOOL(mscep.accept.post,
	    "Whether PKIOperation by POST is answered; if not, there is no "
	    "message for NDES, as before the hotfix for 2008 R2. What accept "
	    "has is enforced, whatever capabilities advertises"),
	BOOL(mscep.accept.get,
	    "Whether PKIOperation by GET is answered. PKIOperation without a "
	    "message gets NDES's own page (assumed) and an event, whose "
	    "words are known and whose number, 15, is assumed"),
	BOOL(mscep.accept.renewal, "Whether renewals are answered"),
	WORD(mscep.accept.weakest_digest, digest_words,
	    "Requests with a weaker digest are refused with badAlg; "
	    "assumed"),
	WORD(mscep.accept.weakest_cipher, cipher_words,
	    "The same for the cipher of the envelope; assumed"),
	WORD(mscep.unreadable, unreadable_words,
	    "What a message gets that cannot be decoded or decrypted, "
	    "with HTTP 200"),
	WORD(mscep.reply.profile, profile_words,
	    "How a CertRep is said, where the keys beside this one leave "
	    "it to the profile"),
	WORD(mscep.reply.digest, reply_digest_words,
	    "The digest that a CertRep is signed with; that NDES follows "
	    "the request is assumed, every client can read such an answer"),
	WORD(mscep.reply.cipher, reply_cipher_words,
	    "The cipher that a certificate is sealed with; that NDES "
	    "follows the request is assumed, every client can read such an "
	    "answer"),
	WORD(mscep.reply.key_transport, transport_words,
	    "How the key of the envelope is encrypted; assumed"),
	WORD(mscep.reply.content, content_words,
	    "The content of FAILURE and PENDING"),
	WORD(mscep.reply.fail_info_text, text_words,
	    "Whether FAILURE has a failInfoText that says why"),
	WORD(mscep.reply.microsoft_attributes, attribute_words,
	    "Whether a CertRep has Microsoft's error and message, "
	    "1.3.6.1.4.1.311.21.33 and .38; which error goes with which "
	    "reason is known for challenges, key size and subject alone, "
	    "else assumed"),
	BOOL(mscep.renewal.subject_match,
	    "Whether a renewal must be for the subject of the certificate "
	    "that it is signed with; assumed"),
	WORD(mscep.repeat, repeat_words,
	    "What a request gets that comes again after its transaction "
	    "has come to its end; assumed"),
	WORD(mscep.queries, queries_words,
	    "Whether GetCert and GetCRL are answered. Found are the last "
	    "10000 certificates, or the last 64 MiB of them, even where "
	    "--state-dir keeps more; those revoked are forgotten last. "
	    "Assumed"),
	BOOL(mscep.bom, "Begin NDES's pages with a byte order mark"),
	BOOL(mscep.odd_byte, "End NDES's pages with one octet too many"),
	WORD(mscep.admin.authentication, authentication_words,
	    "What IIS asks of who comes to the admin site; the realm and "
	    "the win32 status of 401.1 are assumed"),
	TEXT(mscep.admin.user,
	    "Who may come to the admin site, as a client sends it, for "
	    "example CORP\\admin; the case of letters does not matter. The "
	    "IIS log shows it"),
	TEXT(mscep.admin.password, "The password of this user"),
	BOOL(mscep.admin.permission,
	    "Whether who asks for a password may enrol; if not, the page "
	    "says so and NDES leaves event 6"),
	WORD(mscep.challenge.mode, challenge_words,
	    "Which passwords for enrolment there are. Where the policy "
	    "module is installed it knows those of the control API beside "
	    "these"),
	TEXT(mscep.challenge.password, "The password, for single and static"),
	NUMBER(mscep.challenge.length, 1, (CHALLENGE_SIZE - 1) / 2,
	    "Octets of a one-time password, each two digits"),
	SECONDS(mscep.challenge.validity, 1, 366 * DAY,
	    "How long a one-time password is good"),
	NUMBER(mscep.challenge.cache, 0, 100000,
	    "How many unused one-time passwords there can be"),
	WORD(mscep.registry, registry_words,
	    "The values of NDES in the registry, when it starts"),
	WORD(mscep.encrypted_password, encrypted_password_words,
	    "The value EncryptedPassword"),
	WORD(mscep.templates, templates_words,
	    "SignatureTemplate, EncryptionTemplate and "
	    "GeneralPurposeTemplate"),
	RA_TIME(ra.signing.not_before,
	    "When the certificate of the signing RA begins, counted from the "
	    "opening of the site; without it, at the usual time, or two years "
	    "before its end if that is earlier. Another setting makes another "
	    "certificate of the same key"),
	RA_TIME(ra.signing.not_after,
	    "When it ends, counted likewise: -2d has ended two days before; "
	    "without it, at the usual time, or two years after its begin if "
	    "that is later. With an RA that is not valid NDES does not start: "
	    "500, events 2 and 10"),
	WORD(ra.signing.key_usage, ra_usage_words, "Its keyUsage"),
	BOOL(ra.signing.key_readable,
	    "Whether the service account may read its private key; if not, "
	    "NDES does not start, likewise"),
	RA_TIME(ra.encryption.not_before,
	    "The same of the encryption RA; requests that are sealed to the "
	    "certificate before are read as well"),
	RA_TIME(ra.encryption.not_after, "When that one ends"),
	WORD(ra.encryption.key_usage, ra_usage_words, "Its keyUsage"),
	BOOL(ra.encryption.key_readable,
	    "Whether the service account may read its private key"),
	NUMBER(certificates.intermediates_in_root, 0, 8,
	    "How many certificates of intermediate CAs lie in the store of "
	    "Trusted Root CAs; with any the application pool crashes"),
	WORD(certificates.group_policy, group_policy_words,
	    "Whether a group policy pushes them there"),
	WORD(certificates.crl_urls, reachable_words,
	    "Whether the CRLs of the connector's certificates can be got; if "
	    "not, the application pool crashes"),
	BOOL(certificates.capi2_log,
	    "Whether the CAPI2 log is enabled: only what happens from then "
	    "on is in it"),
	WORD(ca.key, ca_key_words, "The key of the CA"),
	NUMBER(ca.tiers, 1, 3,
	    "How many CAs there are from the root to the one that issues"),
	WORD(ca.approval, approval_words, "When a certificate is issued"),
	SECONDS(ca.pending_lifetime, 1, 10 * YEAR,
	    "How long a request waits for approval; assumed. At most 1000 "
	    "requests, or 32 MiB of them, can wait"),
	SECONDS(ca.rollover_after, 0, 10 * YEAR,
	    "How long after the start of a site its next CA takes over, "
	    "and how long after that the next again, eight times at most; "
	    "0s: never. GetNextCACert gives its certificates before, signed "
	    "by the CA of the day; mscep.capabilities does not name it by "
	    "itself. The RAs keep their keys, and messages sealed to the "
	    "last certificate are still understood. All of this is assumed: "
	    "what NDES does is unknown"),
	SECONDS(ca.crl_lifetime, 1, 10 * YEAR,
	    "How long a CRL is good; a week is what AD CS begins with"),
	NUMBER(ca.minimum_key_size, 512, 16384,
	    "Bits of a client's RSA key; smaller ones are denied by the "
	    "CA's policy (0x80094811); assumed"),
	NUMBER(ca.subject_max, 2, 1000000,
	    "Octets of a subject; longer ones, and none without "
	    "extensions, are denied (0x80094001); assumed"),
	BOOL(ca.online,
	    "Whether the CA answers; if not, requests fail with 0x800706ba, "
	    "and NDES leaves event 31"),
	BOOL(ca.template_published,
	    "Whether the CA issues by the template of NDES; if not, it denies "
	    "with 0x80094800"),
	WORD(ca.crl, reachable_words,
	    "Whether the CA's own CRL can be got; if not, it denies with "
	    "0x80092013"),
	BOOL(ca.grants_request,
	    "Whether the service account may request certificates; if not, "
	    "0x80070005; assumed"),
	BOOL(policy_module.installed,
	    "Whether the Intune policy module is there; without it, "
	    "browsing shows NDES's own page in place of 403.0"),
	WORD(policy_module.connector, connector_words,
	    "Which generation of the connector wrote the logs"),
	RA_TIME(policy_module.certificate.not_before,
	    "When the certificate of the policy module begins, counted as "
	    "that of an RA; it is no certificate of the CA, but only talked "
	    "about"),
	RA_TIME(policy_module.certificate.not_after,
	    "When it ends, without it ten years after its begin, which is "
	    "assumed; once it has, the application pool crashes"),
	RENEWED_TIME(policy_module.renewed.not_before,
	    "The same of a second one that was requested later, as the action "
	    "renew-policy-certificate does"),
	RENEWED_TIME(policy_module.renewed.not_after, "When that one ends"),
	TEXT(policy_module.thumbprint,
	    "NDESCertThumbprint in the registry: which certificate the policy "
	    "module looks for, to the letter; empty: the right one"),
	WORD(policy_module.verify_request, verify_request_words,
	    "How the policy module's call VerifyRequest ends, of a "
	    "request with a challenge"),
	WORD(policy_module.notify, notify_words,
	    "How its call Notify ends, after a certificate was issued"),
	TEXT(policy_module.expect.subject,
	    "A glob, fnmatch(3), for the subject of a request, written "
	    "C=US, CN=x as in the output of --verbose; an empty one takes "
	    "any. What the policy module does not expect "
	    "it refuses, as VerifyRequest would; that the client gets "
	    "badRequest, 0x80070005 and NDES's event 29 is assumed"),
	TEXT(policy_module.expect.san,
	    "A glob for all its alternative names, in their order: "
	    "DNS:a.example, IP:10.0.0.1, email:a@b, UPN:a@b, URI:urn:x, "
	    "dirName:CN=x"),
	TEXT(policy_module.expect.challenge,
	    "A glob for its challenge password"),
	OIDS(policy_module.expect.eku,
	    "Purposes that it must ask for, such as 1.3.6.1.5.5.7.3.2"),
	NUMBER(policy_module.expect.key_size, 0, 16384,
	    "Bits that an RSA key must have at least"),
	WORD(tls.certificate, tls_certificate_words,
	    "The server's certificate in TLS; all of server.tls holds for "
	    "the port of --tls-listen, or for clients that ask for the host "
	    "NAME.test if NAME is this scenario, and not for a path, which "
	    "comes after the handshake"),
	WORD(tls.chain, tls_chain_words, "What is shown with it"),
	WORD(tls.versions, tls_version_words, "The versions of TLS"),
	WORD(tls.client_certificate, client_certificate_words,
	    "A certificate of the client's"),
	WORD(tls.handshake, handshake_words,
	    "What becomes of the handshake; for the host NAME.test, hang and "
	    "reset come after the ClientHello, which names it"),
};
#define KEYS (sizeof(keys) / sizeof(keys[0]))

const struct server_key *
server_key_at(size_t row)
{
	return row < KEYS ? &keys[row] : NULL;
}

static const struct key *
key_at(size_t row)
{
	return row < KEYS ? &keys[row].key : NULL;
}

static void
put_seconds(struct loading *l, const struct value *v, void *field)
{
	if (!v->is_word && v->number % 1000 != 0)
		errors_at(l->errors, &v->at, "whole seconds are wanted here");
	else
		*(int64_t *)field = v->is_word ? v->number : v->number / 1000;
}

/* One a line. */
static void
put_lines(struct loading *l, const struct value *v, char *field, size_t room)
{
	struct buffer b = { 0 };

	for (size_t i = 0; i < v->count; i++)
		buffer_printf(&b, "%s%s", i > 0 ? "\n" : "", v->texts[i]);
	buffer_add_byte(&b, 0);
	if (b.failed || b.len > room)
		errors_at(l->errors, &v->at, "the list is too long");
	else
		memcpy(field, b.data, b.len);
	buffer_free(&b);
}

static void
put_words(const struct value *v, int *field)
{
	*field = 0;
	for (size_t i = 0; i < v->count; i++)
		*field |= (int)v->numbers[i];
}

static void
put(struct loading *l, void *to, size_t row, struct value *v)
{
	void *field = (char *)to + keys[row].offset;

	switch (keys[row].key.type) {
	case VALUE_WORD:
		*(int *)field = (int)v->number;
		break;
	case VALUE_BOOL:
		*(bool *)field = v->number != 0;
		break;
	case VALUE_DURATION:
		put_seconds(l, v, field);
		break;
	case VALUE_TEXT:
		memcpy(field, v->text, v->length + 1);
		break;
	case VALUE_TEXTS:
	case VALUE_OIDS:
		put_lines(l, v, field, keys[row].room);
		break;
	case VALUE_WORDS:
		put_words(v, field);
		break;
	default:
		*(int64_t *)field = v->number;
		break;
	}
	value_clear(v);
}

static const struct key_table table = { key_at, put };

static void
check_ra(struct loading *l, const struct mark *at, const char *name,
    const struct ra_settings *ra)
{
	if (ra->not_before != RA_USUAL && ra->not_after != RA_USUAL &&
	    ra->not_before >= ra->not_after)
		errors_at(l->errors, at,
		    "\"ra.%s.not_after\" is not later than "
		    "\"ra.%s.not_before\"",
		    name, name);
}

static void
check_iis(struct loading *l, const struct mark *at, const struct stack_state *s)
{
	struct iis_status status;
	struct error err = { 0 };

	if (s->iis.status[0] != '\0' &&
	    iis_read_status(s->iis.status, &status, &err) == -1)
		errors_at(l->errors, at, "\"iis.status\": %s", err.text);
	/* A field of a log ends with it. */
	if (strchr(s->iis.log_s_ip, ' ') != NULL)
		errors_at(l->errors, at, "\"iis.log_s_ip\" has a blank");
	if (strchr(s->iis.log_c_ip, ' ') != NULL)
		errors_at(l->errors, at, "\"iis.log_c_ip\" has a blank");
}

/* What no key can say of itself. */
static void
check_state(struct loading *l, const struct mark *at)
{
	const struct stack_state *s = &l->out->state;

	if (s->mscep.challenge.mode == CHALLENGES_STATIC &&
	    s->mscep.challenge.password[0] == '\0')
		errors_at(l->errors, at,
		    "\"mscep.challenge.mode\" is static, but there is no "
		    "\"mscep.challenge.password\"");
	if (s->mscep.admin.authentication != AUTHENTICATION_NONE &&
	    s->mscep.admin.user[0] == '\0')
		errors_at(l->errors, at,
		    "\"mscep.admin.authentication\" is on, but there is no "
		    "\"mscep.admin.user\"");
	/* RFC 7617 2: nobody could log on. */
	if (strchr(s->mscep.admin.user, ':') != NULL)
		errors_at(l->errors, at,
		    "\"mscep.admin.user\" has a colon, which Basic cannot "
		    "carry");
	check_ra(l, at, "signing", &s->ra.signing);
	check_ra(l, at, "encryption", &s->ra.encryption);
	check_iis(l, at, s);
}

/* The value is YAML too, so that a list can be written. */
static void
set_one(struct loading *l, const char *set)
{
	const char *equals = strchr(set, '=');
	size_t prefix = strncmp(set, "server.", 7) == 0 ? 7 : 0;
	struct mark at = { set, 1, 1 };
	char name[KEY_SIZE];
	struct yaml *node;

	if (equals == NULL) {
		errors_at(l->errors, NULL,
		    "the setting \"%.200s\" is not of the form KEY=VALUE", set);
		return;
	}
	snprintf(name, sizeof(name), "%.*s", (int)(equals - set - (int)prefix),
	    set + prefix);
	/* An empty value is one; an empty document is none. */
	node = yaml_read(span_text(equals[1] == '\0' ? "''" : equals + 1), set,
	    l->errors);
	if (node != NULL)
		keys_read_one(l, &table, name, &at, node, &l->out->state);
	yaml_node_free(node);
}

void
server_read(struct loading *l, const struct yaml *node)
{
	const struct scenario_options *o = l->options;
	size_t before = l->errors->count;

	if (node != NULL && node->kind == YAML_MAP)
		keys_read(l, &table, node, &l->out->state);
	else if (node != NULL && node->kind != YAML_BROKEN)
		errors_at(l->errors, &node->at,
		    "\"server\" takes keys of its own");
	for (size_t i = 0; l->child == NULL && i < o->set_count; i++)
		set_one(l, o->sets[i]);
	if (l->errors->count == before)
		check_state(l, node != NULL ? &node->at : &l->at);
}

int
scenario_set(struct stack_state *state, const char *const *sets, size_t count,
    struct errors *errors)
{
	struct scenario *changed = calloc(1, sizeof(*changed));
	struct loading l = { .errors = errors,
		.out = changed,
		.root = changed };
	size_t before = errors->count;

	if (changed == NULL)
		return errors_at(errors, NULL, "out of memory");
	changed->refs = 1;
	changed->state = *state;
	for (size_t i = 0; i < count; i++)
		set_one(&l, sets[i]);
	if (errors->count == before)
		check_state(&l, NULL);
	if (errors->count == before)
		*state = changed->state;
	for (size_t i = 0; i < count; i++)
		errors_keep(errors, sets[i]);
	scenario_free(changed);
	return errors->count == before ? 0 : -1;
}
