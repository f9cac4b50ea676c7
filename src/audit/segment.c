/* segment - see segment.h.
 *
 * Invariants: 1. at <= reserved, and no byte is written outside of [at, reserved).  2.
 * segment_append calls fdatasync once for what it wrote; after any error it is not called again:
 * the kernel may have dropped the pages and would say yes.  3. the lock is on the open file; it
 * goes with the process. */
#include "audit/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/file.h"

#define CLOSING_BYTES 8192 /* what is written last always fits */
#define FILL_BYTES 65536
#define PREFIX S("audit-")
#define SUFFIX S(".log")

/* File systems on a disk or in the memory of this machine: fdatasync means what it says, flock and
 * O_EXCL hold.  Everything else (NFS, CIFS, FUSE, 9p) is refused. */
static const uint64_t local_file_systems[] = {
	EXT4_SUPER_MAGIC,
	XFS_SUPER_MAGIC,
	BTRFS_SUPER_MAGIC,
	F2FS_SUPER_MAGIC,
	TMPFS_MAGIC,
	RAMFS_MAGIC,
	OVERLAYFS_SUPER_MAGIC,
	0x2fc12fc1 /* zfs */,
	0xca451a4e /* bcachefs */,
};

static bool is_local(int fd, struct err *err)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) != 0)
		return err_errno(err, E_IO, "its file system does not answer");
	for (size_t i = 0; i < ARRAY_LEN(local_file_systems); i++)
		if ((uint64_t)fs.f_type == local_file_systems[i])
			return true;
	return err_set(err, E_DENIED,
		"its file system (type 0x%llx) is not a local one that is known",
		(unsigned long long)fs.f_type);
}

static bool is_ours(int fd, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return err_errno(err, E_IO, "it cannot be looked at");
	if (st.st_uid != geteuid())
		return err_set(err, E_DENIED, "it belongs to another user");
	if (st.st_mode & 077)
		return err_set(err, E_DENIED, "group or others have access to it: chmod 700");
	return is_local(fd, err);
}

int segment_directory(const char *path, struct err *err)
{
	struct arena scratch;
	bool made;
	int fd;

	arena_init(&scratch, 65536);
	made = dir_private(&scratch, str_c(path), err);
	arena_done(&scratch);
	if (!made)
		return -1;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		err_errno(err, E_IO, "audit directory %s", path);
		return -1;
	}
	if (!is_ours(fd, err)) {
		err_while(err, "audit directory %s", path);
		close(fd);
		return -1;
	}
	return fd;
}

static const uint64_t stays_free[SEGMENT_USES] = {
	[SEGMENT_PLAIN] = SEGMENT_LOW_WATER,
	[SEGMENT_INTENT] = 2 * SEGMENT_LOW_WATER,
	[SEGMENT_OWED] = 0,
};

static bool has_room(const struct statfs *fs, uint64_t more, enum segment_use use, struct err *err)
{
	uint64_t left = (uint64_t)fs->f_bavail * (uint64_t)fs->f_bsize;

	if (left >= more && left - more >= stays_free[use])
		return true;
	return err_set(err, E_LIMIT, "the disk is full: %llu KiB are left and %llu KiB stay free",
		(unsigned long long)left / 1024, (unsigned long long)stays_free[use] / 1024);
}

bool segment_directory_can_grow(const char *path, struct err *err)
{
	struct statfs fs;

	if (access(path, F_OK) != 0 && errno == ENOENT)
		return true; /* the first record makes it */
	if (access(path, R_OK | W_OK | X_OK) != 0)
		return err_errno(err, E_DENIED, "audit directory %s", path);
	if (statfs(path, &fs) != 0)
		return err_errno(err, E_IO, "audit directory %s", path);
	return has_room(&fs, SEGMENT_STEP_BYTES, SEGMENT_PLAIN, err) ||
	       err_while(err, "audit directory %s", path);
}

bool segment_disk_takes(int directory, uint64_t n, enum segment_use use, struct err *err)
{
	struct statfs fs;

	if (fstatfs(directory, &fs) != 0)
		return err_errno(err, E_IO, "the audit log's file system does not answer");
	return has_room(&fs, n, use, err);
}

bool segment_directory_is(int directory, const char *path)
{
	struct stat open_one, named;

	return fstat(directory, &open_one) == 0 && stat(path, &named) == 0 &&
	       open_one.st_dev == named.st_dev && open_one.st_ino == named.st_ino;
}

void segment_name(char out[SEGMENT_NAME_BYTES], const struct id *boot, unsigned n)
{
	snprintf(out, SEGMENT_NAME_BYTES, "audit-%.*s-%06u.log", ID_BYTES, boot->c, n);
}

void segment_name_copy(char out[SEGMENT_NAME_BYTES], struct str name)
{
	size_t n = MIN(name.n, (size_t)SEGMENT_NAME_BYTES - 1);

	if (n)
		memcpy(out, name.p, n);
	out[n] = 0;
}

