/* str - see str.h. */
#include "base/str.h"

#include <string.h>

struct str str_c(const char *c)
{
	return (struct str){ .p = c, .n = c ? strlen(c) : 0 };
}

struct str str_n(const void *p, size_t n)
{
	return (struct str){ .p = p, .n = n };
}

struct str str_sub(struct str s, size_t from, size_t n)
{
	s = str_from(s, from);
	s.n = MIN(s.n, n);
	return s;
}

struct str str_from(struct str s, size_t from)
{
	if (from >= s.n)
		return (struct str){ .p = s.p ? s.p + s.n : NULL, .n = 0 };
	return (struct str){ .p = s.p + from, .n = s.n - from };
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct str str_trim(struct str s)
{
	while (s.n && is_blank(s.p[0]))
		s = str_from(s, 1);
	while (s.n && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool str_eq_ci(struct str a, struct str b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
			return false;
	return true;
}

int str_cmp(struct str a, struct str b)
{
	size_t n = MIN(a.n, b.n);
	int order = n ? memcmp(a.p, b.p, n) : 0;

	if (order != 0)
		return order;
	return a.n < b.n ? -1 : a.n > b.n;
}

bool str_starts(struct str s, struct str prefix)
{
	return str_eq(str_sub(s, 0, prefix.n), prefix);
}

bool str_ends(struct str s, struct str suffix)
{
	return s.n >= suffix.n && str_eq(str_from(s, s.n - suffix.n), suffix);
}

bool str_has(struct str s, char c)
{
	return str_find(s, 0, c) < s.n;
}

size_t str_find(struct str s, size_t from, char c)
{
	const char *hit;

	if (from >= s.n)
		return s.n;
	hit = memchr(s.p + from, c, s.n - from);
	return hit ? (size_t)(hit - s.p) : s.n;
}

size_t str_find_str(struct str s, size_t from, struct str what)
{
	const char *hit;

	if (from > s.n)
		return s.n;
	if (what.n == 0)
		return from;
	if (from == s.n)
		return s.n;
	hit = memmem(s.p + from, s.n - from, what.p, what.n);
	return hit ? (size_t)(hit - s.p) : s.n;
}

bool str_cut(struct str s, char c, struct str *head_out, struct str *tail_out)
{
	size_t at = str_find(s, 0, c);

	if (at == s.n)
		return false;
	*head_out = str_sub(s, 0, at);
	*tail_out = str_from(s, at + 1);
	return true;
}

bool str_to_u64(struct str s, uint64_t *out)
{
	uint64_t n = 0;

	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (!ascii_is_digit(s.p[i]))
			return false;
		if (__builtin_mul_overflow(n, 10u, &n) ||
			__builtin_add_overflow(n, (uint64_t)(s.p[i] - '0'), &n))
			return false;
	}
	*out = n;
	return true;
}

bool str_to_i64(struct str s, int64_t *out)
{
	bool minus = s.n && s.p[0] == '-';
	uint64_t n;

	if (!str_to_u64(minus ? str_from(s, 1) : s, &n))
		return false;
	if (n > (uint64_t)INT64_MAX + minus)
		return false;
	*out = minus ? (int64_t)(0 - n) : (int64_t)n;
	return true;
}

bool ascii_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool ascii_is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool ascii_is_alnum(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c);
}

char ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}
