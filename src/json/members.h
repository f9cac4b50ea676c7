/* members - finding a member of an object by its name.  Of this room only.
 *
 * An object of more than MEMBERS_FEW members that json_parse made has a table behind its members,
 * in the same piece of the arena: hash slots of index + 1, open addressing, under the process's
 * key. */
#pragma once
#include "json/json.h"

#define MEMBERS_FEW 16

size_t members_table_bytes(uint32_t count);
/* Fills the zeroed table behind o->members, if there are enough of them, and sets o->indexed.
 * Returns the first member whose name an earlier one has, or NULL. */
const struct json_member *members_index(struct json *o);
