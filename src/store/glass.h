/* glass - break glass in the store: a grant that one person asked for and another gave, for a time.
 * Rows stay; one that nobody has reviewed stands in the report. */
#pragma once
#include "store/store.h"

#define GLASS_MAX 1000 /* in force at a time: more cannot be judged */

struct glass_row {
	int64_t id;
	struct str subject, grant, reason;
	struct str asked_by, approved_by, reviewed_by; /* subjects, proved by their keys */
	int64_t asked_us, lasts_us;
	int64_t approved_us, until_us; /* 0: nobody has approved it */
	int64_t reviewed_us; /* 0: nobody has reviewed it */
};

enum glass_which {
	GLASS_IN_FORCE, /* approved, and not over at now_us */
	GLASS_TO_REVIEW, /* approved, and not reviewed */
	GLASS_ONE, /* of this id */
};

bool store_glass_ask(
	struct store *s, const struct glass_row *row, int64_t *id_out, struct err *err) must_check;
/* False with E_EXISTS: it was approved, or reviewed, before. */
bool store_glass_approve(
	struct store *s, int64_t id, struct str by, int64_t now_us, struct err *err) must_check;
bool store_glass_review(
	struct store *s, int64_t id, struct str by, int64_t now_us, struct err *err) must_check;
/* The arena must not have an arena_catch. */
bool store_glass_list(struct store *s, struct arena *a, enum glass_which which, int64_t number,
	struct glass_row **rows_out, size_t *count_out, struct err *err) must_check;
