/* Each key of `server:`. */
#include "unit/scenarios.h"

enum kind { INT, BOOL, NUMBER, TEXT };

#define AT(field) #field, offsetof(struct stack_state, field)
#define NO_BOOL "\"yes\" is neither true nor false"
#define NO_NUMBER "\"many\" is not a number"
#define NO_DURATION "is not a duration such as 250ms, 90s, 60m, 2h, 2d or 1y"
#define NOT_ASCII "only printable ASCII is taken here"
#define NO_LIST "takes a list, [a, b]"

/* A good value of each key and where it goes, and one that is refused. */
static const struct known_key {
	const char *row;
	size_t offset;
	enum kind kind;
	const char *good;
	int64_t number;
	const char *text;
	const char *bad, *error;
} known_keys[] = {
	{ AT(windows), INT, "2012", WINDOWS_2012, NULL, "2021",
	    "unknown value \"2021\", did you mean \"2022\"?" },
	{ AT(network.device), INT, "silent", DEVICE_SILENT, NULL, "silence",
	    "unknown value \"silence\", did you mean \"silent\"?" },
	{ AT(app_proxy.connector_service), INT, "stopped", SERVICE_STOPPED,
	    NULL, "stop", "unknown value \"stop\", did you mean \"stopped\"?" },
	{ AT(app_proxy.connector_startup), INT, "manual", STARTUP_MANUAL, NULL,
	    "manually",
	    "unknown value \"manually\", did you mean \"manual\"?" },
	{ AT(app_proxy.external_url), INT, "wrong", EXTERNAL_URL_WRONG, NULL,
	    "wrongly", "unknown value \"wrongly\", did you mean \"wrong\"?" },
	{ AT(app_proxy.back_end), INT, "unreachable", BACK_END_UNREACHABLE,
	    NULL, "unreached",
	    "unknown value \"unreached\", did you mean \"unreachable\"?" },
	{ AT(app_proxy.back_end_timeout), NUMBER, "85s", 85, NULL, "85",
	    "\"85\" " NO_DURATION ", nor \"none\"" },
	{ AT(http_sys.max_field_length), NUMBER, "64", 64, NULL, "63",
	    "63 is not between 64 and 65534" },
	{ AT(http_sys.max_request_bytes), NUMBER, "256", 256, NULL, "255",
	    "255 is not between 256 and 16777216" },
	{ AT(http_sys.url_segment_max_length), NUMBER, "0", 0, NULL, "32767",
	    "32767 is not between 0 and 32766" },
	{ AT(http_sys.url_segment_max_count), NUMBER, "16383", 16383, NULL,
	    "16384", "16384 is not between 0 and 16383" },
	{ AT(http_sys.queue), INT, "full", HTTP_QUEUE_FULL, NULL, "ful",
	    "unknown value \"ful\", did you mean \"full\"?" },
	{ AT(http_sys.connection_timeout), NUMBER, "1s", 1, NULL, "0s",
	    "0s is not between 1s and 1d" },
	{ AT(http_sys.header_wait), NUMBER, "1d", 86400, NULL, "2d",
	    "2d is not between 1s and 1d" },
	{ AT(http_sys.entity_body), NUMBER, "5m", 300, NULL, "5",
	    "\"5\" " NO_DURATION },
	{ AT(http_sys.require_content_length), BOOL, "true", 1, NULL, "yes",
	    NO_BOOL },
	{ AT(iis.error_pages), INT, "remote", PAGES_REMOTE, NULL, "remotely",
	    "unknown value \"remotely\", did you mean \"remote\"?" },
	{ AT(iis.log_fields), INT, "article", LOG_FIELDS_ARTICLE, NULL, "\"\"",
	    "unknown value \"\", did you mean \"default\"?" },
	{ AT(iis.x_powered_by), BOOL, "false", 0, NULL, "yes", NO_BOOL },
	{ AT(iis.max_url), NUMBER, "0", 0, NULL, "many", NO_NUMBER },
	{ AT(iis.max_query_string), NUMBER, "2147483647", INT32_MAX, NULL,
	    "many", NO_NUMBER },
	{ AT(iis.max_allowed_content_length), NUMBER, "1", 1, NULL, "-1",
	    "-1 is not between 0 and 4294967295" },
	{ AT(iis.too_long), INT, "filtering", TOO_LONG_FILTERING, NULL,
	    "filter", "unknown value \"filter\", did you mean \"filtering\"?" },
	{ AT(iis.status), TEXT, "401.2", 0, "401.2", "\"401.2\\n\"",
	    NOT_ASCII },
	{ AT(iis.impersonation_right), BOOL, "false", 0, NULL, "yes", NO_BOOL },
	{ AT(iis.handlers_ordered), BOOL, "false", 0, NULL, "yes", NO_BOOL },
	{ AT(iis.log_s_ip), TEXT, "fe80::5%13", 0, "fe80::5%13", "\"a\\tb\"",
	    NOT_ASCII },
	{ AT(iis.log_s_port), NUMBER, "443", 443, NULL, "65536",
	    "65536 is not between 0 and 65535" },
	{ AT(iis.log_c_ip), TEXT, "10.5.14.22", 0, "10.5.14.22", "\"a\\nb\"",
	    NOT_ASCII },
	{ AT(mscep.capabilities), TEXT, "[AES, SCEPStandard]", 0,
	    "AES\nSCEPStandard", "{a: b}", "\"mscep.capabilities\" " NO_LIST },
	{ AT(mscep.capabilities_separator), INT, "crlf", LINE_END_CRLF, NULL,
	    "cr", "unknown value \"cr\", did you mean \"lf\"?" },
	{ AT(mscep.capabilities_final_newline), BOOL, "true", 1, NULL, "yes",
	    NO_BOOL },
	{ AT(mscep.capabilities_content_type), TEXT, "text/html", 0,
	    "text/html", "\"text/plain\\r\\nX: y\"", NOT_ASCII },
	{ AT(mscep.accept.post), BOOL, "false", 0, NULL, "yes", NO_BOOL },
	{ AT(mscep.accept.get), BOOL, "false", 0, NULL, "yes", NO_BOOL },
	{ AT(mscep.accept.renewal), BOOL, "false", 0, NULL, "yes", NO_BOOL },
	{ AT(mscep.accept.weakest_digest), INT, "sha256", DIGEST_SHA256, NULL,
	    "sha384", "unknown value \"sha384\", did you mean \"sha1\"?" },
	{ AT(mscep.accept.weakest_cipher), INT, "aes-128-cbc", CIPHER_AES128,
	    NULL, "3des", "unknown value \"3des\", did you mean \"des\"?" },
	{ AT(mscep.unreadable), INT, "empty", UNREADABLE_EMPTY, NULL, "certrep",
	    "unknown value \"certrep\", did you mean \"cert_rep\"?" },
	{ AT(mscep.reply.profile), INT, "rfc8894", PROFILE_RFC8894, NULL,
	    "rfc8984", "unknown value \"rfc8984\", did you mean \"rfc8894\"?" },
	{ AT(mscep.reply.digest), INT, "request", AS_REQUEST, NULL, "md5",
	    "unknown value \"md5\", did you mean \"sha1\"?" },
	{ AT(mscep.reply.cipher), INT, "des", CIPHER_DES, NULL, "aes-128-gcm",
	    "unknown value \"aes-128-gcm\", did you mean \"aes-128-cbc\"?" },
	{ AT(mscep.reply.key_transport), INT, "oaep", TRANSPORT_OAEP, NULL,
	    "oeap", "unknown value \"oeap\", did you mean \"oaep\"?" },
	{ AT(mscep.reply.content), INT, "absent", SCEP_CONTENT_ABSENT, NULL,
	    "none", "unknown value \"none\", did you mean \"zero\"?" },
	{ AT(mscep.reply.fail_info_text), INT, "true", true, NULL, "truth",
	    "unknown value \"truth\", did you mean \"true\"?" },
	{ AT(mscep.reply.microsoft_attributes), INT, "false", false, NULL,
	    "fals", "unknown value \"fals\", did you mean \"false\"?" },
	{ AT(mscep.renewal.subject_match), BOOL, "false", 0, NULL, "yes",
	    NO_BOOL },
	{ AT(mscep.repeat), INT, "same", REPEAT_SAME, NULL, "some",
	    "unknown value \"some\", did you mean \"same\"?" },
	{ AT(mscep.queries), INT, "refused", QUERIES_REFUSED, NULL, "refuse",
	    "unknown value \"refuse\", did you mean \"refused\"?" },
	{ AT(mscep.bom), BOOL, "true", 1, NULL, "yes", NO_BOOL },
	{ AT(mscep.odd_byte), BOOL, "true", 1, NULL, "yes", NO_BOOL },
	{ AT(mscep.admin.authentication), INT, "basic", AUTHENTICATION_BASIC,
	    NULL, "ntlm", "unknown value \"ntlm\", did you mean \"none\"?" },
	{ AT(mscep.admin.user), TEXT, "na\\sra", 0, "na\\sra", "\"a\\tb\"",
	    NOT_ASCII },
	{ AT(mscep.admin.password), TEXT, "a:b", 0, "a:b", "\"a\\x7f\"",
	    NOT_ASCII },
	{ AT(mscep.admin.permission), BOOL, "false", 0, NULL, "yes", NO_BOOL },
	{ AT(mscep.challenge.mode), INT, "static", CHALLENGES_STATIC, NULL,
	    "no", "unknown value \"no\", did you mean \"none\"?" },
	{ AT(mscep.challenge.password), TEXT, "a b", 0, "a b", "\"\\xe4\"",
	    NOT_ASCII },
	{ AT(mscep.challenge.length), NUMBER, "1", 1, NULL, "0",
	    "0 is not between 1 and 64" },
	{ AT(mscep.challenge.validity), NUMBER, "366d", 366LL * 86400, NULL,
	    "367d", "367d is not between 1s and 366d" },
	{ AT(mscep.challenge.cache), NUMBER, "100000", 100000, NULL, "100001",
	    "100001 is not between 0 and 100000" },
	{ AT(mscep.registry), INT, "inconsistent", REGISTRY_INCONSISTENT, NULL,
	    "consistant",
	    "unknown value \"consistant\", did you mean \"consistent\"?" },
	{ AT(mscep.encrypted_password), INT, "undecryptable",
	    ENCRYPTED_PASSWORD_UNDECRYPTABLE, NULL, "bad",
	    "unknown value \"bad\", did you mean \"good\"?" },
	{ AT(mscep.templates), INT, "wrong", TEMPLATES_WRONG, NULL, "wrongly",
	    "unknown value \"wrongly\", did you mean \"wrong\"?" },
	{ AT(ra.signing.key_readable), BOOL, "false", 0, NULL, "yes", NO_BOOL },
	{ AT(ra.encryption.key_readable), BOOL, "false", 0, NULL, "yes",
	    NO_BOOL },
	{ AT(ra.signing.not_before), NUMBER, "-3y", -94672800, NULL, "-51y",
	    "-51y is not between -50y and 100y" },
	{ AT(ra.signing.not_after), NUMBER, "-2d", -172800, NULL, "101y",
	    "101y is not between -50y and 100y" },
	{ AT(ra.signing.key_usage), INT, "none", RA_USAGE_NONE, NULL, "sign",
	    "unknown value \"sign\", did you mean \"signing\"?" },
	{ AT(ra.encryption.not_before), NUMBER, "1d", 86400, NULL, "1",
	    "\"1\" " NO_DURATION ", nor \"usual\"" },
	{ AT(ra.encryption.not_after), NUMBER, "0s", 0, NULL, "never",
	    "\"never\" " NO_DURATION ", nor \"usual\"" },
	{ AT(ra.encryption.key_usage), INT, "both", RA_USAGE_BOTH, NULL, "no",
	    "unknown value \"no\", did you mean \"none\"?" },
	{ AT(ca.key), INT, "rsa-2048", 0, NULL, "rsa-1024",
	    "unknown value \"rsa-1024\", did you mean \"rsa-2048\"?" },
	{ AT(ca.tiers), NUMBER, "3", 3, NULL, "4", "4 is not between 1 and 3" },
	{ AT(ca.approval), INT, "manual", APPROVAL_MANUAL, NULL, "manually",
	    "unknown value \"manually\", did you mean \"manual\"?" },
	{ AT(ca.pending_lifetime), NUMBER, "90m", 5400, NULL, "0s",
	    "0s is not between 1s and 10y" },
	{ AT(ca.rollover_after), NUMBER, "2y", 63115200, NULL, "-1d",
	    "-1d is not between 0s and 10y" },
	{ AT(ca.crl_lifetime), NUMBER, "10y", 315576000, NULL, "11y",
	    "11y is not between 1s and 10y" },
	{ AT(ca.minimum_key_size), NUMBER, "512", 512, NULL, "511",
	    "511 is not between 512 and 16384" },
	{ AT(ca.subject_max), NUMBER, "2", 2, NULL, "1",
	    "1 is not between 2 and 1000000" },
	{ AT(ca.online), BOOL, "false", 0, NULL, "yes", NO_BOOL },
	{ AT(ca.template_published), BOOL, "false", 0, NULL, "yes", NO_BOOL },
	{ AT(ca.crl), INT, "unreachable", UNREACHABLE, NULL, "unreached",
	    "unknown value \"unreached\", did you mean \"unreachable\"?" },
	{ AT(ca.grants_request), BOOL, "false", 0, NULL, "yes", NO_BOOL },
	{ AT(policy_module.installed), BOOL, "false", 0, NULL, "yes", NO_BOOL },
	{ AT(policy_module.connector), INT, "new", CONNECTOR_NEW, NULL, "newer",
	    "unknown value \"newer\", did you mean \"new\"?" },
	{ AT(policy_module.certificate.not_before), NUMBER, "-3y", -94672800,
	    NULL, "-51y", "-51y is not between -50y and 100y" },
	{ AT(policy_module.certificate.not_after), NUMBER, "-2d", -172800, NULL,
	    "never", "\"never\" " NO_DURATION ", nor \"usual\"" },
	{ AT(policy_module.thumbprint), TEXT, "\"9A 32 2b\"", 0, "9A 32 2b",
	    "\"\\e\"", NOT_ASCII },
	{ AT(policy_module.verify_request), INT, "temp-folder",
	    VERIFY_REQUEST_TEMP_FOLDER, NULL, "untrust",
	    "unknown value \"untrust\", did you mean \"untrusted\"?" },
	{ AT(policy_module.notify), INT, "fails", NOTIFY_FAILS, NULL, "fail",
	    "unknown value \"fail\", did you mean \"fails\"?" },
	{ AT(iis.certificate_registration.anonymous), BOOL, "false", 0, NULL,
	    "yes", NO_BOOL },
	{ AT(iis.certificate_registration.windows), BOOL, "true", 1, NULL,
	    "yes", NO_BOOL },
	{ AT(app_pool.state), INT, "disabled", POOL_DISABLED, NULL, "disable",
	    "unknown value \"disable\", did you mean \"disabled\"?" },
	{ AT(app_pool.start_with_server), BOOL, "false", 0, NULL, "yes",
	    NO_BOOL },
	{ AT(app_pool.identity), INT, "password-expired",
	    IDENTITY_PASSWORD_EXPIRED, NULL, "password_expired",
	    "unknown value \"password_expired\", did you mean \"password-expired\"?" },
	{ AT(app_pool.identity_failure), INT, "was", IDENTITY_FAILS_503, NULL,
	    "wa", "unknown value \"wa\", did you mean \"was\"?" },
	{ AT(app_pool.failure), INT, "status-500", POOL_ANSWERS_500, NULL,
	    "status-50",
	    "unknown value \"status-50\", did you mean \"status-500\"?" },
	{ AT(app_pool.rapid_fail_protection), BOOL, "false", 0, NULL, "yes",
	    NO_BOOL },
	{ AT(app_pool.rapid_fail_max_crashes), NUMBER, "100", 100, NULL, "101",
	    "101 is not between 1 and 100" },
	{ AT(app_pool.rapid_fail_interval), NUMBER, "1h", 3600, NULL, "31d",
	    "31d is not between 1s and 30d" },
	{ AT(certificates.intermediates_in_root), NUMBER, "8", 8, NULL, "9",
	    "9 is not between 0 and 8" },
	{ AT(certificates.group_policy), INT, "pushes", GROUP_POLICY_PUSHES,
	    NULL, "push", "unknown value \"push\", did you mean \"pushes\"?" },
	{ AT(certificates.crl_urls), INT, "unreachable", UNREACHABLE, NULL,
	    "unreached",
	    "unknown value \"unreached\", did you mean \"unreachable\"?" },
	{ AT(certificates.capi2_log), BOOL, "true", 1, NULL, "yes", NO_BOOL },
	{ AT(policy_module.renewed.not_before), NUMBER, "1d", 86400, NULL,
	    "-51y", "-51y is not between -50y and 100y" },
	{ AT(policy_module.renewed.not_after), NUMBER, "2y", 63115200, NULL,
	    "101y", "101y is not between -50y and 100y" },
	{ AT(policy_module.expect.subject), TEXT, "CN=device-*", 0,
	    "CN=device-*", "\"CN=\\n\"", NOT_ASCII },
	{ AT(policy_module.expect.san), TEXT, "\"*DNS:*.example*\"", 0,
	    "*DNS:*.example*", "\"\\e\"", NOT_ASCII },
	{ AT(policy_module.expect.challenge), TEXT, "ey*", 0, "ey*",
	    "\"\\x80\"", NOT_ASCII },
	{ AT(policy_module.expect.eku), TEXT,
	    "[1.3.6.1.5.5.7.3.2, 1.3.6.1.4.1.311.20.2.2]", 0,
	    "1.3.6.1.5.5.7.3.2\n1.3.6.1.4.1.311.20.2.2", "{a: b}",
	    "\"policy_module.expect.eku\" " NO_LIST },
	{ AT(policy_module.expect.key_size), NUMBER, "2048", 2048, NULL,
	    "16385", "16385 is not between 0 and 16384" },
	{ AT(tls.certificate), INT, "wrong-host", SERVER_CERTIFICATE_WRONG_HOST,
	    NULL, "revoked",
	    "unknown value \"revoked\", did you mean \"good\"?" },
	{ AT(tls.chain), INT, "incomplete", TLS_CHAIN_INCOMPLETE, NULL, "empty",
	    "unknown value \"empty\", did you mean \"complete\"?" },
	{ AT(tls.versions), INT, "tls1.3", TLS_VERSIONS_1_3, NULL, "1.2",
	    "unknown value \"1.2\", did you mean \"tls1.2\"?" },
	{ AT(tls.client_certificate), INT, "required",
	    CLIENT_CERTIFICATE_REQUIRED, NULL, "wanted",
	    "unknown value \"wanted\", did you mean \"asked\"?" },
	{ AT(tls.handshake), INT, "reset-after-hello",
	    HANDSHAKE_RESET_AFTER_HELLO, NULL, "refuse",
	    "unknown value \"refuse\", did you mean \"reset\"?" },
};

