/* guard - see guard.h.
 *
 * Invariants: 1. a step sets its bit in call->passed only as its last act, after every test.
 * 2. guard_warrant wants all bits: a pipeline that forgot a step aborts in its first test.
 * 3. nothing here looks at how an entry is run. */
#include "guard/guard.h"

#include "base/seal.h"
#include "json/decimal.h"
#include "json/write.h"
#include "plan/change.h"

#define DETAILS_MAX ((size_t)32 << 10)
/* A cursor's text: what the cursor argument takes (catalog/page.c). */
#define CURSOR_MAX ((size_t)4 << 10)
#define BOUND_MAX ((size_t)9 << 20) /* canonical arguments and two digests */
#define EVERY_STEP                                                                                 \
	(GUARD_KILL | GUARD_PERMISSION | GUARD_SCHEMA | GUARD_STATE | GUARD_CURSOR |               \
		GUARD_APPROVAL | GUARD_LIMITS)

struct guard {
	const struct seal *seal;
};

struct warrant {
	struct call *call;
};

struct guard *guard_new(const struct seal *seal)
{
	struct guard *g = heap_new(struct guard);

	g->seal = seal;
	return g;
}

void guard_free(struct guard **g)
{
	heap_free(*g);
	*g = NULL;
}

static enum verdict refuse(struct call *c, enum fault_code code, const char *reason)
{
	call_fault(c, code, reason, STR_NONE);
	return VERDICT_REFUSE;
}

static enum verdict pass(struct call *c, enum guard_step step)
{
	c->passed |= step;
	return VERDICT_PASS;
}

/* What a person could do about it, and nothing that the rule protects. */
static struct str permission_details(struct call *c, enum permission p)
{
	struct buf details;
	struct jw w;

	if (p != PERMISSION_GRANT && p != PERMISSION_SCOPE)
		return STR_NONE;
	buf_in(&details, c->arena, DETAILS_MAX);
	jw_init(&w, &details);
	jw_object(&w);
	jw_put_str(&w, S("grant"), c->entry->requires);
	jw_object_end(&w);
	return buf_str(&details);
}

enum verdict guard_permission(struct call *c)
{
	enum permission p = permission_judge(c->who, c->entry);

	if (p == PERMISSION_GIVEN)
		return pass(c, GUARD_PERMISSION);
	c->fault.details_json = permission_details(c, p);
	return refuse(c, PERMISSION_DENIED, permission_name(p));
}

/* The stable word for the record, by the first keyword that did not fit. */
static const char *reason_of(const struct schema_faults *faults)
{
	static const struct {
		struct str keyword;
		const char *reason;
	} table[] = {
		{ STR_INIT("additionalProperties"), "unknown_field" },
		{ STR_INIT("unevaluatedProperties"), "unknown_field" },
		{ STR_INIT("required"), "required" },
		{ STR_INIT("type"), "type" },
		{ STR_INIT("pattern"), "pattern" },
		{ STR_INIT("minLength"), "length" },
		{ STR_INIT("maxLength"), "length" },
		{ STR_INIT("format"), "format" },
		{ STR_INIT("minItems"), "items" },
		{ STR_INIT("maxItems"), "items" },
		{ STR_INIT("uniqueItems"), "items" },
		{ STR_INIT("minimum"), "range" },
		{ STR_INIT("maximum"), "range" },
		{ STR_INIT("exclusiveMinimum"), "range" },
		{ STR_INIT("exclusiveMaximum"), "range" },
		{ STR_INIT("enum"), "enum" },
		{ STR_INIT("const"), "enum" },
	};

	for (size_t i = 0; faults->count && i < ARRAY_LEN(table); i++)
		if (str_eq(faults->list[0].keyword, table[i].keyword))
			return table[i].reason;
	return "schema";
}

static enum verdict refuse_faults(
	struct call *c, const struct schema_faults *faults, const char *reason)
{
	struct buf details;
	struct jw w;

