/* The tables, one by one, and what each section is about. */
#include "scenario/tables.h"

#include <string.h>

#include "scenario/scenario.h"

const struct key *
server_rows(size_t at)
{
	const struct server_key *row = server_key_at(at);

	return row == NULL ? NULL : &row->key;
}

const struct key *
reference_rows(size_t at)
{
	return scenario_reference((enum reference)at);
}

const struct key *
when_rows(size_t at)
{
	const struct fault_condition *c = fault_condition_at(at);

	return c == NULL ? NULL : &c->key;
}

const struct key *
do_rows(size_t at)
{
	const struct fault_kind *kind = fault_kind_at(at);

	return kind == NULL ? NULL : &kind->key;
}

static const struct {
	const char *section, *help;
} sections[] = {
	{ "http_sys", "the driver that reads requests before IIS does" },
	{ "network", "what lies between devices and the server" },
	{ "app_proxy", "the application proxy, and its connector" },
	{ "iis.certificate_registration",
	    "CertificateRegistrationSvc, the web application of the connector" },
	{ "app_pool", "the application pool SCEP, which NDES runs in" },
	{ "certificates", "certificate stores, and what is got for them" },
	{ "policy_module.certificate", "the one that it shows" },
	{ "policy_module.renewed", "a second one, later" },
	{ "iis", "the web server: limits, pages, log" },
	{ "mscep", "NDES itself" },
	{ "mscep.accept", "what is answered at all" },
	{ "mscep.admin", "the page that gives challenge passwords" },
	{ "mscep.challenge", "challenge passwords" },
	{ "mscep.renewal", "requests signed with a certificate" },
	{ "mscep.reply", "how a CertRep is said" },
	{ "policy_module", "the policy module of Intune's connector" },
	{ "policy_module.expect", "what a request must ask for" },
	{ "ca", "the certification authority behind NDES" },
	{ "ra", "the certificates of the registration authorities" },
	{ "ra.signing", "the one that signs answers" },
	{ "ra.encryption", "the one that requests are sealed to" },
	{ "tls", "the port of --tls-listen" },
	{ "http", "the answer as HTTP has it" },
	{ "caps", "the answer to GetCACaps" },
	{ "ca_certs", "the answer to GetCACert" },
	{ "certificate",
	    "what is issued, as the client gets it; GetCert gives "
	    "what the server meant" },
	{ "scep", "the CertRep; what is signed stays correctly signed" },
	{ "scep.attributes", "its signed attributes" },
	{ "bytes", "the body, whatever it is" },
	{ "wire", "how the octets go out" },
	{ "wire.drip", "a few octets at a time" },
	{ "wire.pause", "a rest in the middle" },
};

const char *
table_section_help(const char *section)
{
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
		if (strcmp(sections[i].section, section) == 0)
			return sections[i].help;
	return NULL;
}
