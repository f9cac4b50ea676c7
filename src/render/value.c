/* value - see value.h.
 *
 * Invariants: 1. what is written is valid JSON of the type that output_schema publishes for the
 * column.
 * 2. no digit is lost: integers and decimals leave as the database's own text.
 * 3. a masked cell is text whatever the column is: nothing is asked of the value behind it. */
#include "render/value.h"

#include "base/digest.h"
#include "base/utf8.h"
#include "json/format.h"

#include <string.h>

#define BYTES_MAX ((size_t)16 << 20)

static bool is_text(const struct cell *cell, const char **why_out)
{
	if (cell->kind != CELL_TEXT)
		*why_out = "is not text";
	else if (!utf8_valid(cell->text))
		*why_out = "is not valid UTF-8";
	else if (str_has(cell->text, '\0'))
		*why_out = "holds a NUL character";
	else
		return true;
	return false;
}

static bool write_string(struct jw *w, const struct cell *cell, const char **why_out)
{
	if (!is_text(cell, why_out))
		return false;
	jw_str(w, cell->text);
	return true;
}

static bool write_format(
	struct jw *w, const struct cell *cell, struct str format, const char **why_out)
{
	if (!is_text(cell, why_out))
		return false;
	if (!format_find(format)(cell->text)) {
		*why_out = "is not of the declared format";
		return false;
	}
	jw_str(w, cell->text);
	return true;
}

static bool is_safe(int64_t n)
{
	return n <= INT64_C(9007199254740991) && n >= -INT64_C(9007199254740991);
}

static bool write_integer(
	struct jw *w, const struct cell *cell, bool as_string, const char **why_out)
{
	int64_t n;

	if (cell->kind != CELL_INTEGER || !str_to_i64(cell->text, &n)) {
		*why_out = "is not an integer";
		return false;
	}
	if (as_string) {
		jw_str(w, cell->text);
		return true;
	}
	if (!is_safe(n)) {
		*why_out = "is beyond 2^53-1: declare the column int64";
		return false;
	}
	jw_raw(w, cell->text);
	return true;
}

static bool is_decimal(struct str s)
{
	size_t at = s.n && s.p[0] == '-', digits = 0, dots = 0;

	for (; at < s.n; at++) {
		if (ascii_is_digit(s.p[at]))
			digits++;
		else if (s.p[at] == '.' && digits)
			dots++;
		else
			return false;
	}
	return digits && dots <= 1 && s.p[s.n - 1] != '.';
}

/* Most clients read a number as a double: an integer that it cannot hold would arrive as another
 * one. */
static bool write_number(struct jw *w, const struct cell *cell, const char **why_out)
{
	int64_t n;

	bool finite = cell->text.n && (ascii_is_digit(cell->text.p[0]) || cell->text.p[0] == '-') &&
		      ascii_is_digit(cell->text.p[cell->text.n - 1]);

	if ((cell->kind != CELL_INTEGER && cell->kind != CELL_REAL) || !finite) {
		*why_out = "is not a finite number";
		return false;
	}
	if (cell->kind == CELL_INTEGER && (!str_to_i64(cell->text, &n) || !is_safe(n))) {
		*why_out = "is an integer beyond 2^53-1: declare the column int64 or decimal";
		return false;
	}
	jw_raw(w, cell->text);
	return true;
}

static bool write_decimal(struct jw *w, const struct cell *cell, const char **why_out)
{
	if (cell->kind == CELL_BLOB || !is_decimal(cell->text)) {
		*why_out = "is not a decimal number";
		return false;
	}
	jw_str(w, cell->text);
	return true;
}

static bool write_boolean(struct jw *w, const struct cell *cell, const char **why_out)
{
	if (cell->kind != CELL_INTEGER ||
		(!str_eq(cell->text, S("0")) && !str_eq(cell->text, S("1")))) {
		*why_out = "is not 0 or 1";
		return false;
	}
	jw_bool(w, cell->text.p[0] == '1');
	return true;
}

static bool write_json(
	struct jw *w, struct arena *scratch, const struct cell *cell, const char **why_out)
{
	struct json_error error;
	struct json v;

	if (!is_text(cell, why_out))
		return false;
	if (!json_parse(scratch, cell->text, &v, &error)) {
		*why_out = "is not JSON";
		return false;
	}
	jw_json(w, &v);
	return true;
}

static bool write_bytes(
	struct jw *w, struct arena *scratch, const struct cell *cell, const char **why_out)
{
	struct buf text;

	if (cell->kind != CELL_BLOB) {
		*why_out = "is not a blob";
		return false;
	}
	buf_in(&text, scratch, BYTES_MAX);
	base64_write(&text, cell->text);
	jw_str(w, buf_str(&text));
	*why_out = "is too large";
	return buf_ok(&text);
}

bool value_write(struct jw *w, struct arena *scratch, const struct column *column,
	const struct cell *cell, const char **why_out)
{
	if (cell->kind == CELL_NULL) {
		if (!column->nullable) {
			*why_out = "is null and the column is not declared nullable";
			return false;
		}
		jw_null(w);
		return true;
	}
	if (cell->kind == CELL_MASKED) {
		jw_str(w, cell->text);
		return true;
	}
	switch (column->type) {
	case COLUMN_STRING:
		return write_string(w, cell, why_out);
	case COLUMN_INTEGER:
		return write_integer(w, cell, false, why_out);
	case COLUMN_INT64:
		return write_integer(w, cell, true, why_out);
	case COLUMN_NUMBER:
		return write_number(w, cell, why_out);
	case COLUMN_DECIMAL:
		return write_decimal(w, cell, why_out);
	case COLUMN_BOOLEAN:
		return write_boolean(w, cell, why_out);
	case COLUMN_DATE:
		return write_format(w, cell, S("date"), why_out);
	case COLUMN_DATE_TIME:
		return write_format(w, cell, S("date-time"), why_out);
	case COLUMN_JSON:
		return write_json(w, scratch, cell, why_out);
	case COLUMN_BYTES:
		return write_bytes(w, scratch, cell, why_out);
	}
	bug("a column type without a writer");
}

bool value_content(
	const struct column *column, const struct cell *cell, struct str *out, const char **why_out)
{
	if (cell->kind == CELL_MASKED) {
		*out = cell->text;
		return true;
	}
	if (column->type == COLUMN_BYTES && cell->kind != CELL_BLOB) {
		*why_out = "is not a blob";
		return false;
	}
	if (column->type != COLUMN_BYTES && !is_text(cell, why_out))
		return false;
	*out = cell->text;
	return true;
}
