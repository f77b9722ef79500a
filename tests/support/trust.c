#include "support/trust.h"

#include "support/child.h"
#include "support/test.h"

#define HERE "/etc/ssl/certs/ca-certificates.crt" /* libcurl's */

bool
trust_is_possible(void)
{
	const char *const argv[] = { "unshare", "-rm", "mount", "--bind", HERE,
		HERE, NULL };
	struct child_result said;
	bool possible;

	child_run(argv, NULL, &said);
	possible = said.status == 0;
	if (!possible)
		print_message("no mounts of our own, so that nobody can be "
			      "trusted by whole programs: %s",
		    (char *)said.err.data);
	child_result_clear(&said);
	return possible;
}

void
trust(const char *ca, const char *const argv[], const char *words[],
    size_t size)
{
	const char *const first[] = { "unshare", "-rm", "sh", "-c",
		"mount --bind \"$0\" " HERE " && exec \"$@\"", ca };
	size_t count = 0;

	for (size_t i = 0; ca != NULL && i < COUNT_OF(first); i++)
		words[count++] = first[i];
	for (; *argv != NULL; argv++) {
		assert_true(count < size - 1);
		words[count++] = *argv;
	}
	words[count] = NULL;
}
