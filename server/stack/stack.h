/*
 * A real deployment, top to bottom: http.sys, IIS, mscep.dll, the policy
 * module, the CA. Each layer consults its own state and behaves as that
 * layer would; the first that cannot go on answers.
 *
 * What real NDES does is cited as [C] (confirmed, ndes-facts.md), or said
 * to be assumed.
 */
#ifndef STACK_STACK_H
#define STACK_STACK_H

#include <uthash.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/value.h"
#include "ca/ca.h"
#include "exchange/exchange.h"
#include "scep/scep.h"

enum windows {
	WINDOWS_2008R2,
	WINDOWS_2012,
	WINDOWS_2012R2,
	WINDOWS_2016,
	WINDOWS_2019,
	WINDOWS_2022,
	WINDOWS_2025,
};

/* Which page a client gets for an IIS error (ndes-facts 6.2). */
enum error_pages {
	PAGES_ARTICLE, /* 403.0 detailed, the others static */
	PAGES_DETAILED,
	PAGES_REMOTE, /* what IIS sends to another machine */
};

enum log_fields {
	LOG_FIELDS_DEFAULT,
	LOG_FIELDS_ARTICLE, /* sc-bytes too: five trailing numbers */
};

/* Between the words of GetCACaps (RFC 8894 3.5.2 allows both). */
enum line_end { LINE_END_LF, LINE_END_CRLF };

/* Whose way of saying it: NDES's, or RFC 8894's to the letter. */
enum reply_profile { PROFILE_NDES, PROFILE_RFC8894 };
/* What a message gets that cannot be read; always HTTP 200. */
enum unreadable { UNREADABLE_GENERAL, UNREADABLE_EMPTY, UNREADABLE_CERT_REP };
/* In place of a value of the settings that a profile gives. */
#define AS_PROFILE (-1)
#define AS_REQUEST (-2)

/* What a request gets whose transaction has come to its end. */
enum repeat { REPEAT_NEW, REPEAT_SAME }; /* a certificate; or the same again */
enum queries { QUERIES_ANSWERED, QUERIES_REFUSED }; /* GetCert, GetCRL */
enum approval { APPROVAL_AUTOMATIC, APPROVAL_MANUAL };

/* What IIS asks of who comes to the admin site. */
enum authentication { AUTHENTICATION_NONE, AUTHENTICATION_BASIC };

/* Which enrolment passwords there are (ndes-facts 5.5, 11). */
enum challenge_mode {
	CHALLENGES_ONE_TIME,
	CHALLENGES_SINGLE, /* UseSinglePassword */
	CHALLENGES_STATIC, /* the one of the settings, nothing else */
	CHALLENGES_NONE,   /* EnforcePassword 0 */
};

/* Whether a device's packets come as far as the application proxy. */
enum device_network {
	DEVICE_REACHES,
	DEVICE_REFUSED, /* at connect(), or by a reset */
	DEVICE_SILENT,	/* nobody ever answers */
};
/* The application proxy (ndes-facts 6.7). */
enum service_state { SERVICE_RUNNING, SERVICE_STOPPED };
enum service_startup {
	STARTUP_AUTOMATIC,
	STARTUP_MANUAL,
	STARTUP_DISABLED,
};
enum external_url { EXTERNAL_URL_DEFAULT_DOMAIN, EXTERNAL_URL_WRONG };
enum back_end { BACK_END_REACHABLE, BACK_END_UNREACHABLE };

/* The queue of http.sys for the application pool. */
enum http_queue { HTTP_QUEUE_OPEN, HTTP_QUEUE_FULL };

/* What a URL gets that request filtering refuses (14.1, 4). */
enum too_long {
	TOO_LONG_ARTICLE,   /* 414 Request-URI Too Long */
	TOO_LONG_FILTERING, /* 404.14, 404.15 */
};

/* The application pool "SCEP" (ndes-facts 8). */
enum pool_state {
	POOL_STARTED,
	POOL_STOPPED,  /* by an administrator */
	POOL_DISABLED, /* by WAS: rapid-fail protection, or no identity */
};
enum pool_identity { /* the service account of NDES */
	IDENTITY_GOOD,
	IDENTITY_LOCKED,
	IDENTITY_PASSWORD_EXPIRED,
	IDENTITY_NO_LOGON_RIGHT, /* log on as a batch job, as a service */
};
/* What a bad identity looks like (14.1, 2). */
enum identity_failure { IDENTITY_FAILS_500, IDENTITY_FAILS_503 };
/* What a connector that cannot work does to the pool (14.1, 3). */
enum pool_failure { POOL_CRASHES, POOL_ANSWERS_500 };

/* What mscep.dll finds when it starts (12 C2, C3). */
enum mscep_registry { REGISTRY_CONSISTENT, REGISTRY_INCONSISTENT };
enum encrypted_password {
	ENCRYPTED_PASSWORD_GOOD,
	ENCRYPTED_PASSWORD_UNDECRYPTABLE,
	ENCRYPTED_PASSWORD_NOT_WRITABLE, /* single-password mode alone */
};
enum templates { TEMPLATES_RIGHT, TEMPLATES_WRONG };

