/* settled - which logs and which intents of a directory need no second look: lines BOOT (no intent
 * of it is open) and BOOT/INDEX (this one was settled) in the file `settled`.
 *
 * Only saves work: what is missing or torn in it is looked at again, which does no harm.  One
 * thread; several processes may add at once. */
#pragma once
#include "base/err.h"
#include "base/map.h"

struct settled {
	struct map names;
};

/* directory: of the log, open.  A file that is not there or cannot be read says nothing. */
void settled_read(struct settled *s, int directory);
void settled_done(struct settled *s);
bool settled_has(const struct settled *s, struct str name);
bool settled_add(int directory, struct str name, struct err *err) must_check;
