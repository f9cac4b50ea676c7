/* schema_uri - see schema_uri.h. */
#include "json/schema_uri.h"

#include "base/buf.h"
#include "base/digest.h"
#include "base/utf8.h"

#include <string.h>

/* Each part keeps its delimiter ("http:", "//host", "/path", "?query"), so that "absent" and
 * "empty" stay apart and composing is concatenating. */
struct parts {
	struct str scheme, authority, path, query;
};

static size_t find_any(struct str s, const char *stops)
{
	for (size_t i = 0; i < s.n; i++)
		if (strchr(stops, s.p[i]) && s.p[i])
			return i;
	return s.n;
}

static struct parts split(struct str s)
{
	struct parts u = { 0 };
	size_t n = find_any(s, ":/?");

	if (n > 0 && n < s.n && s.p[n] == ':') {
		u.scheme = str_sub(s, 0, n + 1);
		s = str_from(s, n + 1);
	}
	if (str_starts(s, S("//"))) {
		n = 2 + find_any(str_from(s, 2), "/?");
		u.authority = str_sub(s, 0, n);
		s = str_from(s, n);
	}
	n = str_find(s, 0, '?');
	u.path = str_sub(s, 0, n);
	u.query = str_from(s, n);
	return u;
}

/* Section 5.2.4: out never grows past `path`, and loses its last segment for each "..". */
static struct str remove_dots(struct arena *a, struct str path)
{
	bool absolute = str_starts(path, S("/"));
	struct str rest = str_from(path, absolute);
	struct buf out;

	buf_in(&out, a, path.n + 1);
	if (absolute)
		buf_char(&out, '/');
	for (;;) {
		size_t n = str_find(rest, 0, '/');
		bool last = n == rest.n;
		struct str segment = str_sub(rest, 0, n);

		if (str_eq(segment, S(".."))) {
			if (out.n > absolute)
				out.n--;
			while (out.n > absolute && out.p[out.n - 1] != '/')
				out.n--;
		} else if (!str_eq(segment, S("."))) {
			buf_add(&out, segment);
			if (!last)
				buf_char(&out, '/');
		}
		if (last)
			return buf_str(&out);
		rest = str_from(rest, n + 1);
	}
}

/* Section 5.2.3. */
static struct str merge(struct arena *a, const struct parts *base, struct str path)
{
	size_t keep = base->path.n;

	if (base->authority.n && base->path.n == 0)
		return arena_fmt(a, "/%.*s", STR_ARG(path));
	while (keep > 0 && base->path.p[keep - 1] != '/')
		keep--;
	return arena_fmt(a, "%.*s%.*s", STR_ARG(str_sub(base->path, 0, keep)), STR_ARG(path));
}

struct str uri_resolve(
	struct arena *a, struct str base, struct str reference, struct str *fragment_out)
{
	size_t hash = str_find(reference, 0, '#');
	struct parts from = split(str_sub(base, 0, str_find(base, 0, '#')));
	struct parts to = split(str_sub(reference, 0, hash));

	*fragment_out = str_from(reference, hash + 1);
	if (hash == 0)
		return str_sub(base, 0, str_find(base, 0, '#'));
	if (!to.scheme.n && !to.authority.n) {
		to.authority = from.authority;
		if (to.path.n == 0) {
			to.path = from.path;
			to.query = to.query.n ? to.query : from.query;
		} else if (to.path.p[0] != '/') {
			to.path = merge(a, &from, to.path);
		}
	}
	if (!to.scheme.n)
		to.scheme = from.scheme;
	if (to.authority.n || str_starts(to.path, S("/")))
		to.path = remove_dots(a, to.path);
	return arena_fmt(a, "%.*s%.*s%.*s%.*s", STR_ARG(to.scheme), STR_ARG(to.authority),
		STR_ARG(to.path), STR_ARG(to.query));
}

bool uri_decode(struct arena *a, struct str s, struct str *out)
{
	struct buf text;

	buf_in(&text, a, s.n);
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '%') {
			buf_char(&text, s.p[i]);
			continue;
		}
		if (!hex_read(str_sub(s, i + 1, 2), &text) || s.n - i < 3)
			return false;
		i += 2;
	}
	*out = buf_str(&text);
	return utf8_valid(*out);
}
