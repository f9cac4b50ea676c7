/* write - the writer; see write.h.
 *
 * Bytes go straight into the buf; what fits is copied here, what does not is left to buf_add, which
 * grows the buf or marks it as over.
 *
 * Invariant: whatever bytes a string has, the text written is valid UTF-8 and valid JSON. */
#include "json/write.h"

#include <string.h>

#include "base/utf8.h"
#include "json/plain.h"

#define REPLACEMENT S("\xef\xbf\xbd")

static inline void put(struct buf *out, struct str s)
{
	if (out->over || s.n > out->cap - out->n || s.n > out->limit - out->n) {
		buf_add(out, s);
	} else if (s.n) {
		memcpy(out->p + out->n, s.p, s.n);
		out->n += s.n;
	}
}

/* Bytes that may be written at the end without asking. */
static inline size_t room(const struct buf *out)
{
	return out->over ? 0 : MIN(out->cap, out->limit) - out->n;
}

static inline void put_char(struct buf *out, char c)
{
	if (room(out))
		out->p[out->n++] = c;
	else
		buf_char(out, c);
}

/* U+2028 and U+2029 end a line for some readers of script text. */
static bool is_separator(struct str s)
{
	return str_starts(s, S("\xe2\x80\xa8")) || str_starts(s, S("\xe2\x80\xa9"));
}

static bool has_separator(struct str s)
{
	for (size_t at = str_find(s, 0, '\xe2'); at < s.n; at = str_find(s, at + 1, '\xe2'))
		if (is_separator(str_from(s, at)))
			return true;
	return false;
}

#define ESCAPE_MAX 6

/* c is '"', '\\' or a control character; to has room for ESCAPE_MAX.  Returns the bytes written. */
static inline size_t escape_byte(char *to, char c)
{
	static const char hex[] = "0123456789abcdef";
	static const char letter[256] = { ['"'] = '"',
		['\\'] = '\\',
		['\b'] = 'b',
		['\f'] = 'f',
		['\n'] = 'n',
		['\r'] = 'r',
		['\t'] = 't' };
	unsigned char u = (unsigned char)c;

	to[0] = '\\';
	to[1] = letter[u];
	if (letter[u])
		return 2;
	memcpy(to + 1, "u00", 3);
	to[4] = hex[u >> 4];
	to[5] = hex[u & 15];
	return ESCAPE_MAX;
}

/* As much of s as can be done 16 bytes at a time within the memory that is there; returns how much.
 * Whole blocks are stored, and the next is stored over what an escape put in its place. */
static size_t escape_blocks(struct buf *out, struct str s)
{
	size_t at = 0;

#ifdef __SSE2__
	char *to = out->p ? out->p + out->n : NULL;
	size_t left = room(out);

	while (s.n - at >= 16 && left >= 16 + ESCAPE_MAX) {
		__m128i v = plain_load(s.p + at);
		unsigned stops = plain_stops(v);
		size_t run = stops ? (size_t)__builtin_ctz(stops) : 16, wrote = run;

		_mm_storeu_si128((__m128i *)(void *)to, v);
		if (stops)
			wrote += escape_byte(to + run, s.p[at + run]);
		at += run + (stops != 0);
		to += wrote;
		left -= wrote;
		out->n += wrote;
	}
#else
	(void)out;
	(void)s;
#endif
	return at;
}

/* Runs of plain bytes between escapes; s is valid UTF-8. */
static void escape_runs(struct buf *out, struct str s)
{
	bool high = false;

	if (s.n > room(out) && !buf_space(out, s.n))
		return;
	s = str_from(s, escape_blocks(out, s));
	while (s.n) {
		size_t run = plain_run(s.p, s.n, &high);
		char escape[ESCAPE_MAX];

		put(out, str_n(s.p, run));
		if (run == s.n)
			return;
		put(out, str_n(escape, escape_byte(escape, s.p[run])));
		s = str_n(s.p + run + 1, s.n - run - 1);
	}
}

/* Bytes of the longest front of s that is valid and holds no separator to be escaped. */
static size_t good_bytes(struct str s, bool separators)
{
	size_t low = 0;

	while (low < s.n) {
		size_t n = 1, left = s.n - low;
		struct str rest = str_from(s, low);

		if (separators && is_separator(rest))
			break;
		while (n < MIN(left, (size_t)4) && ((uint8_t)rest.p[n] & 0xc0) == 0x80)
			n++;
		if (!utf8_valid(str_sub(rest, 0, n)))
			break;
		low += n;
	}
	return low;
}

/* s has a byte that must be replaced, or a separator. */
static void escape_hard(struct buf *out, struct str s, bool separators)
{
	while (s.n) {
		size_t good = good_bytes(s, separators);

		escape_runs(out, str_sub(s, 0, good));
		s = str_from(s, good);
		if (!s.n)
			return;
		if (separators && is_separator(s)) {
			put(out, s.p[2] == '\xa8' ? S("\\u2028") : S("\\u2029"));
			s = str_from(s, 3);
		} else {
			put(out, REPLACEMENT);
			s = str_from(s, 1);
		}
	}
}

static bool is_ascii(struct str s)
{
	uint64_t seen = 0, word;
	size_t at = 0;

	for (; s.n - at >= sizeof word; at += sizeof word) {
		memcpy(&word, s.p + at, sizeof word);
		seen |= word;
	}
	for (; at < s.n; at++)
		seen |= (unsigned char)s.p[at];
	return !(seen & 0x8080808080808080u);
}

