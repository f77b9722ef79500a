#include "support/embedded.h"

#include "support/test.h"

#include <stdio.h>

#include "support/files.h"
#include "support/web.h"

struct mockndes *
embedded_start(int journal)
{
	struct mockndes_options options = MOCKNDES_OPTIONS_INIT;
	char keys[FILE_PATH_SIZE], error[MOCKNDES_ERROR_SIZE];
	struct mockndes *m;

	options.keys = path_in_source(keys, "tests/fixtures/keys");
	options.journal = journal;
	if (mockndes_start(&options, &m, error) != 0)
		fail_msg("%s", error);
	return m;
}

struct mockndes_site *
embedded_open(struct mockndes *m, const char *yaml)
{
	struct mockndes_site_options options = MOCKNDES_SITE_OPTIONS_INIT;
	char text[1024], error[MOCKNDES_ERROR_SIZE];
	struct mockndes_site *site;

	snprintf(text, sizeof(text), "mockndes: 1\nname: test\n%s",
	    yaml == NULL ? "" : yaml);
	options.yaml = yaml == NULL ? NULL : text;
	if (mockndes_open_site(m, &options, &site, error) != 0)
		fail_msg("%s", error);
	return site;
}

long
embedded_get(const char *url)
{
	struct web_reply reply;
	char whole[1024];
	long status;

	snprintf(whole, sizeof(whole), "%s?operation=GetCACaps", url);
	status = web_get(whole, &reply) ? reply.status : 0;
	web_reply_clear(&reply);
	return status;
}

struct mockndes_request *
embedded_next(struct mockndes_site *site, const char *operation)
{
	struct mockndes_request *request = mockndes_next_request(site,
	    operation, EMBEDDED_WAIT_MS);

	if (request == NULL)
		fail_msg("%s: no request came", mockndes_site_url(site));
	return request;
}