static void
set_by_hand(const struct known_key *t, struct stack_state *to)
{
	char *field = (char *)to + t->offset;

	switch (t->kind) {
	case INT:
		*(int *)field = (int)t->number;
		break;
	case BOOL:
		*(bool *)field = t->number != 0;
		break;
	case NUMBER:
		*(int64_t *)field = t->number;
		break;
	case TEXT:
		memcpy(field, t->text, strlen(t->text) + 1);
		break;
	}
}

static struct scenario_options
one_set(const char *key, const char *value, const char *list[1])
{
	static char text[4096];

	snprintf(text, sizeof(text), "server.%s=%s", key, value);
	list[0] = text;
	return (struct scenario_options){ list, 1, NULL };
}

/* What `good` makes of a state, and nothing else. */
static void
takes_key(void **state)
{
	/* Without these a mode and a scheme are refused. */
	static const char *const list[] = { "server.mscep.challenge.password=P",
		"server.mscep.admin.user=U", NULL };
	const struct known_key *t = *state;
	struct scenario_options set = { list, 2, NULL };
	struct scenario *before = accept_all(TOP, &set), *after;
	const char *sets[] = { list[0], list[1], NULL };

	one_set(t->row, t->good, sets + 2);
	set = (struct scenario_options){ sets, 3, NULL };
	after = accept_all(TOP, &set);
	assert_memory_not_equal(&after->state, &before->state,
	    sizeof(after->state));
	set_by_hand(t, &before->state);
	assert_memory_equal(&after->state, &before->state,
	    sizeof(after->state));
	scenario_free(before);
	scenario_free(after);
}

