/* listing - see listing.h. */
#include "audit/listing.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BOOT_BYTES (sizeof "audit-" - 1 + ID_BYTES)
#define SEGMENTS_MAX ((size_t)1000000)

static int compare(const void *a, const void *b)
{
	const struct listing_item *x = a, *y = b;
	int boot = memcmp(x->name, y->name, BOOT_BYTES);

	if (boot)
		return boot;
	return x->n < y->n ? -1 : x->n > y->n;
}

static bool add(struct listing *l, const char *name, uint64_t n, struct err *err)
{
	if (l->count == SEGMENTS_MAX)
		return err_set(err, E_LIMIT, "more than %zu audit segments", SEGMENTS_MAX);
	if (l->count == l->cap) {
		size_t cap = l->cap ? 2 * l->cap : 16;
		struct listing_item *items = realloc(l->items, cap * sizeof *items);

		if (!items)
			return err_set(err, E_LIMIT, "no memory for the list of audit segments");
		l->items = items;
		l->cap = cap;
	}
	l->items[l->count] = (struct listing_item){ .n = n };
	segment_name_copy(l->items[l->count++].name, str_c(name));
	return true;
}

static bool read_names(struct listing *l, DIR *d, struct err *err)
{
	struct dirent *e;
	struct str boot;
	uint64_t n;

	while ((e = readdir(d)) != NULL)
		if (segment_name_read(str_c(e->d_name), &boot, &n) && !add(l, e->d_name, n, err))
			return false;
	return true;
}

bool listing_read(struct listing *l, int directory, struct err *err)
{
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	bool ok;

	*l = (struct listing){ 0 };
	if (!d) {
		err_errno(err, E_IO, "the audit directory cannot be read");
		if (fd >= 0)
			close(fd);
		return false;
	}
	ok = read_names(l, d, err);
	closedir(d);
	if (l->count)
		qsort(l->items, l->count, sizeof *l->items, compare);
	return ok;
}

void listing_done(struct listing *l)
{
	free(l->items);
	*l = (struct listing){ 0 };
}

struct str listing_boot(const struct listing *l, size_t at)
{
	return str_n(l->items[at].name + sizeof "audit-" - 1, ID_BYTES);
}

bool listing_same_boot(const struct listing *l, size_t a, size_t b)
{
	return memcmp(l->items[a].name, l->items[b].name, BOOT_BYTES) == 0;
}

int listing_open(const struct listing *l, size_t at, int directory, struct err *err)
{
	const char *name = l->items[at].name;
	int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0) {
		err_errno(err, E_IO, "audit segment %s cannot be opened", name);
		return -1;
	}
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		err_set(err, E_INVALID, "audit segment %s is not a regular file", name);
		close(fd);
		return -1;
	}
	return fd;
}
