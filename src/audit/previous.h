/* previous - which segment of a directory is the newest, and how it ended: for SEGMENT_OPEN.
 *
 * Best effort: what cannot be read is not named. */
#pragma once
#include "audit/segment.h"

struct previous {
	char name[SEGMENT_NAME_BYTES]; /* empty: there is none */
	const char *end; /* "live" (its process runs), "closed", "cut" (no SEGMENT_CLOSE) */
	uint64_t torn_bytes; /* behind the last LF */
};

/* own: of a boot that is not to be asked whether it lives. */
void previous_find(int directory, const struct id *own, struct previous *out);

/* The last whole line, without LF, into room of LINE_MAX_BYTES; empty: there is none. */
bool segment_last_line(int fd, char *room, struct str *out) must_check;
/* Where the data of a segment ends, seen from behind: NUL is not data. lines_out: behind the last
 * LF. */
bool segment_data_end(int fd, uint64_t *data_out, uint64_t *lines_out) must_check;
