/* sync_shim - preloaded into the server by durable_test.mjs: tells what a returned fdatasync or
 * fsync covered, and makes it hang.
 *
 * SHIM_LOG   file that gets a line for every sync that returned 0: "TIME_NS END PATH\n", where END
 * is the end of what this process had written to PATH when the sync began; -1 for a directory.
 * SHIM_HANG  while a file of this name exists, a sync of an audit segment does not return.
 *
 * The line is written after the sync returned and before the caller sees it, so that whatever the
 * server says afterwards stands behind it. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FDS_MAX 4096

static _Atomic long long written_to[FDS_MAX];

static void *next_of(const char *name)
{
	void *f = dlsym(RTLD_NEXT, name);

	if (!f)
		abort();
	return f;
}

static void wrote(int fd, long long end)
{
	if (fd >= 0 && fd < FDS_MAX && end > atomic_load(&written_to[fd]))
		atomic_store(&written_to[fd], end);
}

ssize_t write(int fd, const void *p, size_t n)
{
	ssize_t (*real)(int, const void *, size_t) = next_of("write");
	ssize_t did = real(fd, p, n);

	if (did > 0)
		wrote(fd, lseek(fd, 0, SEEK_CUR));
	return did;
}

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
	ssize_t (*real)(int, const void *, size_t, off64_t) = next_of("pwrite64");
	ssize_t did = real(fd, p, n, at);

	if (did > 0)
		wrote(fd, at + did);
	return did;
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
	return pwrite64(fd, p, n, at);
}

static void log_sync(const char *path, long long end)
{
	const char *log = getenv("SHIM_LOG");
	ssize_t (*real)(int, const void *, size_t) = next_of("write");
	struct timespec now;
	char line[5000];
	int n, out;

	if (!log)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	n = snprintf(line, sizeof line, "%lld %lld %s\n",
		(long long)now.tv_sec * 1000000000 + now.tv_nsec, end, path);
	out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (out < 0 || real(out, line, (size_t)n) != n)
		abort();
	close(out);
}

static int sync_and_tell(int fd, const char *name)
{
	int (*real)(int) = next_of(name);
	const char *hang = getenv("SHIM_HANG");
	char link[64], path[4096];
	long long end = -1;
	struct stat st;
	ssize_t n;
	int rc;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof path - 1);
	path[n > 0 ? n : 0] = '\0';
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && fd < FDS_MAX)
		end = atomic_load(&written_to[fd]);
	while (hang && end >= 0 && strstr(path, "/audit-") && access(hang, F_OK) == 0)
		nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
	rc = real(fd);
	if (rc == 0)
		log_sync(path, end);
	return rc;
}

int fdatasync(int fd)
{
	return sync_and_tell(fd, "fdatasync");
}

int fsync(int fd)
{
	return sync_and_tell(fd, "fsync");
}

int close(int fd)
{
	int (*real)(int) = next_of("close");

	if (fd >= 0 && fd < FDS_MAX)
		atomic_store(&written_to[fd], 0);
	return real(fd);
}