/* Words and what they mean, beyond those of known_keys. */
static const struct meaning {
	const char *row, *key;
	size_t offset;
	int value;
} meanings[] = {
	{ "sha1", AT(mscep.accept.weakest_digest), DIGEST_SHA1 },
	{ "sha512", AT(mscep.accept.weakest_digest), DIGEST_SHA512 },
	{ "des3", AT(mscep.accept.weakest_cipher), CIPHER_DES3 },
	{ "aes-192-cbc", AT(mscep.accept.weakest_cipher), CIPHER_AES192 },
	{ "aes-256-cbc", AT(mscep.accept.weakest_cipher), CIPHER_AES256 },
	{ "article", AT(iis.too_long), TOO_LONG_ARTICLE },
	{ "consistent", AT(mscep.registry), REGISTRY_CONSISTENT },
	{ "good", AT(mscep.encrypted_password), ENCRYPTED_PASSWORD_GOOD },
	{ "right", AT(mscep.templates), TEMPLATES_RIGHT },
	{ "works", AT(policy_module.verify_request), VERIFY_REQUEST_WORKS },
	{ "name-mismatch", AT(policy_module.verify_request),
	    VERIFY_REQUEST_NAME_MISMATCH },
	{ "untrusted", AT(policy_module.verify_request),
	    VERIFY_REQUEST_UNTRUSTED },
	{ "no-client-auth", AT(policy_module.verify_request),
	    VERIFY_REQUEST_NO_CLIENT_AUTH },
	{ "signing-certificate", AT(policy_module.verify_request),
	    VERIFY_REQUEST_SIGNING_CERTIFICATE },
	{ "works", AT(policy_module.notify), NOTIFY_WORKS },
	{ "old", AT(policy_module.connector), CONNECTOR_OLD },
	{ "reachable", AT(ca.crl), REACHABLE },
	{ "not-writable", AT(mscep.encrypted_password),
	    ENCRYPTED_PASSWORD_NOT_WRITABLE },
	{ "general", AT(mscep.unreadable), UNREADABLE_GENERAL },
	{ "cert_rep", AT(mscep.unreadable), UNREADABLE_CERT_REP },
	{ "one-time", AT(mscep.challenge.mode), CHALLENGES_ONE_TIME },
	{ "single", AT(mscep.challenge.mode), CHALLENGES_SINGLE },
	{ "none", AT(mscep.challenge.mode), CHALLENGES_NONE },
	{ "usual", AT(ra.signing.key_usage), RA_USAGE_USUAL },
	{ "signing", AT(ra.encryption.key_usage), RA_USAGE_SIGNING },
	{ "encryption", AT(ra.signing.key_usage), RA_USAGE_ENCRYPTION },
	{ "given", AT(ca.key), -1 },
	{ "rsa-3072", AT(ca.key), 1 },
	{ "rsa-4096", AT(ca.key), 2 },
	{ "ec-p256", AT(ca.key), 3 },
	{ "ec-p384", AT(ca.key), 4 },
	{ "sha1", AT(mscep.reply.digest), DIGEST_SHA1 },
	{ "sha256", AT(mscep.reply.digest), DIGEST_SHA256 },
	{ "sha512", AT(mscep.reply.digest), DIGEST_SHA512 },
	{ "request", AT(mscep.reply.cipher), AS_REQUEST },
	{ "des3", AT(mscep.reply.cipher), CIPHER_DES3 },
	{ "aes-128-cbc", AT(mscep.reply.cipher), CIPHER_AES128 },
	{ "aes-192-cbc", AT(mscep.reply.cipher), CIPHER_AES192 },
	{ "aes-256-cbc", AT(mscep.reply.cipher), CIPHER_AES256 },
	{ "pkcs1", AT(mscep.reply.key_transport), TRANSPORT_PKCS1 },
	{ "zero", AT(mscep.reply.content), SCEP_CONTENT_ZERO },
	{ "empty", AT(mscep.reply.content), SCEP_CONTENT_EMPTY },
	{ "false", AT(mscep.reply.fail_info_text), false },
	{ "true", AT(mscep.reply.microsoft_attributes), true },
	{ "expired", AT(tls.certificate), SERVER_CERTIFICATE_EXPIRED },
	{ "not-yet-valid", AT(tls.certificate),
	    SERVER_CERTIFICATE_NOT_YET_VALID },
	{ "self-signed", AT(tls.certificate), SERVER_CERTIFICATE_SELF_SIGNED },
	{ "untrusted", AT(tls.certificate), SERVER_CERTIFICATE_UNTRUSTED },
	{ "tls1.0", AT(tls.versions), TLS_VERSIONS_1_0 },
	{ "tls1.1", AT(tls.versions), TLS_VERSIONS_1_1 },
	{ "tls1.2", AT(tls.versions), TLS_VERSIONS_1_2 },
	{ "asked", AT(tls.client_certificate), CLIENT_CERTIFICATE_ASKED },
	{ "hang", AT(tls.handshake), HANDSHAKE_HANG },
	{ "reset", AT(tls.handshake), HANDSHAKE_RESET },
	{ "hang-after-hello", AT(tls.handshake), HANDSHAKE_HANG_AFTER_HELLO },
};

