/* real - see real.h.
 *
 * Invariants: 1. strtod of the lexeme gives the same double.  2. there is a '.' or an 'e' in it, so
 * that no reader takes it for an integer. */
#include "sql/real.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Amounts and the like: at most four decimals and 15 digits.  n / scale is the double nearest to
 * that decimal, and no two decimals of 15 digits share a double: equal means shortest. */
static bool write_short_real(char *out, size_t size, double v)
{
	static const double scales[] = { 1, 10, 100, 1000, 10000 };

	for (int k = 0; k < (int)ARRAY_LEN(scales); k++) {
		double scaled = v * scales[k];
		long long n, scale = (long long)scales[k];

		if (fabs(scaled) >= 1e15)
			return false;
		n = (long long)(fabs(scaled) + 0.5);
		if ((double)n / scales[k] != fabs(v))
			continue;
		if (k == 0)
			snprintf(out, size, "%s%lld.0", signbit(v) ? "-" : "", n);
		else
			snprintf(out, size, "%s%lld.%0*lld", signbit(v) ? "-" : "", n / scale, k,
				n % scale);
		return true;
	}
	return false;
}

struct str real_lexeme(struct arena *a, double v)
{
	char text[64];

	if (isnan(v))
		return S("nan");
	if (isinf(v))
		return v > 0 ? S("inf") : S("-inf");
	if (!write_short_real(text, sizeof text, v)) {
		/* below the normal numbers 15 digits are more than a double holds */
		for (int digits = fabs(v) < DBL_MIN ? 1 : 15; digits <= 17; digits++) {
			snprintf(text, sizeof text, "%.*g", digits, v);
			if (strtod(text, NULL) == v)
				break;
		}
		if (!strpbrk(text, ".e"))
			return arena_fmt(a, "%s.0", text);
	}
	return arena_str(a, str_c(text));
}
