/* inside - what the files of this room share and nobody else sees. */
#pragma once
#include "base/arena.h"
#include "identity/principal.h"

/* Surface, read_only and tenant_foreign. */
void principal_place(const struct config *config, struct principal *p);
