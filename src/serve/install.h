/* install - makes what postern keeps in a source: the marker, which says what environment it
 * belongs to, and the ledger. */
#pragma once
#include "base/err.h"
#include "config/config.h"

/* Failures: E_NOT_FOUND (no such source, or one that is no database), E_EXISTS (the marker of
 * another environment is there), E_INVALID (synthetic in production; a marker that is none). */
bool install_source(const struct config *config, struct str source, bool synthetic, int64_t wall_us,
	struct err *err) must_check;
