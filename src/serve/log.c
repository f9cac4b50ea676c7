/* log - see log.h. */
#include "serve/log.h"

#include "base/clock.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

static _Atomic unsigned least = LOG_INFO; /* of the process, like stderr itself */

void log_set_level(enum log_level level)
{
	atomic_store_explicit(&least, level, memory_order_relaxed);
}

bool log_passes(enum log_level level)
{
	return level <= atomic_load_explicit(&least, memory_order_relaxed);
}

static printf_like(3, 0) void write_line(
	enum log_level level, const char *event, const char *pairs, va_list args)
{
	char line[2048];
	struct buf when;
	int n;

	if (!log_passes(level))
		return;
	buf_init(&when, 64);
	clock_write_rfc3339(&when, clock_wall_us());
	n = snprintf(line, sizeof line, "%.*s %s %s ", STR_ARG(buf_str(&when)),
		log_level_name(level), event);
	buf_done(&when);
	n += vsnprintf(line + n, sizeof line - (size_t)n, pairs, args);
	n = MIN(n, (int)sizeof line - 2);
	line[n++] = '\n';
	if (write(STDERR_FILENO, line, (size_t)n) < 0)
		return; /* nowhere is left to say so */
}

void log_debug(const char *event, const char *pairs, ...)
{
	va_list args;

	va_start(args, pairs);
	write_line(LOG_DEBUG, event, pairs, args);
	va_end(args);
}

void log_info(const char *event, const char *pairs, ...)
{
	va_list args;

	va_start(args, pairs);
	write_line(LOG_INFO, event, pairs, args);
	va_end(args);
}

void log_warn(const char *event, const char *pairs, ...)
{
	va_list args;

	va_start(args, pairs);
	write_line(LOG_WARN, event, pairs, args);
	va_end(args);
}

void log_error(const char *event, const char *pairs, ...)
{
	va_list args;

	va_start(args, pairs);
	write_line(LOG_ERROR, event, pairs, args);
	va_end(args);
}

/* Of a control character: C0, DEL, or both bytes of C1 (U+0080 to U+009F) in UTF-8. */
static bool is_control(struct str s, size_t i)
{
	unsigned char c = (unsigned char)s.p[i];
	unsigned char before = i ? (unsigned char)s.p[i - 1] : 0;
	unsigned char after = i + 1 < s.n ? (unsigned char)s.p[i + 1] : 0;

	return c < 0x20 || c == 0x7f || (c == 0xc2 && after < 0xa0) ||
	       (before == 0xc2 && c >= 0x80 && c < 0xa0);
}

static bool is_plain(char c)
{
	return ascii_is_alnum(c) || (c && str_has(S("._-:/@+,[]"), c));
}

const char *log_value(struct log_text *room, struct str value)
{
	struct str head = utf8_prefix(value, sizeof room->c - 8);
	bool plain = value.n > 0, utf8 = utf8_valid(head);
	size_t at = 0;

	for (size_t i = 0; i < value.n; i++)
		plain = plain && is_plain(value.p[i]);
	if (!plain)
		room->c[at++] = '"';
	for (size_t i = 0; i < head.n && at + 8 < sizeof room->c; i++) {
		if (is_control(head, i) || (!utf8 && (unsigned char)head.p[i] >= 0x80)) {
			at += (size_t)snprintf(
				room->c + at, 5, "\\x%02x", (unsigned char)head.p[i]);
			continue;
		}
		if (head.p[i] == '"' || head.p[i] == '\\')
			room->c[at++] = '\\';
		room->c[at++] = head.p[i];
	}
	if (!plain)
		room->c[at++] = '"';
	room->c[at] = '\0';
	return room->c;
}
