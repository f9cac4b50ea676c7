/* yaml_json - what a plain scalar is by the YAML 1.2 core schema, and trees as JSON text.
 *
 * Section 10.3.2 of YAML 1.2.2: "no", "on" and "1_000" are text; 0o17 and 0x1f are numbers. */
#include "config/yaml.h"

#include "base/scan.h"

static bool one_of(struct str s, const char *const *words)
{
	for (; *words; words++)
		if (str_eq(s, str_c(*words)))
			return true;
	return false;
}

static bool is_hex(char c)
{
	return ascii_is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'f');
}

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

static bool is_based(struct str s)
{
	struct scan in = scan_of(s);

	if (scan_lit(&in, S("0x")))
		return scan_while(&in, is_hex).n && scan_end(&in);
	if (scan_lit(&in, S("0o")))
		return scan_while(&in, is_octal).n && scan_end(&in);
	return false;
}

/* [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?  */
struct number {
	bool negative, dot, e, e_negative;
	struct str whole, fraction, exponent;
};

static bool read_number(struct str s, struct number *out)
{
	struct scan in = scan_of(s);
	struct number n = { 0 };

	n.negative = scan_char(&in, '-');
	if (!n.negative)
		(void)scan_char(&in, '+');
	n.whole = scan_while(&in, ascii_is_digit);
	n.dot = scan_char(&in, '.');
	if (n.dot)
		n.fraction = scan_while(&in, ascii_is_digit);
	if (!n.whole.n && !n.fraction.n)
		return false;
	n.e = scan_char(&in, 'e') || scan_char(&in, 'E');
	if (n.e) {
		n.e_negative = scan_char(&in, '-');
		if (!n.e_negative)
			(void)scan_char(&in, '+');
		n.exponent = scan_while(&in, ascii_is_digit);
		if (!n.exponent.n)
			return false;
	}
	*out = n;
	return scan_end(&in);
}

enum yaml_core yaml_core(const struct yaml *node)
{
	static const char *const nulls[] = { "", "~", "null", "Null", "NULL", NULL };
	static const char *const bools[] = { "true", "True", "TRUE", "false", "False", "FALSE",
		NULL };
	struct number n;

	if (!node->plain)
		return YAML_TEXT;
	if (one_of(node->text, nulls))
		return YAML_NULL;
	if (one_of(node->text, bools))
		return YAML_BOOL;
	return is_based(node->text) || read_number(node->text, &n) ? YAML_NUMBER : YAML_TEXT;
}

const char *yaml_what(const struct yaml *node)
{
	static const char *const scalars[] = { "nothing", "a boolean", "a number", "text" };

	if (node->kind == YAML_MAP)
		return "a map";
	if (node->kind == YAML_LIST)
		return "a list";
	return scalars[yaml_core(node)];
}

/* What becomes of braces: in a template "{{" stands for one, and names of members are not filled.
 */
enum braces { BRACES_KEPT, BRACES_HALVED, BRACES_HIDDEN };

static void write_string(struct buf *out, struct str s, enum braces braces)
{
	buf_char(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool twice = i + 1 < s.n && s.p[i + 1] == s.p[i];
		bool hide = braces == BRACES_HIDDEN || (braces == BRACES_HALVED && twice);

		if (hide && (c == '{' || c == '}')) {
			buf_fmt(out, "\\u%04x", c);
			i += braces == BRACES_HALVED;
		} else if (c == '"' || c == '\\') {
			buf_char(out, '\\');
			buf_char(out, (char)c);
		} else if (c == '\n') {
			buf_lit(out, "\\n");
		} else if (c == '\t') {
			buf_lit(out, "\\t");
		} else if (c < 0x20) {
			buf_fmt(out, "\\u%04x", c);
		} else {
			buf_char(out, (char)c);
		}
	}
	buf_char(out, '"');
}

static void write_based(struct buf *out, struct str s)
{
	unsigned shift = s.p[1] == 'x' ? 4 : 3;
	uint64_t n = 0;

	for (size_t i = 2; i < s.n; i++) {
		char c = ascii_lower(s.p[i]);

		if (n >> (64 - shift)) { /* beyond 64 bits: leave it as the author wrote it */
			write_string(out, s, BRACES_KEPT);
			return;
		}
		n = n << shift | (uint64_t)(ascii_is_digit(c) ? c - '0' : c - 'a' + 10);
	}
	buf_u64(out, n);
}

static void write_number(struct buf *out, struct str s)
{
	struct number n;
	size_t zeros = 0;

	if (!read_number(s, &n)) {
		write_based(out, s);
		return;
	}
	while (zeros + 1 < n.whole.n && n.whole.p[zeros] == '0')
		zeros++;
	if (s.p[0] != '+' && n.whole.n && !zeros && (!n.dot || n.fraction.n)) {
		buf_add(out, s);
		return;
	}
	if (n.negative)
		buf_char(out, '-');
	buf_add(out, n.whole.n ? str_from(n.whole, zeros) : S("0"));
	if (n.dot) {
		buf_char(out, '.');
		buf_add(out, n.fraction.n ? n.fraction : S("0"));
	}
	if (n.e) {
		buf_add(out, n.e_negative ? S("e-") : S("e"));
		buf_add(out, n.exponent);
	}
}

static void write_scalar(const struct yaml *node, struct buf *out, bool template_text)
{
	enum yaml_core core = yaml_core(node);

	if (core == YAML_NULL)
		buf_lit(out, "null");
	else if (core == YAML_BOOL)
		buf_add(out, ascii_lower(node->text.p[0]) == 't' ? S("true") : S("false"));
	else if (core == YAML_NUMBER)
		write_number(out, node->text);
	else
		write_string(out, node->text, template_text ? BRACES_HALVED : BRACES_KEPT);
}

static void write_node(const struct yaml *node, struct buf *out, bool template_text)
{
	if (node->kind == YAML_SCALAR) {
		write_scalar(node, out, template_text);
		return;
	}
	buf_char(out, node->kind == YAML_MAP ? '{' : '[');
	for (size_t i = 0; i < node->count; i++) {
		if (i)
			buf_char(out, ',');
		if (node->kind == YAML_MAP) {
			write_string(out, node->entries[i].name,
				template_text ? BRACES_HIDDEN : BRACES_KEPT);
			buf_char(out, ':');
			write_node(&node->entries[i].value, out, template_text);
		} else {
			write_node(&node->items[i], out, template_text);
		}
	}
	buf_char(out, node->kind == YAML_MAP ? '}' : ']');
}

void yaml_to_json(const struct yaml *node, struct buf *out)
{
	write_node(node, out, false);
}

void yaml_to_template(const struct yaml *node, struct buf *out)
{
	write_node(node, out, true);
}
