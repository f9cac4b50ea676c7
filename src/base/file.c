/* file - see file.h. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static bool read_all(struct arena *a, int fd, struct str path, size_t max_bytes, size_t hint,
	struct str *out, struct err *err)
{
	struct buf b;

	buf_in(&b, a, max_bytes + 1);
	for (;;) {
		char *to = buf_space(&b, MIN(MAX(hint, (size_t)4096), b.limit - b.n));
		ssize_t n;

		if (b.n > max_bytes)
			return err_set(err, E_LIMIT, "%.*s is larger than %zu bytes", STR_ARG(path),
				max_bytes);
		n = read(fd, to, MIN(b.cap - b.n, b.limit - b.n));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, E_IO, "%.*s cannot be read", STR_ARG(path));
		if (n == 0)
			break;
		buf_used(&b, (size_t)n);
	}
	*out = arena_str(a, buf_str(&b));
	return true;
}

static bool check_secret(const struct stat *st, struct str path, struct err *err)
{
	if (st->st_mode & 077)
		return err_set(err, E_DENIED,
			"%.*s holds a secret and its mode is %03o; group and others must have no "
			"access: chmod 600",
			STR_ARG(path), (unsigned)(st->st_mode & 0777));
	if (st->st_uid != geteuid() && st->st_uid != 0)
		return err_set(err, E_DENIED, "%.*s holds a secret and belongs to another user",
			STR_ARG(path));
	return true;
}

static bool read_checked(struct arena *a, struct str path, size_t max_bytes, bool secret,
	struct str *out, struct err *err)
{
	int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (secret ? O_NOFOLLOW : 0);
	int fd = open(arena_cstr(a, path), flags);
	struct stat st;
	bool ok;

	if (fd < 0 && errno == ELOOP && secret)
		return err_set(
			err, E_DENIED, "%.*s holds a secret and is a symbolic link", STR_ARG(path));
	if (fd < 0)
		return err_errno(err, errno == ENOENT ? E_NOT_FOUND : E_IO, "%.*s cannot be opened",
			STR_ARG(path));
	if (fstat(fd, &st) != 0)
		ok = err_errno(err, E_IO, "%.*s", STR_ARG(path));
	else if (!S_ISREG(st.st_mode))
		ok = err_set(err, E_INVALID, "%.*s is not a regular file", STR_ARG(path));
	else if (st.st_size > 0 && (uint64_t)st.st_size > max_bytes)
		ok = err_set(
			err, E_LIMIT, "%.*s is larger than %zu bytes", STR_ARG(path), max_bytes);
	else
		ok = (!secret || check_secret(&st, path, err)) &&
		     read_all(a, fd, path, max_bytes, (size_t)st.st_size + 1, out, err);
	close(fd);
	return ok;
}

bool file_read(struct arena *a, struct str path, size_t max_bytes, struct str *out, struct err *err)
{
	return read_checked(a, path, max_bytes, false, out, err);
}

bool file_read_secret(
	struct arena *a, struct str path, size_t max_bytes, struct str *out, struct err *err)
{
	if (!read_checked(a, path, max_bytes, true, out, err))
		return false;
	if (out->n && out->p[out->n - 1] == '\n')
		out->n--;
	return true;
}

static bool make_with_parent(struct arena *a, struct str path)
{
	size_t slash = path.n;

	if (mkdir(arena_cstr(a, path), 0700) == 0)
		return true;
	while (slash && path.p[slash - 1] != '/')
		slash--;
	if (errno != ENOENT || slash < 2)
		return false;
	return mkdir(arena_cstr(a, str_sub(path, 0, slash - 1)), 0700) == 0 &&
	       mkdir(arena_cstr(a, path), 0700) == 0;
}

bool dir_private(struct arena *a, struct str path, struct err *err)
{
	char *name = arena_cstr(a, path);
	struct stat st;

	if (!make_with_parent(a, path) && errno != EEXIST)
		return err_errno(err, E_IO, "%.*s cannot be made", STR_ARG(path));
	if (lstat(name, &st) != 0)
		return err_errno(err, E_IO, "%.*s", STR_ARG(path));
	if (!S_ISDIR(st.st_mode))
		return err_set(err, E_INVALID, "%.*s is not a directory", STR_ARG(path));
	if (st.st_mode & 077)
		return err_set(err, E_DENIED,
			"%.*s has mode %03o; group and others must have no access: chmod 700",
			STR_ARG(path), (unsigned)(st.st_mode & 0777));
	return true;
}
