/* secret_file - a secret in a file that another program may change: read again when it has changed.
 *
 * The file is looked at by whoever uses it, at most once a second, and read as file_read_secret
 * does.  While it cannot be read, or is empty, there is no secret: what stood there before is not
 * used.  Replace it whole (rename) and no use falls between.  Thread-safe. */
#pragma once
#include "base/digest.h"
#include "base/err.h"

#define SECRET_FILE_MS 1000

struct secret_file;

struct secret_file *secret_file_new(struct str path); /* touches nothing yet */
void secret_file_free(struct secret_file **f);
bool secret_file_get(
	struct secret_file *f, uint64_t boot_ms, struct secret *out, struct err *err) must_check;