/* How the policy module's VerifyRequest ends (12 B1 to B4). */
enum verify_request {
	VERIFY_REQUEST_WORKS,
	VERIFY_REQUEST_NAME_MISMATCH,	    /* TLS: 12175 */
	VERIFY_REQUEST_UNTRUSTED,	    /* 403.16 */
	VERIFY_REQUEST_NO_CLIENT_AUTH,	    /* 403.7 */
	VERIFY_REQUEST_SIGNING_CERTIFICATE, /* it is missing */
	VERIFY_REQUEST_TEMP_FOLDER,	    /* 500, and the pool crashes */
};
enum notify { NOTIFY_WORKS, NOTIFY_FAILS };
enum connector { CONNECTOR_OLD, CONNECTOR_NEW };

/* Whether intermediates come back into Trusted Root with each restart. */
enum group_policy {
	GROUP_POLICY_NONE,
	GROUP_POLICY_PUSHES,
	GROUP_POLICY_EXCLUDED,
};
/* Whether something can be got from where it lies. */
enum reachable { REACHABLE, UNREACHABLE };

/* TLS, before there is a request; enum server_certificate is in ca.h. */
enum tls_chain_sent { TLS_CHAIN_COMPLETE, TLS_CHAIN_INCOMPLETE };
enum tls_versions {
	TLS_VERSIONS_MODERN, /* 1.2 and 1.3 */
	TLS_VERSIONS_1_0,    /* this one and no other, and so on */
	TLS_VERSIONS_1_1,
	TLS_VERSIONS_1_2,
	TLS_VERSIONS_1_3,
};
enum client_certificate {
	CLIENT_CERTIFICATE_NONE,
	CLIENT_CERTIFICATE_ASKED,
	CLIENT_CERTIFICATE_REQUIRED, /* whichever it is */
};
enum handshake {
	HANDSHAKE_GOOD,
	HANDSHAKE_HANG,	 /* when the connection is accepted */
	HANDSHAKE_RESET, /* the same */
	HANDSHAKE_HANG_AFTER_HELLO,
	HANDSHAKE_RESET_AFTER_HELLO,
};

/* Room for texts of a state, NUL included. */
#define CHALLENGE_SIZE 129 /* of NDES's own: printable ASCII */
#define CAPABILITIES_SIZE 512
#define CONTENT_TYPE_SIZE 128
#define ADMIN_PASSWORD_SIZE 129
#define EXPECT_SIZE 256
#define STATUS_SIZE 24	    /* "403.16.2148204809" */
#define LOG_ADDRESS_SIZE 64 /* "fe80::f53d:89b8:c3e8:5fec%13" */
#define THUMBPRINT_SIZE 128 /* as an administrator has typed it */

#define RA_USUAL INT32_MIN /* as a word of the tables can be */

/*
 * The state of all layers: plain data, so that a copy is a snapshot; less
 * than STACK_STATE_MAX octets. The keys of `server:` in a scenario are the
 * names of these fields.
 */
