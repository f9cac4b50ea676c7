/* plan_read - a kept plan from its text (plan_write.c has the form).
 *
 * Invariants: 1. what is taken, plan_write writes, and that reads the same.  2. no member is
 * unknown, missing or of another type.  3. cells fit their tables, sides their operation, counts
 * their rows: whoever shows a plan need not look again.  4. memory is bounded by the text (json.h).
 *
 * The text comes from our own store, sealed; an error names the member and no value. */
#include "base/err.h"
#include "json/write.h"
#include "plan/cell.h"
#include "plan/plan.h"
#include "plan/plan_kept.h"
#include "plan/sum.h"

#include <limits.h>
#include <string.h>

#define TABLES_MAX 256 /* a write names 32 at most */

/* An object whose members are taken one by one.  Once something is wrong it stays so. */
struct taking {
	struct arena *a;
	const struct json *object;
	uint32_t taken;
	const char *wrong; /* the first member that is not as it must be; NULL: none yet */
};

static struct taking take_from(struct arena *a, const struct json *v)
{
	return (struct taking){ a, v, 0, json_is(v, JSON_OBJECT) ? NULL : "it" };
}

static bool taken_whole(const struct taking *t)
{
	return !t->wrong && t->object && t->taken == t->object->count;
}

/* NULL: absent, and wrong if it is needed. */
static const struct json *take(struct taking *t, const char *name, bool needed)
{
	const struct json *v = t->wrong ? NULL : json_get(t->object, str_c(name));

	if (v)
		t->taken++;
	else if (needed && !t->wrong)
		t->wrong = name;
	return v;
}

static void check(struct taking *t, const char *name, bool good)
{
	if (!good && !t->wrong)
		t->wrong = name;
}

static struct str take_text(struct taking *t, const char *name)
{
	const struct json *v = take(t, name, true);
	struct str text = STR_NONE;

	check(t, name, v && text_read(t->a, v, &text));
	return text;
}

/* Empty is left out. */
static struct str take_optional(struct taking *t, const char *name)
{
	const struct json *v = take(t, name, false);
	struct str text = STR_NONE;

	check(t, name, !v || (text_read(t->a, v, &text) && text.n));
	return text;
}

static bool take_flag(struct taking *t, const char *name)
{
	const struct json *v = take(t, name, false);

	check(t, name, !v || (v->kind == JSON_BOOL && v->truth));
	return v != NULL;
}

static bool is_lexeme(const struct json *v)
{
	return json_is(v, JSON_NUMBER) && (v->text.n == 1 || v->text.p[0] != '0');
}

static uint64_t take_u64(struct taking *t, const char *name, uint64_t most)
{
	const struct json *v = take(t, name, true);
	uint64_t n = 0;

	check(t, name, is_lexeme(v) && str_to_u64(v->text, &n) && n <= most);
	return n;
}

static int64_t take_i64(struct taking *t, const char *name)
{
	const struct json *v = take(t, name, true);
	int64_t n = 0;

	check(t, name, is_lexeme(v) && str_to_i64(v->text, &n) && !str_starts(v->text, S("-0")));
	return n;
}

static struct sha256 take_digest(struct taking *t, const char *name)
{
	struct str text = take_text(t, name);
	struct sha256 d = { 0 };
	struct buf bytes;

	buf_in(&bytes, t->a, SHA256_BYTES);
	check(t, name,
		str_starts(text, S("sha256:")) && text.n == 7 + 2 * SHA256_BYTES &&
			hex_read(str_from(text, 7), &bytes) && bytes.n == SHA256_BYTES);
	if (!t->wrong)
		memcpy(d.b, bytes.p, SHA256_BYTES);
	return d;
}

static const struct json *take_array(struct taking *t, const char *name)
{
	static const struct json none = { .kind = JSON_ARRAY };
	const struct json *v = take(t, name, true);

	check(t, name, json_is(v, JSON_ARRAY));
	return json_is(v, JSON_ARRAY) ? v : &none;
}

