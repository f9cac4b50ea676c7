/* clip - text from outside, cut to a length it may have in a record, and saying so. */
#pragma once
#include "json/write.h"

/* s, when it has at most max bytes; else as much of it as fits and "…+N" (N bytes more), in room.
 */
struct str clip_text(struct str s, size_t max, struct buf *room);

/* A string member, clipped; none when s is empty. */
void clip_put(struct jw *w, struct str name, struct str s, size_t max);