#define STACK_STATE_MAX 8192
struct stack_state {
	enum windows windows;
	struct {
		enum device_network device;
	} network;
	struct {
		enum service_state connector_service;
		enum service_startup connector_startup;
		enum external_url external_url;
		enum back_end back_end;
		int64_t back_end_timeout; /* seconds; 0: none */
	} app_proxy;
	struct {
		int64_t max_field_length, max_request_bytes; /* octets */
		int64_t url_segment_max_length;		     /* characters */
		int64_t url_segment_max_count;
		enum http_queue queue;
		/* seconds: without a request, of a head, of a body */
		int64_t connection_timeout, header_wait, entity_body;
		bool require_content_length; /* chunked bodies get 411 */
	} http_sys;
	struct {
		enum error_pages error_pages;
		enum log_fields log_fields;
		bool x_powered_by;
		int64_t max_url, max_query_string; /* octets */
		int64_t max_allowed_content_length;
		enum too_long too_long;
		char status[STATUS_SIZE]; /* of every answer; empty: honest */
		bool impersonation_right; /* of IIS_IUSRS */
		struct {
			bool anonymous, windows; /* authentication */
		} certificate_registration;
		bool handlers_ordered; /* KB2800975 */
		/* What the IIS log shows; empty, 0: the truth. */
		char log_s_ip[LOG_ADDRESS_SIZE], log_c_ip[LOG_ADDRESS_SIZE];
		int64_t log_s_port;
	} iis;
	struct {
		enum pool_state state;
		bool start_with_server;
		enum pool_identity identity;
		enum identity_failure identity_failure;
		enum pool_failure failure;
		bool rapid_fail_protection;
		int64_t rapid_fail_max_crashes;
		int64_t rapid_fail_interval; /* seconds */
	} app_pool;
	struct {
		char capabilities[CAPABILITIES_SIZE]; /* one a line */
		enum line_end capabilities_separator;
		bool capabilities_final_newline;
		/* Empty: no such header. */
		char capabilities_content_type[CONTENT_TYPE_SIZE];
		struct {
			bool post, get, renewal;
			enum digest weakest_digest;
			enum cipher weakest_cipher;
		} accept; /* whatever the capabilities say */
		struct reply_settings {
			enum reply_profile profile;
			/* As their enums say, or AS_PROFILE, AS_REQUEST. */
			int digest, cipher;
			/* As their enums say, or AS_PROFILE. */
			int key_transport, content;
			int fail_info_text, microsoft_attributes; /* bool */
		} reply;
		int unreadable; /* enum unreadable, or AS_PROFILE */
		struct {
			bool subject_match; /* the old certificate's subject */
		} renewal;
		enum repeat repeat;
		enum queries queries;
		bool bom, odd_byte; /* of the admin site's pages */
		struct {
			enum authentication authentication;
			char user[USER_SIZE], password[ADMIN_PASSWORD_SIZE];
			bool permission; /* to enrol, of who asks */
		} admin;
		struct {
			enum challenge_mode mode;
			char password[CHALLENGE_SIZE]; /* single, static */
			int64_t length;	  /* octets; two digits each */
			int64_t validity; /* seconds */
			int64_t cache;	  /* unused passwords */
		} challenge;
		enum mscep_registry registry;
		enum encrypted_password encrypted_password;
		enum templates templates;
	} mscep;
	struct {
		bool installed;
		enum connector connector;
		/* As those of an RA, see below. */
		struct {
			int64_t not_before, not_after;
		} certificate;
		/* One that was requested later, not_after 0: none. */
		struct {
			int64_t not_before, not_after;
		} renewed;
		/* NDESCertThumbprint; empty: that of `certificate`. */
		char thumbprint[THUMBPRINT_SIZE];
		enum verify_request verify_request;
		enum notify notify;
		struct {
			/* Globs, fnmatch(3); empty: whatever it is. */
			char subject[EXPECT_SIZE], san[EXPECT_SIZE];
			char challenge[EXPECT_SIZE];
			char eku[EXPECT_SIZE]; /* OIDs in digits, one a line */
			int64_t key_size;      /* bits at least, of RSA */
		} expect;
	} policy_module;
	struct {
		/*
		 * Of the certificates: seconds from the moment when the site
		 * was opened on, or RA_USUAL.
		 */
		struct ra_settings {
			int64_t not_before, not_after;
			int key_usage;	   /* enum ra_usage */
			bool key_readable; /* by the service account */
		} signing, encryption;
	} ra;
	struct {
		int64_t intermediates_in_root; /* how many */
		enum group_policy group_policy;
		enum reachable crl_urls; /* of the connector's certificates */
		bool capi2_log;		 /* it is enabled */
	} certificates;
	struct {
		/*
		 * -1: as in the key set; from 0: rsa-2048, rsa-3072, rsa-4096,
		 * ec-p256, ec-p384.
		 */
		int key;
		int64_t tiers; /* of CAs: 1 is a root that issues */
		enum approval approval;
		int64_t pending_lifetime; /* seconds */
		int64_t rollover_after;	  /* seconds of a site; 0: never */
		int64_t crl_lifetime;	  /* seconds */
		int64_t minimum_key_size; /* bits, of an RSA key */
		int64_t subject_max;	  /* octets of the DER Name */
		bool online;
		bool template_published;
		enum reachable crl;  /* of the CA itself */
		bool grants_request; /* "Request Certificates", to NDES */
	} ca;
	struct {
		enum server_certificate certificate;
		enum tls_chain_sent chain;
		enum tls_versions versions;
		enum client_certificate client_certificate;
		enum handshake handshake;
	} tls;
};

/* Everything as in a deployment that works. */
void stack_healthy(struct stack_state *);
/*
 * Whether a client that does as RFC 8894 and the capabilities tell it gets its
 * certificate. If not, `why` (or NULL) begins with the key that is to blame, if
 * it is one. Without credentials nothing is said of certificates.
 */
bool stack_is_healthy(const struct stack_state *, const struct credentials *,
    int64_t now, struct error *why);

const char *windows_server_header(enum windows); /* of IIS */
int windows_build(enum windows);

/*
 * The layers, outermost first: each may answer, and what it leaves as events
 * goes into the exchange. Those below that say when the state was not always
 * so.
 */
/* What happened to a state before anybody came: its events, oldest first. */
struct stack_past {
	const struct stack_state *state;
	struct event *events; /* for events_free() */
};
void stack_past(struct stack_past *);

/* The network: silence, or a reset; no log has a line. */
void network_pass(struct exchange *, const struct stack_state *);
/* Whether connect() on a port of its own is refused. */
bool network_refuses(const struct stack_state *);
/* The application proxy: stopped, unable to reach NDES, wrong URL. */
void app_proxy_pass(struct exchange *, const struct stack_state *);
/*
 * On the way up, whoever has answered: an answer that comes later than the
 * proxy waits becomes its page (true), and the verdict, with all that the logs
 * of the server say, stays.
 */
