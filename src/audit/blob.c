/* blob - see blob.h. */
#include "audit/blob.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/segment.h"
#include "base/file.h"

#define NAME_BYTES (2 * SHA256_BYTES)
#define DIRECTORY "blob"

struct blob *blob_new(struct buf *text)
{
	struct blob *b = heap_new(struct blob);

	b->text = *text;
	*text = (struct buf){ 0 };
	sha256_of(buf_str(&b->text), &b->digest);
	return b;
}

void blob_free(struct blob **b)
{
	if (!*b)
		return;
	buf_done(&(*b)->text);
	heap_free(*b);
	*b = NULL;
}

static void write_name(const struct blob *b, char out[NAME_BYTES + 1])
{
	struct buf name;

	buf_init(&name, NAME_BYTES + 1);
	hex_write(&name, str_n(b->digest.b, SHA256_BYTES));
	bug_on(name.n != NAME_BYTES);
	snprintf(out, NAME_BYTES + 1, "%.*s", (int)name.n, name.p);
	buf_done(&name);
}

static bool is_private(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_uid == geteuid() && !(st.st_mode & 077);
}

/* The directory of the blobs; its own name is durable.  -1: err. */
static int open_directory(int log, struct err *err)
{
	bool made = mkdirat(log, DIRECTORY, 0700) == 0;
	int fd = openat(log, DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0 && is_private(fd) && (!made || fsync(log) == 0))
		return fd;
	if (fd < 0 || made)
		err_errno(err, errno == ENOSPC ? E_LIMIT : E_IO,
			"the audit log's directory " DIRECTORY);
	else
		err_set(err, E_DENIED,
			"the audit log's directory " DIRECTORY
			" is not ours alone: make it mode 0700");
	if (fd >= 0)
		close(fd);
	return -1;
}

static bool write_all(int fd, struct str s, struct err *err)
{
	while (s.n) {
		ssize_t n = write(fd, s.p, s.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_errno(err, errno == ENOSPC || errno == EDQUOT ? E_LIMIT : E_IO,
				"a blob of the audit log cannot be written");
		s = str_from(s, (size_t)n);
	}
	return fdatasync(fd) == 0 ||
	       err_errno(err, E_IO, "a blob of the audit log cannot be made durable");
}

static bool write_file(int directory, const char *name, struct str text, struct err *err)
{
	int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, fd;
	bool ok;

	unlinkat(directory, name, 0); /* of a try that failed */
	fd = openat(directory, name, flags, 0600);
	if (fd < 0)
		return err_errno(err, errno == ENOSPC ? E_LIMIT : E_IO,
			"a blob of the audit log cannot be made");
	ok = write_all(fd, text, err);
	close(fd);
	return ok;
}

bool blob_put(const struct blob *b, int directory, const struct id *boot, struct err *err)
{
	char name[NAME_BYTES + 1], draft[ID_BYTES + 8];
	bool ok;
	int fd;

	if (!segment_disk_takes(directory, b->text.n, SEGMENT_PLAIN, err))
		return false;
	fd = open_directory(directory, err);
	if (fd < 0)
		return false;
	write_name(b, name);
	snprintf(draft, sizeof draft, "new-%.*s", ID_BYTES, boot->c);
	ok = write_file(fd, draft, buf_str(&b->text), err);
	/* over one that is there already: it may be one whose name was never made durable */
	if (ok && (renameat(fd, draft, fd, name) != 0 || fsync(fd) != 0))
		ok = err_errno(err, E_IO, "a blob of the audit log cannot be named");
	if (!ok)
		unlinkat(fd, draft, 0);
	close(fd);
	return ok;
}

static bool is_name(struct str hex)
{
	for (size_t i = 0; i < hex.n; i++)
		if (!ascii_is_digit(hex.p[i]) && (hex.p[i] < 'a' || hex.p[i] > 'f'))
			return false;
	return hex.n == NAME_BYTES;
}

bool blob_read(
	struct arena *a, struct str log_directory, struct str hex, struct str *out, struct err *err)
{
	struct sha256 digest;
	struct buf said;
	struct str text;
	bool same;

	if (!is_name(hex))
		return err_set(err, E_INVALID, "not the digest of a blob");
	if (!file_read(a,
		    arena_fmt(a, "%.*s/" DIRECTORY "/%.*s", STR_ARG(log_directory), STR_ARG(hex)),
		    BLOB_MAX_BYTES, &text, err))
		return false;
	sha256_of(text, &digest);
	buf_init(&said, NAME_BYTES);
	hex_write(&said, str_n(digest.b, SHA256_BYTES));
	same = str_eq(buf_str(&said), hex);
	buf_done(&said);
	if (!same)
		return err_set(err, E_CONTRACT, "blob %.*s holds something else", STR_ARG(hex));
	*out = text;
	return true;
}
