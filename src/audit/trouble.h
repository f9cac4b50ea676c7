/* trouble - for tests: a directory of one's own, and a disk that fails when told to.
 *
 * Included by one file of a test program: it defines fdatasync, pwrite and posix_fallocate, which
 * then stand before the C library's. */
#pragma once
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "audit/audit.h"
#include "audit/journal.h"
#include "audit/latch.h"
#include "audit/reader.h"
#include "base/clock.h"

static struct {
	_Atomic int syncs_that_fail; /* the next so many, with EIO */
	_Atomic int writes_that_fail; /* likewise */
	_Atomic bool writes_are_short; /* one byte at a time */
	_Atomic bool full; /* nothing can be reserved */
	_Atomic bool hangs; /* fdatasync waits for `released` */
	_Atomic unsigned hanging; /* how many do */
	struct latch released;
	_Atomic uint64_t written,
		covered; /* end of the data; and as the last returned sync left it */
	_Atomic unsigned syncs;
} trouble;

int fdatasync(int fd)
{
	uint64_t written = atomic_load(&trouble.written);

	trouble.syncs++;
	if (trouble.hangs) {
		trouble.hanging++;
		(void)latch_wait(&trouble.released, UINT64_MAX);
		trouble.hanging--;
	}
	if (trouble.syncs_that_fail > 0) {
		trouble.syncs_that_fail--;
		errno = EIO;
		return -1;
	}
	if (syscall(SYS_fdatasync, fd) != 0)
		return -1;
	atomic_store(&trouble.covered, written);
	return 0;
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
	ssize_t done;

	if (trouble.writes_that_fail > 0) {
		trouble.writes_that_fail--;
		errno = EIO;
		return -1;
	}
	if (trouble.writes_are_short && n > 1)
		n = 1;
	done = syscall(SYS_pwrite64, fd, p, n, at);
	if (done > 0)
		atomic_store(&trouble.written, (uint64_t)at + (uint64_t)done);
	return done;
}

int posix_fallocate(int fd, off_t from, off_t n)
{
	if (trouble.full)
		return ENOSPC;
	return syscall(SYS_fallocate, fd, 0, from, n) == 0 ? 0 : errno;
}

struct ground {
	char path[256];
};

static int ground_setup(void **state)
{
	struct ground *p = calloc(1, sizeof *p);
	const char *base = getenv("TMPDIR");

	memset(&trouble, 0, sizeof trouble);
	snprintf(p->path, sizeof p->path, "%s/postern-audit-XXXXXX", base ? base : P_tmpdir);
	*state = p;
	return mkdtemp(p->path) ? 0 : -1;
}

static void empty_directory(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;

	while (d && (e = readdir(d)) != NULL) {
		char name[600];

		if (e->d_name[0] == '.')
			continue;
		snprintf(name, sizeof name, "%s/%s", path, e->d_name);
		if (unlink(name) != 0 && errno == EISDIR) {
			empty_directory(name);
			rmdir(name);
		}
	}
	if (d)
		closedir(d);
}

static int ground_teardown(void **state)
{
	struct ground *p = *state;

	empty_directory(p->path);
	rmdir(p->path);
	free(p);
	return 0;
}

/* The n-th segment of the directory, from 0, by name. */
static inline void segment_path(const struct ground *p, unsigned n, char out[600])
{
	struct dirent **names;
	int count = scandir(p->path, &names, NULL, alphasort);
	unsigned seen = 0;

	out[0] = 0;
	for (int i = 0; i < count; i++) {
		struct str boot;
		uint64_t number;

		if (segment_name_read(str_c(names[i]->d_name), &boot, &number) && seen++ == n)
			snprintf(out, 600, "%s/%s", p->path, names[i]->d_name);
		free(names[i]);
	}
	free(names);
}

static inline size_t count_files(const struct ground *p)
{
	DIR *d = opendir(p->path);
	struct dirent *e;
	size_t n = 0;

	while ((e = readdir(d)) != NULL)
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

/* All lines of the directory, each with LF, in heap memory; fails the test at a rotten one. */
static inline char *whole_log(const char *path)
{
	struct audit_reader *r;
	struct err err = { 0 };
	struct str line;
	struct buf all;
	enum audit_read what;

	buf_init(&all, (size_t)64 << 20);
	r = audit_reader_open(str_c(path), &err);
	assert_non_null(r);
	while ((what = audit_read_next(r, &line, &err)) == AUDIT_RECORD) {
		buf_add(&all, line);
		buf_char(&all, '\n');
	}
	if (what != AUDIT_END)
		fail_msg("%s", err.text);
	audit_reader_free(&r);
	buf_char(&all, 0);
	assert_true(buf_ok(&all));
	return all.p;
}

static inline size_t count_of(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)) != NULL; text++)
		n++;
	return n;
}

#define assert_has(text, what)                                                                     \
	do {                                                                                       \
		if (!strstr(text, what))                                                           \
			fail_msg("no %s in:\n%s", what, text);                                     \
	} while (0)
#define assert_has_not(text, what)                                                                 \
	do {                                                                                       \
		if (strstr(text, what))                                                            \
			fail_msg("%s in:\n%s", what, text);                                        \
	} while (0)