bool app_proxy_pass_answer(struct exchange *, const struct stack_state *);

/*
 * The application pool, and its worker process (ndes-facts 8). A process dies
 * with all exchanges in it; too many deaths disable the pool.
 */
#define RAPID_FAIL_MOST 100 /* of rapid_fail_max_crashes */
/* Not thread-safe: the site's lock. Zeroed: nothing has happened. */
struct pool_worker {
	uint64_t process;		 /* the one of now: they are counted */
	uint64_t died;			 /* those before this one are dead */
	bool told_identity;		 /* that there is no identity */
	int64_t deaths[RAPID_FAIL_MOST]; /* site's time, oldest first */
	size_t count;
};
/* Whether it is started and has an identity. */
bool app_pool_runs(const struct stack_state *);
/* 503, unless it runs; of NDES's paths alone. */
void app_pool_pass(struct exchange *, const struct stack_state *);
/* Whether that was for want of an identity; what WAS says of it, once. */
bool app_pool_lacks_identity(const struct exchange *);
void app_pool_tell_identity(struct exchange *);
/*
 * Whether the connector cannot work, so that no request to mscep.dll is
 * answered; and why. `elapsed`: since the site's opening.
 */
bool app_pool_is_broken(const struct stack_state *, int64_t elapsed,
    struct error *why);
/* Whether the process dies of every request that reaches mscep.dll; of what. */
bool app_pool_would_crash(const struct stack_state *, int64_t elapsed,
    struct error *why);
/*
 * On the way to mscep.dll: an exchange that the process would die of is marked
 * so; or it gets 500, if that is how the settings have it.
 */
void app_pool_enter(struct exchange *, const struct stack_state *,
    int64_t elapsed);
/* What the death of a process leaves, as far as it has to do with its cause. */
void app_pool_tell_crash(struct event **, const struct stack_state *,
    int64_t elapsed, uint64_t process);
/* It is dead. True: WAS disables the pool, which has its event. */
bool app_pool_die(struct pool_worker *, const struct stack_state *, int64_t at,
    struct event **);
/* What any exchange gets that was in the process: nothing at all. */
void app_pool_drop(struct exchange *);
/* Whether what it was answered has come from a process. */
bool app_pool_has_answered(const struct exchange *);
/* The windows process id of a worker process, as events show it. */
unsigned app_pool_process_id(uint64_t process);
/* Started anew by an administrator: no deaths are held against it. */
void app_pool_restart(struct pool_worker *);

/*
 * mscep.dll: 500, unless it can start. Without credentials nothing is said of
 * the certificates of the RAs.
 */
void mscep_pass(struct exchange *, const struct stack_state *,
    const struct credentials *);
/*
 * Whether the RAs have certificates that are good at that time. The reason says
 * which one has not; NULL credentials are good.
 */
bool mscep_has_ras(const struct credentials *, int64_t now, struct error *why);

/*
 * The certificates of the policy module; there may be a second one, which was
 * requested later. Nobody signs them: they are talked about.
 */
#define POLICY_CERTIFICATES 2
#define POLICY_THUMBPRINT_SIZE 41 /* lower-case hex */
struct policy_certificate {
	char thumbprint[POLICY_THUMBPRINT_SIZE];
	int64_t not_before, not_after; /* seconds since the site's opening */
};
size_t policy_module_certificates(const struct stack_state *,
    struct policy_certificate out[POLICY_CERTIFICATES]);
/* NDESCertThumbprint, as the registry has it. */
const char *policy_module_thumbprint(const struct stack_state *,
    char out[THUMBPRINT_SIZE]);
/* Whether the one that the registry names, to the letter, is there and good. */
bool policy_module_certificate_is_good(const struct stack_state *,
    int64_t elapsed, struct error *why);
/* Whether it is the first one. */
bool policy_module_shows_first(const struct stack_state *);
/* Whether VerifyRequest does not work, and why, or NULL. */
bool policy_module_cannot_verify(const struct stack_state *, struct error *why);

/*
 * The application proxy (ndes-facts 6.7). The sentences are [C]; markup and
 * headers are unknown, these are synthetic and say so.
 */
enum app_proxy_page {
	APP_PROXY_GATEWAY_TIMEOUT,
	APP_PROXY_NO_CONNECTORS,
	APP_PROXY_BAD_GATEWAY,
	APP_PROXY_FORBIDDEN,
	APP_PROXY_CONNECTOR_ERROR,
};
void app_proxy_answer(struct exchange *, enum app_proxy_page);
/* The first page of this status; if there is none, an assumed one. */
void app_proxy_answer_status(struct exchange *, int status);
/* A body with its type, or NULL; takes it. */
void app_proxy_send(struct exchange *, int status, const char *content_type,
    struct blob body);

