/* keyfile - a random key that all processes of a deployment share.
 *
 * The file holds 64 hex digits and a newline.  Invariants: 1. it appears under its name whole or
 * not at all: written and synced under another name, then linked.  2. link() fails for everybody
 * but the first, and all read what is there afterwards.  3. nothing but mode 0600 below 0700 is
 * read. */
#include "store/store.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define KEY_BYTES 32
#define FILE_BYTES (2 * KEY_BYTES + 1)

static bool write_file(const char *path, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	uint8_t key[KEY_BYTES];
	struct buf text;
	bool ok;

	if (fd < 0)
		return err_errno(err, E_IO, "%s cannot be made", path);
	buf_init(&text, FILE_BYTES);
	random_bytes(key, sizeof key);
	hex_write(&text, str_n(key, sizeof key));
	buf_char(&text, '\n');
	ok = write(fd, text.p, text.n) == (ssize_t)text.n && fsync(fd) == 0;
	if (!ok)
		err_errno(err, E_IO, "%s cannot be written", path);
	close(fd);
	wipe(key, sizeof key);
	wipe(text.p, text.n);
	buf_done(&text);
	return ok;
}

static void sync_directory(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	/* without it the name may be lost with the power; the next start then makes another key */
	(void)fsync(fd);
	close(fd);
}

static bool make(struct arena *a, struct str directory, const char *path, struct err *err)
{
	uint8_t noise[8];
	struct buf name;
	bool ok;

	random_bytes(noise, sizeof noise);
	buf_in(&name, a, directory.n + 32);
	buf_add(&name, directory);
	buf_lit(&name, "/.new-");
	hex_write(&name, str_n(noise, sizeof noise));
	buf_char(&name, '\0');
	ok = write_file(name.p, err);
	if (ok && link(name.p, path) != 0 && errno != EEXIST)
		ok = err_errno(err, E_IO, "%s cannot be made", path);
	unlink(name.p);
	if (ok)
		sync_directory(arena_cstr(a, directory));
	return ok;
}

/* "state/keys" when "state" is not there either: one parent is made, as private. */
static bool make_directory(struct arena *a, struct str directory, struct err *err)
{
	size_t slash = directory.n;

	while (slash && directory.p[slash - 1] != '/')
		slash--;
	if (slash > 1) {
		struct str parent = str_sub(directory, 0, slash - 1);

		if (access(arena_cstr(a, parent), F_OK) != 0 && errno == ENOENT &&
			!dir_private(a, parent, err))
			return false;
	}
	return dir_private(a, directory, err);
}

static bool read_key(struct arena *a, const char *path, struct secret *out, struct err *err)
{
	struct str text;
	struct buf key;
	bool ok;

	if (!file_read_secret(a, str_c(path), FILE_BYTES + 1, &text, err))
		return false;
	buf_in(&key, a, KEY_BYTES);
	ok = text.n == (size_t)2 * KEY_BYTES && hex_read(text, &key) && key.n == KEY_BYTES &&
	     secret_set(out, buf_str(&key));
	if (key.n)
		wipe(key.p, key.n);
	wipe((char *)(uintptr_t)text.p, text.n);
	return ok || err_set(err, E_INVALID, "%s does not hold a key: 64 hex digits", path);
}

static bool get(
	struct arena *a, struct str directory, struct str name, struct secret *out, struct err *err)
{
	char *path;
	struct err first;

	if (!make_directory(a, directory, err))
		return false;
	path = arena_cstr(a, arena_fmt(a, "%.*s/%.*s", STR_ARG(directory), STR_ARG(name)));
	if (read_key(a, path, out, &first))
		return true;
	if (first.code != E_NOT_FOUND) {
		*err = first;
		return false;
	}
	return make(a, directory, path, err) && read_key(a, path, out, err);
}

bool keyfile_get(struct str directory, struct str name, struct secret *out, struct err *err)
{
	struct arena a;
	bool ok;

	arena_init(&a, (size_t)64 << 10);
	ok = get(&a, directory, name, out, err);
	arena_done(&a);
	return ok;
}
