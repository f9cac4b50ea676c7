/* pattern_ecma - see pattern_ecma.h.
 *
 * Invariants:
 * 1. Nothing of the source is copied: every construct is recognised and written anew, so syntax
 *    that only PCRE2 knows cannot pass.
 * 2. A character with a meaning to PCRE2 is written as \x{HEX}, inside and outside of classes.
 * 3. The nesting of groups is a counter and one bit for each open group; nothing here recurses. */
#include "json/pattern_ecma.h"

#include "base/scan.h"
#include "base/utf8.h"

#include <string.h>

#define MAX_GROUPS 64 /* open at once */
#define MAX_REPEAT 65535u /* PCRE2's own limit */
#define NO_CHAR UINT32_MAX

struct reader {
	struct scan at;
	struct buf *out;
	struct err *err;
	bool linear;
	bool repeatable; /* a quantifier may follow */
	unsigned depth, groups, most_reference;
	bool is_assertion[MAX_GROUPS]; /* of each open group */
};

/* ECMA-262 WhiteSpace and LineTerminator, and what is left without them; for inside a class. */
#define SPACES                                                                                     \
	"\\x{9}-\\x{d}\\x{20}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}"                \
	"\\x{202f}\\x{205f}\\x{3000}\\x{feff}"
#define NOT_SPACES                                                                                 \
	"\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}"           \
	"\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}"             \
	"\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}"

static bool refuse(struct reader *r, const char *why)
{
	return err_set(r->err, E_INVALID, "pattern, at byte %zu: %s", scan_offset(&r->at), why);
}

/* The next code point, not consumed; NO_CHAR at the end. */
static uint32_t peek(const struct reader *r, size_t *bytes_out)
{
	*bytes_out = 0;
	if (scan_end(&r->at))
		return NO_CHAR;
	return utf8_first(str_n(r->at.at, scan_left(&r->at)), bytes_out);
}

static void put_char(struct reader *r, uint32_t c)
{
	if (c < 128 && ascii_is_alnum((char)c))
		buf_char(r->out, (char)c);
	else
		buf_fmt(r->out, "\\x{%x}", c);
}