/* http.sys: the kernel's own answers (ndes-facts 6.6). */
enum http_sys_refusal {
	HTTP_SYS_SERVICE_UNAVAILABLE, /* the pool is off: WAS disabled it */
	HTTP_SYS_DISABLED,	      /* an administrator has stopped it */
	HTTP_SYS_CONNECTION_LIMIT,
	HTTP_SYS_QUEUE_FULL,
	HTTP_SYS_URL_TOO_LONG,
	HTTP_SYS_FIELD_TOO_LONG,
	HTTP_SYS_REQUEST_TOO_LONG,
	HTTP_SYS_INVALID_URL,
	HTTP_SYS_INVALID_VERB,
	HTTP_SYS_INVALID_HOSTNAME,
	HTTP_SYS_NOT_FOUND,
	HTTP_SYS_LENGTH_REQUIRED,
	HTTP_SYS_BAD_REQUEST,
	HTTP_SYS_BAD_ENCODING,
};
void http_sys_answer(struct exchange *, enum http_sys_refusal);
/* The page of this status; if there is none, an assumed one. */
void http_sys_answer_status(struct exchange *, int status);
/* A body with its type, or NULL; takes it. `reason` as in a verdict. */
void http_sys_send(struct exchange *, int status, const char *reason,
    const char *content_type, struct blob body);
/* The s-reason that fits a status, or NULL. */
const char *http_sys_reason(int status);
/* Closes without a word; `reason` is for the HTTPERR log, static. */
void http_sys_drop(struct exchange *, const char *reason);
void http_sys_pass(struct exchange *, const struct stack_state *);

/*
 * What is odd or wrong in a request to mscep.dll, to whichever layer it came;
 * of other requests nothing. To be called when the body is there, or never
 * comes.
 */
void http_find(const struct request *, const struct stack_state *,
    struct findings *out);
/* The table of all that can be found; row 0 is none. NULL: no count. */
const struct finding *http_findings(size_t *count);

/* Where a path of the web site leads. */
enum place {
	PLACE_NOWHERE,
	PLACE_MSCEP,	/* the service */
	PLACE_ADMIN,	/* /certsrv/mscep_admin/ */
	PLACE_REDIRECT, /* a folder without its slash */
	PLACE_ADMIN_REDIRECT,
};
/* IIS: request filtering, paths, error pages. */
enum place iis_place(const struct request *);
void iis_pass(struct exchange *, const struct stack_state *);
/* As the setting iis.status has it, and as the IIS log shows it. */
struct iis_status {
	int status, substatus;
	uint32_t win32;
};
/* "401.2", "500.0.1346"; -1 also of an empty one. */
int iis_read_status(const char *, struct iis_status *out, struct error *);
/* After the body: too large, or no room for it. */
void iis_pass_body(struct exchange *, const struct stack_state *);
/* An error page of this form, if IIS has one for the status. */
enum iis_form {
	IIS_FORM_SET, /* as the settings want it */
	IIS_FORM_STATIC,
	IIS_FORM_DETAILED,
	IIS_FORM_PLAIN, /* a line */
};
void iis_answer_form(struct exchange *, const struct stack_state *,
    enum iis_form, enum layer, int status, int substatus, uint32_t win32);
/* An error page as the settings want it. */
void iis_answer(struct exchange *, const struct stack_state *, enum layer,
    int status, int substatus, uint32_t win32);
void iis_redirect_to_folder(struct exchange *, const struct stack_state *);
/* The body that goes with a Location. */
#define IIS_MOVED_TYPE "text/html; charset=UTF-8"
void iis_build_moved(const char *url, struct blob *out);
/* A body with its type; takes it. Adds the headers that IIS adds. */
void iis_send(struct exchange *, const struct stack_state *,
    const char *content_type, struct blob body);

/* What a scenario orders, in place of whatever was answered before. */
void stack_answer_ordered(struct exchange *, const struct stack_state *,
    const struct ordered_answer *);

/* The admin site: answers 401 to whom it does not know. */
void authentication_pass(struct exchange *, const struct stack_state *);
/* The header of a 401. */
void authentication_offer(struct exchange *, const struct stack_state *);
/* The text of others: nothing of it becomes markup. */
void iis_add_escaped(struct buffer *, const char *text);

#define MSCEP_EVENT_SOURCE "Microsoft-Windows-NetworkDeviceEnrollmentService"

/* mscep.dll: which operation, and the answers without a request inside. */
enum operation {
	OPERATION_NONE,
	OPERATION_UNKNOWN,
	OPERATION_GET_CA_CAPS,
	OPERATION_GET_CA_CERT,
	OPERATION_GET_NEXT_CA,
	OPERATION_PKI,
};
/*
 * The first of each in a query; `data` NULL: none. Names without regard to
 * case and in any order is assumed (1.7).
 */
struct mscep_parameters {
	struct span operation, message;
	bool message_first;
};
struct mscep_parameters mscep_read_parameters(struct span query);
enum operation mscep_operation_by_name(struct span);
enum operation mscep_operation(const struct request *);
const char *mscep_operation_name(enum operation);
/* Whether there is one, sent in a way that is accepted. */
bool mscep_has_message(const struct stack_state *, const struct request *);
/* The pkiMessage: the body of a POST, else `message=`. -1: neither. */
int mscep_message(const struct request *, struct blob *decoded,
    struct span *out);
