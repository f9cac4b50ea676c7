/* cell - see cell.h.
 *
 * Invariants: 1. different cells are written differently.  2. what is read is written the same
 * again: UTF-8 never comes as "bytes", numbers only as the database writes them. */
#include "plan/cell.h"

#include "base/digest.h"
#include "base/utf8.h"
#include "json/write.h"

#define REAL_MAX_BYTES ((size_t)40)

static void put_string(struct buf *out, struct str s)
{
	buf_char(out, '"');
	json_escape_canonical(out, s);
	buf_char(out, '"');
}

static void put_typed(struct buf *out, const char *type, struct str text)
{
	buf_fmt(out, "[\"%s\",", type);
	put_string(out, text);
	buf_char(out, ']');
}

static void put_base64(struct buf *out, const char *type, struct str bytes)
{
	buf_fmt(out, "[\"%s\",\"", type);
	base64_write(out, bytes);
	buf_lit(out, "\"]");
}

void text_write(struct buf *out, struct str s)
{
	if (utf8_valid(s))
		put_string(out, s);
	else
		put_base64(out, "bytes", s);
}

void cell_write(struct buf *out, const struct cell *cell)
{
	switch (cell->kind) {
	case CELL_NULL:
		buf_lit(out, "null");
		return;
	case CELL_INTEGER:
		put_typed(out, "integer", cell->text);
		return;
	case CELL_REAL:
		put_typed(out, "real", cell->text);
		return;
	case CELL_TEXT:
		if (utf8_valid(cell->text))
			put_typed(out, "text", cell->text);
		else
			put_base64(out, "bytes", cell->text);
		return;
	case CELL_BLOB:
		put_base64(out, "blob", cell->text);
		return;
	case CELL_MASKED:
		break;
	}
	bug("a mask stands where a value must");
}

static bool is_integer(struct str s)
{
	int64_t n;
	struct str digits = s.n && s.p[0] == '-' ? str_from(s, 1) : s;

	return str_to_i64(s, &n) && (digits.p[0] != '0' || s.n == 1);
}

static bool is_real(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!str_has(S("0123456789+-.einfa"), s.p[i]))
			return false;
	return s.n && s.n <= REAL_MAX_BYTES;
}

/* Two strings; the second decoded where the first says that it is base64. */
static bool read_pair(
	struct arena *a, const struct json *v, struct str *type_out, struct str *text_out)
{
	struct buf bytes;

	if (!json_is(v, JSON_ARRAY) || v->count != 2 || v->items[0].kind != JSON_STRING ||
		v->items[1].kind != JSON_STRING)
		return false;
	*type_out = v->items[0].text;
	*text_out = v->items[1].text;
	if (!str_eq(*type_out, S("blob")) && !str_eq(*type_out, S("bytes")))
		return true;
	buf_in(&bytes, a, v->items[1].text.n + 1);
	if (!base64_read(v->items[1].text, &bytes))
		return false;
	*text_out = buf_str(&bytes);
	return true;
}

bool text_read(struct arena *a, const struct json *v, struct str *out)
{
	struct str type, text;

	if (json_is(v, JSON_STRING)) {
		*out = v->text;
		return true;
	}
	if (!read_pair(a, v, &type, &text) || !str_eq(type, S("bytes")) || utf8_valid(text))
		return false;
	*out = text;
	return true;
}

static bool kind_of(struct str type, struct str text, enum cell_kind *out)
{
	if (str_eq(type, S("integer")) && is_integer(text))
		*out = CELL_INTEGER;
	else if (str_eq(type, S("real")) && is_real(text))
		*out = CELL_REAL;
	else if (str_eq(type, S("text")) || (str_eq(type, S("bytes")) && !utf8_valid(text)))
		*out = CELL_TEXT;
	else if (str_eq(type, S("blob")))
		*out = CELL_BLOB;
	else
		return false;
	return true;
}

bool cell_read(struct arena *a, const struct json *v, struct cell *out)
{
	struct str type, text;
	enum cell_kind kind;

	if (json_is(v, JSON_NULL)) {
		*out = (struct cell){ CELL_NULL, STR_NONE };
		return true;
	}
	if (!read_pair(a, v, &type, &text) || !kind_of(type, text, &kind))
		return false;
	*out = (struct cell){ kind, text };
	return true;
}
