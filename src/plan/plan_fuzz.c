/* Properties: bytes are refused, or are a plan; what plan_write makes of a plan is read again, and
 * is written the same, byte for byte; its digest is the same, too.
 *
 * covers: src/plan/plan_read.c src/plan/plan_write.c src/plan/cell.c src/plan/plan_digest.c */
#include "base/err.h"
#include "plan/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(struct arena *a, const struct plan *p)
{
	struct buf first, second;
	struct sha256 d1, d2;
	struct plan again;
	struct err err;

	buf_in(&first, a, SIZE_MAX / 2);
	plan_write(p, &first);
	bug_on(!plan_read(a, buf_str(&first), &again, &err));
	buf_in(&second, a, SIZE_MAX / 2);
	plan_write(&again, &second);
	bug_on(!str_eq(buf_str(&first), buf_str(&second)));
	plan_digest(p, a, &d1);
	plan_digest(&again, a, &d2);
	bug_on(!sha256_eq(&d1, &d2));
	bug_on(plan_intact(p, a) != plan_intact(&again, a));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a;
	struct plan p;
	struct err err;

	if (size > 65536)
		return 0;
	arena_init(&a, (size_t)64 << 20);
	if (plan_read(&a, str_n(data, size), &p, &err))
		check_again(&a, &p);
	arena_done(&a);
	return 0;
}