/* The place of a word in a list, or `count`: not in it. */
static size_t place_of(struct str word, const char *const *words, size_t count)
{
	size_t i = 0;

	while (i < count && !(words[i] && str_eq(word, str_c(words[i]))))
		i++;
	return i;
}

static struct mask read_mask(struct taking *t, const struct json *v)
{
	struct mask m = { .kind = MASK_BUCKET };
	size_t at;

	if (v->kind == JSON_NUMBER) {
		check(t, "mask",
			is_lexeme(v) && str_to_u64(v->text, &m.size) && m.size > 0 &&
				m.size <= INT64_MAX);
		return m;
	}
	at = place_of(v->kind == JSON_STRING ? v->text : STR_NONE, kept_masks, MASK_BUCKET);
	if (at > MASK_NONE && at < MASK_BUCKET) {
		m.kind = (enum mask_kind)at;
		return m;
	}
	at = place_of(
		v->kind == JSON_STRING ? v->text : STR_NONE, kept_periods, ARRAY_LEN(kept_periods));
	check(t, "mask", at > BUCKET_SIZE && at < ARRAY_LEN(kept_periods));
	m.bucket = at < ARRAY_LEN(kept_periods) ? (enum bucket)at : BUCKET_SIZE;
	return m;
}

static enum data_class take_class(struct taking *t)
{
	const struct json *v = take(t, "class", false);

	if (!v)
		return CLASS_NONE;
	for (int c = CLASS_NONE + 1; c <= CLASS_PHI; c++)
		if (v->kind == JSON_STRING &&
			str_eq(v->text, str_c(data_class_name((enum data_class)c))))
			return (enum data_class)c;
	check(t, "class", false);
	return CLASS_NONE;
}

static const char *read_column(struct arena *a, const struct json *v, struct effect_column *out)
{
	struct taking t = take_from(a, v);
	const struct json *mask;

	out->name = take_text(&t, "name");
	out->key = take_flag(&t, "key");
	out->varies = take_flag(&t, "varies");
	out->shown = take_flag(&t, "shown");
	mask = take(&t, "mask", false);
	if (mask)
		out->mask = read_mask(&t, mask);
	out->unmask = take_optional(&t, "unmask");
	out->data_class = take_class(&t);
	out->refers = take_optional(&t, "refers");
	return taken_whole(&t) ? NULL : t.wrong ? t.wrong : "columns";
}

static const char *read_table(struct arena *a, const struct json *v, struct touched *out)
{
	struct taking t = take_from(a, v);
	struct effect_table *table = arena_new(a, struct effect_table);
	struct effect_column *columns;
	const struct json *list;

	table->name = take_text(&t, "name");
	out->inserted = take_u64(&t, "inserted", UINT64_MAX);
	out->updated = take_u64(&t, "updated", UINT64_MAX);
	out->deleted = take_u64(&t, "deleted", UINT64_MAX);
	list = take_array(&t, "columns");
	columns = arena_array(a, struct effect_column, (size_t)list->count + 1);
	for (uint32_t i = 0; !t.wrong && i < list->count; i++)
		t.wrong = read_column(a, &list->items[i], &columns[i]);
	table->columns = columns;
	table->column_count = list->count;
	out->table = table;
	return taken_whole(&t) ? NULL : t.wrong ? t.wrong : "tables";
}

static const struct cell *take_side(
	struct taking *t, const char *name, const struct effect_table *table, bool there)
{
	const struct json *v = take(t, name, true);
	struct cell *cells;

	check(t, name,
		there ? json_is(v, JSON_ARRAY) && v->count == table->column_count
		      : json_is(v, JSON_NULL));
	if (!there || t->wrong)
		return NULL;
	cells = arena_array(t->a, struct cell, table->column_count + 1);
	for (uint32_t i = 0; i < v->count; i++)
		check(t, name, cell_read(t->a, &v->items[i], &cells[i]));
	return cells;
}