static void
means(void **state)
{
	const struct meaning *t = *state;
	struct scenario_options set;
	struct scenario *s;
	const char *list[1];

	set = one_set(t->key, t->row, list);
	s = accept_all(TOP, &set);
	assert_int_equal(*(int *)((char *)&s->state + t->offset), t->value);
	scenario_free(s);
}

/* Behind the value that was set, and its place. */
static void
is_refused(const struct scenario_options *set, const char *error)
{
	const char *got = refusal(TOP, set);
	char wanted[8192];

	snprintf(wanted, sizeof(wanted), "%s:1:1: %s", set->sets[0], error);
	assert_string_equal(got, wanted);
}

static void
refuses_value(void **state)
{
	const struct known_key *t = *state;
	struct scenario_options set;
	const char *list[1];

	set = one_set(t->row, t->bad, list);
	is_refused(&set, t->error);
}

static void
refuses_type(void **state)
{
	const struct known_key *t = *state;
	bool is_list = *t->good == '[';
	struct scenario_options set;
	const char *list[1];
	char wanted[200];

	snprintf(wanted, sizeof(wanted), "\"%s\" takes %s", t->row,
	    is_list ? "a list, [a, b]" : "one value");
	for (int i = 0; i < (is_list ? 1 : 2); i++) {
		set = one_set(t->row, i == 0 ? "{a: b}" : "[a]", list);
		is_refused(&set, wanted);
	}
}

