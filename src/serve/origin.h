/* origin - may a browser page, or a name that was bent to our address, speak to this listener?
 *
 * Host must be one the listener answers to; Origin, where present, one it was told to trust: on
 * loopback its own names by default, elsewhere nothing by default.  "null" is never allowed. */
#pragma once
#include "config/config.h"

/* port: the one bound. */
bool origin_host_allowed(const struct listen_config *l, uint16_t port, struct str host);
bool origin_allowed(const struct listen_config *l, uint16_t port, struct str origin);
/* Is it one the operator listed, so that CORS headers are due? */
bool origin_listed(const struct listen_config *l, struct str origin);
