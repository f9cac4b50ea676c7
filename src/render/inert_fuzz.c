/* Properties: whatever the bytes, what is shown is valid UTF-8 in one line without control, zero-
 * width, bidirectional or TAG characters; with the escapes undone it is the bytes again; the forms
 * hold nothing that their readers act on; lines cut from it are whole, and together all of it.
 *
 * covers: src/render/inert.c */
#include "base/utf8.h"
#include "render/inert.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_characters(struct str s)
{
	bug_on(!utf8_valid(s));
	while (s.n) {
		size_t n;
		uint32_t c = utf8_first(s, &n);

		bug_on(c < 0x20 || (c >= 0x7f && c <= 0xa0) || c == 0xfeff || c >= 0x40000);
		bug_on((c >= 0x2000 && c <= 0x200f) || (c >= 0x2028 && c <= 0x202f));
		bug_on((c >= 0x2060 && c <= 0x206f) || (c >= 0xfe00 && c <= 0xfe0f));
		s = str_from(s, n);
	}
}

static uint32_t hex_value(struct str digits)
{
	uint32_t v = 0;

	for (size_t i = 0; i < digits.n; i++) {
		const char *at = strchr("0123456789ABCDEF", digits.p[i]);

		bug_on(!at || !digits.p[i]);
		v = v << 4 | (uint32_t)(at - "0123456789ABCDEF");
	}
	return v;
}

static void undo(struct buf *out, struct str s)
{
	while (s.n) {
		size_t end;

		if (!str_starts(s, S("\xe2\x9f\xa8"))) {
			buf_char(out, s.p[0]);
			s = str_from(s, 1);
			continue;
		}
		end = str_find_str(s, 0, S("\xe2\x9f\xa9"));
		bug_on(end == s.n);
		if (s.p[3] == 'x')
			buf_char(out, (char)hex_value(str_sub(s, 4, end - 4)));
		else
			utf8_write(out, hex_value(str_sub(s, 5, end - 5)));
		s = str_from(s, end + 3);
	}
}

static void check_lines(struct str text, size_t width)
{
	size_t all = inert_width(text), sum = 0;

	while (text.n) {
		size_t n = inert_fit(text, width);
		struct str line = str_sub(text, 0, n);

		bug_on(!n || !utf8_valid(line));
		sum += inert_width(line);
		text = str_from(text, n);
	}
	bug_on(sum != all);
}

static void check_form(struct str raw, enum inert_form form, const char *never)
{
	struct buf out;

	buf_init(&out, SIZE_MAX / 2);
	inert_write(&out, raw, form);
	check_characters(buf_str(&out));
	for (size_t i = 0; i < out.n; i++)
		bug_on(strchr(never, out.p[i]) != NULL);
	buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str raw, text;
	struct arena a;
	struct buf back;

	if (size < 1 || size > 65536)
		return 0;
	raw = str_n(data + 1, size - 1);
	arena_init(&a, (size_t)16 << 20);
	text = inert_text(&a, raw);
	check_characters(text);
	bug_on(text.n > raw.n * 13);
	buf_in(&back, &a, SIZE_MAX / 2);
	undo(&back, text);
	bug_on(!str_eq(buf_str(&back), raw));
	check_lines(text, (size_t)data[0] % 80 + 1);
	check_form(raw, INERT_CODE, "`|\\<\n");
	check_form(raw, INERT_HTML, "<>\"'\n");
	arena_done(&a);
	return 0;
}
