/* limits - rules of calls as they stand in a YAML map: one, or a list. */
#pragma once
#include "config/rate.h"
#include "config/read.h"

#define LIMIT_RULES_MOST 8 /* of one list */

/* The rules behind `name`; NULL and 0 when it is absent.  Each mistake is one finding. */
const struct limit_rule *read_limit_rules(struct reader *r, const char *name, size_t *count_out);
