/* inert - see inert.h.
 *
 * Invariants: 1. what is written is valid UTF-8 without any character of `hidden` or a line break.
 * 2. with the escapes undone it is the raw text, byte for byte.  3. each byte becomes at most 13.
 */
#include "render/inert.h"

#include "base/utf8.h"

#define OPEN "\xe2\x9f\xa8" /* U+27E8 */
#define CLOSE "\xe2\x9f\xa9" /* U+27E9 */
#define MARKS_MAX 2

struct range {
	uint32_t first, last;
};

/* Not seen, or seen as something else; in order. */
static const struct range hidden[] = {
	{ 0x0000, 0x001f }, /* C0 */
	{ 0x007f, 0x00a0 }, /* DEL, C1, no-break space */
	{ 0x00ad, 0x00ad }, /* soft hyphen */
	{ 0x034f, 0x034f }, /* combining grapheme joiner */
	{ 0x061c, 0x061c }, /* Arabic letter mark */
	{ 0x070f, 0x070f }, /* Syriac abbreviation mark */
	{ 0x115f, 0x1160 }, /* Hangul fillers */
	{ 0x1680, 0x1680 }, /* a space */
	{ 0x17b4, 0x17b5 }, /* inherent vowels */
	{ 0x180b, 0x180f }, /* Mongolian selectors and separator */
	{ 0x2000, 0x200f }, /* spaces, zero-width, marks of direction */
	{ 0x2028, 0x202f }, /* line and paragraph, embeddings and overrides, a space */
	{ 0x205f, 0x206f }, /* a space, invisible operators, isolates */
	{ 0x2329, 0x2329 }, /* looks like the bracket of an escape */
	{ 0x27e8, 0x27e8 }, /* is it */
	{ 0x2800, 0x2800 }, /* blank braille */
	{ 0x3000, 0x3000 }, /* a space */
	{ 0x3164, 0x3164 }, /* Hangul filler */
	{ 0xe000, 0xf8ff }, /* private use */
	{ 0xfdd0, 0xfdef }, /* no characters */
	{ 0xfe00, 0xfe0f }, /* variation selectors */
	{ 0xfeff, 0xfeff }, /* byte-order mark */
	{ 0xffa0, 0xffa0 }, /* Hangul filler */
	{ 0xfff0, 0xfffc }, /* annotations, object replacement */
	{ 0xfffe, 0xffff }, { 0x1bca0, 0x1bca3 }, /* shorthand controls */
	{ 0x1d173, 0x1d17a }, /* musical controls */
	{ 0x1fffe, 0x1ffff }, { 0x2fffe, 0x2ffff }, { 0x3fffe, 0x3ffff },
	{ 0x40000, 0x10ffff }, /* not assigned, TAG characters, selectors, private use */
};

/* Marks that stand on the character before; in order. */
static const struct range marks[] = {
	{ 0x0300, 0x036f },
	{ 0x0483, 0x0489 },
	{ 0x1ab0, 0x1aff },
	{ 0x1dc0, 0x1dff },
	{ 0x20d0, 0x20ff },
	{ 0xfe20, 0xfe2f },
};

/* Two columns wide in a terminal; in order. */
static const struct range wide[] = {
	{ 0x1100, 0x115f },
	{ 0x2e80, 0x303e },
	{ 0x3041, 0x33ff },
	{ 0x3400, 0x4dbf },
	{ 0x4e00, 0x9fff },
	{ 0xa000, 0xa4cf },
	{ 0xac00, 0xd7a3 },
	{ 0xf900, 0xfaff },
	{ 0xfe30, 0xfe6f },
	{ 0xff00, 0xff60 },
	{ 0xffe0, 0xffe6 },
	{ 0x1f300, 0x1f64f },
	{ 0x1f680, 0x1f6ff },
	{ 0x1f900, 0x1f9ff },
	{ 0x20000, 0x3fffd },
};

static bool is_in(uint32_t c, const struct range *ranges, size_t count)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (c > ranges[mid].last)
			low = mid + 1;
		else
			high = mid;
	}
	return low < count && c >= ranges[low].first;
}

static void put_escape(struct buf *out, uint32_t c)
{
	buf_fmt(out, OPEN "U+%04X" CLOSE, (unsigned)c);
}

