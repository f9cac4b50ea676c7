/* reading - see reading.h.  /proc counts in ticks, mostly of 10 ms: good for windows of seconds. */
#include "reading.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"

struct text {
	char c[4096];
};

static struct str read_text(struct text *t, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, t->c, sizeof t->c);

	if (fd >= 0)
		close(fd);
	return str_n(t->c, n > 0 ? (size_t)n : 0);
}

static struct str read_of(struct text *t, int pid, const char *what)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/%s", pid, what);
	return read_text(t, path);
}

/* The next word, and the rest behind it. */
static struct str take_word(struct str *s)
{
	struct str word;
	size_t n;

	while (s->n && (s->p[0] == ' ' || s->p[0] == '\t'))
		*s = str_from(*s, 1);
	for (n = 0; n < s->n && s->p[n] > ' '; n++)
		;
	word = str_sub(*s, 0, n);
	*s = str_from(*s, n);
	return word;
}

/* The sum of words from..to of a line, counted from 0. */
static uint64_t sum_words(struct str line, unsigned from, unsigned to)
{
	uint64_t sum = 0, n;

	for (unsigned i = 0; i <= to; i++)
		if (str_to_u64(take_word(&line), &n) && i >= from)
			sum += n;
	return sum;
}

static uint64_t ticks_us(uint64_t ticks)
{
	return ticks * 1000000 / (uint64_t)sysconf(_SC_CLK_TCK);
}

static uint64_t process_us(int pid)
{
	struct text t;
	struct str stat = read_of(&t, pid, "stat");
	size_t name_end = stat.n;

	while (name_end && stat.p[name_end - 1] != ')') /* a name may hold blanks */
		name_end--;
	return ticks_us(sum_words(str_from(stat, name_end), 11, 12));
}

/* "cpu  user nice system idle iowait irq softirq steal …": all that is work. */
static uint64_t machine_us(void)
{
	struct text t;
	struct str line = read_text(&t, "/proc/stat");

	return ticks_us(sum_words(line, 1, 3) + sum_words(line, 6, 7));
}

static uint64_t resident_kib(int pid)
{
	struct text t;
	struct str status = read_of(&t, pid, "status");

	return sum_words(str_from(status, str_find_str(status, 0, S("VmRSS:"))), 1, 1);
}

static uint64_t own_us(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 +
	       (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

void reading_take(struct reading *r, int pid)
{
	*r = (struct reading){
		.at_ns = clock_mono_ns(), .own_us = own_us(), .machine_us = machine_us()
	};
	if (!pid)
		return;
	r->server_us = process_us(pid);
	r->rss_kib = resident_kib(pid);
}