bool segment_name_read(struct str name, struct str *boot_out, uint64_t *n_out)
{
	struct str boot, n;
	uint64_t number;

	if (!str_starts(name, PREFIX) || !str_ends(name, SUFFIX) ||
		name.n < PREFIX.n + ID_BYTES + 1 + 6 + SUFFIX.n || name.n >= SEGMENT_NAME_BYTES)
		return false;
	boot = str_sub(name, PREFIX.n, ID_BYTES);
	n = str_sub(name, PREFIX.n + ID_BYTES + 1, name.n - PREFIX.n - ID_BYTES - 1 - SUFFIX.n);
	if (name.p[PREFIX.n + ID_BYTES] != '-' || !str_to_u64(n, &number))
		return false;
	for (size_t i = 0; i < boot.n; i++)
		if (!ascii_is_alnum(boot.p[i]))
			return false;
	*boot_out = boot;
	*n_out = number;
	return true;
}

static bool take(struct segment *s, enum segment_use use, struct err *err)
{
	struct stat st;

	/* not NB: a process that looks for its predecessor may hold a shared lock for a moment */
	if (flock(s->fd, LOCK_EX) != 0)
		return err_errno(err, E_IO, "it cannot be locked");
	if (fstat(s->fd, &st) != 0)
		return err_errno(err, E_IO, "it cannot be looked at");
	s->device = st.st_dev;
	s->inode = st.st_ino;
	if (!segment_room(s, 0, use, err))
		return false;
	if (fsync(s->directory) != 0)
		return err_errno(err, E_IO, "its directory cannot be made durable");
	return true;
}

bool segment_open(
	struct segment *s, int directory, const char *name, enum segment_use use, struct err *err)
{
	int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;

	*s = (struct segment){ .directory = directory };
	segment_name_copy(s->name, str_c(name));
	s->fd = openat(directory, name, flags, 0600);
	if (s->fd < 0)
		return err_errno(err, errno == ENOSPC ? E_LIMIT : E_IO,
			"audit segment %s cannot be made", name);
	if (take(s, use, err))
		return true;
	unlinkat(directory, name, 0);
	segment_abandon(s);
	return err_while(err, "audit segment %s", name);
}

bool segment_room(struct segment *s, size_t n, enum segment_use use, struct err *err)
{
	uint64_t need = n + CLOSING_BYTES, left = s->reserved - s->at, more;
	int failed;

	/* an intent asks for more to come: reserved or not, the disk must have room for that */
	if (need <= left)
		return use != SEGMENT_INTENT || segment_disk_takes(s->fd, 0, use, err);
	more = (need - left + SEGMENT_STEP_BYTES - 1) / SEGMENT_STEP_BYTES * SEGMENT_STEP_BYTES;
	if (!segment_disk_takes(s->fd, more, use, err))
		return false;
	do {
		failed = posix_fallocate(s->fd, (off_t)s->reserved, (off_t)more);
	} while (failed == EINTR);
	if (failed) {
		errno = failed;
		return err_errno(err, failed == ENOSPC || failed == EDQUOT ? E_LIMIT : E_IO,
			"no space can be reserved");
	}
	s->reserved += more;
	return true;
}

static bool write_all(const struct segment *s, uint64_t at, struct str bytes, struct err *err)
{
	while (bytes.n) {
		ssize_t n = pwrite(s->fd, bytes.p, bytes.n, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, errno == ENOSPC ? E_LIMIT : E_IO,
				"audit segment %s cannot be written", s->name);
		if (n == 0)
			return err_set(err, E_IO, "audit segment %s takes no more bytes", s->name);
		at += (uint64_t)n;
		bytes = str_from(bytes, (size_t)n);
	}
	return true;
}

/* The first write to a reserved block changes what the file system knows of the file, and doubles
 * the cost of the sync.  So NUL goes ahead of the records, many blocks at a time. */
static bool fill(struct segment *s, uint64_t until, struct err *err)
{
	static const char nul[FILL_BYTES];

	while (s->filled < until) {
		uint64_t from = MAX(s->filled, s->at), n = MIN(s->reserved - from, sizeof nul);

		if (!write_all(s, from, str_n(nul, (size_t)n), err))
			return false;
		s->filled = from + n;
	}
	return true;
}

bool segment_append(struct segment *s, struct str bytes, struct err *err)
{
	bug_on(bytes.n > s->reserved - s->at);
	if (!fill(s, s->at + bytes.n, err) || !write_all(s, s->at, bytes, err))
		return false;
	s->at += bytes.n;
	if (fdatasync(s->fd) != 0)
		return err_errno(err, E_IO, "audit segment %s cannot be made durable", s->name);
	return true;
}

const char *segment_harmed(const struct segment *s)
{
	struct stat now, named;

	if (fstat(s->fd, &now) != 0)
		return "unreadable";
	if (now.st_nlink == 0)
		return "removed";
	if (now.st_nlink > 1)
		return "linked";
	if (fstatat(s->directory, s->name, &named, AT_SYMLINK_NOFOLLOW) != 0 ||
		named.st_ino != s->inode || named.st_dev != s->device)
		return "moved";
	if ((uint64_t)now.st_size < s->reserved)
		return "cut";
	return (uint64_t)now.st_size > s->reserved ? "grown" : NULL;
}

void segment_finish(struct segment *s)
{
	/* A file that stays longer has NUL behind its last line: the reader takes both. */
	if (ftruncate(s->fd, (off_t)s->at) == 0)
		s->reserved = s->at;
	segment_abandon(s);
}

void segment_abandon(struct segment *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}
