/* write_approval - what approval a plan needs: the strictest of its tools', of their thresholds with
 * what was done before, and of who asks. */
#include "backend/write.h"

bool approval_needed(struct writing *w)
{
	struct plan *p = w->change->plan;

	for (size_t i = 0; i < w->change->step_count; i++) {
		const struct write *write = w->change->steps[i].entry->write;

		if (write->approval > p->need) {
			p->need = write->approval;
			p->grant = write->grant;
		}
	}
	return true;
}
