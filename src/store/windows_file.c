/* windows_file - the table in its file: made, opened, shared, locked.
 *
 *   byte 0       locked while a process opens the file
 *   byte 1 + n   locked by process n for as long as it lives
 *
 * The locks are those of open file descriptions: the kernel drops them with the process, however it
 * ends.  Whoever opens the file and finds no process in it makes the table's lock anew: a lock that
 * a dead host left behind says nothing.  The magic is written last, so that a file whose making was
 * cut short is made again.  A file that is not ours, of another form or of another user is never
 * changed. */
#include "store/windows_inside.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAGIC UINT64_C(0x31737077646e6977) /* "windwps1" */
#define LOCK_MS 250
#define OPENING_MS 1000
#define LOOK_EVERY_MS 1000

/* --- locks --- */

static bool byte_lock(int fd, off_t at, int type)
{
	struct flock l = { .l_type = (short)type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };

	return fcntl(fd, F_OFD_SETLK, &l) == 0;
}

static bool bytes_free(int fd, off_t at, off_t count)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = at, .l_len = count };

	return fcntl(fd, F_OFD_GETLK, &l) == 0 && l.l_type == F_UNLCK;
}

bool process_lives(const struct windows *w, unsigned process)
{
	return w->fd < 0 || !bytes_free(w->fd, 1 + (off_t)process, 1);
}

/* Opening takes a millisecond: who holds this longer is stopped. */
static bool lock_opening(const struct windows *w, struct err *err)
{
	struct timespec pause = { .tv_nsec = 2000000 };

	for (int i = 0; i < OPENING_MS / 2; i++) {
		if (byte_lock(w->fd, 0, F_WRLCK))
			return true;
		nanosleep(&pause, NULL);
	}
	return err_set(err, E_BUSY, "limits %s: another process has been opening it for a second",
		w->file);
}

static void lock_make(struct table *t)
{
	pthread_mutexattr_t attr;

	bug_on(pthread_mutexattr_init(&attr) != 0);
	bug_on(pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED) != 0);
	bug_on(pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST) != 0);
	bug_on(pthread_mutex_init(&t->lock, &attr) != 0);
	pthread_mutexattr_destroy(&attr);
}

/* ThreadSanitizer does not know pthread_mutex_clocklock. */
#if defined(__SANITIZE_THREAD__)
#define WAITS_FOR_EVER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WAITS_FOR_EVER 1
#endif
#endif

static int wait_for_lock(pthread_mutex_t *lock)
{
#ifdef WAITS_FOR_EVER
	return pthread_mutex_lock(lock);
#else
	uint64_t until_ms = clock_mono_ms() + LOCK_MS;
	struct timespec until = { .tv_sec = (time_t)(until_ms / 1000),
		.tv_nsec = (long)(until_ms % 1000) * 1000000L };

	return pthread_mutex_clocklock(lock, CLOCK_MONOTONIC, &until);
#endif
}

bool table_lock(struct table *t, struct err *err)
{
	int rc = pthread_mutex_trylock(&t->lock);

	if (rc == EBUSY)
		rc = wait_for_lock(&t->lock);
	if (rc == EOWNERDEAD) /* what it did not finish counted too much at most */
		rc = pthread_mutex_consistent(&t->lock);
	return rc == 0 || err_set(err, E_BUSY, "limits: the table is locked: %s", strerror(rc));
}

void table_unlock(struct table *t)
{
	bug_on(pthread_mutex_unlock(&t->lock) != 0);
}

/* --- opening --- */

