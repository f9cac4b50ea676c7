/* journal - the lines of one boot, in one order, over as many segments as it takes.
 *
 * A line: {"v":1,"i":INDEX,"t":"RFC 3339","m":MONOTONIC
 * NS,"o":"ORIGIN","b":"BOOT",MEMBERS,"crc":"9f12ab07"} and LF, at most 65,535 bytes.  i has no
 * gaps, but after GAP, which names the indices in doubt; t and m are when the batch was put down;
 * crc is the CRC-32C of all bytes before ,"crc":
 *
 * A batch: journal_begin, journal_add for each record, journal_commit.  The first opens a segment
 * whose first line, SEGMENT_OPEN, names the last segment of the boot before.  Somebody moving,
 * cutting or removing the file gives a new segment and SECURITY; a write or sync error a new one
 * and GAP; two such errors in a row seal the journal.  While the directory is not where it was,
 * nothing is written.  One thread, but journal_sealed. */
#pragma once
#include "audit/blob.h"
#include "audit/segment.h"
#include "base/buf.h"

#include <stdatomic.h>

#define LINE_MAX_BYTES 65535
#define ORIGIN_MAX_BYTES 256
#define JOURNAL_SEGMENT_BYTES ((uint64_t)64 << 20) /* then the next one is opened */

struct journal {
	char *path;
	struct buf frame; /* "o":"…","b":"…", of every line */
	struct id boot;
	_Atomic int directory; /* -1: not opened yet; then it stays */
	bool displaced; /* the path does not lead to it any more */
	struct segment segment;
	unsigned segments; /* opened so far */
	uint64_t segment_bytes; /* JOURNAL_SEGMENT_BYTES; less in tests */
	uint64_t next; /* index of the next line */
	uint64_t segment_first; /* index of the first line in the segment */
	struct buf out; /* the batch */
	uint64_t out_first; /* its first index */
	char when[64]; /* "t":…,"m":…, of the batch */
	struct buf notices; /* bodies, each with LF, for the start of the next segment */
	int alive; /* the first segment again: locked as long as the process lives; -1: none yet */
	/* Of the intents that have no outcome, set by the owner between batches: how many, and the
	 * lowest index.  SEGMENT_CLOSE tells them, and room for their outcomes stays reserved. */
	size_t open_intents;
	uint64_t open_from;
	unsigned failures; /* in a row */
	_Atomic bool sealed;
	struct err why; /* it is sealed */
};

void journal_init(struct journal *j, struct str directory, struct str origin);
void journal_done(struct journal *j); /* SEGMENT_CLOSE when there is a segment */

struct batch {
	size_t bytes, count; /* the bodies' sum, and their number */
	size_t intents; /* that are among them */
	enum segment_use use; /* the least that stands in it */
};
/* False: nothing was written, the indices stay free. */
bool journal_begin(struct journal *j, const struct batch *b, struct err *err) must_check;
/* Adds a line; returns its index.  body: `"e":"…",…`, no LF; more: the same, or empty. */
uint64_t journal_add(struct journal *j, struct str body, const char *more);
/* Makes a value durable beside the log (blob.h), in the directory of the batch that was begun. */
bool journal_put_blob(struct journal *j, const struct blob *b, struct err *err) must_check;
/* All lines added are durable.  False: they may or may not be; the next segment says so. */
bool journal_commit(struct journal *j, struct err *err) must_check;

bool journal_sealed(const struct journal *j); /* any thread */
/* The path still leads to the directory that was opened, if one was.  Any thread. */
bool journal_in_place(const struct journal *j);
