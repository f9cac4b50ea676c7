/* err - see err.h. */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(err->text, sizeof err->text, fmt, args);
	va_end(args);
	err->code = code;
	return false;
}

bool err_errno(struct err *err, enum err_code code, const char *fmt, ...)
{
	int saved = errno;
	char reason[128];
	size_t used;
	va_list args;

	va_start(args, fmt);
	vsnprintf(err->text, sizeof err->text, fmt, args);
	va_end(args);
	used = strlen(err->text);
	snprintf(err->text + used, sizeof err->text - used, ": %s",
		strerror_r(saved, reason, sizeof reason));
	err->code = code;
	return false;
}

bool err_while(struct err *err, const char *fmt, ...)
{
	char before[sizeof err->text];
	size_t used;
	va_list args;

	va_start(args, fmt);
	vsnprintf(before, sizeof before - 3, fmt, args);
	va_end(args);
	used = strlen(before);
	snprintf(before + used, sizeof before - used, ": %.*s", (int)(sizeof before - used - 3),
		err->text);
	memcpy(err->text, before, sizeof before);
	return false;
}
