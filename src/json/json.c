/* json - the reader; see json.h.
 *
 * One pass, one byte of look-ahead, a recursion for each '[' and '{'.  The items of an open array
 * or object wait on a stack of bytes until its end is seen; then they move, side by side, to the
 * arena. The stack starts on the thread's own and moves to the heap when it gets large.
 *
 * Invariants:
 * 1. Nothing is read outside the text: every byte is asked for through at < end.
 * 2. depth <= JSON_MAX_DEPTH, so the recursion is bounded.
 * 3. Every string of the result is valid UTF-8; no member name holds a NUL; names of one object
 *    differ.
 * 4. The stack holds no more bytes than the arena can still give, and what lies on the heap is
 * freed by the parse or, when the arena gives up in the midst of it, by the arena's closers. */
#include "json/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/scan.h"
#include "base/utf8.h"
#include "json/members.h"
#include "json/plain.h"

#define LOCAL_BYTES ((size_t)2048)

struct spill {
	char *p;
};

struct parser {
	struct scan s;
	struct arena *arena;
	struct json_error error;
	unsigned depth;
	char *stack;
	size_t used, size; /* of the stack, in bytes */
	struct spill *spill; /* NULL while the stack is the local one */
};

static bool fail_at(struct parser *p, enum json_fault fault, const char *at)
{
	p->error = (struct json_error){ .fault = fault, .offset = (size_t)(at - p->s.start) };
	return false;
}

static bool fail(struct parser *p, enum json_fault fault)
{
	return fail_at(p, fault, p->s.at);
}

static void spill_free(void *what)
{
	struct spill *spill = what;

	free(spill->p);
	spill->p = NULL;
}

/* The arena must have room for what is stacked, or it gives up here, early. */
static void stack_grow(struct parser *p, size_t more)
{
	struct arena *a = p->arena;
	size_t size = p->size * 2;
	char *to;

	bug_on(more > p->size);
	if (p->used + more > a->limit - a->used)
		(void)arena_alloc(a, p->used + more);
	if (!p->spill) {
		p->spill = arena_new(a, struct spill);
		arena_defer(a, spill_free, p->spill);
	}
	to = realloc(p->spill->p, size);
	if (!to)
		(void)arena_alloc(a, SIZE_MAX / 2);
	bug_on(!to);
	if (!p->spill->p)
		memcpy(to, p->stack, p->used);
	p->spill->p = to;
	p->stack = to;
	p->size = size;
}

static inline void stack_push(struct parser *p, const void *what, size_t n)
{
	if (n > p->size - p->used)
		stack_grow(p, n);
	memcpy(p->stack + p->used, what, n);
	p->used += n;
}

/* Moves what is stacked above base to the arena, with `extra` zeroed bytes behind it. */
static void *stack_take(struct parser *p, size_t base, size_t extra)
{
	size_t n = p->used - base;
	char *to = arena_alloc(p->arena, n + extra);

	memcpy(to, p->stack + base, n);
	p->used = base;
	return to;
}

static inline bool is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static inline void skip_space(struct scan *s)
{
	while (s->at < s->end && (unsigned char)*s->at <= ' ' && is_space(*s->at))
		s->at++;
}

/* From a place up to where the reader stands. */
static inline struct str taken(const struct scan *s, const char *from)
{
	return (struct str){ .p = from, .n = (size_t)(s->at - from) };
}

