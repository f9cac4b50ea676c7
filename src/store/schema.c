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

const char *const store_schema[] = {
	api_keys,
};

const int store_schema_version = ARRAY_LEN(store_schema);
