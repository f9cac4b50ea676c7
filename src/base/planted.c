/* planted - see planted.h.  Not in any build but the test's.
 *
 * The file: 64 bytes of what is wanted, then one slot of 32 bytes for each crash point that was
 * passed, with how often.
 *
 *	 0  how far the clock is put forward, ms (int64)
 *	 8  the planted fault, from 1; 0: none (uint32)
 *	16  crash at the n-th pass from now (uint32)
 *	20  of this point (44 bytes, NUL included) */
#include "base/planted.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SLOTS 126

struct slot {
	uint32_t passed;
	char name[28];
};

struct wanted {
	volatile int64_t clock_ms;
	volatile uint32_t planted, unused;
	volatile uint32_t crash_after;
	char crash_at[44];
	struct slot slots[SLOTS];
};
_Static_assert(sizeof(struct wanted) == 4096, "one page");

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct wanted *wanted; /* NULL: the process was not started by the test */

static void look(void)
{
	const char *file = getenv("POSTERN_FAULTS");
	int fd = file ? open(file, O_RDWR | O_CLOEXEC) : -1;
	void *at;

	if (fd < 0)
		return;
	at = mmap(NULL, sizeof *wanted, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at != MAP_FAILED)
		wanted = at;
	close(fd);
}

static struct wanted *get(void)
{
	pthread_once(&once, look);
	return wanted;
}

bool planted(enum planted what)
{
	const struct wanted *w = get();

	return w && w->planted == (uint32_t)what + 1;
}

int64_t planted_clock_ms(void)
{
	const struct wanted *w = get();

	return w ? w->clock_ms : 0;
}

static void count(struct wanted *w, const char *name)
{
	for (size_t i = 0; i < SLOTS; i++) {
		struct slot *s = &w->slots[i];

		if (!s->name[0])
			strncpy(s->name, name, sizeof s->name - 1);
		if (strncmp(s->name, name, sizeof s->name - 1) != 0)
			continue;
		s->passed++;
		return;
	}
}

void crash_point(const char *name)
{
	struct wanted *w = get();

	if (!w)
		return;
	pthread_mutex_lock(&lock);
	count(w, name);
	if (w->crash_after && !strncmp(w->crash_at, name, sizeof w->crash_at) && !--w->crash_after)
		_exit(137); /* under the lock: nobody passes another point meanwhile */
	pthread_mutex_unlock(&lock);
}
