/* What is read as a rule is within its bounds, and its normal form says the same. */
#include "config/rate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct limit_rule r, again;
	struct buf out;

	if (rate_read(str_n(data, size), &r))
		return 0;
	bug_on(!r.most || r.most > RATE_MOST || r.window_ms < 1000);
	bug_on(r.window_ms > RATE_WINDOW_MOST_MS || r.text.n != size);
	buf_init(&out, 256);
	rate_write(&r, &out);
	bug_on(rate_read(buf_str(&out), &again) != NULL);
	bug_on(again.most != r.most || again.window_ms != r.window_ms || again.per != r.per);
	buf_done(&out);
	return 0;
}
