/* What the manual calls the default of a key is what a server has. */
#include "unit/scenarios.h"

#include "scenario/tables.h"

#define KEYS_MAX 256

static void
all_defaults_make_a_healthy_server(void **state)
{
	const char *sets[KEYS_MAX] = { NULL };
	struct buffer texts[KEYS_MAX] = { { 0 } };
	struct scenario_options options = { .sets = sets };
	const struct server_key *row;
	struct stack_state healthy;
	struct scenario *s;

	(void)state;
	for (size_t i = 0; (row = server_key_at(i)) != NULL; i++) {
		assert_true(i < KEYS_MAX);
		buffer_printf(&texts[i], "server.%s=", row->key.name);
		assert_true(key_default(&row->key, &texts[i]));
		buffer_add_byte(&texts[i], '\0');
		assert_false(texts[i].failed);
		sets[options.set_count++] = (char *)texts[i].data;
	}
	assert_true(options.set_count > 0);
	/* From another state, so that each has to be set. */
	s = accept_all(SERVER "  windows: 2012\n  iis: {max_url: 1}\n"
			      "  mscep: {capabilities: [a], bom: true}\n"
			      "  ca: {rollover_after: 1d}\n",
	    &options);
	stack_healthy(&healthy);
	assert_memory_equal(&s->state, &healthy, sizeof(healthy));
	scenario_free(s);
	for (size_t i = 0; i < options.set_count; i++)
		buffer_free(&texts[i]);
}

static void
other_keys_have_none(void **state)
{
	const struct key key = { .name = "windows", .type = VALUE_BOOL };
	struct buffer out = { 0 };

	(void)state;
	assert_false(key_default(&key, &out));
	assert_int_equal(out.len, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_defaults_make_a_healthy_server),
		cmocka_unit_test(other_keys_have_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
