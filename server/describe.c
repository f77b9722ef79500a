/* What can be told without a server: the language and its scenarios. */
#include "mockndes.h"

#include <stdlib.h>
#include <string.h>

#include "scenario/scenario.h"

struct question {
	const char *name;
	struct scenario_options options;
	struct errors *errors;
};

static char *
tell_list(const struct question *q)
{
	return scenario_list(&q->options, false, q->errors);
}

static char *
tell_json(const struct question *q)
{
	return scenario_list(&q->options, true, q->errors);
}

static char *
tell_scenario(const struct question *q)
{
	struct blob yaml;
	char *text;

	if (scenario_source(q->name == NULL ? "" : q->name, &q->options, &yaml,
		q->errors) == -1)
		return NULL;
	text = span_dup_text(blob_span(&yaml));
	blob_free(&yaml);
	return text;
}

static char *
tell_faults(const struct question *q)
{
	(void)q;
	return scenario_faults_text();
}

static char *
tell_actions(const struct question *q)
{
	(void)q;
	return scenario_actions_text();
}

static char *
tell_schema(const struct question *q)
{
	(void)q;
	return scenario_json_schema();
}

static char *
tell_manual(const struct question *q)
{
	(void)q;
	return scenario_manual();
}

static const struct topic {
	char *(*tell)(const struct question *);
	const char *content_type;
} topics[] = {
	[MOCKNDES_SCENARIOS] = { tell_list, "text/plain" },
	[MOCKNDES_SCENARIOS_JSON] = { tell_json, "application/json" },
	[MOCKNDES_SCENARIO] = { tell_scenario, "application/yaml" },
	[MOCKNDES_FAULTS] = { tell_faults, "text/plain" },
	[MOCKNDES_ACTIONS] = { tell_actions, "text/plain" },
	[MOCKNDES_SCHEMA] = { tell_schema, "application/schema+json" },
	[MOCKNDES_MANUAL] = { tell_manual, "text/troff" },
};

/* Takes the text; NULL: there was no memory for it. */
static int
reply_text(struct mockndes_reply *reply, const char *content_type, char *text)
{
	*reply = (struct mockndes_reply){ 0 };
	if (text == NULL)
		return -1;
	reply->status = 200;
	reply->content_type = content_type;
	reply->body = text;
	reply->length = strlen(text);
	return 0;
}

int
mockndes_describe(enum mockndes_topic topic, const char *name,
    const char *scenario_dir, struct mockndes_reply *reply, char *error)
{
	struct errors errors = { 0 };
	const struct question q = { .name = name,
		.options = { .dir = scenario_dir },
		.errors = &errors };
	int ret;

	ret = reply_text(reply, topics[topic].content_type,
	    topics[topic].tell(&q));
	if (ret == -1 && errors.count == 0)
		errors_at(&errors, NULL, "out of memory");
	if (ret == -1 && error != NULL)
		error_print(&errors.list[0], error, MOCKNDES_ERROR_SIZE);
	errors_clear(&errors);
	return ret;
}

int
mockndes_check(const char *scenario, const char *scenario_dir, char *error)
{
	const struct scenario_options options = { .dir = scenario_dir };
	struct errors errors = { 0 };
	struct scenario *loaded = NULL;
	int ret = scenario_load(scenario, &options, &loaded, &errors);

	if (ret == -1 && error != NULL)
		errors_print(&errors, error, MOCKNDES_ERROR_SIZE);
	errors_clear(&errors);
	scenario_free(loaded);
	return ret;
}
