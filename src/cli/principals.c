/* principals - see principals.h. */
#include "cli/principals.h"

#include "base/clock.h"
#include "serve/world.h"

bool principals_of_subject(struct world *w, const struct config *config, struct arena *a,
	struct str subject, struct principals *out, struct err *err)
{
	int64_t now_us = clock_wall_us();
	struct key_row *rows;
	size_t count;

	if (!store_key_list(world_store(w), a, &rows, &count, err))
		return false;
	*out = (struct principals){ .list = arena_array(a, struct principal, count + 1) };
	for (size_t i = 0; i < count; i++) {
		const struct key_row *r = &rows[i];
		bool valid = !r->revoked_us && (!r->expires_us || r->expires_us > now_us);

		if (!str_eq(r->subject, subject) || r->approver)
			continue;
		out->known = true;
		if (valid && principal_of_key(config, a, r, &out->list[out->count]))
			out->count++;
	}
	return true;
}
