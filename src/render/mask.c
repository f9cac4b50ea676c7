/* mask - see mask.h.
 *
 * Invariants: 1. every way out that is not the mask's own form is MASK_REDACTED.  2. the length of
 * what is shown does not follow the length of what is hidden.  3. what is shown is valid UTF-8
 * without ASCII control characters.  4. NULL stays NULL, and is the only thing told of a value that
 * has no form. */
#include "render/mask.h"

#include "base/utf8.h"
#include "json/format.h"

#include <string.h>

#define STARS "***"
#define TEXT_MAX ((size_t)300)
#define DOMAIN_MAX ((size_t)253)
#define PHONE_DIGITS_MIN 7
#define LAST4_CHARACTERS_MIN 8
#define INITIALS_MAX 3
#define HASH_BYTES 8

static bool is_plain(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return false;
	return s.n && utf8_valid(s);
}

static struct str first_character(struct str s)
{
	size_t bytes;

	utf8_first(s, &bytes);
	return str_sub(s, 0, bytes);
}

static bool is_domain(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_is_alnum(s.p[i]) && !str_has(S(".-"), s.p[i]) &&
			(unsigned char)s.p[i] < 0x80)
			return false;
	return s.n && s.n <= DOMAIN_MAX;
}

static bool mask_email(struct buf *out, struct str s)
{
	struct str local, domain;

	if (!is_plain(s) || !str_cut(s, '@', &local, &domain) || !local.n || !is_domain(domain))
		return false;
	buf_add(out, first_character(local));
	buf_lit(out, STARS "@");
	buf_add(out, domain);
	return true;
}

static bool mask_phone(struct buf *out, struct str s)
{
	char last[2] = { 0 };
	size_t digits = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (ascii_is_digit(s.p[i])) {
			last[0] = last[1];
			last[1] = s.p[i];
			digits++;
		} else if (!str_has(S(" +-./()"), s.p[i])) {
			return false;
		}
	}
	if (digits < PHONE_DIGITS_MIN)
		return false;
	buf_lit(out, STARS);
	buf_add(out, str_n(last, sizeof last));
	return true;
}

/* Four characters that stand together, so that what is shown has one form. */
static bool mask_last4(struct buf *out, struct str s)
{
	struct str last[4] = { 0 };
	size_t count = 0;

	if (!is_plain(s))
		return false;
	while (s.n) {
		struct str c = first_character(s);

		s = str_from(s, c.n);
		if (str_eq(c, S(" ")) || str_eq(c, S("-")))
			continue;
		memmove(last, last + 1, sizeof last - sizeof last[0]);
		last[3] = c;
		count++;
	}
	if (count < LAST4_CHARACTERS_MIN)
		return false;
	buf_lit(out, STARS);
	for (size_t i = 0; i < ARRAY_LEN(last); i++)
		buf_add(out, last[i]);
	return true;
}

static struct str take_word(struct str *s)
{
	size_t n = 0;
	struct str word;

	while (s->n && s->p[0] == ' ')
		*s = str_from(*s, 1);
	while (n < s->n && s->p[n] != ' ')
		n++;
	word = str_sub(*s, 0, n);
	*s = str_from(*s, n);
	return word;
}

/* Words of one character are told whole by their initial: there must be a longer one. */
static bool mask_initials(struct buf *out, struct str s)
{
	size_t count = 0;
	bool hides = false;

	if (!is_plain(s))
		return false;
	for (struct str word = take_word(&s); word.n; word = take_word(&s)) {
		struct str first = first_character(word);

		if (first.n == 1 && !ascii_is_alpha(first.p[0]))
			continue;
		hides = hides || utf8_count(word) > 1;
		if (count++ == INITIALS_MAX)
			break;
		buf_add(out, first);
		buf_char(out, '.');
	}
	return hides && count;
}