static void escape(struct buf *out, struct str s, bool separators)
{
	if (is_ascii(s) || (utf8_valid(s) && !(separators && has_separator(s))))
		escape_runs(out, s);
	else
		escape_hard(out, s, separators);
}

void json_escape(struct buf *out, struct str s)
{
	escape(out, s, true);
}

void json_escape_canonical(struct buf *out, struct str s)
{
	escape(out, s, false);
}

/* The usual string, plain ASCII that fits, goes in one piece. */
static void put_quoted(struct buf *out, struct str s)
{
	bool high = false;

	if (s.n < room(out) && s.n + 1 < room(out) && plain_run(s.p, s.n, &high) == s.n && !high) {
		char *to = out->p + out->n;

		*to = '"';
		if (s.n)
			memcpy(to + 1, s.p, s.n);
		to[s.n + 1] = '"';
		out->n += s.n + 2;
		return;
	}
	put_char(out, '"');
	escape(out, s, true);
	put_char(out, '"');
}

void jw_init(struct jw *w, struct buf *out)
{
	*w = (struct jw){ .out = out };
}

static inline void put_comma(struct jw *w)
{
	uint64_t bit;

	if (!w->depth)
		return;
	bit = (uint64_t)1 << (w->depth - 1);
	if (w->comma & bit)
		put_char(w->out, ',');
	w->comma |= bit;
}

/* Whatever stands before a value. */
static inline void begin(struct jw *w)
{
	if (w->after_name)
		w->after_name = false;
	else
		put_comma(w);
}

static void open_level(struct jw *w, char bracket)
{
	begin(w);
	bug_on(w->depth == JSON_MAX_DEPTH);
	put_char(w->out, bracket);
	w->comma &= ~((uint64_t)1 << w->depth);
	w->depth++;
}

static void close_level(struct jw *w, char bracket)
{
	bug_on(w->depth == 0 || w->after_name);
	w->depth--;
	put_char(w->out, bracket);
}

void jw_object(struct jw *w)
{
	open_level(w, '{');
}

void jw_object_end(struct jw *w)
{
	close_level(w, '}');
}

void jw_array(struct jw *w)
{
	open_level(w, '[');
}

void jw_array_end(struct jw *w)
{
	close_level(w, ']');
}

void jw_name(struct jw *w, struct str name)
{
	bug_on(w->depth == 0 || w->after_name);
	put_comma(w);
	put_quoted(w->out, name);
	put_char(w->out, ':');
	w->after_name = true;
}

void jw_str(struct jw *w, struct str s)
{
	begin(w);
	put_quoted(w->out, s);
}

void jw_raw(struct jw *w, struct str json_text)
{
	begin(w);
	put(w->out, json_text);
}

void jw_bool(struct jw *w, bool truth)
{
	jw_raw(w, truth ? S("true") : S("false"));
}

void jw_null(struct jw *w)
{
	jw_raw(w, S("null"));
}

void jw_u64(struct jw *w, uint64_t n)
{
	begin(w);
	buf_u64(w->out, n);
}

void jw_i64(struct jw *w, int64_t n)
{
	begin(w);
	buf_i64(w->out, n);
}

void jw_put_str(struct jw *w, struct str name, struct str value)
{
	jw_name(w, name);
	jw_str(w, value);
}

void jw_put_raw(struct jw *w, struct str name, struct str json_text)
{
	jw_name(w, name);
	jw_raw(w, json_text);
}

void jw_put_bool(struct jw *w, struct str name, bool truth)
{
	jw_name(w, name);
	jw_bool(w, truth);
}

void jw_put_u64(struct jw *w, struct str name, uint64_t n)
{
	jw_name(w, name);
	jw_u64(w, n);
}

void jw_put_i64(struct jw *w, struct str name, int64_t n)
{
	jw_name(w, name);
	jw_i64(w, n);
}

static void put_value(struct buf *out, const struct json *v);

static void put_items(struct buf *out, const struct json *v)
{
	put_char(out, '[');
	for (uint32_t i = 0; i < v->count; i++) {
		if (i)
			put_char(out, ',');
		put_value(out, &v->items[i]);
	}
	put_char(out, ']');
}

static void put_members(struct buf *out, const struct json *v)
{
	put_char(out, '{');
	for (uint32_t i = 0; i < v->count; i++) {
		if (i)
			put_char(out, ',');
		put_quoted(out, v->members[i].name);
		put_char(out, ':');
		put_value(out, &v->members[i].value);
	}
	put_char(out, '}');
}

static void put_value(struct buf *out, const struct json *v)
{
	switch (v->kind) {
	case JSON_NULL:
		put(out, S("null"));
		break;
	case JSON_BOOL:
		put(out, v->truth ? S("true") : S("false"));
		break;
	case JSON_NUMBER:
		put(out, v->text);
		break;
	case JSON_STRING:
		put_quoted(out, v->text);
		break;
	case JSON_ARRAY:
		put_items(out, v);
		break;
	case JSON_OBJECT:
		put_members(out, v);
		break;
	default:
		bug_on(true);
	}
}

void jw_json(struct jw *w, const struct json *v)
{
	begin(w);
	put_value(w->out, v);
}
