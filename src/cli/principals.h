/* principals - whom the valid keys of the store stand for: what tools --as and ask are about. */
#pragma once
#include "identity/identity.h"

struct world;

struct principals {
	struct principal *list;
	size_t count;
	bool known; /* a key was issued for the subject, valid or not */
};

bool principals_of_subject(struct world *w, const struct config *config, struct arena *a,
	struct str subject, struct principals *out, struct err *err) must_check;
