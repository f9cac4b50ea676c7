/* write_facts - what a live database says of a write, held against what its tool declares.
 *
 * Facts are handed in by whoever can see the database; findings are added.  What a `returns` gives,
 * from a read or a RETURNING, is catalog_lint_facts' as for reads. */
#pragma once
#include "catalog/write.h"

/* What a statement, or a trigger it may set off, would do to a table. */
struct write_touch {
	enum effect_operation operation;
	struct str table;
	struct str column; /* EFFECT_UPDATE: one touch for each */
	struct str trigger; /* which one; empty: the statement itself, or a foreign key */
	bool cascade; /* by a foreign key */
	bool is_virtual; /* the table: nobody sees its rows change */
};

/* Of one of a write's statements, of a condition, or of the `where` of a rule. */
struct write_facts {
	const struct entry *entry;
	const struct statement *statement;
	bool reads; /* a condition or `where`: it must change nothing */
	bool readonly, single; /* as the database says */
	const struct write_touch *touches;
	size_t touch_count;
	struct str error; /* did not prepare: the database's message */
};
void catalog_lint_write(const struct write_facts *facts, struct findings *f);

/* Of the table of a rule. */
struct table_facts {
	const struct entry *entry;
	const struct effect_rule *rule;
	bool found, is_virtual;
	bool backed; /* virtual: kept in other tables, whose rows are seen */
	struct str lost; /* why its rows cannot be told apart; empty: they can */
	struct names columns, key; /* key: of the primary key; none: rows have a rowid alone */
	struct names tables; /* all of the database: to propose the nearest */
};
void catalog_lint_table(const struct table_facts *facts, struct findings *f);
