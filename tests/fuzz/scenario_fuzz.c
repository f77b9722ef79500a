/* A scenario file; lines "--set ..." at its end are --sets. */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "scenario/scenario.h"

#define SET "\n--set "
#define SETS_MAX 16

/* Cuts `text` into the file and the sets. */
static size_t
cut(char *text, const char *sets[SETS_MAX])
{
	size_t count = 0;
	char *at = text;

	while (count < SETS_MAX && (at = strstr(at, SET)) != NULL) {
		*at = '\0';
		sets[count++] = at += strlen(SET);
	}
	return count;
}

/* What the rest of the server takes for granted of a state. */
static void
check_state(const struct stack_state *s)
{
	REQUIRE(memchr(s->mscep.capabilities, 0, CAPABILITIES_SIZE) != NULL);
	REQUIRE(memchr(s->mscep.capabilities_content_type, 0,
		    CONTENT_TYPE_SIZE) != NULL);
	REQUIRE(memchr(s->mscep.challenge.password, 0, CHALLENGE_SIZE) != NULL);
	REQUIRE(memchr(s->mscep.admin.user, 0, USER_SIZE) != NULL);
	REQUIRE(
	    memchr(s->mscep.admin.password, 0, ADMIN_PASSWORD_SIZE) != NULL);
	REQUIRE(memchr(s->policy_module.expect.eku, 0, EXPECT_SIZE) != NULL);
	REQUIRE(s->mscep.challenge.mode != CHALLENGES_STATIC ||
	    s->mscep.challenge.password[0] != '\0');
	REQUIRE(mscep_reply_form(s, DIGEST_COUNT, CIPHER_COUNT).digest <
	    DIGEST_COUNT);
	REQUIRE(mscep_reply_form(s, DIGEST_COUNT, CIPHER_COUNT).cipher <
	    CIPHER_COUNT);
	REQUIRE(windows_build(s->windows) > 0);
	REQUIRE(s->iis.error_pages <= PAGES_REMOTE);
	REQUIRE(s->iis.log_fields <= LOG_FIELDS_ARTICLE);
	REQUIRE(s->mscep.challenge.length > 0 &&
	    s->mscep.challenge.length * 2 < CHALLENGE_SIZE);
	REQUIRE(s->http_sys.connection_timeout > 0);
	REQUIRE(s->http_sys.header_wait > 0 && s->http_sys.entity_body > 0);
	REQUIRE(s->http_sys.max_field_length > 0);
	REQUIRE(s->iis.max_allowed_content_length >= 0);
}

/* As its key promises it. */
static void
check_value(const struct key *key, const struct value *v)
{
	bool has_texts = key->type == VALUE_TEXTS || key->type == VALUE_OIDS ||
	    key->type == VALUE_PAIRS;
	bool has_numbers = key->type == VALUE_WORDS ||
	    key->type == VALUE_NUMBERS || key->type == VALUE_STATUS ||
	    key->type == VALUE_PERIOD;

	REQUIRE(v->at.line > 0 && strcmp(v->at.file, "fuzz.yaml") == 0);
	REQUIRE((v->texts != NULL) == has_texts);
	REQUIRE((v->numbers != NULL) == has_numbers);
	for (size_t i = 0; i < v->count; i++)
		REQUIRE(has_numbers || strlen(v->texts[i]) < 8192);
	if (v->text != NULL)
		REQUIRE(v->text[v->length] == '\0');
	if (key->type == VALUE_STATUS)
		REQUIRE(v->count == 3 && v->numbers[0] >= 100);
	if (key->type == VALUE_PERIOD)
		REQUIRE(v->count == 2 && v->numbers[0] < v->numbers[1]);
	if (key->type == VALUE_FRACTION)
		REQUIRE(v->number >= 0 && v->number <= 1000000);
	if ((key->type == VALUE_NUMBER || key->type == VALUE_DURATION) &&
	    !v->is_word)
		REQUIRE(v->number >= key->min && v->number <= key->max);
	if (v->is_percent)
		REQUIRE(v->number >= 0 && v->number <= 100);
}

static void
check_faults(const struct faults *f)
{
	struct fault_counters *counters = fault_counters_new(f);

	REQUIRE(counters != NULL);
	fault_counters_free(counters);
	REQUIRE(f->count <= FAULT_RULES_MAX);
	for (size_t r = 0; r < f->count; r++) {
		const struct fault_rule *rule = &f->rules[r];

		for (size_t i = 0; i < rule->test_count; i++)
			check_value(&rule->tests[i].kind->key,
			    &rule->tests[i].value);
		for (size_t i = 0; i < rule->edit_count; i++)
			check_value(&rule->edits[i].kind->key,
			    &rule->edits[i].value);
		REQUIRE((rule->stages & ~f->stages) == 0);
		REQUIRE(!rule->needs_message || f->needs_message);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = span_dup_text(span_of(data, size)), lines[8192];
	const char *list[SETS_MAX];
	const struct scenario_options sets = { list, cut(text, list), NULL };
	/* Without sets, as it is: a NUL may be in it. */
	struct span yaml = sets.set_count == 0 ? span_of(data, size) :
						 span_text(text);
	const struct scenario_text from = { yaml, "fuzz.yaml", NULL };
	struct errors errors = { 0 };
	struct scenario *s;
	int ret = scenario_parse(&from, &sets, &s, &errors);

	REQUIRE((ret == 0) == (s != NULL));
	REQUIRE((ret == 0) == (errors.count == 0));
	REQUIRE(errors_print(&errors, lines, sizeof(lines)) == lines);
	errors_clear(&errors);
	if (ret == 0) {
		REQUIRE(s->name != NULL);
		check_state(&s->state);
		check_faults(&s->faults);
	}
	scenario_free(s);
	free(text);
	return 0;
}