static int hex_digit(char c)
{
	if (ascii_is_digit(c))
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four digits behind "\u"; -1 when there are no four. */
static int take_hex4(struct scan *s)
{
	int value = 0;

	if (scan_left(s) < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(s->at[i]);

		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	scan_skip(s, 4);
	return value;
}

/* RFC 8259 section 7: a character outside the basic plane is two escapes. */
static bool decode_u(struct parser *p, struct scan *s, struct buf *out)
{
	const char *at = s->at;
	int unit = take_hex4(s), low;

	if (unit < 0)
		return fail_at(p, JSON_BAD_SYNTAX, at);
	if (unit < 0xd800 || unit > 0xdfff) {
		utf8_write(out, (uint32_t)unit);
		return true;
	}
	if (unit >= 0xdc00 || !scan_lit(s, S("\\u")))
		return fail_at(p, JSON_BAD_SURROGATE, at);
	low = take_hex4(s);
	if (low < 0xdc00 || low > 0xdfff)
		return fail_at(p, JSON_BAD_SURROGATE, at);
	utf8_write(out, 0x10000 + ((uint32_t)(unit - 0xd800) << 10) + (uint32_t)(low - 0xdc00));
	return true;
}

/* s stands behind a backslash; scan_string saw to it that a byte follows. */
static bool decode_escape(struct parser *p, struct scan *s, struct buf *out)
{
	static const char meaning[256] = { ['"'] = '"',
		['\\'] = '\\',
		['/'] = '/',
		['b'] = '\b',
		['f'] = '\f',
		['n'] = '\n',
		['r'] = '\r',
		['t'] = '\t' };
	int c = scan_peek(s);

	bug_on(c < 0);
	scan_skip(s, 1);
	if (c == 'u')
		return decode_u(p, s, out);
	if (!meaning[c])
		return fail_at(p, JSON_BAD_SYNTAX, s->at - 1);
	buf_char(out, meaning[c]);
	return true;
}

/* No escape is shorter than what it means: the bytes of raw are enough. */
static bool decode(struct parser *p, struct str raw, struct str *out)
{
	struct buf text = {
		.p = arena_alloc(p->arena, raw.n), .cap = raw.n, .limit = raw.n, .arena = p->arena
	};
	struct scan s = scan_of(raw);

	while (!scan_end(&s)) {
		const char *escape = memchr(s.at, '\\', scan_left(&s));
		size_t run = escape ? (size_t)(escape - s.at) : scan_left(&s);

		buf_add(&text, str_n(s.at, run));
		scan_skip(&s, run);
		if (scan_char(&s, '\\') && !decode_escape(p, &s, &text))
			return false;
	}
	bug_on(!buf_ok(&text));
	*out = buf_str(&text);
	return true;
}

/* From behind the opening quote to behind the closing one; *raw_out lies between. */
static inline bool scan_string(struct parser *p, struct str *raw_out, bool *escaped_out)
{
	struct scan *s = &p->s;
	const char *start = s->at;
	bool high = false;

	*escaped_out = false;
	for (;;) {
		s->at += plain_run(s->at, scan_left(s), &high);
		if (scan_end(s))
			return fail(p, JSON_BAD_SYNTAX);
		if (*s->at == '"')
			break;
		if (*s->at != '\\' || scan_left(s) < 2)
			return fail(p, JSON_BAD_SYNTAX);
		*escaped_out = true;
		s->at += 1;
		if (*s->at == '"' || *s->at == '\\')
			s->at += 1;
	}
	*raw_out = taken(s, start);
	s->at++;
	if (high && !utf8_valid(*raw_out))
		return fail_at(p, JSON_BAD_UTF8, start);
	return true;
}

static inline bool parse_string(struct parser *p, struct str *out)
{
	struct str raw;
	bool escaped;

	if (!scan_string(p, &raw, &escaped))
		return false;
	if (escaped)
		return decode(p, raw, out);
	*out = raw;
	return true;
}

static inline const char *skip_digits(const char *at, const char *end)
{
	while (at < end && *at >= '0' && *at <= '9')
		at++;
	return at;
}

/* RFC 8259 section 6; the first byte is '-' or a digit. */
static bool parse_number(struct parser *p, struct str *out)
{
	const char *start = p->s.at, *end = p->s.end, *at = start + (*start == '-'), *from = at;

	at = skip_digits(from, end);
	if (at == from)
		return fail_at(p, JSON_BAD_SYNTAX, at);
	if (*from == '0')
		at = from + 1;
	if (at < end && *at == '.') {
		from = at + 1;
		at = skip_digits(from, end);
		if (at == from)
			return fail_at(p, JSON_BAD_SYNTAX, at);
	}
	if (at < end && (*at == 'e' || *at == 'E')) {
		from = at + 1;
		from += from < end && (*from == '+' || *from == '-');
		at = skip_digits(from, end);
		if (at == from)
			return fail_at(p, JSON_BAD_SYNTAX, at);
	}
	if ((size_t)(at - start) > JSON_MAX_NUMBER)
		return fail_at(p, JSON_BAD_NUMBER_LENGTH, start);
	p->s.at = at;
	*out = taken(&p->s, start);
	return true;
}

static bool parse_word(struct parser *p, struct str word)
{
	if (scan_left(&p->s) < word.n || memcmp(p->s.at, word.p, word.n) != 0)
		return fail(p, JSON_BAD_SYNTAX);
	p->s.at += word.n;
	return true;
}

static bool parse_value(struct parser *p, struct json *out);

/* The bracket and the space behind it. */
static inline bool open_level(struct parser *p)
{
	if (p->depth == JSON_MAX_DEPTH)
		return fail(p, JSON_BAD_DEPTH);
	p->depth++;
	p->s.at++;
	skip_space(&p->s);
	return true;
}

/* Behind an item: a comma (*more_out) or the closing bracket, and the space behind a comma. */
static inline bool next_item(struct parser *p, char close, bool *more_out)
{
	skip_space(&p->s);
	*more_out = scan_char(&p->s, ',');
	if (*more_out)
		skip_space(&p->s);
	else if (!scan_char(&p->s, close))
		return fail(p, JSON_BAD_SYNTAX);
	return true;
}

static bool parse_array(struct parser *p, struct json *out)
{
	size_t base = p->used;
	bool more;

	if (!open_level(p))
		return false;
	more = !scan_char(&p->s, ']');
	while (more) {
		struct json item;

		if (out->count == JSON_MAX_ITEMS)
			return fail(p, JSON_BAD_ITEMS);
		if (!parse_value(p, &item) || !next_item(p, ']', &more))
			return false;
		stack_push(p, &item, sizeof item);
		out->count++;
	}
	if (out->count)
		out->items = stack_take(p, base, 0);
	p->depth--;
	return true;
}

/* A name, its colon, and the space around that. */
static inline bool parse_name(struct parser *p, struct str *out)
{
	const char *start = p->s.at;
	bool escaped;
	struct str raw;

	if (!scan_char(&p->s, '"'))
		return fail(p, JSON_BAD_SYNTAX);
	if (!scan_string(p, &raw, &escaped))
		return false;
	*out = raw;
	if (escaped) {
		if (!decode(p, raw, out))
			return false;
		if (str_has(*out, '\0'))
			return fail_at(p, JSON_BAD_NAME, start);
	}
	skip_space(&p->s);
	if (!scan_char(&p->s, ':'))
		return fail(p, JSON_BAD_SYNTAX);
	skip_space(&p->s);
	return true;
}

static bool take_members(struct parser *p, size_t base, struct json *out)
{
	const struct json_member *repeated;

	out->members = stack_take(p, base, members_table_bytes(out->count));
	repeated = members_index(out);
	if (repeated)
		return fail_at(p, JSON_BAD_DUPLICATE, repeated->value.raw.p);
	return true;
}

static bool parse_object(struct parser *p, struct json *out)
{
	size_t base = p->used;
	bool more;

	if (!open_level(p))
		return false;
	more = !scan_char(&p->s, '}');
	while (more) {
		struct json_member member;

		if (out->count == JSON_MAX_ITEMS)
			return fail(p, JSON_BAD_ITEMS);
		if (!parse_name(p, &member.name) || !parse_value(p, &member.value) ||
			!next_item(p, '}', &more))
			return false;
		stack_push(p, &member, sizeof member);
		out->count++;
	}
	p->depth--;
	return !out->count || take_members(p, base, out);
}

static bool parse_inside(struct parser *p, struct json *out)
{
	int c = scan_peek(&p->s);

	if (c == '-' || (c >= '0' && c <= '9')) {
		out->kind = JSON_NUMBER;
		return parse_number(p, &out->text);
	}
	switch (c) {
	case '"':
		p->s.at++;
		out->kind = JSON_STRING;
		return parse_string(p, &out->text);
	case '{':
		out->kind = JSON_OBJECT;
		return parse_object(p, out);
	case '[':
		out->kind = JSON_ARRAY;
		return parse_array(p, out);
	case 't':
		out->kind = JSON_BOOL;
		out->truth = true;
		return parse_word(p, S("true"));
	case 'f':
		out->kind = JSON_BOOL;
		return parse_word(p, S("false"));
	case 'n':
		return parse_word(p, S("null"));
	default:
		return fail(p, JSON_BAD_SYNTAX);
	}
}

static bool parse_value(struct parser *p, struct json *out)
{
	const char *start = p->s.at;

	*out = (struct json){ .kind = JSON_NULL };
	if (!parse_inside(p, out))
		return false;
	out->raw = taken(&p->s, start);
	return true;
}

static bool parse_text(struct parser *p, struct json *out)
{
	skip_space(&p->s);
	if (!parse_value(p, out))
		return false;
	skip_space(&p->s);
	return scan_end(&p->s) || fail(p, JSON_BAD_TRAILING);
}

bool json_parse(struct arena *a, struct str text, struct json *out, struct json_error *error)
{
	/* written before it is read; zeroing it would cost as much as a small parse */
	char local[LOCAL_BYTES] __attribute__((uninitialized, aligned(16)));
	struct parser p = { .s = scan_of(text), .arena = a, .stack = local, .size = LOCAL_BYTES };
	struct json v;
	bool good = parse_text(&p, &v);

	if (p.spill)
		spill_free(p.spill);
	if (good)
		*out = v;
	else
		*error = p.error;
	return good;
}

const char *json_fault_name(enum json_fault fault)
{
	static const char *const names[] = {
		[JSON_OK] = "ok",
		[JSON_BAD_SYNTAX] = "json",
		[JSON_BAD_UTF8] = "utf8",
		[JSON_BAD_SURROGATE] = "surrogate",
		[JSON_BAD_DEPTH] = "depth",
		[JSON_BAD_NUMBER_LENGTH] = "number_length",
		[JSON_BAD_DUPLICATE] = "duplicate",
		[JSON_BAD_NAME] = "nul",
		[JSON_BAD_TRAILING] = "json",
		[JSON_BAD_ITEMS] = "items",
	};

	bug_on((size_t)fault >= ARRAY_LEN(names));
	return names[fault];
}
