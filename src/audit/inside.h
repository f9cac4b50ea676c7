/* inside - what the files behind audit.h share: the log itself, and how a record gets into it. */
#pragma once
#include "audit/audit.h"

#include <pthread.h>

#include "audit/collapse.h"
#include "audit/group.h"
#include "audit/journal.h"
#include "audit/protect.h"

struct receipt {
	uint64_t index;
};

/* Intents that are durable and have no durable outcome yet; the writer's alone. */
struct open_intent {
	uint64_t index;
	struct id call;
};
struct open_intents {
	struct open_intent *list; /* heap; in no order */
	size_t count, cap;
};

struct audit {
	char *directory, *origin;
	uint64_t timeout_ns;
	bool (*key)(void *ctx, struct secret *out, struct err *err);
	void *key_ctx;

	pthread_mutex_t start_lock; /* guards only the start */
	_Atomic bool started;
	struct protector protector; /* fixed once started */
	pthread_t writer;
	struct latch finished;

	pthread_mutex_t lock; /* guards all up to `own` */
	pthread_cond_t work; /* CLOCK_MONOTONIC */
	bool stopping;
	uint64_t busy_since_ns; /* the writer is at the disk; 0: it is not */
	struct group *first, *last;
	size_t queued;
	size_t wanted; /* records that are worth a short wait before the next sync */
	size_t blob_bytes; /* of blobs that are queued */
	uint64_t unrecorded; /* turned away without a record, since the last GAP */
	uint64_t unrecorded_ever, synced_ns;
	struct collapse collapse;
	struct id seal_call; /* whose outcome is missing */
	bool seal_due; /* a SEAL is to be written */

	struct buf own; /* the writer's: bodies it says itself, each with LF */
	uint64_t own_due_ns;
	struct open_intents open;
	struct journal journal; /* its boot is fixed once opened */
	_Atomic bool sealed, opened; /* opened: journal is there to be looked at */
	_Atomic bool shut; /* a change stands whose outcome could not be recorded */
};

/* A record that was queued: to be waited for, or dropped. */
struct ticket {
	struct group *group; /* NULL: waited for, or dropped */
	size_t place;
	uint64_t deadline_ns;
};

/* Starts the writer, with the first record. */
bool audit_start(struct audit *a, struct err *err) must_check;
/* The blob is taken over in any case. */
bool audit_queue(
	struct audit *a, const struct what *what, struct ticket *out, struct err *err) must_check;
/* Waits, at most until the ticket's deadline, and drops it. */
bool audit_await(
	struct audit *a, struct ticket *t, uint64_t *index_out, struct err *err) must_check;
void ticket_drop(struct ticket *t);
/* From now on no call is taken: this one's change stands, and its outcome is not recorded. */
void audit_shut(struct audit *a, const struct id *call);

/* intent.c */
bool intent_is_durable(struct intent *i); /* waits as audit_intent_durable does */
/* Where the receipt of the outcome goes: made with the intent, because a call may use up its
 * memory. */
struct receipt *intent_receipt(struct intent *i);
/* An intent that was given up leaves no time to wait for the outcome: the moment its time was
 * over; else 0. */
uint64_t intent_given_up_ns(const struct intent *i);
