/* ledger_seal - what stands in the ledger in place of names, and what is sealed there.
 *
 * People, tenants, idempotency keys and keys of records are there as HMACs under the store's key,
 * each with its purpose and with the length of every part, so that none can stand for another.  The
 * effects and the answer are sealed, bound to their row.  Any thread. */
#pragma once
#include "base/seal.h"
#include "plan/effect.h"

struct principal;

void ledger_hmac(const struct seal *s, const struct str *parts, size_t count, struct sha256 *out);
void ledger_hmac_who(const struct seal *s, const struct principal *who, struct sha256 *out);
void ledger_hmac_tenant(const struct seal *s, struct str tenant, struct sha256 *out);

/* A table as the ledger names it: SQLite does not tell capitals from small letters. */
struct str ledger_table(struct arena *a, struct str table);
/* A record by the columns of its key, in any order: they are sorted. */
struct ledger_key {
	struct str column, value;
};
void ledger_hmac_record(const struct seal *s, struct arena *a, struct str table,
	struct ledger_key *key, size_t count, struct sha256 *out);
/* The record that an effect is about; row: its before or after. */
void ledger_hmac_effect(const struct seal *s, struct arena *a, const struct effect *e,
	const struct cell *row, struct sha256 *out);

/* what: "effects" or "result" of the row id.  Empty: it is too large. */
struct str ledger_seal(
	const struct seal *s, struct arena *a, struct str id, const char *what, struct str plain);
/* False: it was sealed with another key or for something else, or was changed. */
bool ledger_unseal(const struct seal *s, struct arena *a, struct str id, const char *what,
	struct str text, struct str *out) must_check;
