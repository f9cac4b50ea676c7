/* secret_file - see secret_file.h.
 *
 * Invariants: 1. what is handed out was in the file at the last look, and that is at most
 * SECRET_FILE_MS old.  2. the file's identity is taken before it is read: what changes between is
 * seen at the next look. */
#include "base/secret_file.h"

#include "base/file.h"

#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

struct print {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec changed, written;
};

struct secret_file {
	pthread_mutex_t lock;
	char *path;
	bool known; /* secret is what print says */
	uint64_t looked_ms;
	struct print print;
	struct secret secret;
};

struct secret_file *secret_file_new(struct str path)
{
	struct secret_file *f = heap_new(struct secret_file);

	f->path = heap_alloc(path.n + 1);
	memcpy(f->path, path.p, path.n);
	pthread_mutex_init(&f->lock, NULL);
	return f;
}

void secret_file_free(struct secret_file **f)
{
	if (!*f)
		return;
	secret_wipe(&(*f)->secret);
	pthread_mutex_destroy(&(*f)->lock);
	heap_free((*f)->path);
	heap_free(*f);
	*f = NULL;
}

static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool same(const struct print *a, const struct print *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       same_time(a->changed, b->changed) && same_time(a->written, b->written);
}

static bool take_print(const char *path, struct print *out, struct err *err)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return err_errno(err, E_IO, "%s", path);
	*out = (struct print){ st.st_dev, st.st_ino, st.st_size, st.st_ctim, st.st_mtim };
	return true;
}

static bool read_again(struct secret_file *f, struct err *err)
{
	struct arena a;
	struct str text;
	bool ok;

	arena_init(&a, (size_t)64 << 10);
	ok = file_read_secret(&a, str_c(f->path), sizeof f->secret.b + 1, &text, err);
	if (ok && (!text.n || !secret_set(&f->secret, text)))
		ok = err_set(err, E_INVALID, "%s is empty, or too long to be a secret", f->path);
	if (ok)
		wipe((void *)(uintptr_t)text.p, text.n);
	arena_done(&a);
	return ok;
}

/* Under the lock. */
static bool look(struct secret_file *f, uint64_t boot_ms, struct err *err)
{
	struct print now;

	if (f->known && boot_ms >= f->looked_ms && boot_ms - f->looked_ms < SECRET_FILE_MS)
		return true;
	if (!take_print(f->path, &now, err)) {
		f->known = false;
		return false;
	}
	if (!f->known || !same(&now, &f->print)) {
		f->known = read_again(f, err);
		f->print = now;
	}
	f->looked_ms = boot_ms;
	return f->known;
}

bool secret_file_get(struct secret_file *f, uint64_t boot_ms, struct secret *out, struct err *err)
{
	bool ok;

	pthread_mutex_lock(&f->lock);
	ok = look(f, boot_ms, err);
	if (ok)
		*out = f->secret;
	else
		secret_wipe(&f->secret);
	pthread_mutex_unlock(&f->lock);
	return ok;
}
