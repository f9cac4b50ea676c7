/* effect_fixture - effects made by hand, for tests. */
#pragma once
#include <string.h>

#include "plan/effect.h"

#define FX_NULL ((struct cell){ CELL_NULL, { 0 } })
#define FX_INT(lit) ((struct cell){ CELL_INTEGER, S(lit) })
#define FX_REAL(lit) ((struct cell){ CELL_REAL, S(lit) })
#define FX_TEXT(lit) ((struct cell){ CELL_TEXT, S(lit) })
#define FX_BLOB(lit) ((struct cell){ CELL_BLOB, S(lit) })
#define FX_ROW(...) ((const struct cell[]){ __VA_ARGS__ })

/* "id! total note?": a '!' says key, a '?' says varies, "inv>invoices" refers, a '-' is not shown,
 * an '@' has an email mask for those who do not hold "see.contact". */
static inline struct effect_column fx_column(struct arena *a, struct str word)
{
	struct effect_column c = { .shown = true };
	struct str table;

	for (; word.n && str_has(S("!?-@"), word.p[word.n - 1]); word.n--) {
		c.key = c.key || word.p[word.n - 1] == '!';
		c.varies = c.varies || word.p[word.n - 1] == '?';
		c.shown = c.shown && word.p[word.n - 1] != '-';
		if (word.p[word.n - 1] == '@') {
			c.mask.kind = MASK_EMAIL;
			c.unmask = S("see.contact");
			c.data_class = CLASS_PII;
		}
	}
	if (str_cut(word, '>', &word, &table))
		c.refers = arena_str(a, table);
	c.name = arena_str(a, word);
	return c;
}

static inline const struct effect_table *fx_table(
	struct arena *a, const char *name, const char *columns)
{
	struct effect_column *made = arena_array(a, struct effect_column, 32);
	struct effect_table *t = arena_new(a, struct effect_table);
	struct str rest = str_c(columns), word;

	t->name = str_c(name);
	t->columns = made;
	while (rest.n) {
		if (!str_cut(rest, ' ', &word, &rest)) {
			word = rest;
			rest = STR_NONE;
		}
		made[t->column_count++] = fx_column(a, word);
	}
	return t;
}

static inline const struct cell *fx_cells(
	struct arena *a, const struct effect_table *t, const struct cell *cells)
{
	struct cell *kept;

	if (!cells)
		return NULL;
	kept = arena_array(a, struct cell, t->column_count);
	memcpy(kept, cells, t->column_count * sizeof *kept);
	return kept;
}

/* What happened follows from which sides there are. */
static inline struct effect *fx_add(struct effects *es, struct arena *a,
	const struct effect_table *t, const struct cell *before, const struct cell *after)
{
	struct effect *e = effects_add(es, a);

	e->table = t;
	e->operation = !before ? EFFECT_INSERT : !after ? EFFECT_DELETE : EFFECT_UPDATE;
	e->before = fx_cells(a, t, before);
	e->after = fx_cells(a, t, after);
	return e;
}
