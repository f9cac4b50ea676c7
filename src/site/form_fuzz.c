/* Properties: a form that is read, written again and read is the same form; every value is UTF-8
 * without NUL; a cookie's value is a part of the header. */
#include "site/form.h"

#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_escaped(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		buf_fmt(out, "%%%02X", (unsigned char)s.p[i]);
}

static void check_again(struct arena *a, const struct form_fields *f)
{
	struct form_fields again;
	struct buf text;

	buf_in(&text, a, (size_t)1 << 20);
	for (size_t i = 0; i < f->count; i++) {
		bug_on(!utf8_valid(f->fields[i].value) || str_has(f->fields[i].value, '\0'));
		write_escaped(&text, f->fields[i].name);
		buf_char(&text, '=');
		write_escaped(&text, f->fields[i].value);
		buf_char(&text, '&');
	}
	bug_on(!form_read(&again, a, buf_str(&text)) || again.count != f->count);
	for (size_t i = 0; i < f->count; i++)
		bug_on(!str_eq(again.fields[i].value, f->fields[i].value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = str_n(data, size), cookie;
	struct arena a;
	struct form_fields f;

	if (size > ((size_t)64 << 10))
		return 0;
	arena_init(&a, (size_t)16 << 20);
	if (form_read(&f, &a, text))
		check_again(&a, &f);
	cookie = cookie_get(text, S("visit"));
	bug_on(cookie.n && (cookie.p < text.p || cookie.p + cookie.n > text.p + text.n));
	arena_done(&a);
	return 0;
}