static bool open_descriptor(struct windows *w, struct err *err)
{
	const char *slash = strrchr(w->file, '/');
	struct arena a;
	bool ok = true;

	arena_init(&a, (size_t)64 << 10);
	if (slash && slash != w->file)
		ok = dir_private(&a, str_n(w->file, (size_t)(slash - w->file)), err);
	arena_done(&a);
	if (!ok)
		return err_while(err, "limits");
	w->fd = open(w->file, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	return w->fd >= 0 || err_errno(err, E_IO, "limits %s", w->file);
}

static bool check_file(const struct windows *w, const struct stat *st, struct err *err)
{
	if (!S_ISREG(st->st_mode))
		return err_set(err, E_INVALID, "limits %s is not a regular file", w->file);
	if (st->st_uid != geteuid() || st->st_mode & 077)
		return err_set(err, E_DENIED,
			"limits %s is another user's, or others have access: chown and chmod 600",
			w->file);
	if (st->st_size && st->st_size != (off_t)sizeof(struct table))
		return err_set(err, E_INVALID,
			"limits %s is of another form, or cut short: stop every postern that uses "
			"it and remove it; all limits begin anew then",
			w->file);
	return true;
}

static bool map_file(struct windows *w, struct err *err)
{
	int rc = posix_fallocate(w->fd, 0, (off_t)sizeof(struct table));

	errno = rc;
	if (rc)
		return err_errno(err, E_IO, "limits %s: no room for %zu bytes", w->file,
			sizeof(struct table));
	w->mapped = mapped_open(w->fd, sizeof(struct table), err);
	return w->mapped || err_while(err, "limits %s", w->file);
}

/* Nobody else is in the file. */
static void begin_table(struct table *t, const struct window_key *boot, uint64_t boot_ms)
{
	lock_make(t);
	if (t->magic && memcmp(&t->boot, boot, sizeof *boot) != 0)
		table_rebase(t, boot_ms);
	memset(t->places, 0, sizeof t->places);
	t->boot = *boot;
	t->bytes = sizeof *t;
	atomic_thread_fence(memory_order_seq_cst);
	t->magic = MAGIC;
}

static bool enter_process(struct windows *w, struct table *t, struct err *err)
{
	unsigned n = 0;

	while (n < WINDOWS_PROCESSES && !byte_lock(w->fd, 1 + (off_t)n, F_WRLCK))
		n++;
	if (n == WINDOWS_PROCESSES)
		return err_set(err, E_EXISTS, "limits %s: %d processes use it already: stop some",
			w->file, WINDOWS_PROCESSES);
	if (!table_lock(t, err))
		return false;
	w->process = n;
	for (size_t i = 0; i < PLACE_SLOTS; i++)
		t->places[i].inside[n] = 0;
	table_unlock(t);
	return true;
}

static bool enter_table(struct windows *w, struct table *t, uint64_t boot_ms, struct err *err)
{
	bool alone = bytes_free(w->fd, 1, WINDOWS_PROCESSES), made = !t->magic;

	if (t->magic != MAGIC && (t->magic || !alone))
		return err_set(err, E_INVALID,
			"limits %s is not a file of limits: stop every postern that uses it and "
			"remove it",
			w->file);
	if (t->magic && t->bytes != sizeof *t)
		return err_set(err, E_INVALID, "limits %s is of another form", w->file);
	if (alone)
		begin_table(t, &w->boot, boot_ms);
	else if (memcmp(&t->boot, &w->boot, sizeof t->boot) != 0)
		return err_set(err, E_INVALID, "limits %s is used by another host", w->file);
	if (!enter_process(w, t, err))
		return false;
	w->begun = made ? WINDOWS_MADE : WINDOWS_FOUND;
	return true;
}

/* Under own.  The descriptor is there; everything else is undone by whoever calls. */
static bool open_table(struct windows *w, uint64_t boot_ms, struct err *err)
{
	struct stat st;
	bool ok;

	if (!lock_opening(w, err))
		return false;
	if (fstat(w->fd, &st) != 0)
		return err_errno(err, E_IO, "limits %s", w->file);
	ok = check_file(w, &st, err) && map_file(w, err) &&
	     enter_table(w, mapped_bytes(w->mapped), boot_ms, err);
	byte_lock(w->fd, 0, F_UNLCK);
	if (!ok) {
		mapped_close(&w->mapped);
		return false;
	}
	w->device = st.st_dev;
	w->inode = st.st_ino;
	w->table = mapped_bytes(w->mapped);
	return true;
}

static bool open_once(struct windows *w, uint64_t boot_ms, struct err *err)
{
	if (!w->file) {
		struct table *t = heap_alloc(sizeof *t);

		begin_table(t, &w->boot, boot_ms);
		w->table = t;
		return true;
	}
	if (open_descriptor(w, err) && open_table(w, boot_ms, err))
		return true;
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
	return false;
}

static struct table *open_now_and_then(struct windows *w, uint64_t boot_ms, struct err *err)
{
	pthread_mutex_lock(&w->own);
	if (!w->table && (!w->why.code || boot_ms - w->looked_ms >= LOOK_EVERY_MS)) {
		w->looked_ms = boot_ms;
		w->why.code = E_NONE;
		if (!open_once(w, boot_ms, &w->why) && !w->why.code)
			w->why.code = E_IO;
	}
	if (!w->table)
		*err = w->why;
	pthread_mutex_unlock(&w->own);
	return w->table;
}

/* A file that was taken away, or another in its place: other processes do not count in ours. */
static bool still_there(struct windows *w, uint64_t boot_ms)
{
	uint64_t looked_ms = w->looked_ms;
	struct stat st;

	if (boot_ms - looked_ms < LOOK_EVERY_MS ||
		!atomic_compare_exchange_strong(&w->looked_ms, &looked_ms, boot_ms))
		return !w->gone;
	w->gone = stat(w->file, &st) != 0 || st.st_dev != w->device || st.st_ino != w->inode ||
		  st.st_size != (off_t)sizeof(struct table);
	return !w->gone;
}

static bool not_there(const struct windows *w, struct err *err)
{
	return err_set(err, E_UNAVAILABLE,
		"limits %s was removed, cut or replaced while it was in use: put it back, or start "
		"every postern that uses it again",
		w->file);
}

bool table_whole(const struct windows *w, const struct table *t, struct err *err)
{
	return (t->magic == MAGIC && (!w->mapped || !mapped_cut(w->mapped))) || not_there(w, err);
}

struct table *table_ready(struct windows *w, uint64_t boot_ms, struct err *err)
{
	struct table *t = w->table;

	if (!t)
		t = open_now_and_then(w, boot_ms, err);
	if (!t || !w->file || still_there(w, boot_ms))
		return t;
	(void)!not_there(w, err);
	return NULL;
}

enum windows_begun windows_begun(const struct windows *w)
{
	return (enum windows_begun)w->begun;
}

static void table_close(struct windows *w)
{
	struct table *t = w->table;

	w->table = NULL;
	if (!w->mapped)
		heap_free(t);
	mapped_close(&w->mapped);
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}

struct windows *windows_new(struct str file, struct str boot_id)
{
	struct windows *w = heap_new(struct windows);
	pthread_condattr_t attr;
	struct sha256 digest;

	w->fd = -1;
	if (file.n) {
		w->file = heap_alloc(file.n + 1);
		memcpy(w->file, file.p, file.n);
	}
	sha256_of(boot_id, &digest);
	memcpy(&w->boot, digest.b, sizeof w->boot);
	pthread_mutex_init(&w->own, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->left, &attr);
	pthread_condattr_destroy(&attr);
	return w;
}

void windows_free(struct windows **w)
{
	if (!*w)
		return;
	table_close(*w);
	pthread_cond_destroy(&(*w)->left);
	pthread_mutex_destroy(&(*w)->own);
	heap_free((*w)->owed);
	heap_free((*w)->file);
	heap_free(*w);
	*w = NULL;
}
