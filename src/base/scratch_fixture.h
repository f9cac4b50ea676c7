/* scratch_fixture - a directory of one process's own, for tests and fuzz targets that need files.
 *
 * Made by the first call, removed with what scratch_file made in it when the process ends. */
#pragma once
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

#define SCRATCH_FILES_MAX 32

static char scratch_directory_name[200];

struct scratch {
	char names[SCRATCH_FILES_MAX][600];
	size_t count;
};

static struct scratch scratch;

/* Removes what was made last. */
static inline void scratch_forget(void)
{
	bug_on(!scratch.count || remove(scratch.names[--scratch.count]) != 0);
}

/* The newest first: what stands in a directory goes before it. */
static inline void scratch_clear(void)
{
	while (scratch.count)
		scratch_forget();
}

static inline void scratch_leave(void)
{
	scratch_clear();
	(void)rmdir(scratch_directory_name);
}

static inline const char *scratch_place(void)
{
	const char *base = getenv("TMPDIR");

	if (scratch_directory_name[0])
		return scratch_directory_name;
	snprintf(scratch_directory_name, sizeof scratch_directory_name, "%s/postern-scratch-XXXXXX",
		base ? base : P_tmpdir);
	bug_on(!mkdtemp(scratch_directory_name));
	bug_on(atexit(scratch_leave) != 0);
	return scratch_directory_name;
}

/* Whose name: to be filled with what stands there by whoever calls. */
static inline const char *scratch_name(const char *name)
{
	char *path = scratch.names[scratch.count];

	bug_on(scratch.count == SCRATCH_FILES_MAX);
	snprintf(path, sizeof scratch.names[0], "%s/%s", scratch_place(), name);
	scratch.count++;
	return path;
}

static inline const char *scratch_file(const char *name, struct str bytes, mode_t mode)
{
	const char *path = scratch_name(name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	bug_on(fd < 0 || write(fd, bytes.p, bytes.n) != (ssize_t)bytes.n);
	bug_on(fchmod(fd, mode) != 0);
	close(fd);
	return path;
}

static inline void scratch_directory(const char *name)
{
	bug_on(mkdir(scratch_name(name), 0700) != 0);
}
