/* glass - break glass in the store: a grant that one person asked for and another gave, for a time.
 * Rows stay; one that nobody has reviewed stands in the report. */
#pragma once
#include "store/store.h"

#define GLASS_MAX 1000 /* in force at a time: more cannot be judged */
#define GLASS_OPEN_US (INT64_C(24) * 3600 * 1000000) /* for so long it can be approved */

struct glass_row {
	int64_t id;
	struct str subject, tenant, issuer; /* issuer empty: of keys */
	struct str grant, reason;
	struct str asked_by, approved_by, reviewed_by,
		ended_by; /* subjects, proved by their keys */
	int64_t asked_us, lasts_us;
	int64_t approved_us, until_us; /* 0: nobody has approved it */
	int64_t reviewed_us; /* 0: nobody has reviewed it */
	int64_t ended_us; /* 0: nobody has ended it before its time */
};

enum glass_which {
	GLASS_IN_FORCE, /* approved, and not over at now_us */
	GLASS_TO_REVIEW, /* approved, and not reviewed */
	GLASS_ONE, /* of this id */
};

bool store_glass_ask(
	struct store *s, const struct glass_row *row, int64_t *id_out, struct err *err) must_check;
/* False with E_EXISTS: it was approved, reviewed or ended before, asked too long ago, or is one
 * that `by` has a part in.  Ended is what waits for approval or is in force. */
bool store_glass_approve(
	struct store *s, int64_t id, struct str by, int64_t now_us, struct err *err) must_check;
bool store_glass_review(
	struct store *s, int64_t id, struct str by, int64_t now_us, struct err *err) must_check;
bool store_glass_end(
	struct store *s, int64_t id, struct str by, int64_t now_us, struct err *err) must_check;
/* The arena must not have an arena_catch. */
bool store_glass_list(struct store *s, struct arena *a, enum glass_which which, int64_t number,
	struct glass_row **rows_out, size_t *count_out, struct err *err) must_check;