/* What GetCACert answers: both RAs and the CA, in this order. */
int mscep_ca_certs(const struct credentials *, struct blob *out);
void mscep_plan_caps(const struct stack_state *, struct scep_caps *);
void mscep_answer_caps(struct exchange *, const struct stack_state *,
    const struct scep_caps *);
void mscep_answer_ca_cert(struct exchange *, const struct stack_state *,
    struct span ca_certs);
void mscep_answer_ca_certs_plan(struct exchange *, const struct stack_state *,
    const struct ca_certs_plan *);
/* The certificates of the CA after the rollover, signed by the one before. */
void mscep_answer_next_ca(struct exchange *, const struct stack_state *,
    const struct credentials *, const struct credentials *next);
/* The page for browsers: "allows you to obtain certificates ...". */
void mscep_answer_general(struct exchange *, const struct stack_state *);
/* PKIOperation without a message: the general page and an event. */
void mscep_answer_no_message(struct exchange *, const struct stack_state *);
/* What the settings say of a message that cannot be read. */
enum unreadable mscep_unreadable(const struct stack_state *);
/* No CertRep: HTTP 200, the general page or nothing, and an event. */
void mscep_answer_unreadable(struct exchange *, const struct stack_state *,
    enum scep_flaw);
/* Sends a CertRep. */
void mscep_answer_cert_rep(struct exchange *, const struct stack_state *,
    const struct scep_reply *, struct blob der);
/* How a CertRep is said: the settings, and what was asked with. */
struct reply_form {
	enum digest digest;
	enum cipher cipher;
	enum key_transport transport;
	enum scep_content content;
	bool fail_info_text;
	bool microsoft; /* .311.21.33 and .311.21.38 */
};
struct reply_form mscep_reply_form(const struct stack_state *,
    enum digest asked, enum cipher asked_cipher);

/* Why the answer is FAILURE. */
enum refusal {
	REFUSAL_NONE,
	REFUSAL_WRONG_CHALLENGE,
	REFUSAL_USED_CHALLENGE,
	REFUSAL_EXPIRED_CHALLENGE,
	REFUSAL_NO_CHALLENGE,
	/* The message. */
	REFUSAL_UNREADABLE,    /* no SignedData */
	REFUSAL_NO_INFO,       /* no type, transactionID or signer */
	REFUSAL_UNDECRYPTABLE, /* the envelope is not for us, or broken */
	REFUSAL_BAD_SIGNATURE,
	REFUSAL_BAD_ALGORITHM, /* unknown, or weaker than accepted */
	REFUSAL_BAD_CSR,
	REFUSAL_BAD_PROOF,
	REFUSAL_UNKNOWN_TYPE,
	/* The policy module and the CA. */
	REFUSAL_VERIFY_UNSENT,	  /* it did not reach the connector */
	REFUSAL_VERIFY_FORBIDDEN, /* VerifyRequest got a 403 */
	REFUSAL_VERIFY_FALSE,	  /* whatever the challenge is */
	REFUSAL_EXPECTATION,
	REFUSAL_CA_OFFLINE,
	REFUSAL_CA_ACCESS, /* NDES may not request certificates */
	REFUSAL_CA_REVOCATION,
	REFUSAL_TEMPLATE,
	REFUSAL_KEY_SIZE,
	REFUSAL_SUBJECT,
	REFUSAL_CA_FAILED,
	/* Renewal. */
	REFUSAL_RENEWAL_OFF,
	REFUSAL_RENEWAL_SIGNER, /* not signed by a certificate of this CA */
	REFUSAL_RENEWAL_EXPIRED,
	REFUSAL_RENEWAL_REVOKED,
	REFUSAL_RENEWAL_SUBJECT,
	/* Requests that wait. */
	REFUSAL_UNKNOWN_TRANSACTION,
	REFUSAL_TRANSACTION_KEY, /* it is open, with another key */
	REFUSAL_DENIED,
	REFUSAL_PENDING_EXPIRED,
	REFUSAL_TOO_MANY_PENDING,
	/* GetCert and GetCRL. */
	REFUSAL_QUERIES_OFF,
	REFUSAL_BAD_QUERY,
	REFUSAL_UNKNOWN_CERT,
	REFUSAL_UNKNOWN_ISSUER,
	REFUSAL_COUNT,
};
/*
 * Fills status, failInfo and, if the form has them, Microsoft's attributes;
 * leaves the event. Returns the words for failInfoText, static.
 */
const char *mscep_refuse(struct exchange *, const struct stack_state *,
    enum refusal, struct scep_reply *);
/* Only the event. */
void mscep_leave_event(struct exchange *, const struct stack_state *,
    enum refusal);

/* The algorithms of a request: weaker than what is accepted? */
enum refusal mscep_judge_algorithms(const struct stack_state *, enum digest,
    enum cipher);

