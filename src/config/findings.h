/* findings - everything that is wrong with what the operator wrote, collected in one run.
 *
 * A finding has a stable code ("config.unknown_key", "sql.select_star"), a place, what was found
 * and expected, and the remedy.  Texts are copied into the arena of the findings, so they outlive
 * what they speak of.  One thread. */
#pragma once
#include "base/buf.h"

#define FINDINGS_MAX 1000 /* kept; more are only counted */

struct place {
	struct str file;
	unsigned line, column; /* from 1; 0: the file as a whole */
};

struct finding {
	struct place at;
	const char *code; /* of static storage */
	bool warning;
	struct str what, remedy; /* clauses; remedy may be empty */
};

struct findings {
	struct arena *a;
	struct finding *list;
	size_t count, cap, errors;
};

void findings_init(struct findings *f, struct arena *a);
/* what, remedy: formatted by the caller with arena_fmt. */
void finding_error(
	struct findings *f, struct place at, const char *code, struct str what, struct str remedy);
void finding_warn(
	struct findings *f, struct place at, const char *code, struct str what, struct str remedy);
/* Turns the errors of this code from index `from` on into warnings that show the reason; how many.
 */
size_t findings_waive(struct findings *f, size_t from, struct str code, struct str reason);
/* "FILE:LINE:COLUMN: error [CODE] WHAT; REMEDY\n" each, sorted by file, line and column. */
void findings_write(const struct findings *f, struct buf *out);
