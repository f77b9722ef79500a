#include "base/clock.h"

#include <stdio.h>

#define YEAR_0000 (-62167219200LL)
#define YEAR_9999 253402300799LL

int64_t
clock_now(const struct clock *c)
{
	return (int64_t)time(NULL) + atomic_load(&c->offset);
}

void
clock_advance(struct clock *c, int64_t seconds)
{
	atomic_fetch_add(&c->offset, seconds);
}

void
clock_reset(struct clock *c)
{
	atomic_store(&c->offset, 0);
}

int64_t
clock_ticks_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct tm
clock_utc(int64_t at)
{
	time_t t = at < YEAR_0000 ? YEAR_0000 : at > YEAR_9999 ? YEAR_9999 : at;
	struct tm tm = { 0 };

	gmtime_r(&t, &tm);
	return tm;
}

char *
clock_http_date(int64_t at, char out[CLOCK_HTTP_SIZE])
{
	/* Not strftime(): names must not follow the embedder's locale. */
	static const char days[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu",
		"Fri", "Sat" };
	static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May",
		"Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	struct tm tm = clock_utc(at);

	snprintf(out, CLOCK_HTTP_SIZE, "%s, %02u %s %04u %02u:%02u:%02u GMT",
	    days[tm.tm_wday], (unsigned)tm.tm_mday % 100, months[tm.tm_mon],
	    (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)tm.tm_hour % 100,
	    (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
	return out;
}
