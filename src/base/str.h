/* str - a slice of bytes: pointer and length, by value.  Owns nothing, is not NUL-terminated.
 *
 * NUL-terminated text exists only at the edge of libc and other libraries: make it there with
 * arena_cstr (arena.h).  All functions are pure and thread-safe. */
#pragma once
#include "base/def.h"

struct str {
	const char *p;
	size_t n;
};

#define S(lit) ((struct str){ .p = "" lit "", .n = sizeof(lit) - 1 })
#define STR_INIT(lit)                                                                              \
	{                                                                                          \
		.p = "" lit "", .n = sizeof(lit) - 1                                               \
	} /* in static initialisers */
#define STR_NONE ((struct str){ 0 })
#define STR_ARG(s) (int)MIN((s).n, (size_t)4096), (s).p ? (s).p : "" /* for "%.*s" */

struct str str_c(const char *c); /* of a C string; NULL gives an empty str */
struct str str_n(const void *p, size_t n);
struct str str_sub(struct str s, size_t from, size_t n); /* clipped to s */
struct str str_from(struct str s, size_t from); /* s without its first `from` bytes */
struct str str_trim(struct str s); /* spaces and tabs off both ends (OWS) */

bool str_eq(struct str a, struct str b);
bool str_eq_ci(struct str a, struct str b); /* ASCII case folded */
int str_cmp(struct str a, struct str b); /* bytewise; a total order */
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
bool str_has(struct str s, char c);

/* Index of the first match at or after `from`, or s.n when there is none. */
size_t str_find(struct str s, size_t from, char c);
size_t str_find_str(struct str s, size_t from, struct str what);

/* Splits at the first `c`: *head_out before it, *tail_out after it.  False when c is absent. */
bool str_cut(struct str s, char c, struct str *head_out, struct str *tail_out);

/* Whole-string conversions: digits only (a leading '-' for i64), no space, no overflow. */
bool str_to_u64(struct str s, uint64_t *out) must_check;
bool str_to_i64(struct str s, int64_t *out) must_check;

bool ascii_is_digit(char c);
bool ascii_is_alpha(char c);
bool ascii_is_alnum(char c);
char ascii_lower(char c);
