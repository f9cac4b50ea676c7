/* ledger - what was committed, as the source database itself remembers it: one row for each change,
 * in the same transaction as the change.
 *
 * Made by `postern install` on a connection of its own, and appended to from then on: triggers
 * refuse everything else.  A plan is used up by its id in here, which is unique.  What could name a
 * person or a record is an HMAC, what was shown is sealed: both are the caller's business.
 *
 * Everything works on connections for reading, too, but ledger_add.  Text is in the arena. */
#pragma once
#include "base/digest.h"
#include "sql/lite.h"

struct ledger_row {
	struct str id, call_id;
	struct str plan_id; /* empty: none was needed */
	struct str tool;
	struct sha256 tool_digest, catalog_digest, plan_digest;
	struct sha256 who, tenant; /* HMACs */
	bool has_idem;
	struct sha256 idem; /* HMAC of the idempotency key with all that it belongs to */
	struct sha256 arguments;
	struct str intent; /* "ORIGIN/INDEX" of the CALL_INTENT record */
	struct str effects, result; /* sealed */
	uint64_t rows; /* changed */
	int64_t committed_us;
};

/* A record that was changed. */
struct ledger_change {
	struct str table;
	struct sha256 key; /* HMAC */
	struct str operation; /* "insert", "update", "delete" */
};

/* A declared impact: decimal text. */
struct ledger_sum {
	struct str name, net, gross;
};

/* Makes the tables that are not there.  The file must be. */
bool ledger_install(struct str file, struct err *err) must_check;
/* E_INVALID: there are such tables, and they are not postern's. */
bool ledger_exists(struct lite *l, bool *out, struct err *err) must_check;

/* Within lite_begin_write and lite_commit.  E_EXISTS: the plan was used, or the call recorded: the
 * transaction can only be rolled back. */
bool ledger_add(struct lite *l, const struct ledger_row *row, const struct ledger_change *changes,
	size_t change_count, const struct ledger_sum *sums, size_t sum_count,
	struct err *err) must_check;

/* found_out false: there is no such row. */
bool ledger_by_id(struct lite *l, struct arena *a, struct str id, bool *found_out,
	struct ledger_row *out, struct err *err) must_check;
bool ledger_by_plan(struct lite *l, struct arena *a, struct str plan_id, bool *found_out,
	struct ledger_row *out, struct err *err) must_check;
bool ledger_by_call(struct lite *l, struct arena *a, struct str call_id, bool *found_out,
	struct ledger_row *out, struct err *err) must_check;
/* The newest that was committed at since_us or later. */
bool ledger_by_idem(struct lite *l, struct arena *a, const struct sha256 *idem, int64_t since_us,
	bool *found_out, struct ledger_row *out, struct err *err) must_check;

/* What a tool did since then, a row for each change, to be added up: the impact `name`, or the rows
 * that were changed for "rows". */
enum ledger_of { LEDGER_OF_WHO, LEDGER_OF_TENANT };
struct ledger_since {
	enum ledger_of of;
	struct sha256 whose;
	struct str tool, name;
	int64_t since_us;
};
bool ledger_sums_since(struct lite *l, struct arena *a, const struct ledger_since *since,
	struct ledger_sum **sums_out, size_t *count_out, struct err *err) must_check;

/* The changes of one record that were made for this tenant, the newest first, at most `most`. */
struct ledger_record {
	struct str table;
	struct sha256 key, tenant; /* HMACs */
};
bool ledger_list_for_key(struct lite *l, struct arena *a, const struct ledger_record *record,
	size_t most, struct ledger_row **rows_out, size_t *count_out, struct err *err) must_check;
