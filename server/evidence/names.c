/* What journal, metrics and narration call things. */
#include "evidence/entry.h"

const char *
ending_name(enum ending ending)
{
	static const char *const names[] = {
		[ENDED_SENT] = "sent",
		[ENDED_CLIENT_LEFT] = "client-left",
		[ENDED_CUT] = "cut",
		[ENDED_FAULT] = "fault",
	};

	return names[ending];
}

const char *
layer_name(enum layer layer)
{
	static const char *const names[] = {
		[LAYER_NONE] = "none",
		[LAYER_NETWORK] = "network",
		[LAYER_APP_PROXY] = "app-proxy",
		[LAYER_HTTP_SYS] = "http-sys",
		[LAYER_IIS] = "iis",
		[LAYER_MSCEP] = "mscep",
		[LAYER_POLICY_MODULE] = "policy-module",
		[LAYER_CA] = "ca",
		[LAYER_MOCK] = "mockndes",
	};

	return names[layer];
}

const char *
pki_status_name(int status)
{
	static const char *const
	    names[] = { [0] = "SUCCESS", [2] = "FAILURE", [3] = "PENDING" };

	return status < 0 || status > 3 || names[status] == NULL ?
	    "unknown" :
	    names[status];
}

const char *
fail_info_name(int fail_info)
{
	static const char *const names[] = { "badAlg", "badMessageCheck",
		"badRequest", "badTime", "badCertId" };

	return fail_info < 0 || fail_info > 4 ? "unknown" : names[fail_info];
}
