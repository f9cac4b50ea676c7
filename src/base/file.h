/* file - reads and makes small files the careful way: opened once, checked on the descriptor,
 * no links followed in the last part, bounded. */
#pragma once
#include "base/buf.h"
#include "base/err.h"

/* The whole regular file, in the arena. */
bool file_read(struct arena *a, struct str path, size_t max_bytes, struct str *out,
	struct err *err) must_check;
/* As file_read, for a secret: refuses a file that group or others can read, that another user
 * (but root) owns, or that is a link; trims one trailing newline. */
bool file_read_secret(struct arena *a, struct str path, size_t max_bytes, struct str *out,
	struct err *err) must_check;
/* A directory with mode 0700, made if absent, with its parent; refused when group or others have
 * any access. */
bool dir_private(struct arena *a, struct str path, struct err *err) must_check;