/*
 * The CA: whether it can be asked, and its policy, by which it denies although
 * NDES asks. The reason names the setting.
 */
enum refusal ca_judge(const struct stack_state *, const struct scep_csr *,
    struct error *why);
/* Whether it can be asked at all; GetCACert needs no CA (1.6). */
enum refusal ca_reach(const struct stack_state *, struct error *why);
/* Whether the CA itself has denied, which it leaves an event of. */
bool ca_has_denied(const struct stack_state *, enum refusal);
void ca_leave_event(struct exchange *, const struct stack_state *, enum refusal,
    uint32_t request);

/* Policy module: it forbids browsing, which is how health looks [C]. */
void policy_module_pass(struct exchange *, const struct stack_state *);
/*
 * As VerifyRequest: whether a request holds what is expected, if the module
 * is installed. The reason names the setting. The challenge of a renewal is not
 * looked at (3.6 [C]).
 */
enum refusal policy_module_judge(const struct stack_state *,
    const struct scep_csr *, bool renews, struct error *why);
/* The lines of its own log that it begins VerifyRequest with. */
void policy_module_begin_call(struct exchange *);
/*
 * The calls of the policy module, where it is installed, for a request with a
 * challenge that is looked at. First VerifyRequest: a refusal if there is no
 * verdict to come; `dies`: the worker process with it. Then the verdict, once
 * challenge and expectations are judged. At last Notify.
 */
enum refusal policy_module_call(struct exchange *, const struct stack_state *,
    struct error *why, bool *dies);
void policy_module_answered(struct exchange *, const struct stack_state *,
    enum refusal);
void policy_module_notify(struct exchange *, const struct stack_state *,
    enum scep_status disposition);

/*
 * Enrolment passwords. Of those that are good once there is a list of unused
 * ones, and a memory of those gone, to tell wrong, used and expired apart.
 * Not thread-safe: the site's lock.
 */
#define CHALLENGES_GONE 256
struct challenge {
	char *password; /* owned */
	int64_t expires;
	bool used;
};
struct challenge_list {
	struct challenge *unused;
	size_t count, room;
	struct challenge gone[CHALLENGES_GONE];
	size_t gone_next;
};
struct challenge_cache {
	struct challenge_list ndes; /* at most the setting `cache` */
	/* Made through the control API: the policy module alone knows them. */
	struct challenge_list outside;
	char single[CHALLENGE_SIZE]; /* empty: not made yet */
};
enum challenge_answer {
	CHALLENGE_MADE,
	CHALLENGE_LASTING,    /* single and static: no new one */
	CHALLENGE_NOT_NEEDED, /* none */
	CHALLENGE_CACHE_FULL,
	CHALLENGE_NO_PERMISSION,
	CHALLENGE_FAILED
};
/* What the admin site gives out, by the mode; `out` may be empty. */
enum challenge_answer challenge_make(struct challenge_cache *,
    const struct stack_state *, struct crypto *, int64_t now,
    char out[CHALLENGE_SIZE]);
/* Whether that uses up a place in NDES's cache. */
bool challenge_costs(const struct stack_state *);
/*
 * One more of `size` characters, as long as Intune's if need be; good once,
 * and as long as the others. The caller frees *out. CHALLENGE_CACHE_FULL:
 * CHALLENGES_OUTSIDE are unused.
 */
#define CHALLENGE_LONGEST 8192
#define CHALLENGES_OUTSIDE 10000
enum challenge_answer challenge_make_outside(struct challenge_cache *,
    const struct stack_state *, struct crypto *, size_t size, int64_t now,
    char **out);
/*
 * The policy module, where it is installed, knows NDES's passwords and those
 * from outside; without it there is NDES alone. REFUSAL_NONE: it is good;
 * with `spend`, it is used from now on.
 */
enum refusal challenge_judge(struct challenge_cache *,
    const struct stack_state *, const char *password, int64_t now, bool spend);
/*
 * iisreset: NDES's cache is memory [C] (5.5) and lost. The single password
 * stays, being in the registry [C]; so do those from outside.
 */
void challenge_restart(struct challenge_cache *);
void challenge_clear(struct challenge_cache *);

/* The page of /certsrv/mscep_admin/ for what challenge_make() said. */
void admin_page_answer(struct exchange *, const struct stack_state *,
    enum challenge_answer, const char *password, const char *thumbprint);
/* Head and foot of NDES's pages around `body` (HTML), in UTF-16LE. */
int admin_page_build(const struct stack_state *, const char *body,
    struct blob *out);

/*
 * Requests that wait for the CA's manager, and some that lately ended. What
 * ties a poll to its request is (transactionID, public key): some clients
 * have one transactionID for all they do. Not thread-safe: the site's lock.
 */
