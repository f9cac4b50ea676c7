/* tidy.h - read before every file by tools/tidy: says what the analyzer cannot see across files, namely
 * that these always return false, so that it does not follow failures as if they were successes. */
#include "base/err.h"
#define err_set(...) (err_set(__VA_ARGS__), false)
#define err_errno(...) (err_errno(__VA_ARGS__), false)
#define err_while(...) (err_while(__VA_ARGS__), false)
