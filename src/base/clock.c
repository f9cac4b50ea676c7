/* clock - see clock.h. */
#include "base/clock.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

static uint64_t read_ns(clockid_t id)
{
	struct timespec t;

	bug_on(clock_gettime(id, &t) != 0);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t clock_mono_ns(void)
{
	return read_ns(CLOCK_MONOTONIC);
}

uint64_t clock_mono_ms(void)
{
	return clock_mono_ns() / 1000000u;
}

uint64_t clock_boot_ms(void)
{
	return read_ns(CLOCK_BOOTTIME) / 1000000u;
}

int64_t clock_wall_us(void)
{
	return (int64_t)(read_ns(CLOCK_REALTIME) / 1000u);
}

struct str clock_boot_id(struct arena *a)
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	char text[36];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text);

	if (fd >= 0)
		close(fd);
	return n == sizeof text ? arena_str(a, str_n(text, sizeof text)) : S("unknown");
}

/* RFC 3339 has four digits for the year. */
#define FIRST_SECOND ((int64_t)-62167219200)
#define LAST_SECOND ((int64_t)253402300799)

static char *put_digits(char *to, int n, int count)
{
	for (int i = count; i-- > 0; n /= 10)
		to[i] = (char)('0' + n % 10);
	return to + count;
}

/* By hand: every record has one, and printf takes longer than the rest of the line. */
void clock_write_rfc3339(struct buf *out, int64_t wall_us)
{
	int64_t second = wall_us / 1000000, us = wall_us % 1000000;
	char text[32], *to;
	time_t t;
	struct tm tm;

	if (us < 0) {
		us += 1000000;
		second--;
	}
	t = (time_t)MAX(MIN(second, LAST_SECOND), FIRST_SECOND);
	gmtime_r(&t, &tm);
	to = put_digits(text, tm.tm_year + 1900, 4);
	*to++ = '-';
	to = put_digits(to, tm.tm_mon + 1, 2);
	*to++ = '-';
	to = put_digits(to, tm.tm_mday, 2);
	*to++ = 'T';
	to = put_digits(to, tm.tm_hour, 2);
	*to++ = ':';
	to = put_digits(to, tm.tm_min, 2);
	*to++ = ':';
	to = put_digits(to, tm.tm_sec, 2);
	*to++ = '.';
	to = put_digits(to, (int)us, 6);
	*to++ = 'Z';
	buf_add(out, str_n(text, (size_t)(to - text)));
}
