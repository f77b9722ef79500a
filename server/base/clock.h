/*
 * Time of a site: the machine's clock plus an offset that can be advanced,
 * so that no test sleeps to see something expire. Seconds since 1970, UTC.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

struct clock {
	_Atomic int64_t offset; /* seconds ahead of the machine */
};

int64_t clock_now(const struct clock *);
void clock_advance(struct clock *, int64_t seconds);
/* Back to that of the machine. */
void clock_reset(struct clock *);

/* Milliseconds that only ever grow; for durations, not for dates. */
int64_t clock_ticks_ms(void);

/* "Mon, 29 Apr 2013 09:15:51 GMT" (RFC 9110 5.6.7); out holds 30 bytes. */
#define CLOCK_HTTP_SIZE 30
char *clock_http_date(int64_t at, char out[CLOCK_HTTP_SIZE]);

/* Calendar fields in UTC; years beyond 9999 and before 0 are clamped. */
struct tm clock_utc(int64_t at);

#endif
