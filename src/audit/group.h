/* group - records that become durable together, and the callers who wait for that.
 *
 * A caller copies its record in and keeps one reference until it has read the answer; the writer
 * keeps one while it works.  All but the latch is guarded by the lock of audit.c until the latch is
 * set; then nothing changes any more and no lock is needed. */
#pragma once
#include "audit/latch.h"
#include "audit/record.h"
#include "audit/segment.h"
#include "base/buf.h"
#include "base/err.h"

#define GROUP_RECORDS 256
#define GROUP_BYTES ((size_t)1 << 20) /* past it no record is added */

enum group_end { GROUP_OPEN, GROUP_DURABLE, GROUP_FAILED };

/* A record on its way into the log. */
struct what {
	const char *event;
	const struct id *call; /* NULL: no call */
	struct str body;
	enum segment_use use;
	bool closes; /* the intent of its call, if there is one */
	struct blob *blob; /* durable before the record is written; taken over; NULL: none */
};

struct group_item {
	size_t from, n; /* in bodies */
	char event[RECORD_EVENT_BYTES];
	struct id call; /* first byte NUL: none */
	enum segment_use use;
	bool closes;
	struct blob *blob;
	uint64_t index;
	bool given_up; /* its caller was told AUDIT_UNAVAILABLE */
	bool says_late; /* its own line says so */
	bool says_lost; /* its own line says that its blob is not there */
	bool refused; /* was not written, though others of the group were; why stands in err */
};

struct group {
	struct group *next;
	struct latch latch; /* an enum group_end */
	_Atomic unsigned references;
	struct err err; /* GROUP_FAILED, or of what was refused */
	struct buf bodies;
	size_t count, room;
	struct group_item *items; /* room for GROUP_RECORDS at most, made as they come */
};

struct group *group_new(void); /* with one reference */
void group_drop(struct group *g);
bool group_has_room(const struct group *g, size_t n);
/* Adds a record and a reference; returns its place. */
size_t group_add(struct group *g, const struct what *what);
struct str group_body(const struct group *g, size_t place);
