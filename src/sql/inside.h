/* inside - the structs behind lite.h, shared by the files of this room and nobody else. */
#pragma once
#include "sql/access.h"
#include "sql/lite.h"

#include <pthread.h>
#include <sqlite3.h>
#include <sys/types.h>

struct lite_stmt {
	struct lite *l;
	sqlite3_stmt *s; /* NULL: not prepared on this connection */
	const struct access_list *allowed;
	bool own; /* the server's: the authorizer lets it pass */
	bool open; /* stepped, not yet ended */
};

struct lite {
	struct lite_pool *pool;
	sqlite3 *db;
	struct lite_stmt *statements; /* by serial */
	struct lite_stmt *running; /* the one that is open, or NULL */
	struct lite_stmt once; /* of lite_prepare_once and lite_prepare_own */
	struct access_list *once_list; /* what it touches */
	sqlite3_stmt *begin, *rollback, *commit;
	struct capture *capture; /* NULL: the connection only reads */
	sqlite3 *was; /* of a writer: reads the database as it was before the transaction */
	uint64_t epoch; /* of the pool when it was opened */
	bool broken; /* to be closed, not lent again */
	bool in_transaction;
	bool spoiled; /* a statement of the transaction failed: all that is left is to roll back */
	bool committing;
	int64_t version; /* data_version of `was` when the transaction began */

	uint64_t deadline_ms; /* 0: none */
	bool (*cancelled)(void *ctx);
	void *ctx;
	enum err_code stopped; /* why the progress handler interrupted, or E_NONE */

	/* What the authorizer does: own statements pass, recording adds, else the list decides. */
	bool own, stranger;
	struct access_list *recording;
	const struct access_list *held;
	struct touched *touched; /* told of what is prepared; NULL but in describe_touches */
	int denied_action; /* 0: nothing was denied */
	char denied_name[128];
	char denied_table[128]; /* empty: it was something else */
};

struct lite_pool {
	pthread_mutex_t lock;
	pthread_cond_t given; /* a connection came back, or may be opened */
	char *file;
	unsigned size, opened, idle_count, statement_count;
	bool writing;
	struct lite **idle;
	const struct access_list **allowed; /* by serial; NULL until first prepared */
	uint64_t epoch; /* one more when the file behind the path is another one */
	uint64_t looked_ms; /* when the path was last looked at */
	dev_t device;
	ino_t inode;
};

/* Opens a connection for the pool.  NULL: E_UNAVAILABLE, E_INVALID. */
struct lite *lite_open(struct lite_pool *p, uint64_t epoch, struct err *err);
void lite_close(struct lite *l);
/* Runs a statement of our own; with the words of the database when it fails. */
bool lite_run_own(struct lite *l, const char *sql, struct err *err) must_check;
bool lite_step_own(struct lite *l, sqlite3_stmt *s, struct err *err) must_check;
/* lite_pool_new and lite_pool_new_writing. */
struct lite_pool *lite_pool_make(struct str file, unsigned size, unsigned count, bool writing);
/* What the authorizer was asked; see describe.c. */
void touched_add(
	struct touched *t, int action, const char *table, const char *column, const char *trigger);
/* Writes the text of a value. */
struct str lite_integer(struct arena *a, int64_t n);
/* For a statement that no operator wrote. */
void lite_distrust(struct lite *l, bool on);
/* A result code as a failure, with the database's words. */
bool lite_fail(struct lite *l, int rc, struct err *err);
bool lite_fail_on(struct lite *l, sqlite3 *db, int rc, struct err *err);
