/* def - see def.h. */
#include "base/def.h"

#include <stdio.h>
#include <stdlib.h>

no_return void bug_abort(const char *file, int line, const char *what)
{
	fprintf(stderr, "postern: bug at %s:%d: %s\n", file, line, what);
	abort();
}

void *heap_alloc(size_t n)
{
	void *p = calloc(1, n ? n : 1);

	if (!p) {
		fprintf(stderr, "postern: out of memory (%zu bytes)\n", n);
		exit(71);
	}
	return p;
}

void heap_free(void *p)
{
	free(p);
}