static const struct listed {
	const char *row, *value, *error;
} listeds[] = {
	{ "no OID", "[1.2.3, clientAuth]",
	    ":1:9: \"clientAuth\" is not an OID such as 1.3.6.1.5.5.7.3.2" },
	{ "half an OID", "[1.2.]",
	    ":1:2: \"1.2.\" is not an OID such as 1.3.6.1.5.5.7.3.2" },
	{ "a list in the list", "[1.2, [1.3]]", ":1:7: a word is wanted here" },
	{ "too many of them",
	    "[1.3.6.1.4.1.1.18446744073709551615.18446744073709551615,"
	    "1.3.6.1.4.1.2.18446744073709551615.18446744073709551615,"
	    "1.3.6.1.4.1.3.18446744073709551615.18446744073709551615,"
	    "1.3.6.1.4.1.4.18446744073709551615.18446744073709551615,"
	    "1.3.6.1.4.1.5.18446744073709551615.18446744073709551615]",
	    ":1:1: the list is too long" },
};

static void
refuses_list(void **state)
{
	const struct listed *t = *state;
	struct scenario_options set;
	const char *list[1], *got;

	set = one_set("policy_module.expect.eku", t->value, list);
	got = refusal(TOP, &set);
	assert_int_equal(strncmp(got, list[0], strlen(list[0])), 0);
	assert_string_equal(got + strlen(list[0]), t->error);
}