static enum effect_operation take_operation(struct taking *t)
{
	static const enum effect_operation all[] = { EFFECT_INSERT, EFFECT_UPDATE, EFFECT_DELETE };
	struct str name = take_text(t, "operation");

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (str_eq(name, str_c(effect_operation_name(all[i]))))
			return all[i];
	check(t, "operation", false);
	return EFFECT_INSERT;
}

static const char *read_effect(
	struct arena *a, const struct json *v, const struct effects *es, struct effect *out)
{
	static const struct effect_table none = { 0 };
	struct taking t = take_from(a, v);
	uint64_t table = take_u64(&t, "table", SIZE_MAX);

	check(&t, "table", table < es->touched_count);
	out->table = t.wrong ? &none : es->touched[table].table;
	out->operation = take_operation(&t);
	out->statement = (unsigned)take_u64(&t, "statement", UINT_MAX);
	out->before = take_side(&t, "before", out->table, out->operation != EFFECT_INSERT);
	out->after = take_side(&t, "after", out->table, out->operation != EFFECT_DELETE);
	return taken_whole(&t) ? NULL : t.wrong ? t.wrong : "effects";
}

/* Tables have different names, and each as many rows of each kind as it says. */
static bool tables_add_up(const struct effects *es, struct arena *a)
{
	struct touched *counted = arena_array(a, struct touched, es->touched_count + 1);

	for (size_t i = 0; i < es->count; i++) {
		const struct effect *e = &es->list[i];
		size_t at = 0;

		while (es->touched[at].table != e->table)
			at++;
		counted[at].inserted += e->operation == EFFECT_INSERT;
		counted[at].updated += e->operation == EFFECT_UPDATE;
		counted[at].deleted += e->operation == EFFECT_DELETE;
	}
	for (size_t i = 0; i < es->touched_count; i++) {
		const struct touched *said = &es->touched[i];

		if (said->inserted != counted[i].inserted || said->updated != counted[i].updated ||
			said->deleted != counted[i].deleted)
			return false;
		if (i && str_cmp(said[-1].table->name, said->table->name) >= 0)
			return false;
	}
	return true;
}

static const char *read_effects(
	struct arena *a, const struct json *tables, const struct json *list, struct effects *es)
{
	const char *wrong = NULL;

	if (tables->count > TABLES_MAX)
		return "tables";
	es->touched = arena_array(a, struct touched, (size_t)tables->count + 1);
	for (uint32_t i = 0; !wrong && i < tables->count; i++)
		wrong = read_table(a, &tables->items[i], &es->touched[i]);
	es->touched_count = tables->count;
	es->list = arena_array(a, struct effect, (size_t)list->count + 1);
	for (uint32_t i = 0; !wrong && i < list->count; i++)
		wrong = read_effect(a, &list->items[i], es, &es->list[i]);
	if (wrong)
		return wrong;
	es->count = es->cap = list->count;
	return tables_add_up(es, a) ? NULL : "tables";
}

/* Exactly what the canonical writer makes of it: an object. */
static bool is_canonical(struct arena *a, struct str text)
{
	struct json_error error;
	struct json v;
	struct buf again;

	if (!json_parse(a, text, &v, &error) || v.kind != JSON_OBJECT)
		return false;
	buf_in(&again, a, text.n + 1);
	json_canonical(&again, a, &v);
	return buf_ok(&again) && str_eq(buf_str(&again), text);
}

static const char *read_step(struct arena *a, const struct json *v, struct plan_step *out)
{
	struct taking t = take_from(a, v);
	const struct json *tables, *list;

	out->tool = take_text(&t, "tool");
	out->version = (unsigned)take_u64(&t, "version", UINT_MAX);
	out->definition = take_digest(&t, "definition");
	out->arguments = take_text(&t, "arguments");
	check(&t, "arguments", t.wrong || is_canonical(a, out->arguments));
	tables = take_array(&t, "tables");
	list = take_array(&t, "effects");
	if (!t.wrong)
		t.wrong = read_effects(a, tables, list, &out->effects);
	return taken_whole(&t) ? NULL : t.wrong ? t.wrong : "steps";
}

