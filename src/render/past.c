/* past - see past.h. */
#include "render/past.h"

#include "catalog/catalog.h"
#include "catalog/write.h"
#include "json/write.h"
#include "plan/past.h"
#include "render/diff.h"

/* Behind those that the ledger's row fills (catalog/load_ledger.c). */
#define SUMS_AT 8
#define EFFECTS_AT 9
#define LEFT_OUT_AT 10
#define SLACK ((size_t)64 << 10) /* above what a caller's budget says: one that is taken back */
#define SUMS_MAX ((size_t)1 << 20)
#define FRAME_MAX ((size_t)1 << 20) /* of one value, escaped */
#define VALUE_MORE 8 /* quotes, colon, comma */
#define ROW_MORE 24 /* braces; digits that are not there yet */
#define FRAME_MORE 64 /* around all rows */

static struct cell sums_cell(struct arena *a, const struct plan *p)
{
	struct buf text;
	struct jw w;

	buf_in(&text, a, SUMS_MAX);
	jw_init(&w, &text);
	jw_object(&w);
	for (size_t i = 0; i < p->sum_count; i++)
		jw_put_str(&w, p->sums[i].name, p->sums[i].net);
	jw_object_end(&w);
	return (struct cell){ CELL_TEXT, buf_ok(&text) ? buf_str(&text) : S("{}") };
}

static uint64_t effects_of(const struct plan *p)
{
	uint64_t count = 0;

	for (size_t i = 0; i < p->step_count; i++)
		count += p->steps[i].effects.count;
	return count;
}

/* --- masks of today --- */

static const struct column *column_of(const struct effect_rule *rule, struct str name)
{
	for (size_t i = 0; i < rule->column_count; i++)
		if (str_eq(rule->columns[i].name, name))
			return &rule->columns[i];
	return NULL;
}

/* A column that is masked today was not always; one that no longer stands there is not shown. */
static const struct effect_table *table_today(
	struct arena *a, const struct effect_table *t, const struct effect_rule *rule)
{
	struct effect_column *columns = arena_array(a, struct effect_column, t->column_count + 1);
	struct effect_table *today = arena_new(a, struct effect_table);

	for (size_t i = 0; i < t->column_count; i++) {
		const struct column *now = column_of(rule, t->columns[i].name);

		columns[i] = t->columns[i];
		columns[i].shown = columns[i].shown && now;
		if (!now || (now->mask.kind == MASK_NONE && now->data_class == CLASS_NONE))
			continue;
		columns[i].mask = now->mask;
		columns[i].unmask = now->unmask;
		columns[i].data_class = now->data_class;
	}
	*today = *t;
	today->columns = columns;
	return today;
}

static void mask_step(struct arena *a, struct effects *es, const struct write *write)
{
	const struct effect_table *from = NULL, *to = NULL;

	for (size_t i = 0; i < es->count; i++) {
		const struct effect_table *t = es->list[i].table;
		const struct effect_rule *rule = write_rule(write, t->name);

		if (rule && t != from) {
			to = table_today(a, t, rule);
			from = t;
		}
		if (rule)
			es->list[i].table = to;
	}
}

/* By the tool that made it, if there is still one of its name. */
static void mask_as_today(const struct call *c, const struct plan *p)
{
	for (size_t i = 0; i < p->step_count; i++) {
		const struct entry *e = map_get(&c->past->catalog->tools_by_name, p->steps[i].tool);

		if (e && e->write)
			mask_step(c->arena, &p->steps[i].effects, e->write);
	}
}

static void fill(struct call *c, struct str mask_key, const struct past_change *change,
	struct cell *cells, size_t *bytes_left)
{
	const struct diff_view view = {
		.plan = &change->plan, .who = c->who, .mask_key = mask_key, .committed = true
	};
	uint64_t kept;
	struct buf text;
	struct jw w;

	mask_as_today(c, &change->plan);
	buf_in(&text, c->arena, *bytes_left + SLACK);
	jw_init(&w, &text);
	kept = diff_json_effects(&w, &view, c->arena, *bytes_left);
	*bytes_left -= MIN(*bytes_left, text.n);
	cells[SUMS_AT] = sums_cell(c->arena, &change->plan);
	cells[EFFECTS_AT] = (struct cell){ CELL_TEXT, buf_str(&text) };
	cells[LEFT_OUT_AT] = (struct cell){
		CELL_INTEGER,
		arena_fmt(c->arena, "%llu",
			(unsigned long long)(change->left_out + effects_of(&change->plan) - kept))
	};
}

/* What a row takes besides its effects: at least as much as it will. */
static size_t frame_bytes(const struct rows *rows, const struct cell *cells, struct buf *scratch)
{
	size_t bytes = ROW_MORE;

	for (size_t i = 0; i < rows->part->column_count; i++) {
		scratch->n = 0;
		json_escape(scratch, cells[i].text);
		bytes += rows->part->columns[i].name.n + scratch->n + VALUE_MORE;
	}
	return bytes;
}

/* Of what the caller may have. */
static size_t bytes_for_effects(const struct call *c)
{
	const struct rows *rows = &c->rows[0];
	size_t frame = FRAME_MORE;
	struct buf scratch;

	buf_init(&scratch, FRAME_MAX);
	for (size_t i = 0; i < rows->count; i++) {
		frame += frame_bytes(rows, &rows->cells[i * rows->part->column_count], &scratch);
		frame += sums_cell(c->arena, &c->past->list[i].plan).text.n;
	}
	buf_done(&scratch);
	return frame < c->entry->bytes ? (size_t)c->entry->bytes - frame : 0;
}

void past_fill(struct call *c, struct str mask_key)
{
	struct rows *rows = &c->rows[0];
	size_t bytes_left = bytes_for_effects(c);

	bug_on(rows->count != c->past->count);
	for (size_t i = 0; i < rows->count; i++)
		fill(c, mask_key, &c->past->list[i], &rows->cells[i * rows->part->column_count],
			&bytes_left);
}
