/* form - see form.h.
 *
 * Invariants: 1. what is read is bounded by the text.  2. a field's value is UTF-8 without NUL, its
 * line ends are '\n' (browsers send CRLF).  3. nothing is chosen between two of one name. */
#include "site/form.h"

#include "base/scan.h"
#include "base/utf8.h"

static int hex_digit(char c)
{
	if (ascii_is_digit(c))
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte behind a '%'.  -1: it is none. */
static int escaped_byte(struct scan *s)
{
	int high, low;

	if (scan_left(s) < 2)
		return -1;
	high = hex_digit(s->at[0]);
	low = hex_digit(s->at[1]);
	if (high < 0 || low < 0)
		return -1;
	scan_skip(s, 2);
	return high * 16 + low;
}

static bool decode(struct arena *a, struct str text, struct str *out)
{
	struct scan s = scan_of(text);
	bool after_return = false;
	struct buf b;

	buf_in(&b, a, text.n + 1);
	while (!scan_end(&s)) {
		int c = scan_peek(&s);

		scan_skip(&s, 1);
		if (c == '+')
			c = ' ';
		else if (c == '%')
			c = escaped_byte(&s);
		if (c <= 0)
			return false;
		if (c != '\n' || !after_return)
			buf_char(&b, c == '\r' ? '\n' : (char)c);
		after_return = c == '\r';
	}
	*out = buf_str(&b);
	return utf8_valid(*out);
}

static bool add_field(struct form_fields *f, struct arena *a, struct str part)
{
	struct str name = part, value = STR_NONE;
	struct form_field field;

	if (f->count == FORM_FIELDS)
		return false;
	if (!str_cut(part, '=', &name, &value)) {
		name = part;
		value = STR_NONE;
	}
	if (!decode(a, name, &field.name) || !decode(a, value, &field.value))
		return false;
	for (size_t i = 0; i < f->count; i++)
		if (str_eq(f->fields[i].name, field.name))
			return false;
	f->fields[f->count++] = field;
	return true;
}

bool form_read(struct form_fields *f, struct arena *a, struct str text)
{
	struct str part;

	f->count = 0;
	while (text.n) {
		if (!str_cut(text, '&', &part, &text)) {
			part = text;
			text = STR_NONE;
		}
		if (part.n && !add_field(f, a, part)) {
			f->count = 0;
			return false;
		}
	}
	return true;
}

struct str form_get(const struct form_fields *f, const char *name)
{
	for (size_t i = 0; i < f->count; i++)
		if (str_eq(f->fields[i].name, str_c(name)))
			return f->fields[i].value;
	return STR_NONE;
}

struct str cookie_get(struct str header, struct str name)
{
	struct str part, key, value, found = STR_NONE;
	unsigned count = 0;

	while (header.n) {
		if (!str_cut(header, ';', &part, &header)) {
			part = header;
			header = STR_NONE;
		}
		if (!str_cut(str_trim(part), '=', &key, &value) || !str_eq(key, name))
			continue;
		found = value;
		count++;
	}
	return count == 1 ? found : STR_NONE;
}