static bool mask_hash(struct buf *out, struct str key, struct str s)
{
	struct sha256 digest;

	if (!key.n)
		return false;
	hmac_sha256(key, s, &digest);
	hex_write(out, str_n(digest.b, HASH_BYTES));
	return true;
}

/* The whole number at or below a lexeme: "-0.5" is in the bucket below zero. */
static bool floor_of(struct str lexeme, int64_t *out)
{
	struct str whole = lexeme, fraction = STR_NONE;
	bool rest = false;

	if (str_cut(lexeme, '.', &whole, &fraction) && !fraction.n)
		return false;
	for (size_t i = 0; i < fraction.n; i++) {
		if (!ascii_is_digit(fraction.p[i]))
			return false;
		rest = rest || fraction.p[i] != '0';
	}
	if (!whole.n || !str_to_i64(whole, out))
		return false;
	if (whole.p[0] == '-' && rest)
		return !__builtin_sub_overflow(*out, 1, out);
	return true;
}

static bool mask_size(struct buf *out, uint64_t size, struct str lexeme)
{
	int64_t n, below, above, step = (int64_t)size;

	if (!floor_of(lexeme, &n))
		return false;
	below = n / step * step;
	if (n % step < 0 && __builtin_sub_overflow(below, step, &below))
		return false;
	if (__builtin_add_overflow(below, step, &above))
		return false;
	buf_i64(out, below);
	buf_lit(out, "..");
	buf_i64(out, above);
	return true;
}

static bool mask_period(struct buf *out, enum bucket bucket, struct str s)
{
	static const size_t lengths[] = {
		[BUCKET_DAY] = 10, [BUCKET_MONTH] = 7, [BUCKET_YEAR] = 4
	};

	if (!utf8_valid(s) || (!format_find(S("date"))(s) && !format_find(S("date-time"))(s)))
		return false;
	buf_add(out, str_sub(s, 0, lengths[bucket]));
	return true;
}

static bool write_mask(
	struct buf *out, const struct mask *mask, struct str key, const struct cell *cell)
{
	bool blob = cell->kind == CELL_BLOB;

	switch (mask->kind) {
	case MASK_EMAIL:
		return !blob && mask_email(out, cell->text);
	case MASK_PHONE:
		return !blob && mask_phone(out, cell->text);
	case MASK_LAST4:
		return !blob && mask_last4(out, cell->text);
	case MASK_INITIALS:
		return !blob && mask_initials(out, cell->text);
	case MASK_HASH:
		return mask_hash(out, key, cell->text);
	case MASK_BUCKET:
		if (mask->bucket == BUCKET_SIZE)
			return !blob && mask_size(out, mask->size, cell->text);
		return !blob && mask_period(out, mask->bucket, cell->text);
	case MASK_NONE:
	case MASK_REDACT:
		break;
	}
	return false;
}

struct str mask_text(
	const struct mask *mask, struct str key, struct arena *a, const struct cell *cell)
{
	struct buf out;

	buf_in(&out, a, TEXT_MAX);
	if (!write_mask(&out, mask, key, cell) || !buf_ok(&out))
		return S(MASK_REDACTED);
	return buf_str(&out);
}

static void mask_part(struct call *c, struct rows *rows, struct str key)
{
	size_t width = rows->part->column_count;

	for (size_t i = 0; i < width; i++) {
		const struct column *column = &rows->part->columns[i];

		if (!call_masks(c, column))
			continue;
		for (size_t row = 0; row < rows->count; row++) {
			struct cell *cell = &rows->cells[row * width + i];

			if (cell->kind == CELL_NULL || cell->kind == CELL_MASKED)
				continue;
			cell->text = mask_text(&column->mask, key, c->arena, cell);
			cell->kind = CELL_MASKED;
		}
	}
}

void mask_rows(struct call *c, struct str key)
{
	for (size_t i = 0; c->rows && i < c->entry->action.part_count; i++)
		if (c->rows[i].part)
			mask_part(c, &c->rows[i], key);
}
