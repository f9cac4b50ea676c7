/* schema - the tables of the store, as steps from an empty file to the present version.
 *
 * Every step runs in the one transaction that also writes the version.  A step that was released
 * is never changed: whatever comes is a further step, which must keep what is there. */
#include "store/inside.h"

static const char api_keys[] =
	"CREATE TABLE api_keys ("
	" id TEXT NOT NULL PRIMARY KEY,"
	" hash BLOB NOT NULL CHECK (length(hash) = 32),"
	" subject TEXT NOT NULL, kind TEXT NOT NULL CHECK (kind IN ('human', 'agent', 'service')),"
	" tenant TEXT NOT NULL, agent TEXT NOT NULL, environment TEXT NOT NULL,"
	" label TEXT NOT NULL, roles TEXT NOT NULL,"
	" created_us INTEGER NOT NULL, expires_us INTEGER NOT NULL,"
	" revoked_us INTEGER NOT NULL, used_us INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID";

/* The store's own time (clock.h), and what was taken when (quota.h). */
static const char quota[] = "CREATE TABLE quota_clock ("
			    " one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),"
			    " at_ms INTEGER NOT NULL, boot TEXT NOT NULL, boot_ms INTEGER NOT NULL,"
			    " wall_ms INTEGER NOT NULL"
			    ") STRICT;"
			    "CREATE TABLE quota_takes ("
			    " key BLOB NOT NULL CHECK (length(key) = 16), at_ms INTEGER NOT NULL,"
			    " until_ms INTEGER NOT NULL, count INTEGER NOT NULL,"
			    " PRIMARY KEY (key, at_ms)"
			    ") STRICT, WITHOUT ROWID;"
			    "CREATE INDEX quota_takes_until ON quota_takes (until_ms)";

/* sealed: of signing keys, whose secret must be readable; reason: why it was revoked. */
static const char key_columns[] = "ALTER TABLE api_keys ADD COLUMN sealed TEXT NOT NULL DEFAULT '';"
				  "ALTER TABLE api_keys ADD COLUMN reason TEXT NOT NULL DEFAULT ''";

/* Of signed requests, until they are too old to be taken anyway. */
static const char nonces[] =
	"CREATE TABLE nonces ("
	" signer TEXT NOT NULL, nonce TEXT NOT NULL, until_us INTEGER NOT NULL,"
	" PRIMARY KEY (signer, nonce)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX nonces_by_end ON nonces (until_us)";
/* Lifted orders stay as history. */
static const char kills[] =
	"CREATE TABLE kills ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" kind TEXT NOT NULL, name TEXT NOT NULL, reason TEXT NOT NULL, set_by TEXT NOT NULL,"
	" since_us INTEGER NOT NULL, until_us INTEGER NOT NULL, drill INTEGER NOT NULL,"
	" lifted_us INTEGER NOT NULL, lifted_by TEXT NOT NULL, lift_reason TEXT NOT NULL"
	") STRICT;"
	"CREATE INDEX kills_lifted ON kills (lifted_us);"
	"CREATE TABLE drills ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" kind TEXT NOT NULL, at_us INTEGER NOT NULL, drilled_by TEXT NOT NULL,"
	" instances INTEGER NOT NULL, worked INTEGER NOT NULL,"
	" refused_ms INTEGER NOT NULL, resumed_ms INTEGER NOT NULL"
	") STRICT;"
	"CREATE INDEX drills_kind ON drills (kind, at_us)";

static const char break_glass[] =
	"CREATE TABLE break_glass ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" subject TEXT NOT NULL, grant_name TEXT NOT NULL, reason TEXT NOT NULL,"
	" asked_by TEXT NOT NULL, approved_by TEXT NOT NULL, reviewed_by TEXT NOT NULL,"
	" asked_us INTEGER NOT NULL, lasts_us INTEGER NOT NULL, approved_us INTEGER NOT NULL,"
	" until_us INTEGER NOT NULL, reviewed_us INTEGER NOT NULL"
	") STRICT";

static const char facts[] = "CREATE TABLE facts ("
			    " what TEXT NOT NULL PRIMARY KEY, at_us INTEGER NOT NULL"
			    ") STRICT, WITHOUT ROWID";

/* A subject is somebody within a tenant, and at an issuer of tokens somebody else. */
static const char glass_columns[] =
	"ALTER TABLE break_glass ADD COLUMN tenant TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE break_glass ADD COLUMN issuer TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE break_glass ADD COLUMN ended_by TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE break_glass ADD COLUMN ended_us INTEGER NOT NULL DEFAULT 0";

/* approver: a key that decides on plans and calls nothing.  plans.h: what was found and who said
 * what; the body comes last, so that a list reads none. */
static const char plans[] =
	"ALTER TABLE api_keys ADD COLUMN approver INTEGER NOT NULL DEFAULT 0;"
	"CREATE TABLE plans ("
	" id TEXT NOT NULL PRIMARY KEY,"
	" tool TEXT NOT NULL, source TEXT NOT NULL, issuer TEXT NOT NULL, subject TEXT NOT NULL,"
	" tenant TEXT NOT NULL, agent TEXT NOT NULL, credential TEXT NOT NULL,"
	" environment TEXT NOT NULL, need TEXT NOT NULL, grant_name TEXT NOT NULL,"
	" state TEXT NOT NULL CHECK (state IN"
	" ('proposed', 'approved', 'declined', 'applied', 'void', 'unknown')),"
	" decided_by TEXT NOT NULL, decided_credential TEXT NOT NULL, channel TEXT NOT NULL,"
	" note TEXT NOT NULL, escalation_note TEXT NOT NULL, ledger_id TEXT NOT NULL,"
	" why TEXT NOT NULL,"
	" digest BLOB NOT NULL CHECK (length(digest) = 32),"
	" arguments BLOB NOT NULL CHECK (length(arguments) = 32),"
	" definition BLOB NOT NULL CHECK (length(definition) = 32),"
	" catalog BLOB NOT NULL CHECK (length(catalog) = 32),"
	" shown BLOB NOT NULL CHECK (length(shown) = 32),"
	" token BLOB NOT NULL CHECK (length(token) = 32),"
	" made_us INTEGER NOT NULL, expires_us INTEGER NOT NULL, decided_us INTEGER NOT NULL,"
	" escalated_us INTEGER NOT NULL, token_tries INTEGER NOT NULL,"
	" token_until_us INTEGER NOT NULL,"
	" body TEXT NOT NULL"
	") STRICT;"
	"CREATE INDEX plans_of_subject ON plans (subject, state, expires_us);"
	"CREATE INDEX plans_by_state ON plans (state, made_us);"
	"CREATE INDEX plans_by_time ON plans (made_us)";

const char *const store_schema[] = {
	api_keys,
	quota,
	key_columns,
	nonces,
	kills,
	break_glass,
	facts,
	glass_columns,
	plans,
};

const int store_schema_version = ARRAY_LEN(store_schema);
