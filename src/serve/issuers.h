/* issuers - what the log and the record hear of the issuers' keys. */
#pragma once
#include "audit/audit.h"
#include "identity/jwks_cache.h"

/* For jwks_cache_listen; ctx: the audit log.  A change is a CONFIG record with both digests and
 * what was ignored, the moment without keys a SECURITY record. */
void issuers_tell(void *audit, const struct jwks_news *news);
