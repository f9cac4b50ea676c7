/* err - why something did not work, for the program (code) and for the operator (text).
 *
 * A function that can fail returns bool (must_check) or a pointer and takes `struct err *err` last;
 * err is untouched on success.  The text never reaches an agent. */
#pragma once
#include "base/str.h"

enum err_code {
	E_NONE,
	E_INVALID, /* the input does not say what it must */
	E_NOT_FOUND, /* what was named does not exist */
	E_EXISTS, /* what was to be made is there, or held by another process */
	E_DENIED, /* the operating system or the database said no */
	E_LIMIT, /* over a stated limit */
	E_TIMEOUT, /* no answer before the deadline */
	E_CANCELLED, /* the caller went away or asked to stop */
	E_BUSY, /* nothing free within the bounded wait */
	E_UNAVAILABLE, /* the other side is not there */
	E_IO, /* the operating system failed */
	E_CONTRACT, /* what came back is not what was declared */
	E_UNCERTAIN, /* it may or may not have happened: never rounded to failure */
	E_BUG, /* a defect that was noticed and survived */
};

struct err {
	enum err_code code;
	char text[768];
};

/* Sets code and text; always returns false, so that `return err_set(...)` reads well. */
bool err_set(struct err *err, enum err_code code, const char *fmt, ...) printf_like(3, 4);
/* As err_set, with ": strerror(errno)" behind the text. */
bool err_errno(struct err *err, enum err_code code, const char *fmt, ...) printf_like(3, 4);
/* Puts "what: " before the text, on the way up; keeps the code; always returns false. */
bool err_while(struct err *err, const char *fmt, ...) printf_like(2, 3);
