/* leftover - intents of processes that are gone, whose outcome is not in their log or not known by
 * it: whoever starts next finds out what became of them.
 *
 * A process is gone when the lock on its first segment is free and there is a line in it; one
 * whose first segment is missing is left alone.  Of a log that was closed with no intent open
 * nothing but the last line is read, and of any other only what is behind its oldest open intent;
 * a log that was found to be settled is not opened again (settled.h).
 *
 * Takes no lock for longer than a look.  One thread. */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "base/id.h"

#define LEFTOVERS_MAX 65536 /* in one directory: past it finding fails */

struct leftover {
	struct id call;
	struct str tool; /* "NAME@VERSION" */
	struct str of; /* where it stands: "ORIGIN/BOOT/INDEX" */
	struct str name; /* "BOOT/INDEX" */
	struct str boot;
};

struct leftovers {
	struct leftover *list; /* by boot, then by index */
	size_t count;
	struct str *settled; /* boots that have none */
	size_t settled_count;
	size_t alive; /* boots whose process lives */
	size_t doubtful; /* boots that were left alone, or could not be read to the end */
	size_t rotten; /* lines that do not fit: what they said is not known */
};

/* A directory that is not there has none. */
bool leftovers_find(
	struct arena *a, struct str directory, struct leftovers *out, struct err *err) must_check;
/* Remembers that this one (name), or this boot, needs no other look. */
bool leftover_settle(struct str directory, struct str name, struct err *err) must_check;
