/* place_fixture - for the tests of this room: one SQLite source in a directory of the test's own.
 */
#pragma once
#include "backend/fixture.h"
#include "sql/marker.h"

#include <sqlite3.h>

static char place_directory[64], place_file[96];
static struct source_config place_source = {
	.name = STR_INIT("demo"), .kind = SOURCE_SQLITE, .pool = 2, .concurrency = 2
};
static struct config place_config = { .sources = &place_source, .source_count = 1 };
static struct catalog place_catalog = { .statement_count = 16 };
static struct backends *place_backends;

static inline void place_sql(const char *sql)
{
	char *message = NULL;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(place_file, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
		fail_msg("%s: %s", sql, message);
	sqlite3_close(db);
}

static inline void place_mark(enum environment e, bool synthetic)
{
	struct marker m = { .environment = str_c(environment_name(e)),
		.deployment = S("tests"),
		.synthetic = synthetic };
	struct err err;

	if (!marker_install(str_c(place_file), &m, S("2026-11-21T00:00:00Z"), &err))
		fail_msg("%s", err.text);
}

static inline void place_make(const char *sql)
{
	struct err err;

	snprintf(place_directory, sizeof place_directory, "%s/place-XXXXXX", P_tmpdir);
	assert_non_null(mkdtemp(place_directory));
	snprintf(place_file, sizeof place_file, "%s/a.db", place_directory);
	arena_init(&arena, (size_t)64 << 20);
	port_log = (struct port_log){ 0 };
	place_config.environment = ENV_DEVELOPMENT;
	place_source.path = str_c(place_file);
	place_sql(sql);
	place_backends = backends_new(&place_config, &place_catalog, &err);
}

static inline void place_remove(void)
{
	static const char *const suffixes[] = { "", "-wal", "-shm", "-journal" };
	char name[128];

	arena_done(&arena);
	backends_free(&place_backends);
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		snprintf(name, sizeof name, "%s%s", place_file, suffixes[i]);
		unlink(name);
	}
	rmdir(place_directory);
}