static const struct missing {
	const char *row, *sets[2];
	size_t count;
	const char *error; /* NULL: taken */
} missings[] = {
	{ "a static password that is not there",
	    { "server.mscep.challenge.mode=static" }, 1,
	    "pki.yaml:1:1: \"mscep.challenge.mode\" is static, but there is no "
	    "\"mscep.challenge.password\"" },
	{ "a static password",
	    { "server.mscep.challenge.mode=static",
		"server.mscep.challenge.password=x" },
	    2, NULL },
	{ "nobody to authenticate",
	    { "server.mscep.admin.authentication=basic",
		"server.mscep.admin.password=x" },
	    2,
	    "pki.yaml:1:1: \"mscep.admin.authentication\" is on, but there is "
	    "no \"mscep.admin.user\"" },
	{ "somebody whom Basic cannot name",
	    { "server.mscep.admin.user=CORP:x" }, 1,
	    "pki.yaml:1:1: \"mscep.admin.user\" has a colon, which Basic "
	    "cannot carry" },
	{ "an RA that ends before it begins",
	    { "server.ra.signing.not_after=-2d",
		"server.ra.signing.not_before=-1d" },
	    2,
	    "pki.yaml:1:1: \"ra.signing.not_after\" is not later than "
	    "\"ra.signing.not_before\"" },
	{ "an RA of no time",
	    { "server.ra.encryption.not_after=1d",
		"server.ra.encryption.not_before=1d" },
	    2,
	    "pki.yaml:1:1: \"ra.encryption.not_after\" is not later than "
	    "\"ra.encryption.not_before\"" },
	{ "an RA of a second",
	    { "server.ra.encryption.not_after=-1s",
		"server.ra.encryption.not_before=-2s" },
	    2, NULL },
	{ "somebody without a password",
	    { "server.mscep.admin.authentication=basic",
		"server.mscep.admin.user=x" },
	    2, NULL },
};

