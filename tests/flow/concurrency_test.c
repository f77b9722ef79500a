/* Many at once: devices, an administrator, new ports, whole instances. */
#include "support/test.h"

#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mockndes.h"
#include "support/device.h"
#include "support/files.h"
#include "support/server.h"
#include "support/tcp.h"

#define LASTING "lasting"
#define THREADS 8
#define ENROLMENTS 20 /* of each thread */
#define SERIAL_SIZE 48
#define ADVANCE_MAX 300 /* seconds: a certificate is back-dated by 600 */

/* Below, what threads use is static: they go on when a check has failed. */

static struct device device;

static int
make_device(void **state)
{
	(void)state;
	web_start();
	return device_make(&device) ? 0 : -1;
}

static int
clear_device(void **state)
{
	(void)state;
	device_clear(&device);
	return 0;
}

/* A thread that enrols again and again; how it went is read after its end. */
struct enroller {
	const char *url, *admin; /* admin: NULL: use LASTING */
	STACK_OF(X509) * ca_certs;
	pthread_t thread;
	int count;
	char serials[ENROLMENTS][SERIAL_SIZE];
	char why[200]; /* of the first failure */
};

static void
note_serial(struct enroller *e, const X509 *cert)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
	char *to = e->serials[e->count++];

	for (int i = 0; i < serial->length && i < (SERIAL_SIZE - 1) / 2; i++)
		to += sprintf(to, "%02x", serial->data[i]);
}

static void *
enrol_again_and_again(void *cls)
{
	char password[DEVICE_PASSWORD_SIZE] = LASTING;
	struct enroller *e = cls;
	struct device_answer answer;

	for (int i = 0; i < ENROLMENTS && e->why[0] == '\0'; i++) {
		if (e->admin != NULL && !device_password(e->admin, password)) {
			snprintf(e->why, sizeof(e->why), "no password");
			break;
		}
		if (!device_enrol(&device, e->url, password, e->ca_certs,
			&answer) ||
		    answer.certificate == NULL)
			snprintf(e->why, sizeof(e->why),
			    "\"%s\" pkiStatus %d failInfo %d", answer.why,
			    answer.pki_status, answer.fail_info);
		else
			note_serial(e, answer.certificate);
		device_answer_clear(&answer);
	}
	return NULL;
}

static void
start_enrollers(struct enroller *e, size_t count, const char *url,
    const char *admin, STACK_OF(X509) * ca_certs)
{
	for (size_t i = 0; i < count; i++) {
		e[i] = (struct enroller){ .url = url,
			.admin = admin,
			.ca_certs = ca_certs };
		assert_int_equal(pthread_create(&e[i].thread, NULL,
				     enrol_again_and_again, &e[i]),
		    0);
	}
}

static int
compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* All of them succeeded, and no serial number was given twice. */
static void
join_enrollers(struct enroller *e, size_t count)
{
	static char all[THREADS * ENROLMENTS][SERIAL_SIZE];
	size_t n = 0;

	assert_true(count <= THREADS);
	for (size_t i = 0; i < count; i++)
		pthread_join(e[i].thread, NULL);
	for (size_t i = 0; i < count; i++) {
		if (e[i].count != ENROLMENTS)
			fail_msg("thread %zu, enrolment %d: %s", i, e[i].count,
			    e[i].why);
		for (int j = 0; j < e[i].count; j++)
			memcpy(all[n++], e[i].serials[j], SERIAL_SIZE);
	}
	qsort(all, n, SERIAL_SIZE, compare);
	for (size_t i = 1; i < n; i++)
		assert_string_not_equal(all[i - 1], all[i]);
}

struct administrator {
	struct server *server;
	atomic_bool stop;
	atomic_int changes, failed;
};

static void *
change_scenario_and_clock(void *cls)
{
	static const char *const one[] = { "server.iis.error_pages=detailed",
		"server.mscep.capabilities=[POSTPKIOperation, AES]", NULL };
	static const char *const other[] = { "server.windows=2012r2", NULL };
	struct administrator *a = cls;

	for (int i = 0; !atomic_load(&a->stop); i++) {
		if (server_use_scenario(a->server, i % 2 ? one : other) != 0)
			atomic_fetch_add(&a->failed, 1);
		server_advance_clock(a->server,
		    i < 2 * ADVANCE_MAX ? i % 2 : 0);
		atomic_fetch_add(&a->changes, 1);
		poll(NULL, 0, 1);
	}
	return NULL;
}

