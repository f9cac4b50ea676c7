/* jwks_fetch - one key set from its file or its server. */
#pragma once
#include "config/config.h"

#include <stdatomic.h>

#define JWKS_FETCH_MS 3000

struct jwks_place {
	struct str where; /* URL or path */
	bool is_file, plain; /* plain: http:// is allowed */
	struct str ca; /* PEM file; empty: the system's authorities */
};

/* Within JWKS_FETCH_MS, or until *stop; at most JWKS_MAX_BYTES, into the buf. No redirect is
 * followed, no proxy of the environment used, nothing but HTTPS spoken (or HTTP where plain). */
bool jwks_fetch(const struct jwks_place *place, const atomic_bool *stop, struct buf *out,
	struct err *err) must_check;
