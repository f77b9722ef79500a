/*
 * The certificate stores of the computer. Those of the policy module and the
 * intermediates in the wrong store are talked about: nobody has signed them.
 */
#include "admin/inside.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define THUMBPRINT 41
#define NAME 256
#define REQUEST_AGENT "Certificate Request Agent (1.3.6.1.4.1.311.20.2.1)"
#define YEAR 31557600LL /* a Julian one */

static char *
thumbprint_of(const struct admin_look *look, struct span octets,
    char out[THUMBPRINT])
{
	uint8_t digest[DIGEST_MAX_SIZE] = { 0 };

	crypto_digest(look->credentials->crypto, DIGEST_SHA1, octets, digest);
	for (size_t i = 0; i < digest_size(DIGEST_SHA1); i++)
		snprintf(out + 2 * i, 3, "%02X", digest[i]);
	return out;
}

static const char *
validity(const struct admin_look *look, int64_t not_before, int64_t not_after)
{
	return look->now > not_after ? "has expired" :
	    look->now < not_before   ? "is not valid yet" :
				       "is valid";
}

/* What two stores of this kind have. */
static void
begin_store(struct report *out, const char *store)
{
	static const char *const columns[] = { "Subject", "Issuer", "Template",
		"Enhanced Key Usage", "Valid from", "Valid to", "Status",
		"Private key", "Thumbprint", NULL };

	report_begin(out, FORM_LIST, "Store", store, columns);
}

static void
add_dates(const struct admin_look *look, int64_t not_before, int64_t not_after,
    struct report *out)
{
	char text[MOMENT_SIZE];

	report_cell(out, "%s", moment(not_before, text));
	report_cell(out, "%s", moment(not_after, text));
	report_cell(out, "%s", validity(look, not_before, not_after));
}

static const struct ra {
	enum ca_role role;
	const char *template;
} ras[] = {
	{ CA_RA_SIGNING, "Exchange Enrollment Agent (Offline request)" },
	{ CA_RA_ENCRYPTION, "CEP Encryption" },
};

static const struct ra_settings *
settings_of(const struct stack_state *s, enum ca_role role)
{
	return role == CA_RA_SIGNING ? &s->ra.signing : &s->ra.encryption;
}

/*
 * One that was requested, and that NDES has not seen yet: only what was asked
 * for is known of it.
 */
static bool
is_new(const struct admin_look *look, enum ca_role role)
{
	const struct ra_settings *s = settings_of(look->state, role);

	return s->not_after != RA_USUAL &&
	    look->opened + s->not_after !=
	    look->credentials->certs[role].not_after;
}

static void
add_ra(const struct admin_look *look, const struct ra *ra, struct report *out)
{
	const struct x509 *cert = &look->credentials->certs[ra->role];
	const struct ra_settings *s = settings_of(look->state, ra->role);
	bool new = is_new(look, ra->role);
	char name[NAME], thumbprint[THUMBPRINT];

	report_cell(out, "%s", x509_name_text(cert->subject, name, NAME));
	report_cell(out, "%s", x509_name_text(cert->issuer, name, NAME));
	report_cell(out, "%s", ra->template);
	report_cell(out, REQUEST_AGENT);
	if (!new)
		add_dates(look, cert->not_before, cert->not_after, out);
	else
		add_dates(look,
		    look->opened +
			(s->not_before == RA_USUAL ? 0 : s->not_before),
		    look->opened + s->not_after, out);
	report_cell(out, ACCOUNT ": %s",
	    either(s->key_readable, "Read", "no access"));
	report_cell(out, "%s",
	    new ? "" : thumbprint_of(look, cert->whole, thumbprint));
}

static void
add_policy_certificates(const struct admin_look *look, struct report *out)
{
	struct policy_certificate list[POLICY_CERTIFICATES];
	size_t count = policy_module_certificates(look->state, list);
	char ca[NAME];

	for (size_t i = 0; i < count; i++) {
		/* 403.7 is the first one's alone, as VerifyRequest has it. */
		bool client = i > 0 ||
		    look->state->policy_module.verify_request !=
			VERIFY_REQUEST_NO_CLIENT_AUTH;

		report_cell(out, "CN=" SERVER ".contoso.com");
		report_cell(out, "%s",
		    x509_name_text(look->credentials->certs[CA_ISSUING].subject,
			ca, NAME));
		report_cell(out, "Web Server%s", client ? " and Client" : "");
		report_cell(out, "%sServer Authentication (1.3.6.1.5.5.7.3.1)",
		    client ? "Client Authentication (1.3.6.1.5.5.7.3.2), " :
			     "");
		add_dates(look, look->opened + list[i].not_before,
		    look->opened + list[i].not_after, out);
		report_cell(out, ACCOUNT ": Read");
		for (char *c = list[i].thumbprint; *c != '\0'; c++)
			*c = (char)toupper((unsigned char)*c);
		report_cell(out, "%s", list[i].thumbprint);
	}
}