static void *
open_ports(void *cls)
{
	struct administrator *a = cls;
	char base[HTTP_URL_SIZE];

	for (int i = 0; i < 20 && !atomic_load(&a->stop); i++) {
		if (server_listen(a->server, "127.0.0.1:0", base) != 0 ||
		    !tcp_is_served(base))
			atomic_fetch_add(&a->failed, 1);
		atomic_fetch_add(&a->changes, 1);
		poll(NULL, 0, 5);
	}
	return NULL;
}

static void
enrolments_succeed_whatever_is_changed_meanwhile(void **state)
{
	static struct enroller enrollers[THREADS];
	static struct administrator one, two;
	STACK_OF(X509) * ca_certs;
	pthread_t changes, ports;
	static struct server s;

	(void)state;
	server_start(&s, &(struct server_options){ .challenge = LASTING });
	ca_certs = device_ca_certs(s.url);
	one.server = two.server = &s;
	assert_int_equal(pthread_create(&changes, NULL,
			     change_scenario_and_clock, &one),
	    0);
	assert_int_equal(pthread_create(&ports, NULL, open_ports, &two), 0);
	start_enrollers(enrollers, THREADS, s.url, NULL, ca_certs);
	join_enrollers(enrollers, THREADS);
	atomic_store(&one.stop, true);
	atomic_store(&two.stop, true);
	pthread_join(changes, NULL);
	pthread_join(ports, NULL);
	assert_true(atomic_load(&one.changes) > 0);
	assert_true(atomic_load(&two.changes) > 0);
	assert_int_equal(atomic_load(&one.failed), 0);
	assert_int_equal(atomic_load(&two.failed), 0);
	device_ca_certs_free(ca_certs);
	server_stop(&s);
}

static void
each_of_many_gets_a_password_of_its_own(void **state)
{
	static const char *const room[] = { "server.mscep.challenge.cache=1000",
		NULL };
	static struct enroller enrollers[THREADS / 2];
	STACK_OF(X509) * ca_certs;
	struct server s;

	(void)state;
	server_start(&s, &(struct server_options){ .set = room });
	ca_certs = device_ca_certs(s.url);
	start_enrollers(enrollers, COUNT_OF(enrollers), s.url, s.admin,
	    ca_certs);
	join_enrollers(enrollers, COUNT_OF(enrollers));
	device_ca_certs_free(ca_certs);
	server_stop(&s);
}

struct spender {
	const struct server *server;
	STACK_OF(X509) * ca_certs;
	const char *password;
	pthread_t thread;
	struct device_answer answer;
};

static void *
spend(void *cls)
{
	struct spender *s = cls;

	device_enrol(&device, s->server->url, s->password, s->ca_certs,
	    &s->answer);
	return NULL;
}

static void
one_password_is_spent_by_one_of_many(void **state)
{
	char password[DEVICE_PASSWORD_SIZE];
	static struct spender spenders[THREADS];
	STACK_OF(X509) * ca_certs;
	static struct server s;
	int spent, used;

	(void)state;
	server_start(&s, NULL);
	ca_certs = device_ca_certs(s.url);
	for (int round = 0; round < 5; round++) {
		assert_true(device_password(s.admin, password));
		for (size_t i = 0; i < THREADS; i++) {
			spenders[i] = (struct spender){ .server = &s,
				.ca_certs = ca_certs,
				.password = password };
			assert_int_equal(pthread_create(&spenders[i].thread,
					     NULL, spend, &spenders[i]),
			    0);
		}
		spent = used = 0;
		for (size_t i = 0; i < THREADS; i++) {
			pthread_join(spenders[i].thread, NULL);
			spent += spenders[i].answer.pki_status == 0;
			used += spenders[i].answer.pki_status == 2 &&
			    spenders[i].answer.fail_info == 1;
			device_answer_clear(&spenders[i].answer);
		}
		assert_int_equal(spent, 1);
		assert_int_equal(used, THREADS - 1);
	}
	device_ca_certs_free(ca_certs);
	server_stop(&s);
}

