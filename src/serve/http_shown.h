/* http_shown - what an HTTP request shows of who sent it.  transport and identity do not know each
 * other: here names of the one become names of the other. */
#pragma once
#include "identity/shown.h"
#include "transport/http.h"

/* False: a credential stands in the URL, where others' logs have it.  Text stays the request's. */
bool http_shown_read(const struct http_request *r, const struct http_peer *peer, struct arena *a,
	struct credential_shown *out) must_check;