/* It stands at the settings, where there are any. */
static void
place_of_what_is_missing(void **state)
{
	(void)state;
	assert_string_equal(refusal(SERVER
				"  mscep: {challenge: {mode: static}}\n",
				NULL),
	    "pki.yaml:4:3: \"mscep.challenge.mode\" is static, but there is no "
	    "\"mscep.challenge.password\"");
}

static void
needs_another(void **state)
{
	const struct missing *t = *state;
	const struct scenario_options set = { t->sets, t->count, NULL };

	if (t->error != NULL)
		assert_string_equal(refusal(TOP, &set), t->error);
	else
		scenario_free(accept_all(TOP, &set));
}

static const struct known_key *
find_key(const char *name)
{
	for (size_t i = 0; i < sizeof(known_keys) / sizeof(known_keys[0]); i++)
		if (strcmp(known_keys[i].row, name) == 0)
			return &known_keys[i];
	return NULL;
}

/* Each key of the table is tested, and says what it is for. */
static void
every_key(void **state)
{
	const struct server_key *row;
	size_t count = 0;

	(void)state;
	for (; (row = server_key_at(count)) != NULL; count++) {
		if (find_key(row->key.name) == NULL)
			fail_msg("%s is not tested", row->key.name);
		assert_non_null(row->key.help);
		assert_int_equal(row->offset, find_key(row->key.name)->offset);
	}
	assert_int_equal(count, sizeof(known_keys) / sizeof(known_keys[0]));
}

