/* line - see line.h.
 *
 * Invariants: 1. only what journal_add can write is a line: fixed order, no white space, crc last.
 * 2. the crc is compared before anything else is believed. */
#include "audit/line.h"

#include "audit/journal.h"
#include "base/digest.h"
#include "base/scan.h"
#include "json/json.h"

#define TIME_BYTES 27 /* 2026-11-21T03:07:11.402113Z */
#define TRAILER_BYTES 18 /* ,"crc":"9f12ab07"} */
#define PARSED_MAX ((size_t)64 << 20)

static bool crc_fits(struct str s)
{
	struct str body = str_sub(s, 0, s.n - TRAILER_BYTES);
	struct scan trailer = scan_of(str_from(s, s.n - TRAILER_BYTES));
	char said[8];
	uint32_t crc = crc32c(body);

	for (int i = 7; i >= 0; i--, crc >>= 4)
		said[i] = "0123456789abcdef"[crc & 15];
	return scan_lit(&trailer, S(",\"crc\":\"")) && scan_lit(&trailer, str_n(said, 8)) &&
	       scan_lit(&trailer, S("\"}")) && scan_end(&trailer);
}

static bool is_digit(char c)
{
	return ascii_is_digit(c);
}

static bool is_event(char c)
{
	return (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_plain(char c)
{
	return c != '"' && c != '\\';
}

/* Every character stands where its kind must: such times sort as text. */
static bool is_time(struct str s)
{
	static const char form[] = "0000-00-00T00:00:00.000000Z";

	if (s.n != TIME_BYTES)
		return false;
	for (size_t i = 0; i < TIME_BYTES; i++)
		if (form[i] == '0' ? !ascii_is_digit(s.p[i]) : s.p[i] != form[i])
			return false;
	return true;
}

static bool read_time(struct scan *s, struct str *out)
{
	return scan_lit(s, S("\"t\":\"")) && scan_until(s, '"', out) && is_time(*out) &&
	       scan_char(s, ',');
}

static bool read_index(struct scan *s, uint64_t *out)
{
	return scan_lit(s, S("{\"v\":1,\"i\":")) && str_to_u64(scan_while(s, is_digit), out) &&
	       scan_char(s, ',');
}

/* The origin may hold escapes: a backslash takes the character behind it along. */
static bool skip_string(struct scan *s)
{
	for (;;) {
		(void)scan_while(s, is_plain);
		if (scan_char(s, '"'))
			return true;
		if (!scan_char(s, '\\') || scan_end(s))
			return false;
		scan_skip(s, 1);
	}
}

static bool read_head(struct scan *s, struct line *out)
{
	uint64_t monotonic;

	return read_index(s, &out->index) && read_time(s, &out->time) && scan_lit(s, S("\"m\":")) &&
	       str_to_u64(scan_while(s, is_digit), &monotonic) && scan_lit(s, S(",\"o\":\"")) &&
	       skip_string(s) && scan_lit(s, S(",\"b\":\"")) && skip_string(s) &&
	       scan_lit(s, S(",\"e\":\"")) && (out->event = scan_while(s, is_event)).n &&
	       scan_char(s, '"');
}

/* In an arena of its own: a line made by somebody else may ask for any amount of memory. */
static bool is_object(struct str s)
{
	struct json_error error;
	struct arena scratch;
	struct json value;
	jmp_buf place;
	bool ok;

	arena_init(&scratch, PARSED_MAX);
	if (arena_catch(&scratch, &place))
		ok = false;
	else
		ok = json_parse(&scratch, s, &value, &error) && value.kind == JSON_OBJECT;
	arena_uncatch(&scratch);
	arena_done(&scratch);
	return ok;
}

bool line_read(struct str s, struct line *out)
{
	struct line line = { 0 };
	struct scan scan = scan_of(s);

	if (s.n < TRAILER_BYTES || s.n >= LINE_MAX_BYTES || !crc_fits(s))
		return false;
	if (!read_head(&scan, &line) || !is_object(s))
		return false;
	*out = line;
	return true;
}

struct str line_time(struct str s)
{
	struct scan scan = scan_of(s);
	struct str time;
	uint64_t index;

	if (!read_index(&scan, &index) || !read_time(&scan, &time))
		return STR_NONE;
	return time;
}