	buf_in(&details, c->arena, DETAILS_MAX);
	jw_init(&w, &details);
	jw_object(&w);
	jw_name(&w, S("faults"));
	jw_array(&w);
	for (size_t i = 0; i < faults->count; i++) {
		jw_object(&w);
		jw_put_str(&w, S("pointer"), faults->list[i].pointer);
		jw_put_str(&w, S("keyword"), faults->list[i].keyword);
		jw_put_str(&w, S("expected"), faults->list[i].expected);
		jw_object_end(&w);
	}
	jw_array_end(&w);
	jw_object_end(&w);
	if (buf_ok(&details))
		c->fault.details_json = buf_str(&details);
	return refuse(c, VALIDATION_ERROR, reason);
}

static enum verdict refuse_one(struct call *c, struct str pointer, struct str keyword,
	struct str expected, const char *reason)
{
	struct schema_faults faults = { .count = 1 };

	faults.list[0] = (struct schema_fault){ pointer, keyword, expected };
	return refuse_faults(c, &faults, reason);
}

/* An integer that a double cannot hold exactly, and is not declared int64, would be another number
 * at the far end of some client: refused.  int64 itself has a range too. */
static bool integers_fit(struct call *c, const struct json *v, bool int64)
{
	struct str digits;
	int64_t n;

	if (v->kind == JSON_NUMBER) {
		if (!lexeme_is_integer(v->text))
			return true;
		if (!json_integer(c->arena, v->text, &digits))
			return false;
		if (!str_to_i64(digits, &n))
			return false;
		return int64 || (n <= INT64_C(9007199254740991) && n >= -INT64_C(9007199254740991));
	}
	if (v->kind == JSON_ARRAY)
		for (uint32_t i = 0; i < v->count; i++)
			if (!integers_fit(c, &v->items[i], int64))
				return false;
	if (v->kind == JSON_OBJECT)
		for (uint32_t i = 0; i < v->count; i++)
			if (!integers_fit(c, &v->members[i].value, int64))
				return false;
	return true;
}

static enum verdict check_integers(struct call *c)
{
	for (size_t i = 0; i < c->entry->input_count; i++) {
		const struct input *in = &c->entry->inputs[i];
		const struct json *v = args_get(c, in->name);

		if (!v || !in->integer || integers_fit(c, v, in->int64))
			continue;
		return refuse_one(c, arena_fmt(c->arena, "/%.*s", STR_ARG(in->name)), S("maximum"),
			in->int64 ? S("an integer of 64 bits")
				  : S("an integer between -9007199254740991 and "
				      "9007199254740991"),
			"range");
	}
	return VERDICT_PASS;
}

enum verdict guard_schema(struct call *c)
{
	struct json none = { .kind = JSON_OBJECT };
	const struct json *sent = c->arguments_sent ? c->arguments_sent : &none;
	struct schema_faults faults = { 0 };

	if (sent->kind != JSON_OBJECT)
		return refuse_one(c, S(""), S("type"), S("an object"), "type");
	if (json_has_nul(sent))
		return refuse_one(
			c, S(""), S("type"), S("text without a NUL character (\\u0000)"), "nul");
	if (c->entry->schema && !schema_check(c->entry->schema, c->arena, sent, &faults))
		return refuse_faults(c, &faults, reason_of(&faults));
	if (!args_prepare(c))
		return refuse_one(c, S(""), S("limit"), S("arguments with less in them"), "size");
	if (check_integers(c) != VERDICT_PASS)
		return VERDICT_REFUSE;
	return pass(c, GUARD_SCHEMA);
}

/* An entry that seals its state asked before it is answered: answers without it are nobody's. */
static bool comes_cold(const struct call *c)
{
	const struct action *action = &c->entry->action;

	return action->kind == ACTION_SCRIPT && action->state == STATE_SEALED && c->answers &&
	       c->answers->count && !c->state_plain_in.n;
}

enum verdict guard_state(struct call *c, bool opened)
{
	if (!opened || comes_cold(c))
		return refuse(c, VALIDATION_ERROR, "request_state");
	return pass(c, GUARD_STATE);
}

static const struct page *page_of(const struct call *c)
{
	const struct action *action = &c->entry->action;

	if (action->kind != ACTION_READ || action->part_count != 1 || !action->parts[0].page.on)
		return NULL;
	return &action->parts[0].page;
}

/* Whom and what a page cursor is for: principal, definition of the tool, and every argument but the
 * cursor and the size of the page. */
static struct str cursor_bound(struct call *c)
{
	struct json rest = { .kind = JSON_OBJECT };
	struct json_member *members = arena_array(c->arena, struct json_member, c->arguments.count);
	struct buf bound;

