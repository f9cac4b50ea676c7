/* limits_inside - what the files of limits share and nobody else sees. */
#pragma once
#include "guard/limits.h"

#include <pthread.h>
#include <stdatomic.h>

#define LIMITS_KEY_BYTES ((size_t)8 << 10)
#define LIMITS_RETRY_MS 500 /* when nobody can say how long a place is taken */

struct limits {
	struct windows *shared;
	struct windows *alone; /* while shared cannot be read */
	struct windows *addresses; /* of refused credentials: of this process */
	char salt[16]; /* so that nobody can choose addresses that share a place */
	struct store *store;
	char boot[64];
	_Atomic unsigned waiting;
	_Atomic bool looked, anew; /* whether the file of counts was there before */
	pthread_mutex_t lock; /* the rest */
	_Atomic bool troubled; /* written under it */
	bool told;
	uint64_t since_ms; /* troubled */
	struct err why;
};

/* What is counted, part by part, each with its length; the end clears the text. */
void limits_key_part(struct buf *text, struct str s);
void limits_key_dims(struct buf *text, const struct limit_rule *rule, const struct call *c);
struct window_key limits_key_end(struct buf *text);

/* The limit goes into the fault's details. */
void limits_say(struct call *c, const struct limit_rule *rule);
enum verdict limits_refuse(struct call *c, enum fault_code code, const char *reason,
	uint32_t retry_ms, struct str operator_text);
