/* windows_inside - the table of counts as it lies in memory and in the file.  Of windows*.c only.
 */
#pragma once
#include "base/mapped.h"
#include "store/windows.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#define WINDOW_SLOTS 16384
#define PLACE_SLOTS 1024
#define SUBS 64 /* counters of a window: a ring */
#define SUBS_LIVE 61 /* that count: sixty, and the one that runs */

/* The calls of the last SUBS_LIVE stretches of width_ms; those of stretch n in count[n % SUBS]. */
struct window {
	uint64_t sub; /* the newest stretch: time / width_ms */
	uint32_t width_ms, unused;
	uint32_t count[SUBS];
};

struct place {
	struct window_key key;
	uint16_t inside[WINDOWS_PROCESSES];
};

struct table {
	uint64_t magic; /* written last: without it nothing else is there */
	uint64_t bytes; /* of the table: another form has another size */
	struct window_key boot;
	uint64_t now_ms; /* the latest time anybody came with */
	pthread_mutex_t lock; /* between processes; one that dies with it leaves it to the next */
	struct window_key keys[WINDOW_SLOTS]; /* of windows; all zero: never used */
	struct window windows[WINDOW_SLOTS];
	struct place places[PLACE_SLOTS];
};

struct windows {
	char *file; /* NULL: none */
	struct window_key boot;
	pthread_mutex_t own; /* opening, owed, left */
	pthread_cond_t left;
	struct table *_Atomic table; /* NULL: not open */
	struct mapped *mapped; /* its memory; NULL: of this process */
	int fd;
	_Atomic int begun; /* enum windows_begun */
	unsigned process; /* ours of the table's processes */
	dev_t device; /* of the file that is open */
	ino_t inode;
	_Atomic uint64_t looked_ms; /* when the file was last looked for, or opened in vain */
	_Atomic bool gone;
	struct err why; /* of the last opening; under own */
	_Atomic bool owes;
	struct window_key *owed; /* places that could not be given back yet; under own */
	size_t owed_count, owed_cap;
};

/* windows_file.c.  The table, opened if need be and looked for once a second; NULL: err. */
struct table *table_ready(struct windows *w, uint64_t boot_ms, struct err *err);
bool table_lock(struct table *t, struct err *err) must_check; /* waits at most 250 ms */
void table_unlock(struct table *t);
/* False: what was found in it, and what was changed, counts for nothing.  Under the lock. */
bool table_whole(const struct windows *w, const struct table *t, struct err *err) must_check;
bool process_lives(const struct windows *w, unsigned process);

/* windows.c: what was counted counts as of now.  Under the lock. */
void table_rebase(struct table *t, uint64_t boot_ms);