	for (uint32_t i = 0; i < c->arguments.count; i++) {
		const struct json_member *m = &c->arguments.members[i];

		if (!str_eq(m->name, S("cursor")) && !str_eq(m->name, S("limit")))
			members[rest.count++] = *m;
	}
	rest.members = members;
	buf_in(&bound, c->arena, BOUND_MAX);
	buf_add(&bound, str_n(c->who->binding.b, SHA256_BYTES));
	buf_add(&bound, str_n(c->entry->digest.b, SHA256_BYTES));
	json_canonical(&bound, c->arena, &rest);
	return buf_str(&bound);
}

static bool open_cursor(struct guard *g, struct call *c, const struct page *page, struct str text)
{
	struct json *values = arena_new(c->arena, struct json);
	struct json_error error;
	struct buf plain;

	buf_in(&plain, c->arena, CURSOR_MAX);
	if (!seal_read(g->seal, S("page"), cursor_bound(c), text, &plain) ||
		!json_parse(c->arena, buf_str(&plain), values, &error))
		return false;
	if (values->kind != JSON_ARRAY || values->count != page->by_count)
		return false;
	c->cursor = values;
	return true;
}

enum verdict guard_cursor(struct guard *g, struct call *c)
{
	const struct page *page = page_of(c);
	const struct json *cursor, *limit;
	struct str digits;
	uint64_t rows;

	if (!page)
		return pass(c, GUARD_CURSOR);
	cursor = args_get(c, S("cursor"));
	limit = args_get(c, S("limit"));
	if (!limit || !json_is(limit, JSON_NUMBER) ||
		!json_integer(c->arena, limit->text, &digits) || !str_to_u64(digits, &rows))
		rows = page->size;
	c->page_rows = (uint32_t)MIN(rows, (uint64_t)page->max);
	if (json_is(cursor, JSON_STRING) && !open_cursor(g, c, page, cursor->text))
		return refuse_one(c, S("/cursor"), S("cursor"),
			S("a next_cursor of this tool, given to the same caller for the same "
			  "arguments; leave it out to start again"),
			"cursor");
	return pass(c, GUARD_CURSOR);
}

static void write_cell(struct jw *w, const struct cell *cell)
{
	if (cell->kind == CELL_NULL)
		jw_null(w);
	else if (cell->kind == CELL_INTEGER || cell->kind == CELL_REAL)
		jw_raw(w, cell->text);
	else
		jw_str(w, cell->text);
}

struct str guard_cursor_make(struct guard *g, struct call *c, const struct rows *rows)
{
	const struct part *part = rows->part;
	struct buf plain, out;
	struct jw w;

	if (!part->page.on || !rows->more || !rows->count)
		return STR_NONE;
	buf_in(&plain, c->arena, CURSOR_MAX);
	jw_init(&w, &plain);
	jw_array(&w);
	for (size_t i = 0; i < part->page.by_count; i++)
		for (size_t k = 0; k < part->column_count; k++)
			if (str_eq(part->columns[k].name, part->page.by[i]))
				write_cell(&w,
					&rows->cells[(rows->count - 1) * part->column_count + k]);
	jw_array_end(&w);
	buf_in(&out, c->arena, CURSOR_MAX);
	seal_write(g->seal, S("page"), cursor_bound(c), buf_str(&plain), &out);
	return buf_ok(&plain) && buf_ok(&out) ? buf_str(&out) : STR_NONE;
}

static bool needs_nobody(const struct change *ch)
{
	for (size_t i = 0; i < ch->step_count; i++)
		if (ch->steps[i].entry->write->approval != APPROVAL_NONE)
			return false;
	return true;
}

enum verdict guard_approval(struct call *c, bool found)
{
	struct change *ch = c->change;

	if (!found)
		return VERDICT_REFUSE;
	if (ch)
		ch->live = ch->wish != WISH_PREVIEW && (ch->approved || needs_nobody(ch));
	return pass(c, GUARD_APPROVAL);
}

const struct warrant *guard_warrant(struct call *c)
{
	struct warrant *w = arena_new(c->arena, struct warrant);

	bug_on(c->passed != EVERY_STEP);
	w->call = c;
	return w;
}

struct call *warrant_call(const struct warrant *w)
{
	return w->call;
}
