/* pretty - see pretty.h. */
#include "cli/pretty.h"

#include "base/utf8.h"
#include "json/write.h"

static void indent(struct buf *out, unsigned depth)
{
	buf_char(out, '\n');
	for (unsigned i = 0; i < depth; i++)
		buf_lit(out, "  ");
}

static void put(struct buf *out, const struct json *v, unsigned depth)
{
	bool object = v->kind == JSON_OBJECT;

	if ((!object && v->kind != JSON_ARRAY) || !v->count) {
		buf_add(out, v->raw);
		return;
	}
	buf_char(out, object ? '{' : '[');
	for (uint32_t i = 0; i < v->count; i++) {
		if (i)
			buf_char(out, ',');
		indent(out, depth + 1);
		if (object) {
			buf_char(out, '"');
			json_escape(out, v->members[i].name);
			buf_lit(out, "\": ");
		}
		put(out, object ? &v->members[i].value : &v->items[i], depth + 1);
	}
	indent(out, depth);
	buf_char(out, object ? '}' : ']');
}

struct str json_pretty(struct arena *a, const struct json *v)
{
	struct buf out;

	buf_in(&out, a, (size_t)256 << 20);
	put(&out, v, 0);
	return text_for_terminal(a, buf_str(&out));
}

static bool acts_on_terminal(uint32_t c)
{
	return (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7f && c < 0xa0) || c == 0x61c ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x2069) || c == 0xfeff;
}

struct str text_for_terminal(struct arena *a, struct str text)
{
	bool utf8 = utf8_valid(text);
	struct buf out;
	size_t n = 1;

	buf_in(&out, a, (size_t)256 << 20);
	for (size_t i = 0; i < text.n; i += n) {
		uint32_t c = utf8 ? utf8_first(str_from(text, i), &n)
				  : (uint32_t)(unsigned char)text.p[i];

		if (acts_on_terminal(c) || (!utf8 && c > 0x7f))
			buf_fmt(&out, "\\u%04x", c);
		else
			buf_add(&out, str_sub(text, i, n));
	}
	return buf_str(&out);
}
