/* edition - kill orders as they were read at one moment: immutable, counted. */
#pragma once
#include "guard/kill.h"
#include "store/glass.h"
#include "store/kills.h"

#include <stdatomic.h>

/* A grant given for a time. */
struct edition_glass {
	int64_t id;
	struct str subject, tenant, issuer, grant;
	uint64_t until_boot_ms;
};

struct edition {
	atomic_uint holders;
	struct arena arena;
	struct sha256 digest; /* of all that decides */
	const struct kill_order *orders;
	size_t count;
	const struct edition_glass *glass;
	size_t glass_count;
	int64_t beyond; /* an order of a kind that this postern does not know; 0: none */
};

/* before: the edition in force or NULL; an order keeps the end that was worked out when it was seen
 * first, so that a step of the wall clock neither lifts nor prolongs it. */
struct edition_rows {
	const struct kill_row *kills;
	const struct glass_row *glass;
	size_t kill_count, glass_count;
};
struct edition *edition_new(const struct edition *before, const struct edition_rows *rows,
	uint64_t boot_ms, int64_t wall_us);
const struct edition_glass *edition_glass_find(const struct edition *e, int64_t id);
void edition_hold(struct edition *e);
void edition_drop(struct edition *e); /* the last one frees it; NULL is fine */
/* NULL: not in it.  *from: where to look first, moved along; editions have much the same order. */
const struct kill_order *edition_find(const struct edition *e, int64_t id, size_t *from);