static struct mockndes *
start_public(const char *challenge)
{
	struct mockndes_options options = MOCKNDES_OPTIONS_INIT;
	char keys[FILE_PATH_SIZE], error[MOCKNDES_ERROR_SIZE];
	struct mockndes *m;

	options.keys = path_in_source(keys, "tests/fixtures/keys");
	options.challenge = challenge;
	if (mockndes_start(&options, &m, error) != 0)
		fail_msg("%s", error);
	return m;
}

static void
two_instances_know_nothing_of_each_other(void **state)
{
	struct mockndes *m[] = { start_public(LASTING), start_public(NULL) };
	static struct enroller first[THREADS / 2], second[THREADS / 2];
	STACK_OF(X509) * ca_certs[2];
	char admin[256];
	struct device_answer answer;

	(void)state;
	for (size_t i = 0; i < 2; i++)
		ca_certs[i] = device_ca_certs(mockndes_url(m[i]));
	assert_int_not_equal(X509_cmp(device_ca(ca_certs[0]),
				 device_ca(ca_certs[1])),
	    0);
	snprintf(admin, sizeof(admin), "%.*s_admin/",
	    (int)(strlen(mockndes_url(m[1])) - strlen("/mscep.dll")),
	    mockndes_url(m[1]));
	start_enrollers(first, COUNT_OF(first), mockndes_url(m[0]), NULL,
	    ca_certs[0]);
	start_enrollers(second, COUNT_OF(second), mockndes_url(m[1]), admin,
	    ca_certs[1]);
	join_enrollers(first, COUNT_OF(first));
	join_enrollers(second, COUNT_OF(second));
	assert_true(device_enrol(&device, mockndes_url(m[1]), LASTING,
	    ca_certs[1], &answer));
	assert_int_equal(answer.pki_status, 2);
	mockndes_stop(m[0]);
	assert_true(tcp_is_served(mockndes_url(m[1])));
	mockndes_stop(m[1]);
	for (size_t i = 0; i < 2; i++)
		device_ca_certs_free(ca_certs[i]);
}

static int
entries(const char *path)
{
	DIR *dir = opendir(path);
	int count = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

static void
start_and_stop_leave_nothing_behind(void **state)
{
	int descriptors = entries("/proc/self/fd"), threads;
	struct mockndes *m;

	(void)state;
	/* A sanitizer may have threads of its own. */
	threads = entries("/proc/self/task");
	for (int i = 0; i < 20; i++) {
		m = start_public(NULL);
		assert_true(tcp_is_served(mockndes_url(m)));
		mockndes_stop(m);
	}
	assert_int_equal(entries("/proc/self/fd"), descriptors);
	assert_int_equal(entries("/proc/self/task"), threads);
}

/* One client that asks until it is cut off. */
static void *
ask_until_the_end(void *cls)
{
	static const char ask[] =
	    "POST /certsrv/mscep/mscep.dll?operation=PKIOperation HTTP/1.1\r\n"
	    "Host: ndes.example\r\nContent-Length: 4\r\n\r\ntext";
	int fd = *(int *)cls;
	struct answer a = { 0 };

	while (tcp_send_text(fd, ask) && answer_read(fd, true, &a))
		answer_clear(&a);
	answer_clear(&a);
	return NULL;
}

static void
stop_may_come_while_clients_go_on_asking(void **state)
{
	pthread_t threads[2];
	struct mockndes *m;
	int fds[2];

	(void)state;
	for (int round = 0; round < 20; round++) {
		m = start_public(NULL);
		for (size_t i = 0; i < COUNT_OF(fds); i++) {
			fds[i] = tcp_connect(mockndes_url(m));
			assert_int_equal(pthread_create(&threads[i], NULL,
					     ask_until_the_end, &fds[i]),
			    0);
		}
		assert_true(tcp_is_served(mockndes_url(m)));
		mockndes_stop(m);
		for (size_t i = 0; i < COUNT_OF(fds); i++) {
			pthread_join(threads[i], NULL);
			close(fds[i]);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    enrolments_succeed_whatever_is_changed_meanwhile),
		cmocka_unit_test(each_of_many_gets_a_password_of_its_own),
		cmocka_unit_test(one_password_is_spent_by_one_of_many),
		cmocka_unit_test(two_instances_know_nothing_of_each_other),
		cmocka_unit_test(start_and_stop_leave_nothing_behind),
		cmocka_unit_test(stop_may_come_while_clients_go_on_asking),
	};

	return cmocka_run_group_tests(tests, make_device, clear_device);
}