#define TRANSACTIONS_MAX 1000
#define TRANSACTIONS_OCTETS_MAX (32 << 20) /* of their PKCS#10 */
struct transaction {
	char *id;
	enum {
		TRANSACTION_WAITING,
		TRANSACTION_APPROVED, /* issued to who asks next */
		TRANSACTION_ISSUING,
		TRANSACTION_ISSUED,
		TRANSACTION_REFUSED,
	} state;
	enum refusal why;	  /* if refused */
	bool told;		  /* the client knows */
	struct blob csr;	  /* PKCS#10 */
	struct span key, subject; /* in csr */
	struct blob signer_key;	  /* SubjectPublicKeyInfo */
	struct blob certificate;  /* once issued */
	int64_t expires;	  /* unless it is decided before */
	UT_hash_handle hh;
};
struct transactions {
	struct transaction *by_id; /* in the order of arrival */
	size_t octets;
};

/* What a PKCSReq, RenewalReq or CertPoll means under its transactionID. */
struct ruling {
	enum ruling_kind {
		RULING_NEW,    /* to be judged; of a CertPoll never */
		RULING_WAIT,   /* PENDING */
		RULING_ISSUE,  /* now, for `csr`; then transaction_end() */
		RULING_AGAIN,  /* `certificate` */
		RULING_REFUSE, /* `why` */
	} kind;
	enum refusal why;
	struct blob csr, certificate; /* the caller's */
};
/* `hold`: nobody gets a certificate yet, who could have one waits. */
void transaction_ask(struct transactions *, const struct scep_request *,
    bool hold, int64_t now, struct ruling *);
/* The request waits from now on, for `lifetime` seconds at most. */
enum refusal transaction_hold(struct transactions *,
    const struct scep_request *, int64_t lifetime, int64_t now);
/* -1: no such request waits. */
int transaction_settle(struct transactions *, const char *id, bool approve,
    int64_t now);
/* Issued, or, without a certificate, failed. */
void transaction_end(struct transactions *, const char *id,
    struct span certificate);
void transactions_clear(struct transactions *);

/*
 * Actions: what an administrator can do, right or wrong. Some show at once;
 * others not before the pool, IIS or the server is started anew, or another
 * action was done.
 */
#define ACTION_ARGUMENTS_MAX 3
#define ACTION_TEXT_SIZE 64
#define ACTION_STEPS_MAX 4
struct action_argument {
	struct key key;	  /* a NUMBER, or a TEXT: one at most */
	int64_t standard; /* if it is not given; of a TEXT: ACTION_WANTED */
};
#define ACTION_STAYS INT64_MIN	      /* as it is */
#define ACTION_WANTED (INT64_MIN + 1) /* it must be given */
/* One time that it is done. */
struct action_call {
	int64_t elapsed; /* seconds since the site was opened */
	int64_t numbers[ACTION_ARGUMENTS_MAX];
	char text[ACTION_TEXT_SIZE];
};
struct action {
	const char *name, *title;
	const char *source; /* of what it does, and when */
	/* The actions after it without which it does not show, in order. */
	const char *waits_for[ACTION_STEPS_MAX + 1]; /* NULL ends them */
	/* What it is beside itself, and that may be another; or NULL. */
	const char *also;
	struct action_argument arguments[ACTION_ARGUMENTS_MAX];
	/* NULL: it only is what others wait for. */
	void (*apply)(struct stack_state *, const struct action_call *);
	/* Whether there is nothing to do, so that nothing comes of it. */
	bool (*idle)(const struct stack_state *); /* NULL: there always is */
};
/* Starts the application pool: all that NDES has read, it reads again. */
#define ACTION_START "start-app-pool"
#define ACTION_STOP "stop-app-pool"
/* The rows, from 0 on; NULL: no more. */
const struct action *action_at(size_t);
/* NULL: there is none; the error names the nearest. */
const struct action *action_find(const char *name, struct error *);
/* Whether it is the one of this name, or is that as well. */
bool action_does(const struct action *, const char *name);
bool action_is_idle(const struct action *, const struct stack_state *);
/* Arguments as "NAME=VALUE". */
int action_read(const struct action *, const char *const *texts, size_t count,
    struct action_call *, struct error *);

/*
 * What was done and does not show yet, in the order in which it was done. Each
 * action is there once at most, so this is how many there can be that wait.
 */
#define ACTION_WAITS_MAX 24
struct action_waits {
	struct waiting_action {
		const struct action *action;
		struct action_call call;
		size_t step; /* of its waits_for, which is the next */
	} list[ACTION_WAITS_MAX];
	size_t count;
};
struct action_steps {
	const char *names[ACTION_STEPS_MAX];
	size_t count;
};
/*
 * Does it: what shows now, of this and of those before, goes into the state.
 * `out` is what this one, or those that it has brought on, still wait for.
 * Doing what waits already takes its place.
 */
void action_do(const struct action *, const struct action_call *,
    struct stack_state *, struct action_waits *, struct action_steps *out);
/*
 * As an administrator finds it set: with all that only waits for a start of the
 * pool, IIS or the server, and not for another deed.
 */
void action_configured(const struct stack_state *, const struct action_waits *,
    struct stack_state *out);

#endif
