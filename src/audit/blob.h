/* blob - a value too large for a line of the log: the file blob/SHA256 beside the segments, named
 * by what is in it.
 *
 * Written whole under another name, made durable, then renamed: a name that is there has all of its
 * bytes.  What a process leaves behind that ended between the two has no 64 digits for a name. */
#pragma once
#include "base/digest.h"
#include "base/err.h"
#include "base/id.h"

#define BLOB_MAX_BYTES ((size_t)16 << 20)

struct blob {
	struct buf text;
	struct sha256 digest;
};

struct blob *blob_new(struct buf *text); /* takes the text over */
void blob_free(struct blob **b);
/* Durable when true, its name too.  directory: of the log; boot: of the process, one thread. */
bool blob_put(
	const struct blob *b, int directory, const struct id *boot, struct err *err) must_check;
/* The bytes whose digest is `hex` (64 digits), in the arena; E_CONTRACT: there are others. */
bool blob_read(struct arena *a, struct str log_directory, struct str hex, struct str *out,
	struct err *err) must_check;