static bool is_sum(struct str text)
{
	struct sum s;

	return sum_read(text, &s);
}

static const char *read_sum(struct arena *a, const struct json *v, struct plan_sum *out)
{
	struct taking t = take_from(a, v);

	out->name = take_text(&t, "name");
	out->net = take_text(&t, "net");
	out->gross = take_text(&t, "gross");
	check(&t, "net", t.wrong || is_sum(out->net));
	check(&t, "gross", t.wrong || (is_sum(out->gross) && !str_starts(out->gross, S("-"))));
	return taken_whole(&t) ? NULL : t.wrong ? t.wrong : "sums";
}

static void take_who(struct taking *t, struct plan_who *out)
{
	const struct json *v = take(t, "who", true);
	struct taking who = take_from(t->a, v);

	out->issuer = take_text(&who, "issuer");
	out->subject = take_text(&who, "subject");
	out->tenant = take_text(&who, "tenant");
	out->agent = take_text(&who, "agent");
	out->credential = take_text(&who, "credential");
	check(&who, "kind", principal_kind_read(take_text(&who, "kind"), &out->kind));
	check(t, who.wrong ? who.wrong : "who", taken_whole(&who));
}

static void take_steps(struct taking *t, struct plan *p)
{
	const struct json *list = take_array(t, "steps");

	p->steps = arena_array(t->a, struct plan_step, (size_t)list->count + 1);
	p->step_count = list->count;
	for (uint32_t i = 0; !t->wrong && i < list->count; i++)
		t->wrong = read_step(t->a, &list->items[i], &p->steps[i]);
}

static void take_sums(struct taking *t, struct plan *p)
{
	const struct json *list = take_array(t, "sums");

	p->sums = arena_array(t->a, struct plan_sum, (size_t)list->count + 1);
	p->sum_count = list->count;
	for (uint32_t i = 0; !t->wrong && i < list->count; i++)
		t->wrong = read_sum(t->a, &list->items[i], &p->sums[i]);
}

static uint64_t rows_of(const struct plan *p)
{
	uint64_t rows = 0;

	for (size_t i = 0; i < p->step_count; i++)
		rows += p->steps[i].effects.count;
	return rows;
}

static void take_plan(struct taking *t, struct plan *p)
{
	check(t, "kept", str_eq(take_text(t, "kept"), KEPT_FORMAT));
	p->id = take_text(t, "id");
	p->deployment = take_text(t, "deployment");
	p->environment = take_text(t, "environment");
	p->source = take_text(t, "source");
	p->database = take_text(t, "database");
	p->role = take_text(t, "role");
	take_who(t, &p->who);
	take_steps(t, p);
	take_sums(t, p);
	p->rows = take_u64(t, "rows", UINT64_MAX);
	check(t, "rows", t->wrong || p->rows == rows_of(p));
	p->digest = take_digest(t, "digest");
	check(t, "need", approval_level_read(take_text(t, "need"), &p->need));
	p->grant = take_text(t, "grant");
	p->because = take_text(t, "because");
	p->request = take_text(t, "request");
	p->reason = take_text(t, "reason");
	p->made_us = take_i64(t, "made_us");
	p->expires_us = take_i64(t, "expires_us");
}

bool plan_read(struct arena *a, struct str json, struct plan *out, struct err *err)
{
	struct json_error error;
	struct json root;
	struct plan p = { 0 };
	struct taking t;

	if (!json_parse(a, json, &root, &error))
		return err_set(err, E_INVALID, "the plan is not JSON (%s at byte %zu)",
			json_fault_name(error.fault), error.offset);
	t = take_from(a, &root);
	take_plan(&t, &p);
	if (!taken_whole(&t))
		return err_set(err, E_INVALID, "the plan is not one that was kept: see '%s'",
			t.wrong ? t.wrong : "a member that is unknown");
	*out = p;
	return true;
}

bool plan_intact(const struct plan *p, struct arena *scratch)
{
	struct sha256 d;

	plan_digest(p, scratch, &d);
	return sha256_eq(&d, &p->digest);
}
