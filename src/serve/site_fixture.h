/* site_fixture - for the tests of this room: a deployment in a directory of its own, with a small
 * database, one key, and a tool for each thing that can happen. */
#pragma once
#include "base/clock.h"
#include "base/test.h"
#include "serve/pipeline.h"
#include "serve/serve.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#define SITE_CONFIG                                                                                \
	"environment: development\n"                                                               \
	"name: site\n"                                                                             \
	"owner: tests\n"                                                                           \
	"sources:\n"                                                                               \
	"  shop: { sqlite: { file: shop.db, pool: 2 }, owner: tests, purpose: Rows }\n"            \
	"  gone: { sqlite: { file: gone.db, pool: 1 }, owner: tests, purpose: A lost file }\n"     \
	"  script: { scripted: true, owner: tests, purpose: Scripts }\n"                           \
	"store: { sqlite: state/store.db }\n"                                                      \
	"audit: { directory: state/audit, keys: state/keys }\n"                                    \
	"identity: { api_keys: true }\n"                                                           \
	"roles:\n"                                                                                 \
	"  clerk: [shop.read]\n"                                                                   \
	"  chief: [shop.all]\n"                                                                    \
	"catalog: [\"catalog*.yaml\"]\n"

#define SITE_TOOL(name, grant, source)                                                             \
	"  " name ":\n"                                                                            \
	"    version: 1\n"                                                                         \
	"    title: A tool\n"                                                                      \
	"    description: \"Returns what the test wants to see, in one form of several.\"\n"       \
	"    owner: tests\n"                                                                       \
	"    purpose: Tests\n"                                                                     \
	"    source: " source "\n"                                                                 \
	"    requires: " grant "\n"

#define SITE_COLUMNS "s, i, i64, n, d, b, day, at, j, raw, none"
#define SITE_TYPES                                                                                 \
	"{ s: string, i: integer, i64: int64, n: number, d: decimal, b: boolean, day: date, "      \
	"at: date-time, j: json, raw: bytes, none: { type: string, nullable: true } }"

struct site {
	char directory[128], config[160];
	struct arena arena;
	struct world *world;
	struct str token; /* of ada, a clerk; made with the world */
};

static inline void site_write(struct site *s, const char *name, const char *text)
{
	char path[192];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", s->directory, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static inline void site_sql(struct site *s, const char *sql)
{
	char path[192], *message = NULL;
	sqlite3 *db;

	snprintf(path, sizeof path, "%s/shop.db", s->directory);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
		fail_msg("%s: %s", sql, message);
	sqlite3_close(db);
}

static inline void site_make(struct site *s, const char *catalog)
{
	memset(s, 0, sizeof *s);
	snprintf(s->directory, sizeof s->directory, "%s/site-XXXXXX", P_tmpdir);
	assert_non_null(mkdtemp(s->directory));
	snprintf(s->config, sizeof s->config, "%s/postern.yaml", s->directory);
	arena_init(&s->arena, (size_t)64 << 20);
	site_write(s, "postern.yaml", SITE_CONFIG);
	site_write(s, "catalog.yaml", catalog);
	/* as postern install marks it */
	site_sql(s, "CREATE TABLE postern_marker (only_row INTEGER PRIMARY KEY, environment TEXT,"
		    " deployment TEXT, synthetic INTEGER, installed_at TEXT);"
		    "INSERT INTO postern_marker VALUES (1, 'development', 'site', 1, '');");
	site_sql(s, "PRAGMA journal_mode = WAL;"
		    "CREATE TABLE every (s TEXT, i INTEGER, i64 INTEGER, n REAL, d TEXT, b INTEGER,"
		    " day TEXT, at TEXT, j TEXT, raw BLOB, none TEXT);"
		    "INSERT INTO every VALUES ('first', 1, 9007199254740993, 0.5,"
		    " '0.1000000000000000055', 1, '2026-11-21', '2026-11-21T03:07:11Z', '[1.10]', "
		    "x'00ff',"
		    " NULL), ('second', 2, -1, 1e300, '-1', 0, '2026-11-22', "
		    "'2026-11-22T03:07:11Z', 'null',"
		    " x'', 'n');");
}

static inline void site_key(struct site *s)
{
	struct key_row row = { .subject = S("ada"),
		.kind = S("agent"),
		.environment = S("development"),
		.roles = S("clerk"),
		.created_us = clock_wall_us() };
	struct err err;

	s->token = identity_make_key(&s->arena, ENV_DEVELOPMENT, &row);
	if (!store_key_add(world_store(s->world), &row, &err) || !world_seal(s->world, &err))
		fail_msg("%s", err.text);
}

static inline bool site_open(struct site *s)
{
	struct world_options options = { .config_file = str_c(s->config) };
	struct findings f;

	findings_init(&f, &s->arena);
	s->world = world_open(&options, &f);
	if (!s->world) {
		struct buf text;

		buf_in(&text, &s->arena, (size_t)1 << 20);
		findings_write(&f, &text);
		print_error("%.*s\n", STR_ARG(buf_str(&text)));
		return false;
	}
	site_key(s);
	return true;
}

static inline int site_remove_one(
	const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void site_remove(struct site *s)
{
	if (s->world)
		world_close(&s->world);
	arena_done(&s->arena);
	nftw(s->directory, site_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* All that stands in the audit log, once each record is durable. */
static inline struct str site_audit(struct site *s)
{
	char path[512];
	struct dirent *e;
	struct buf text;
	DIR *d;

	buf_in(&text, &s->arena, (size_t)4 << 20);
	snprintf(path, sizeof path, "%s/state/audit", s->directory);
	d = opendir(path);
	while (d && (e = readdir(d))) {
		char *to;
		ssize_t n;
		int fd;

		snprintf(path, sizeof path, "%s/state/audit/%s", s->directory, e->d_name);
		fd = e->d_name[0] == '.' ? -1 : open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		to = buf_space(&text, (size_t)1 << 20);
		n = read(fd, to, (size_t)1 << 20);
		buf_used(&text, n > 0 ? (size_t)n : 0);
		close(fd);
	}
	if (d)
		closedir(d);
	return buf_str(&text);
}

static inline unsigned site_audit_count(struct site *s, const char *what)
{
	struct str text = site_audit(s);
	unsigned count = 0;
	size_t at = 0;

	while ((at = str_find_str(text, at, str_c(what))) < text.n) {
		count++;
		at++;
	}
	return count;
}
