/* schema_fault - says what was expected, in words that help an agent mend its call.
 *
 * Texts are made of the schema and of member names of the value, never of the value's contents, and
 * are bounded whatever the value holds. */
#include "json/schema_run.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

#define TOKEN_BYTES 128
#define TEXT_BYTES 500
#define LISTED_VALUES 20
#define FAULT_STEPS 256 /* bounds the memory for texts, too */

static void add_clipped(struct buf *out, struct str s, size_t most)
{
	buf_add(out, utf8_prefix(s, most));
	if (s.n > most)
		buf_lit(out, "…");
}

void schema_token(struct buf *out, struct str name)
{
	struct str part = utf8_prefix(name, TOKEN_BYTES);

	buf_char(out, '/');
	for (size_t i = 0; i < part.n; i++) {
		if (part.p[i] == '~')
			buf_lit(out, "~0");
		else if (part.p[i] == '/')
			buf_lit(out, "~1");
		else
			buf_char(out, part.p[i]);
	}
	if (part.n < name.n)
		buf_lit(out, "…");
}

static struct str pointer_of(struct arena *a, const struct place *p)
{
	const struct place *chain[JSON_MAX_DEPTH + 2];
	struct buf out;
	size_t depth = 0;

	for (; p->up && depth < ARRAY_LEN(chain); p = p->up)
		chain[depth++] = p;
	if (depth == 0)
		return S("");
	buf_in(&out, a, (2 * TOKEN_BYTES + 8) * ARRAY_LEN(chain));
	while (depth-- > 0) {
		if (chain[depth]->name)
			schema_token(&out, *chain[depth]->name);
		else
			buf_fmt(&out, "/%zu", chain[depth]->index);
	}
	return buf_str(&out);
}

bool fault_str(struct run *r, const struct place *p, struct str keyword, struct str expected)
{
	struct schema_fault *f;

	if (!r->faults || r->faults->count == SCHEMA_MAX_FAULTS || !schema_step(r, FAULT_STEPS))
		return false;
	f = &r->faults->list[r->faults->count++];
	f->pointer = pointer_of(r->scratch, p);
	f->keyword = keyword;
	f->expected = expected;
	if (p->is_name) {
		f->keyword = S("propertyNames");
		f->expected = arena_fmt(
			r->scratch, "a property name of this kind: %.*s", STR_ARG(expected));
	}
	return false;
}

bool fault_add(struct run *r, const struct place *p, struct str keyword, const char *fmt, ...)
{
	char text[TEXT_BYTES];
	va_list args;

	if (!r->faults || r->faults->count == SCHEMA_MAX_FAULTS)
		return false;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	return fault_str(
		r, p, keyword, arena_str(r->scratch, utf8_prefix(str_c(text), sizeof text - 4)));
}

struct str types_describe(struct arena *a, unsigned types)
{
	static const struct {
		unsigned bit;
		struct str name;
	} names[] = {
		{ KIND_BIT(JSON_STRING), STR_INIT("string") },
		{ KIND_INTEGER, STR_INIT("integer") },
		{ KIND_BIT(JSON_NUMBER), STR_INIT("number") },
		{ KIND_BIT(JSON_BOOL), STR_INIT("boolean") },
		{ KIND_BIT(JSON_ARRAY), STR_INIT("array") },
		{ KIND_BIT(JSON_OBJECT), STR_INIT("object") },
		{ KIND_BIT(JSON_NULL), STR_INIT("null") },
	};
	struct buf out;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (types == names[i].bit)
			return names[i].name;
	buf_in(&out, a, TEXT_BYTES);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (types & names[i].bit)
			buf_fmt(&out, "%s%.*s", out.n ? " or " : "", STR_ARG(names[i].name));
	return buf_str(&out);
}

static struct str value_text(const struct json *v)
{
	return v->kind == JSON_STRING && v->text.n ? v->text : v->raw;
}

struct str enum_describe(struct arena *a, const struct json *values)
{
	struct buf out;

	if (values->count == 1)
		return const_describe(a, &values->items[0]);
	buf_in(&out, a, TEXT_BYTES * 4);
	buf_lit(&out, "one of: ");
	for (uint32_t i = 0; i < values->count && i < LISTED_VALUES; i++) {
		buf_add(&out, i ? S(", ") : S(""));
		add_clipped(&out, value_text(&values->items[i]), 64);
	}
	if (values->count > LISTED_VALUES)
		buf_fmt(&out, " and %u more", values->count - LISTED_VALUES);
	return buf_str(&out);
}

struct str const_describe(struct arena *a, const struct json *value)
{
	struct buf out;

	buf_in(&out, a, TEXT_BYTES);
	buf_lit(&out, "exactly ");
	add_clipped(&out, value_text(value), 200);
	return buf_str(&out);
}

struct str rows_describe(struct arena *a, const struct object_rules *rules)
{
	struct buf out;

	if (rules->row_count == 0)
		return S("no such property");
	buf_in(&out, a, TEXT_BYTES * 4);
	buf_lit(&out, "no such property; known: ");
	for (uint32_t i = 0; i < rules->row_count && i < LISTED_VALUES; i++) {
		buf_add(&out, i ? S(", ") : S(""));
		add_clipped(&out, rules->rows[i].name, 64);
	}
	if (rules->row_count > LISTED_VALUES)
		buf_fmt(&out, " and %u more", rules->row_count - LISTED_VALUES);
	return buf_str(&out);
}

static struct str describe(struct arena *a, const struct schema_node *n, unsigned depth);

static struct str describe_list(struct arena *a, const struct node_list *list, unsigned depth)
{
	struct buf out;

	buf_in(&out, a, 300);
	for (uint32_t i = 0; i < list->count; i++) {
		struct str one = describe(a, list->node[i], depth);

		if (one.n == 0)
			return STR_NONE;
		buf_fmt(&out, "%s%.*s", i ? " or " : "", STR_ARG(one));
	}
	return buf_ok(&out) ? buf_str(&out) : STR_NONE;
}

static struct str describe(struct arena *a, const struct schema_node *n, unsigned depth)
{
	struct str types = STR_NONE;

	if (n->verdict != NODE_CHECKED || depth == 0)
		return STR_NONE;
	for (uint32_t i = 0; i < n->check_count; i++) {
		const struct check *c = &n->checks[i];

		switch ((int)c->op) {
		case CHECK_CONST:
			return const_describe(a, c->value);
		case CHECK_ENUM:
			return enum_describe(a, c->choice->values);
		case CHECK_TYPE:
			types = types_describe(a, c->types);
			break;
		case CHECK_PATTERN:
			if (c->source.n <= 100)
				return arena_fmt(a, "string that matches %.*s", STR_ARG(c->source));
			break;
		case CHECK_FORMAT:
			return format_hint(c->format_name);
		case CHECK_REF:
			return types.n ? types : describe(a, c->reference->node, depth - 1);
		case CHECK_ANY_OF:
		case CHECK_ONE_OF:
			return types.n ? types : describe_list(a, &c->nodes, depth - 1);
		default:
			break;
		}
	}
	return types;
}

struct str schema_describe(struct arena *a, const struct schema_node *n)
{
	return describe(a, n, 4);
}
