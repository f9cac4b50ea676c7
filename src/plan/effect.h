/* effect - one row change as the database tells it: table, key, operation, before, after.
 *
 * The tables describe themselves (names, masks, what is shown), so that effects read back from the
 * store are shown as they were, whatever the catalog says by then.  Everything lives in an arena;
 * no locks: one thread. */
#pragma once
#include "catalog/write.h"
#include "plan/rows.h"

struct effect_column {
	struct str name;
	bool key; /* part of what names a row */
	bool varies; /* may differ at apply: not in the digest */
	bool shown; /* declared: others are in the digest, and on no page */
	struct mask mask;
	struct str unmask; /* a grant, or empty */
	enum data_class data_class;
	struct str refers; /* the table whose generated key it may hold, or empty */
};

struct effect_table {
	struct str name;
	const struct effect_column *columns; /* all columns of the table, in its order */
	size_t column_count;
	const struct effect_rule *rule; /* NULL: the tool declares nothing of it; or read back */
};

struct effect {
	const struct effect_table *table; /* one struct for each table of one struct effects */
	enum effect_operation operation;
	unsigned statement; /* the statement (from 0) that first touched the row */
	const struct cell *before; /* NULL: EFFECT_INSERT */
	const struct cell *after; /* NULL: EFFECT_DELETE */
};

/* How many rows of a table changed how. */
struct touched {
	const struct effect_table *table;
	uint64_t inserted, updated, deleted;
};

struct effects {
	struct effect *list; /* after effects_order: in the order of plans */
	size_t count, cap;
	struct touched *touched; /* by table name */
	size_t touched_count;
};

/* The table's columns with what the rule (may be NULL) says of them. */
const struct effect_table *effect_table_make(struct arena *a, struct str name,
	const struct str *columns, size_t column_count, const struct effect_rule *rule);
struct effect *effects_add(struct effects *es, struct arena *a); /* zeroed */

/* By table name, then key, then what is left without the columns that vary (effect.c has the whole
 * of it); counts touched.  Two runs that do the same come out in the same order. */
void effects_order(struct effects *es, struct arena *a);

/* Is everything declared?  The first thing that is not. */
enum effect_verdict {
	EFFECTS_DECLARED,
	EFFECTS_TABLE, /* a table without a rule */
	EFFECTS_OPERATION, /* an operation its rule does not allow */
	EFFECTS_COLUMN, /* an update of a column its rule does not name */
	EFFECTS_WHERE, /* a row that its rule's where does not fit; found by whoever ran it */
	EFFECTS_NONE, /* no row where some must be: NOT_FOUND */
	EFFECTS_FEWER, /* fewer rows than the rule says */
	EFFECTS_MORE, /* more rows than the rule says */
};
struct effect_finding {
	enum effect_verdict verdict;
	struct str table, column;
	enum effect_operation operation;
	uint64_t rows;
};
/* rules: of the write, which also names tables that nothing happened to. */
struct effect_finding effects_judge(const struct effects *es, const struct write *w);
bool cell_same(const struct cell *a, const struct cell *b); /* kind and text */
const char *effect_operation_name(enum effect_operation o); /* "insert", "update", "delete" */
