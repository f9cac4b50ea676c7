/* mapped - a file as shared memory, that does not end the process when somebody cuts it short.
 *
 * Touching what is no longer there raises SIGBUS; so does a page that the disk cannot read.  A
 * handler for this process then puts a page of zeros there, of this process only, and remembers it:
 * whoever works in the memory asks mapped_cut before it believes what it found.  No call of the
 * system is needed in between, as fstat would be, which could not be in time anyway.  A thread that
 * blocks SIGBUS is not protected. */
#pragma once
#include "base/err.h"

#define MAPPED_MOST 64 /* at a time; and of those that were cut, ever */

struct mapped;

/* The first bytes of the file, for reading and writing.  NULL: err says why. */
struct mapped *mapped_open(int fd, size_t bytes, struct err *err);
void mapped_close(struct mapped **m);
void *mapped_bytes(const struct mapped *m);
/* Some of it was not there when it was touched.  Stays so. */
bool mapped_cut(const struct mapped *m);
