/* previous - see previous.h. */
#include "audit/previous.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/journal.h"

#define WINDOW_BYTES 4096

/* Position behind the last byte before `end` that is (or, with is false, is not) `c`; 0: none. */
static bool seek_back(int fd, uint64_t end, char c, bool is, uint64_t *out)
{
	char window[WINDOW_BYTES];

	while (end) {
		uint64_t from = end > sizeof window ? end - sizeof window : 0;
		ssize_t n = pread(fd, window, (size_t)(end - from), (off_t)from);

		if (n != (ssize_t)(end - from))
			return false;
		while (n > 0 && (window[n - 1] == c) != is)
			n--;
		if (n > 0) {
			*out = from + (uint64_t)n;
			return true;
		}
		end = from;
	}
	*out = 0;
	return true;
}

bool segment_data_end(int fd, uint64_t *data_out, uint64_t *lines_out)
{
	struct stat st;
	uint64_t data;

	if (fstat(fd, &st) != 0 || !seek_back(fd, (uint64_t)st.st_size, 0, false, &data) ||
		!seek_back(fd, data, '\n', true, lines_out))
		return false;
	*data_out = data;
	return true;
}

bool segment_last_line(int fd, char *room, struct str *out)
{
	uint64_t data, end, from;

	if (!segment_data_end(fd, &data, &end) ||
		(end && !seek_back(fd, end - 1, '\n', true, &from)))
		return false;
	*out = STR_NONE;
	if (!end)
		return true;
	if (end - from > LINE_MAX_BYTES ||
		pread(fd, room, (size_t)(end - from), (off_t)from) != (ssize_t)(end - from))
		return false;
	*out = str_n(room, (size_t)(end - from) - 1);
	return true;
}

static bool find_newest(int directory, char out[SEGMENT_NAME_BYTES])
{
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	struct str boot;
	uint64_t n;

	if (!d) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	out[0] = 0;
	while ((e = readdir(d)) != NULL)
		if (segment_name_read(str_c(e->d_name), &boot, &n) && strcmp(e->d_name, out) > 0)
			segment_name_copy(out, str_c(e->d_name));
	closedir(d);
	return out[0] != 0;
}

static bool ends_closed(int fd, uint64_t lines)
{
	static const char mark[] = "\"e\":\"SEGMENT_CLOSE\"";
	char window[WINDOW_BYTES];
	uint64_t from = lines > sizeof window ? lines - sizeof window : 0;
	uint64_t line;

	if (!lines || !seek_back(fd, lines - 1, '\n', true, &line))
		return false;
	if (line < from || pread(fd, window, (size_t)(lines - line), (off_t)line) < 0)
		return false;
	return memmem(window, (size_t)(lines - line), mark, sizeof mark - 1) != NULL;
}

static void look_at(int fd, bool own, struct previous *out)
{
	uint64_t data, lines;

	if (!own && flock(fd, LOCK_SH | LOCK_NB) != 0) {
		out->end = "live";
		return;
	}
	if (!segment_data_end(fd, &data, &lines))
		return;
	out->torn_bytes = data - lines;
	out->end = ends_closed(fd, lines) ? "closed" : "cut";
}

void previous_find(int directory, const struct id *own, struct previous *out)
{
	char name[SEGMENT_NAME_BYTES];
	struct str boot;
	uint64_t n;
	int fd;

	*out = (struct previous){ .end = "unknown" };
	if (!find_newest(directory, name))
		return;
	fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return;
	memcpy(out->name, name, sizeof name);
	look_at(fd, segment_name_read(str_c(name), &boot, &n) && str_eq(boot, id_str(own)), out);
	close(fd);
}
