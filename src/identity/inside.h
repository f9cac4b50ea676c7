/* inside - what the files of this room share and nobody else sees. */
#pragma once
#include "base/arena.h"
#include "identity/principal.h"

/* Grants from roles (their text stays the configuration's), and the binding. */
void principal_finish(const struct config *config, struct arena *a, struct principal *p);