static const char *entity_of(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

void inert_dress(struct buf *out, struct str text, enum inert_form form)
{
	for (size_t i = 0; i < text.n; i++) {
		const char *entity = form == INERT_HTML ? entity_of(text.p[i]) : NULL;

		if (entity)
			buf_add(out, str_c(entity));
		else if (form == INERT_CODE && str_has(S("`|\\<"), text.p[i]))
			put_escape(out, (unsigned char)text.p[i]);
		else
			buf_char(out, text.p[i]);
	}
}

/* --- from raw bytes --- */

/* The character at the front, or false: its first byte belongs to none. */
static bool first_character(struct str s, uint32_t *c_out, size_t *bytes_out)
{
	for (size_t n = 1; n <= MIN(s.n, (size_t)4); n++)
		if (utf8_valid(str_sub(s, 0, n))) {
			*c_out = utf8_first(s, bytes_out);
			return true;
		}
	*bytes_out = 1;
	return false;
}

/* What it depends on whether a character is shown. */
struct reading {
	bool start, end, behind_space; /* at the first, at the last character; after a space */
	unsigned marks; /* marks in a row so far */
};

static bool is_shown(const struct reading *r, uint32_t c)
{
	if (c == ' ')
		return !r->start && !r->end && !r->behind_space;
	if (is_in(c, marks, ARRAY_LEN(marks)))
		return !r->start && !r->behind_space && r->marks < MARKS_MAX;
	return !is_in(c, hidden, ARRAY_LEN(hidden));
}

void inert_write(struct buf *out, struct str raw, enum inert_form form)
{
	struct reading r = { .start = true };

	while (raw.n) {
		uint32_t c = 0;
		size_t n;
		bool good = first_character(raw, &c, &n), shown;

		r.end = raw.n == n;
		shown = good && is_shown(&r, c);
		if (shown)
			inert_dress(out, str_sub(raw, 0, n), form);
		else if (good)
			put_escape(out, c);
		else
			buf_fmt(out, OPEN "x%02X" CLOSE, (unsigned)(unsigned char)raw.p[0]);
		/* behind an escape a mark would stand on its bracket */
		r.marks = !shown ? MARKS_MAX : is_in(c, marks, ARRAY_LEN(marks)) ? r.marks + 1 : 0;
		r.behind_space = good && c == ' ';
		r.start = false;
		raw = str_from(raw, n);
	}
}

struct str inert_text(struct arena *a, struct str raw)
{
	struct buf out;

	buf_in(&out, a, SIZE_MAX / 2);
	inert_write(&out, raw, INERT_TEXT);
	return buf_str(&out);
}

size_t inert_front(struct str raw, size_t count)
{
	size_t at = 0;

	for (size_t i = 0; i < count && at < raw.n; i++) {
		uint32_t c;
		size_t n;

		(void)first_character(str_from(raw, at), &c, &n);
		at += n;
	}
	return at;
}

size_t inert_count(struct str raw)
{
	size_t count = 0;

	while (raw.n) {
		raw = str_from(raw, inert_front(raw, 1));
		count++;
	}
	return count;
}

/* --- in a terminal --- */

/* An escape, or a character with the marks on it: what stays together. */
struct unit {
	size_t bytes, width;
};

static size_t width_of(uint32_t c)
{
	if (is_in(c, marks, ARRAY_LEN(marks)))
		return 0;
	return is_in(c, wide, ARRAY_LEN(wide)) ? 2 : 1;
}

static struct unit first_unit(struct str text)
{
	bool escape = str_starts(text, S(OPEN));
	struct unit u = { 0 };

	while (u.bytes < text.n) {
		size_t n;
		uint32_t c = utf8_first(str_from(text, u.bytes), &n);

		if (!escape && u.bytes && width_of(c))
			break;
		u.bytes += n;
		u.width += width_of(c);
		if (escape && c == 0x27e9)
			break;
	}
	return u;
}

size_t inert_width(struct str text)
{
	size_t width = 0;

	while (text.n) {
		struct unit u = first_unit(text);

		width += u.width;
		text = str_from(text, u.bytes);
	}
	return width;
}

size_t inert_fit(struct str text, size_t width)
{
	size_t at = 0, used = 0, behind_space = 0;

	while (at < text.n) {
		struct unit u = first_unit(str_from(text, at));

		if (at && used + u.width > width)
			return behind_space ? behind_space : at;
		if (text.p[at] == ' ' && used >= width / 2)
			behind_space = at + u.bytes;
		at += u.bytes;
		used += u.width;
	}
	return at;
}
