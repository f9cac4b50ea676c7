/* mapped - see mapped.h.
 *
 * The handler may run at any instruction, so it reads atomic slots and makes one system call.
 *
 * Invariants: 1. a fault outside our slots ends the process as if we were not there.  2. memory
 * that was cut is never given back: a lock that a thread held in it stays in that thread's list of
 * robust locks, and the C library writes there. */
#include "base/mapped.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

struct mapped {
	_Atomic uintptr_t from; /* 0: a free slot; 1: one that is being filled */
	_Atomic size_t bytes;
	_Atomic bool cut;
};

static struct mapped slots[MAPPED_MOST];
static uintptr_t page_bytes;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static struct mapped *slot_of(uintptr_t at)
{
	for (size_t i = 0; i < MAPPED_MOST; i++) {
		uintptr_t from = slots[i].from;

		if (from > 1 && at >= from && at - from < slots[i].bytes)
			return &slots[i];
	}
	return NULL;
}

static void on_fault(int number, siginfo_t *info, void *context)
{
	uintptr_t at = (uintptr_t)info->si_addr & ~(page_bytes - 1);
	struct mapped *m = info->si_code > 0 ? slot_of((uintptr_t)info->si_addr) : NULL;
	int before = errno;

	(void)context;
	if (m) {
		atomic_store(&m->cut, true);
		if (mmap((void *)at, page_bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
			m = NULL;
	}
	if (!m)
		signal(number, SIG_DFL); /* it happens again at once, or was sent: then the next */
	errno = before;
}

static void look_at_system(void)
{
	page_bytes = (uintptr_t)sysconf(_SC_PAGESIZE);
}

/* Each time: somebody may have put another in its place, as cmocka does before each test. */
static void install(void)
{
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_RESTART };

	sigemptyset(&action.sa_mask);
	bug_on(sigaction(SIGBUS, &action, NULL) != 0);
}

static struct mapped *slot_take(void)
{
	for (size_t i = 0; i < MAPPED_MOST; i++) {
		uintptr_t none = 0;

		if (atomic_compare_exchange_strong(&slots[i].from, &none, 1))
			return &slots[i];
	}
	return NULL;
}

struct mapped *mapped_open(int fd, size_t bytes, struct err *err)
{
	struct mapped *m;
	void *p;

	pthread_once(&once, look_at_system);
	install();
	m = slot_take();
	if (!m) {
		err_set(err, E_LIMIT, "no more than %d files can be mapped", MAPPED_MOST);
		return NULL;
	}
	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED) {
		err_errno(err, E_IO, "it cannot be mapped");
		m->from = 0;
		return NULL;
	}
	m->cut = false;
	m->bytes = bytes;
	m->from = (uintptr_t)p;
	return m;
}

void mapped_close(struct mapped **at)
{
	struct mapped *m = *at;
	void *p;

	*at = NULL;
	if (!m || m->cut)
		return;
	p = mapped_bytes(m);
	m->from = 1; /* no fault is ours while the memory goes */
	munmap(p, m->bytes);
	m->from = 0;
}

void *mapped_bytes(const struct mapped *m)
{
	return (void *)m->from;
}

bool mapped_cut(const struct mapped *m)
{
	return m->cut;
}
