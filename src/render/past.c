/* past - see past.h. */
#include "render/past.h"

#include "plan/past.h"
#include "render/diff.h"

/* Behind those that the ledger's row fills (catalog/load_ledger.c). */
#define SUMS_AT 8
#define EFFECTS_AT 9
#define LEFT_OUT_AT 10
#define SLACK ((size_t)64 << 10) /* above what a caller's budget says: one that is taken back */
#define SUMS_MAX ((size_t)1 << 20)

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

static void fill(struct call *c, struct str mask_key, const struct past_change *change,
	struct cell *cells, size_t *bytes_left)
{
	const struct diff_view view = {
		.plan = &change->plan, .who = c->who, .mask_key = mask_key, .committed = true
	};
	uint64_t kept;
	struct buf text;
	struct jw w;

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

void past_fill(struct call *c, struct str mask_key)
{
	struct rows *rows = &c->rows[0];
	size_t bytes_left = (size_t)c->entry->bytes;

	bug_on(rows->count != c->past->count);
	for (size_t i = 0; i < rows->count; i++)
		fill(c, mask_key, &c->past->list[i], &rows->cells[i * rows->part->column_count],
			&bytes_left);
}