static int hex_value(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Exactly `digits` hex digits, or, with digits 0, one or more up to U+10FFFF. */
static bool read_hex(struct reader *r, unsigned digits, uint32_t *out)
{
	uint32_t value = 0;
	unsigned count = 0;

	while ((digits == 0 || count < digits) && hex_value(scan_peek(&r->at)) >= 0) {
		value = value * 16 + (uint32_t)hex_value(scan_peek(&r->at));
		if (value > 0x10FFFF)
			return false;
		scan_skip(&r->at, 1);
		count++;
	}
	*out = value;
	return count > 0 && (digits == 0 || count == digits);
}

/* After \u.  A pair of surrogate escapes is one character; half a pair matches nothing we read. */
static bool read_unicode_escape(struct reader *r, uint32_t *out)
{
	uint32_t low;

	if (scan_char(&r->at, '{')) {
		if (!read_hex(r, 0, out) || !scan_char(&r->at, '}'))
			return refuse(r, "\\u{...} takes hex digits up to 10ffff");
	} else if (!read_hex(r, 4, out)) {
		return refuse(r, "\\u takes four hex digits, or hex digits in braces");
	}
	if (*out >= 0xD800 && *out < 0xDC00 && scan_lit(&r->at, S("\\u"))) {
		if (!read_hex(r, 4, &low) || low < 0xDC00 || low > 0xDFFF)
			return refuse(r, "half a surrogate pair");
		*out = 0x10000 + ((*out - 0xD800) << 10) + (low - 0xDC00);
	}
	return (*out >= 0xD800 && *out <= 0xDFFF) ? refuse(r, "half a surrogate pair") : true;
}

/* After a backslash: escapes that stand for one character, in and out of classes. */
static bool read_char_escape(struct reader *r, uint32_t *out)
{
	static const char controls[] = "tnvfr", codes[] = "\t\n\v\f\r";
	int c = scan_peek(&r->at);
	const char *control = c > 0 ? strchr(controls, c) : NULL;

	if (c < 0)
		return refuse(r, "a backslash at the end");
	if (control) {
		*out = (uint32_t)codes[control - controls];
	} else if (strchr("^$\\.*+?()[]{}|/", c) && c) {
		*out = (uint32_t)c;
	} else if (c == 'u') {
		scan_skip(&r->at, 1);
		return read_unicode_escape(r, out);
	} else if (c == 'x') {
		scan_skip(&r->at, 1);
		return read_hex(r, 2, out) || refuse(r, "\\x takes two hex digits");
	} else if (c == 'c') {
		scan_skip(&r->at, 1);
		if (scan_peek(&r->at) < 0 || !ascii_is_alpha((char)scan_peek(&r->at)))
			return refuse(r, "\\c takes a letter");
		*out = (uint32_t)scan_peek(&r->at) & 31;
	} else if (c == '0') {
		scan_skip(&r->at, 1);
		*out = 0;
		if (scan_peek(&r->at) >= 0 && ascii_is_digit((char)scan_peek(&r->at)))
			return refuse(r, "octal escapes are not ECMA-262; write \\xHH");
		return true;
	} else {
		return refuse(r, "no such escape in ECMA-262 (u flag)");
	}
	scan_skip(&r->at, 1);
	return true;
}

static bool name_char(char c)
{
	return ascii_is_alnum(c) || c == '_';
}

/* After \p or \P (`letter`). */
static bool read_property(struct reader *r, char letter)
{
	struct str kind = STR_NONE, name;
	const char *prefix;

	if (!scan_char(&r->at, '{'))
		return refuse(r, "\\p takes a property in braces");
	name = scan_while(&r->at, name_char);
	if (scan_char(&r->at, '=')) {
		kind = name;
		name = scan_while(&r->at, name_char);
	}
	name = pattern_property(kind, name, &prefix);
	if (name.n == 0 || !scan_char(&r->at, '}'))
		return refuse(r, "no such property in ECMA-262");
	buf_fmt(r->out, "\\%c{%s%.*s}", letter, prefix, STR_ARG(name));
	return true;
}

/* After a backslash: \d \D \w \W \s \S \p \P, the same in and out of classes. */
static bool is_class_escape(int c)
{
	return c > 0 && strchr("dDwWsSpP", c) != NULL;
}

static bool read_class_escape(struct reader *r, bool inside)
{
	char c = (char)scan_peek(&r->at);

	scan_skip(&r->at, 1);
	if (c == 'p' || c == 'P')
		return read_property(r, c);
	if (c != 's' && c != 'S') {
		buf_fmt(r->out, "\\%c", c);
		return true;
	}
	if (!inside)
		buf_char(r->out, '[');
	buf_add(r->out, c == 's' ? S(SPACES) : S(NOT_SPACES));
	if (!inside)
		buf_char(r->out, ']');
	return true;
}

/* One member of a class: *out is its character, or NO_CHAR for a class escape (written out). */
static bool read_class_atom(struct reader *r, uint32_t *out)
{
	size_t bytes;

	if (!scan_char(&r->at, '\\')) {
		*out = peek(r, &bytes);
		if (*out == NO_CHAR)
			return refuse(r, "a class that is not closed");
		scan_skip(&r->at, bytes);
		return true;
	}
	*out = NO_CHAR;
	if (is_class_escape(scan_peek(&r->at)))
		return read_class_escape(r, true);
	if (scan_char(&r->at, 'b'))
		*out = '\b';
	else if (scan_char(&r->at, '-'))
		*out = '-';
	else
		return read_char_escape(r, out);
	return true;
}

/* After "[". */
static bool read_class(struct reader *r)
{
	bool negated = scan_char(&r->at, '^');
	uint32_t first, last;

	buf_add(r->out, negated ? S("[^") : S("["));
	while (!scan_char(&r->at, ']')) {
		if (!read_class_atom(r, &first))
			return false;
		if (first != NO_CHAR)
			put_char(r, first);
		if (scan_left(&r->at) < 2 || r->at.at[0] != '-' || r->at.at[1] == ']')
			continue;
		scan_skip(&r->at, 1);
		if (first == NO_CHAR)
			return refuse(r, "a class escape cannot begin a range");
		buf_char(r->out, '-');
		if (!read_class_atom(r, &last))
			return false;
		if (last == NO_CHAR || last < first)
			return refuse(r, "a range that is out of order or ends in a class escape");
		put_char(r, last);
	}
	buf_char(r->out, ']');
	r->repeatable = true;
	return true;
}

static bool read_number(struct reader *r, unsigned *out)
{
	unsigned value = 0;
	bool any = false;

	while (scan_peek(&r->at) >= 0 && ascii_is_digit((char)scan_peek(&r->at))) {
		value = MIN(value * 10 + (unsigned)(scan_peek(&r->at) - '0'), MAX_REPEAT + 1);
		scan_skip(&r->at, 1);
		any = true;
	}
	*out = value;
	return any;
}

/* After "{". */
static bool read_braces(struct reader *r)
{
	unsigned least, most;

	if (!read_number(r, &least))
		return refuse(r, "a brace that is no quantifier; write \\{");
	most = least;
	buf_fmt(r->out, "{%u", least);
	if (scan_char(&r->at, ',')) {
		buf_char(r->out, ',');
		if (read_number(r, &most))
			buf_fmt(r->out, "%u", most);
		else
			most = MAX(least, MAX_REPEAT);
	}
	buf_char(r->out, '}');
	if (!scan_char(&r->at, '}'))
		return refuse(r, "a quantifier that is not closed");
	if (least > most || least > MAX_REPEAT || most > MAX_REPEAT)
		return refuse(r, "a quantifier out of order or above 65535");
	return true;
}

static bool read_quantifier(struct reader *r, char c)
{
	if (!r->repeatable)
		return refuse(r, "nothing to repeat");
	r->repeatable = false;
	if (c == '{') {
		if (!read_braces(r))
			return false;
	} else {
		buf_char(r->out, c);
	}
	if (scan_char(&r->at, '?'))
		buf_char(r->out, '?');
	return true;
}

static bool read_group_name(struct reader *r, struct str *out)
{
	*out = scan_while(&r->at, name_char);
	if (out->n == 0 || out->n > 32 || ascii_is_digit(out->p[0]) || !scan_char(&r->at, '>'))
		return refuse(r, "a group's name is 1 to 32 letters, digits and _, closed by >");
	return true;
}

/* After "(". */
static bool read_group(struct reader *r)
{
	static const struct str assertions[] = { STR_INIT("?="), STR_INIT("?!"), STR_INIT("?<="),
		STR_INIT("?<!") };
	struct str name, opening = STR_NONE;

	if (r->depth == MAX_GROUPS)
		return refuse(r, "groups nested too deep");
	for (size_t i = 0; i < ARRAY_LEN(assertions) && opening.n == 0; i++)
		if (scan_lit(&r->at, assertions[i]))
			opening = assertions[i];
	if (opening.n && r->linear)
		return refuse(r, "look-around is not allowed here");
	r->is_assertion[r->depth++] = opening.n > 0;
	r->repeatable = false;
	buf_char(r->out, '(');
	if (opening.n) {
		buf_add(r->out, opening);
	} else if (scan_lit(&r->at, S("?:"))) {
		buf_lit(r->out, "?:");
	} else if (scan_lit(&r->at, S("?<"))) {
		r->groups++;
		if (!read_group_name(r, &name))
			return false;
		buf_fmt(r->out, "?<%.*s>", STR_ARG(name));
	} else if (scan_peek(&r->at) == '?') {
		return refuse(r, "no such group in ECMA-262");
	} else {
		r->groups++;
	}
	return true;
}

static bool read_group_end(struct reader *r)
{
	if (r->depth == 0)
		return refuse(r, "a parenthesis that was not opened");
	buf_char(r->out, ')');
	r->repeatable = !r->is_assertion[--r->depth];
	return true;
}

static bool read_back_reference(struct reader *r)
{
	unsigned number;
	struct str name;

	if (r->linear)
		return refuse(r, "back-references are not allowed here");
	r->repeatable = true;
	if (scan_lit(&r->at, S("k<"))) {
		if (!read_group_name(r, &name))
			return false;
		buf_fmt(r->out, "\\k<%.*s>", STR_ARG(name));
		return true;
	}
	if (!read_number(r, &number))
		return refuse(r, "\\k takes a group's name in < >");
	r->most_reference = MAX(r->most_reference, number);
	buf_fmt(r->out, "\\g{%u}", number);
	return true;
}

/* After a backslash, outside of a class. */
static bool read_escape(struct reader *r)
{
	int c = scan_peek(&r->at);
	uint32_t code;

	if (c == 'b' || c == 'B') {
		scan_skip(&r->at, 1);
		buf_fmt(r->out, "\\%c", c);
		r->repeatable = false;
		return true;
	}
	r->repeatable = true;
	if (is_class_escape(c))
		return read_class_escape(r, false);
	if (c == 'k' || (c >= '1' && c <= '9'))
		return read_back_reference(r);
	if (!read_char_escape(r, &code))
		return false;
	put_char(r, code);
	return true;
}

static bool read_term(struct reader *r)
{
	size_t bytes;
	uint32_t c = peek(r, &bytes);
	bool was_repeatable = r->repeatable;

	scan_skip(&r->at, bytes);
	r->repeatable = false;
	switch (c) {
	case '^':
	case '$':
	case '|':
		buf_char(r->out, (char)c);
		return true;
	case '*':
	case '+':
	case '?':
	case '{':
		r->repeatable = was_repeatable;
		return read_quantifier(r, (char)c);
	case '(':
		return read_group(r);
	case ')':
		return read_group_end(r);
	case '[':
		return read_class(r);
	case '\\':
		return read_escape(r);
	case '}':
	case ']':
		return refuse(r, "a bracket that was not opened; write it with a backslash");
	case '.':
		buf_lit(r->out, "[^\\x{a}\\x{d}\\x{2028}\\x{2029}]");
		break;
	default:
		put_char(r, c);
	}
	r->repeatable = true;
	return true;
}

bool pattern_translate(struct str source, bool linear, struct buf *out, struct err *err)
{
	struct reader r = { .at = scan_of(source), .out = out, .err = err, .linear = linear };

	while (!scan_end(&r.at))
		if (!read_term(&r))
			return false;
	if (r.depth)
		return refuse(&r, "a group that is not closed");
	if (r.most_reference > r.groups)
		return refuse(&r, "a reference to a group that is not there");
	return buf_ok(out) || err_set(err, E_LIMIT, "pattern: too long");
}
