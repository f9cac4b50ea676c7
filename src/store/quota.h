/* quota - how many changes were made lately, counted in the store in a transaction: exact, for
 * every instance that shares it, over restarts.  By the store's own time (clock.h). */
#pragma once
#include "store/clock.h"

#define QUOTA_ASKS_MOST 8

struct quota_ask {
	uint8_t key[16]; /* of what is counted, and for whom */
	uint32_t most, window_ms;
};

struct quota_answer {
	bool taken; /* one of each; false: nothing was taken */
	size_t index; /* not taken: the one to wait for longest, and how long */
	uint32_t wait_ms;
};

/* False: it could not be counted, so it may not be done. */
bool store_quota_take(struct store *s, const struct quota_ask *asks, size_t count,
	const struct store_moment *now, struct quota_answer *out, struct err *err) must_check;
