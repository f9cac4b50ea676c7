/* write - what a tool that changes something declares: its statements, everything they may touch,
 * who must approve, and what it answers.
 *
 * Immutable after load, in the catalog's arena.  The keys of the files are documented in
 * postern-catalog(5). */
#pragma once
#include "catalog/catalog.h"
#include "catalog/fault.h"

/* Who must say yes before it commits; each is stricter than those before it. */
enum approval_level {
	APPROVAL_NONE, /* nobody: small, bounded, reversible */
	APPROVAL_CLIENT, /* the same person, asked by the MCP client */
	APPROVAL_REQUESTER, /* the same person, outside the client */
	APPROVAL_OTHER, /* another person, who holds the grant */
};
const char *approval_level_name(enum approval_level l); /* "none", "client", "requester", "other" */
bool approval_level_read(struct str name, enum approval_level *out) must_check;

/* One of preconditions or postconditions. */
struct condition {
	struct statement statement; /* a read */
	bool unless; /* refuses unless it gives a row; else refuses when it gives one */
	struct str say; /* for the agent */
	struct str reason; /* one of the tool's own (raises), or empty */
	enum fault_code code; /* PRECONDITION_FAILED, or what the reason stands for */
};

enum effect_operation { EFFECT_INSERT = 1 << 0, EFFECT_UPDATE = 1 << 1, EFFECT_DELETE = 1 << 2 };

/* A column that holds a key which the database makes for a row of another table. */
struct reference {
	struct str column, table;
};

/* What may happen to one table.  Whatever no rule allows rolls everything back. */
struct effect_rule {
	struct str table;
	unsigned operations; /* bits of enum effect_operation */
	struct names update; /* columns that an update may change */
	uint32_t rows_min, rows_max; /* rows changed, of all operations together */
	struct names key; /* columns that name a row */
	struct names varies; /* written `volatile`: not in the digest, may differ at apply */
	/* An expression over the table's columns, no statement: every row must fit, as it was
	 * before an update or delete, as it is after an insert.  Empty sql: only inserts. */
	struct statement where;
	const struct column *columns; /* what is shown of a row, each with its mask; key and update
				       * are among them; the type is what a mask reads */
	size_t column_count;
	const struct reference *refers;
	size_t refer_count;
	struct place at;
};

/* A sum of after minus before, over all rows of a table. */
struct impact_rule {
	struct str name, table, column;
};

enum threshold_per { OVER_CALL, OVER_PRINCIPAL, OVER_TENANT };

/* `above`: from more than this on, more is needed. */
struct threshold {
	struct str impact; /* name of an impact_rule; "rows": how many rows change */
	struct str
		amount; /* a JSON number, not negative: compared with net's size and with gross */
	enum threshold_per per; /* the other two: with what this tool did within the window */
	uint64_t window_ms;
	enum approval_level need;
	struct str grant; /* of those who may approve; only for APPROVAL_OTHER */
};

/* A name of the tool's own for a failure; it travels in details.reason. */
struct raised {
	struct str reason; /* empty: the code is listed without one */
	enum fault_code code;
};

enum write_class { WRITE_APPEND, WRITE_CHANGE }; /* inserts alone; anything else */

struct write {
	const struct condition *before, *after; /* preconditions, postconditions */
	size_t before_count, after_count;
	const struct statement *statements;
	size_t statement_count;
	const struct effect_rule *rules;
	size_t rule_count;
	const struct impact_rule *impacts;
	size_t impact_count;
	enum approval_level approval;
	struct str grant; /* of those who may approve; only for APPROVAL_OTHER */
	const struct threshold *thresholds;
	size_t threshold_count;
	struct str idempotency_key; /* template of inputs; only for APPROVAL_NONE; empty: none */
	uint64_t idempotency_ms;
	const struct raised *raises;
	size_t raised_count;
	enum write_class class;
	/* The tool's answer is action.parts[0] (none with shape none: effects alone); its rows come
	 * from the part's own statement, a read inside the same transaction, or from RETURNING of
	 * this one of statements. */
	bool returning;
	size_t returning_of;
};

/* Arguments that the server adds to every tool with a write: inputs with `added`, behind its own.
 * dry_run is true by default, and is not filled in: a plan_id without it applies the plan. */
#define WRITE_DRY_RUN "dry_run"
#define WRITE_PLAN_ID "plan_id"
#define WRITE_TOKEN "confirmation_token"
#define WRITE_IDEMPOTENCY_KEY "idempotency_key"
#define WRITE_REQUEST "request"

/* The end of every such tool's description. */
#define WRITE_CLOSING                                                                              \
	"It previews unless dry_run is false: show the person the changes it returns, and once "   \
	"the plan is approved call again with its plan_id to apply exactly that."

const struct effect_rule *write_rule(const struct write *w, struct str table); /* NULL: none */
const char *entry_class(const struct entry *e); /* "read", "append", "write" */
