/* id - see id.h. */
#include "base/id.h"

#include "base/digest.h"

void id_make(struct id *out, int64_t wall_us)
{
	static const char digit[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	uint64_t ms = (uint64_t)(wall_us / 1000);
	uint8_t noise[16];

	random_bytes(noise, sizeof noise);
	for (int i = 9; i >= 0; i--, ms >>= 5)
		out->c[i] = digit[ms & 31];
	for (int i = 10; i < ID_BYTES; i++)
		out->c[i] = digit[noise[i - 10] & 31];
}