static struct x509
root_of(const struct credentials *cred)
{
	struct x509 root = cred->certs[CA_ISSUING];

	if (cred->chain_count > 0)
		x509_read(blob_span(&cred->chain[cred->chain_count - 1]),
		    &root);
	return root;
}

static void
add_ca(const struct admin_look *look, const struct x509 *cert,
    struct report *out)
{
	char name[NAME], thumbprint[THUMBPRINT];

	report_cell(out, "%s", x509_name_text(cert->subject, name, NAME));
	report_cell(out, "%s", x509_name_text(cert->issuer, name, NAME));
	report_cell(out, "%s", "");
	report_cell(out, "%s", "");
	add_dates(look, cert->not_before, cert->not_after, out);
	report_cell(out, "%s", "none");
	report_cell(out, "%s", thumbprint_of(look, cert->whole, thumbprint));
}

static void
add_intermediates(const struct admin_look *look, struct report *out)
{
	size_t count = (size_t)look->state->certificates.intermediates_in_root;
	char name[INTERMEDIATE_SIZE], thumbprint[THUMBPRINT];

	for (size_t i = 0; i < count; i++) {
		report_cell(out, "%s", intermediate_name(i, name));
		report_cell(out, "CN=Contoso Root CA, DC=contoso, DC=com");
		report_cell(out, "Subordinate Certification Authority");
		report_cell(out, "%s", "");
		add_dates(look, look->opened - YEAR, look->opened + 9 * YEAR,
		    out);
		report_cell(out, "none");
		report_cell(out, "%s",
		    thumbprint_of(look, span_text(name), thumbprint));
	}
}

/* Above the issuing CA, but below the root; of one tier there are none. */
static void
add_real_intermediates(const struct admin_look *look, struct report *out)
{
	const struct credentials *cred = look->credentials;
	struct x509 cert;

	if (cred->chain_count == 0)
		return;
	begin_store(out,
	    "LocalMachine\\CA (Intermediate Certification "
	    "Authorities)");
	add_ca(look, &cred->certs[CA_ISSUING], out);
	for (size_t i = 0; i + 1 < cred->chain_count; i++)
		if (x509_read(blob_span(&cred->chain[i]), &cert) == 0)
			add_ca(look, &cert, out);
}

/* The article's line, and its answer. */
static void
add_question(const struct admin_look *look, struct report *out)
{
	static const char *const columns[] = { "Thumbprint", "Subject", NULL };
	size_t count = (size_t)look->state->certificates.intermediates_in_root;
	char name[INTERMEDIATE_SIZE], thumbprint[THUMBPRINT];

	report_begin(out, FORM_POWERSHELL, "Command",
	    "Get-Childitem -Path cert:\\LocalMachine\\root -Recurse | "
	    "Where-Object {$_.Issuer -ne $_.Subject}",
	    columns);
	for (size_t i = 0; i < count; i++) {
		intermediate_name(i, name);
		report_cell(out, "%s",
		    thumbprint_of(look, span_text(name), thumbprint));
		report_cell(out, "%s", name);
	}
}

void
view_certificates(const struct admin_look *look, struct report *out)
{
	struct x509 root = root_of(look->credentials);

	begin_store(out, "LocalMachine\\My (Personal)");
	for (size_t i = 0; i < sizeof(ras) / sizeof(ras[0]); i++)
		add_ra(look, &ras[i], out);
	add_policy_certificates(look, out);
	begin_store(out,
	    "LocalMachine\\Root (Trusted Root Certification Authorities)");
	add_ca(look, &root, out);
	add_intermediates(look, out);
	add_real_intermediates(look, out);
	add_question(look, out);
}

/* In the words of gpresult. */
void
view_group_policy(const struct admin_look *look, struct report *out)
{
	static const char *const columns[] = { "Group Policy Object", "Applied",
		"Filtering", "Trusted Root Certification Authorities", NULL };
	enum group_policy policy = look->state->certificates.group_policy;
	bool pushes = policy == GROUP_POLICY_PUSHES;
	char name[INTERMEDIATE_SIZE];

	report_begin(out, FORM_LIST, "Computer", DOMAIN "\\" SERVER, columns);
	report_row(out,
	    (const char *const[]){ "Default Domain Policy", "Yes", "", "" });
	/* Others in the store have come from elsewhere. */
	if (policy != GROUP_POLICY_NONE)
		report_row(out,
		    (const char *const[]){ "Contoso PKI",
			either(pushes, "Yes", "No"),
			either(pushes, "", "Denied (Security)"),
			intermediate_name(0, name) });
}
