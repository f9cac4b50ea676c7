/* write_text - what a statement that changes something says of itself: verb, table, predicate.
 *
 * Reads tokens, not grammar: the first INSERT, REPLACE, UPDATE or DELETE outside parentheses is the
 * verb.  It serves early and friendly findings; what a statement touches is the database's to say
 * (catalog_lint_write), and what it did is captured.  Pure; slices of the text given. */
#pragma once
#include "catalog/write.h"

struct write_text {
	enum effect_operation verb; /* 0: none; REPLACE is an insert */
	struct str table; /* without quotes and schema */
	struct str schema; /* as in main.TABLE; empty: none */
	struct str conflict; /* the word behind OR */
	bool where; /* of an update or delete */
	struct str predicate; /* what stands behind WHERE */
	bool returning;
	bool own; /* a name begins with postern_ */
};

/* The text was read by sqltext_read before, so that every token is one. */
struct write_text write_text_read(struct str sql);
/* Does the predicate bind a value or speak of one of the names? */
bool write_text_is_narrow(const struct write_text *t, struct names names);

/* NULL: an expression over one table's columns that can stand between parentheses.  Else: what is
 * in it that may not be. */
const char *write_text_expression(struct str text, struct str table);
