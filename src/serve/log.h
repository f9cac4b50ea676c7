/* log - one line on stderr for each thing an operator should know: key=value, never argument
 * values.
 *
 * Only serve and cli log; each failure is logged once.  Thread-safe: a line is one write. */
#pragma once
#include "config/config.h"

/* What is below the level is not written; LOG_INFO until something else is said.  Thread-safe. */
void log_set_level(enum log_level level);
bool log_passes(enum log_level level);

/* "2026-11-21T03:07:11.402113Z LEVEL EVENT key=value …\n"; pairs is printf-formatted and already in
 * key=value form; log_value quotes a value when it needs it. */
void log_debug(const char *event, const char *pairs, ...) printf_like(2, 3);
void log_info(const char *event, const char *pairs, ...) printf_like(2, 3);
void log_warn(const char *event, const char *pairs, ...) printf_like(2, 3);
void log_error(const char *event, const char *pairs, ...) printf_like(2, 3);

struct log_text {
	char c[512];
};
/* The value, quoted and with control characters escaped, clipped to fit. */
const char *log_value(struct log_text *room, struct str value);
