/* canonical - one text for every value; see json_canonical in write.h.
 *
 * RFC 8785 section 3.2.3 sorts names by UTF-16 code units.  Over UTF-8 that is the order of bytes,
 * but for one thing: characters beyond U+FFFF are surrogates there and sort before U+E000 to
 * U+FFFF, while their first bytes, F0 to F4, sort behind EE and EF. */
#include <stdlib.h>
#include <string.h>

#include "json/number.h"
#include "json/write.h"

static void canonical(struct buf *out, struct arena *scratch, const struct json *v);

static int unit_rank(unsigned char c)
{
	return c == 0xee || c == 0xef ? c + 0x10 : c;
}

static int name_cmp(struct str a, struct str b)
{
	size_t common = MIN(a.n, b.n);

	for (size_t i = 0; i < common; i++)
		if (a.p[i] != b.p[i])
			return unit_rank((unsigned char)a.p[i]) - unit_rank((unsigned char)b.p[i]);
	return (a.n > b.n) - (a.n < b.n);
}

static int member_cmp(const void *a, const void *b)
{
	const struct json_member *const *x = a, *const *y = b;

	return name_cmp((*x)->name, (*y)->name);
}

static void canonical_string(struct buf *out, struct str s)
{
	buf_char(out, '"');
	json_escape_canonical(out, s);
	buf_char(out, '"');
}

static void canonical_number(struct buf *out, struct str lexeme)
{
	struct number n;

	number_of(lexeme, &n);
	buf_char(out, '"');
	number_write(out, &n);
	buf_char(out, '"');
}

static void canonical_items(struct buf *out, struct arena *scratch, const struct json *v)
{
	buf_char(out, '[');
	for (uint32_t i = 0; i < v->count; i++) {
		if (i)
			buf_char(out, ',');
		canonical(out, scratch, &v->items[i]);
	}
	buf_char(out, ']');
}

static void canonical_members(struct buf *out, struct arena *scratch, const struct json *v)
{
	const struct json_member **sorted =
		arena_array(scratch, const struct json_member *, v->count);

	for (uint32_t i = 0; i < v->count; i++)
		sorted[i] = &v->members[i];
	qsort(sorted, v->count, sizeof *sorted, member_cmp);
	buf_char(out, '{');
	for (uint32_t i = 0; i < v->count; i++) {
		if (i)
			buf_char(out, ',');
		canonical_string(out, sorted[i]->name);
		buf_char(out, ':');
		canonical(out, scratch, &sorted[i]->value);
	}
	buf_char(out, '}');
}

static void canonical(struct buf *out, struct arena *scratch, const struct json *v)
{
	switch (v->kind) {
	case JSON_NULL:
		buf_lit(out, "null");
		break;
	case JSON_BOOL:
		buf_add(out, v->truth ? S("true") : S("false"));
		break;
	case JSON_NUMBER:
		canonical_number(out, v->text);
		break;
	case JSON_STRING:
		canonical_string(out, v->text);
		break;
	case JSON_ARRAY:
		canonical_items(out, scratch, v);
		break;
	case JSON_OBJECT:
		canonical_members(out, scratch, v);
		break;
	default:
		bug_on(true);
	}
}

void json_canonical(struct buf *out, struct arena *scratch, const struct json *v)
{
	canonical(out, scratch, v);
}
