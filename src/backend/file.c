/* file - a file beneath the root of a FILES source.
 *
 * Invariants: 1. the kernel resolves the path beneath the root's descriptor and follows no link, so
 * no name and no race leads out of it.  2. only regular files are read, at most entry->bytes of
 * one.
 * 3. what is not there, not a file, or not for us looks the same from outside: NOT_FOUND. */
#include "backend/inside.h"

#include "base/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int open_beneath(int root, const char *path)
{
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, root, path, &how, sizeof how);
}

static bool open_file(
	struct source *s, struct call *c, struct str path, int *fd_out, struct err *err)
{
	int root = source_root(s, err);

	if (root < 0)
		return false;
	if (!path.n || str_has(path, '\0'))
		return err_set(err, E_NOT_FOUND, "no path");
	*fd_out = open_beneath(root, arena_cstr(c->arena, path));
	if (*fd_out >= 0)
		return true;
	/* without the path, which holds the caller's values */
	if (errno == EMFILE || errno == ENFILE || errno == EIO || errno == ENOSYS)
		return err_errno(err, E_UNAVAILABLE, "the file");
	return err_errno(err, E_NOT_FOUND, "the file");
}

static bool read_file(struct call *c, int fd, struct str *out, struct err *err)
{
	uint64_t most = c->entry->bytes, size;
	struct stat st;
	struct buf text;
	ssize_t n;

	if (fstat(fd, &st) != 0)
		return err_errno(err, E_UNAVAILABLE, "fstat");
	if (!S_ISREG(st.st_mode))
		return err_set(err, E_NOT_FOUND, "not a regular file");
	size = (uint64_t)st.st_size;
	if (size > most)
		return err_set(err, E_LIMIT, "the file has %llu bytes", (unsigned long long)size);
	buf_in(&text, c->arena, most + 1);
	do {
		char *to = buf_space(&text, MIN(size + 1, text.limit - text.n));

		n = to ? read(fd, to, MIN(text.cap, text.limit) - text.n) : 0;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, E_UNAVAILABLE, "read");
		buf_used(&text, (size_t)n);
	} while (n != 0);
	if (text.n > most || !buf_ok(&text))
		return err_set(err, E_LIMIT, "the file grew while it was read");
	*out = buf_str(&text);
	return true;
}

static void close_descriptor(void *fd)
{
	if (*(int *)fd >= 0)
		close(*(int *)fd);
	*(int *)fd = -1;
}

static bool read_it(struct source *s, struct call *c, struct err *err)
{
	struct str path = args_fill(c, c->entry->action.text, false);
	int *fd = arena_new(c->arena, int);
	bool ok;

	*fd = -1;
	arena_defer(c->arena, close_descriptor, fd);
	ok = open_file(s, c, path, fd, err) && read_file(c, *fd, &c->text, err);
	close_descriptor(fd);
	return ok;
}

bool run_file(struct source *s, struct call *c)
{
	struct visit *v;
	struct err err;
	bool ok;

	v = visit_begin(s, c->arena, wait_left_ms(c), &err);
	if (!v)
		return source_fault(c, &err);
	ok = read_it(s, c, &err);
	visit_end(v);
	if (!ok)
		return source_fault(c, &err);
	c->text_is_blob = c->entry->action.blob;
	if (!c->text_is_blob && !utf8_valid(c->text))
		return call_fault(c, INTERNAL, "output_contract", S("the file is not UTF-8 text"));
	return call_done(c, CONTENT_TEXT);
}
