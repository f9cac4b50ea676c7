/* settled - see settled.h. */
#include "audit/settled.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/id.h"

#define FILE_NAME "settled"
#define FILE_MAX_BYTES ((size_t)64 << 20)
#define NAME_MAX_BYTES (ID_BYTES + 1 + 20)

static bool is_name(struct str s)
{
	uint64_t index;

	for (size_t i = 0; i < MIN(s.n, (size_t)ID_BYTES); i++)
		if (!ascii_is_alnum(s.p[i]))
			return false;
	if (s.n <= ID_BYTES)
		return s.n == ID_BYTES;
	return s.n <= NAME_MAX_BYTES && s.p[ID_BYTES] == '/' &&
	       str_to_u64(str_from(s, ID_BYTES + 1), &index);
}

static bool read_all(int fd, struct buf *out)
{
	struct stat st;
	char *room;
	ssize_t n;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() || !st.st_size)
		return false;
	room = buf_space(out, (size_t)st.st_size);
	if (!room)
		return false;
	n = pread(fd, room, (size_t)st.st_size, 0);
	buf_used(out, n > 0 ? (size_t)n : 0);
	return n > 0;
}

void settled_read(struct settled *s, int directory)
{
	static char there;
	int fd = openat(directory, FILE_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct buf text;
	struct str rest, line;

	map_init(&s->names);
	if (fd < 0)
		return;
	buf_init(&text, FILE_MAX_BYTES);
	if (read_all(fd, &text)) {
		rest = buf_str(&text);
		while (str_cut(rest, '\n', &line, &rest))
			if (is_name(line))
				(void)!map_add(&s->names, line, &there);
	}
	buf_done(&text);
	close(fd);
}

void settled_done(struct settled *s)
{
	map_done(&s->names);
}

bool settled_has(const struct settled *s, struct str name)
{
	return map_get(&s->names, name) != NULL;
}

bool settled_add(int directory, struct str name, struct err *err)
{
	int flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(directory, FILE_NAME, flags, 0600);
	struct buf line;
	bool ok;

	bug_on(!is_name(name));
	if (fd < 0)
		return err_errno(err, E_IO, "the file " FILE_NAME " of the audit log");
	buf_init(&line, NAME_MAX_BYTES + 1);
	buf_add(&line, name);
	buf_char(&line, '\n');
	ok = write(fd, line.p, line.n) == (ssize_t)line.n || /* whole: others add, too */
	     err_errno(err, E_IO, "the file " FILE_NAME " of the audit log");
	buf_done(&line);
	close(fd);
	return ok;
}