static void
long_text(void **state)
{
	char yaml[2 * CONTENT_TYPE_SIZE];
	struct scenario *s;

	(void)state;
	snprintf(yaml, sizeof(yaml),
	    SERVER "  mscep: {capabilities_content_type: %0*d}\n",
	    CONTENT_TYPE_SIZE - 1, 7);
	s = accept_all(yaml, NULL);
	assert_int_equal(strlen(s->state.mscep.capabilities_content_type),
	    CONTENT_TYPE_SIZE - 1);
	scenario_free(s);
	snprintf(yaml, sizeof(yaml),
	    SERVER "  mscep: {capabilities_content_type: %0*d}\n",
	    CONTENT_TYPE_SIZE, 7);
	assert_string_equal(refusal(yaml, NULL),
	    "pki.yaml:4:38: the text is longer than 127 octets");
	s = accept_all(SERVER "  mscep: {capabilities_content_type: }\n", NULL);
	assert_string_equal(s->state.mscep.capabilities_content_type, "");
	scenario_free(s);
}

int
main(void)
{
	static const struct table tables[] = {
		ROWS(takes_key, known_keys),
		ROWS(means, meanings),
		ROWS(refuses_value, known_keys),
		ROWS(refuses_type, known_keys),
		ROWS(refuses_list, listeds),
		ROWS(needs_another, missings),
		ONE(place_of_what_is_missing, "what is missing has a place"),
		ONE(every_key, "every key is tested"),
		ONE(long_text, "a text has a length"),
	};

	return ROWS_RUN(tables, NULL, NULL);
}
