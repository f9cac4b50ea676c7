/* diff - what a plan changes, for a person: one walk over its rows, three forms, and the parts for
 * whoever makes another (the approval page).
 *
 * Values are masked for whoever looks, and inert (inert.h).  Types are seen: NULL, 1, 1.0, '1',
 * x'31'.  A long value is its beginning and end, its length, and the beginning of its SHA-256, so
 * that two that differ anywhere look different.  Columns that the tool does not show are counted.
 * Everything lives in the arena given; one thread. */
#pragma once
#include "json/write.h"
#include "plan/fresh.h"
#include "plan/plan.h"

struct diff_view {
	const struct plan *plan;
	const struct principal *who; /* whose grants lift masks; NULL: nobody's */
	struct str mask_key; /* of MASK_HASH; empty: such values are redacted */
	bool committed; /* it happened: what the database assigns is known, and shown */
};

struct diff_value {
	struct str text; /* INERT_TEXT; empty: there is no such side */
	struct str note; /* "masked", "may differ when applied", …; may be empty */
};

struct diff_row {
	struct str column; /* INERT_TEXT */
	struct diff_value before, after;
	bool masked, changed;
};

struct diff_effect {
	size_t step;
	const struct effect *effect;
	struct str table, key; /* INERT_TEXT; key: "id='ctr_1'", empty: not shown */
	const struct diff_row *rows; /* update: what changes; else all that is shown */
	size_t row_count;
	size_t not_shown; /* columns that are there, or change, and are not shown */
};

struct diff_walk {
	const struct diff_view *view;
	struct arena *arena;
	struct fresh_set set;
	size_t step, at;
};
void diff_open(struct diff_walk *w, const struct diff_view *view, struct arena *a);
bool diff_next(struct diff_walk *w, struct diff_effect *out); /* false: that was all */

/* Rows of each table over all steps, by its name. */
struct diff_count {
	struct str name; /* as the database has it */
	uint64_t inserted, updated, deleted;
};
size_t diff_counts(const struct diff_view *view, struct arena *a, struct diff_count **out);

/* Does its mask stand between the column's values and this viewer? */
bool diff_masks(const struct diff_view *view, const struct effect_column *c);
/* One cell, masked for the viewer; without notes about what the database assigns. */
struct diff_value diff_cell(const struct diff_view *view, struct arena *a,
	const struct effect_column *c, const struct cell *cell);

/* The members "effects", "impact" and, where not all fit into so many bytes, "truncated_effects",
 * into the object that is open.  Values are those of JSON where it has them; a blob, or text that
 * is not UTF-8, is {"base64"}; what the database will assign is {"assigned": "notes #1"}. */
void diff_json(struct jw *w, const struct diff_view *view, struct arena *a, size_t bytes);

/* The effects alone, as one array; how many of them fit. */
uint64_t diff_json_effects(
	struct jw *w, const struct diff_view *view, struct arena *a, size_t bytes);

/* What is shown of rows in a text; totals are always whole. */
struct diff_bounds {
	size_t effects, bytes;
};
void diff_markdown(
	struct buf *out, const struct diff_view *view, struct arena *a, struct diff_bounds bounds);
/* For a terminal of 80 columns.  False: rows were left out. */
bool diff_text(struct buf *out, const struct diff_view *view, struct arena *a,
	struct diff_bounds bounds, bool colours);
