/* moment - times and spans as people read them (inside.h). */
#include "site/inside.h"

#include <inttypes.h>

#include "base/clock.h"

#define SECOND_US INT64_C(1000000)
#define MINUTE (INT64_C(60))
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

struct str moment_span(struct arena *a, int64_t us)
{
	int64_t s = us < 0 ? 0 : us / SECOND_US;

	if (s < MINUTE)
		return arena_fmt(a, "%d s", (int)s);
	if (s < HOUR)
		return arena_fmt(a, "%d min", (int)(s / MINUTE));
	if (s < 2 * DAY)
		return arena_fmt(a, "%d h %d min", (int)(s / HOUR), (int)(s % HOUR / MINUTE));
	return arena_fmt(a, "%" PRId64 " days", s / DAY);
}

/* "2026-11-21T18:32:07.123456Z" without its fraction. */
struct str moment_text(struct arena *a, int64_t wall_us)
{
	struct str whole;
	struct buf b;

	buf_in(&b, a, 64);
	clock_write_rfc3339(&b, wall_us);
	whole = buf_str(&b);
	return arena_fmt(
		a, "%.*s %.*s UTC", STR_ARG(str_sub(whole, 0, 10)), STR_ARG(str_sub(whole, 11, 8)));
}
