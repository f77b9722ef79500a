#include <mockndes.h>
#include <stdio.h>

int
main(void)
{
	struct mockndes_options options = MOCKNDES_OPTIONS_INIT;
	char error[MOCKNDES_ERROR_SIZE];
	struct mockndes *server;

	if (mockndes_start(&options, &server, error) != 0) {
		puts(error);
		return 1;
	}
	puts(mockndes_url(server));
	mockndes_stop(server);
	return 0;
}
