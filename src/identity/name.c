/* name - which text may name somebody: it goes to records, to the database, to people's screens,
 * and is compared byte by byte.
 *
 * Refused is what would let two names look like one: what nobody sees, what turns the line around,
 * and the spellings that Unicode's form NFC would replace by others.  That last list is short and
 * is no normaliser: it covers accents, Hangul, kana and the doubles of single characters, where
 * keyboards and file systems do differ; it refuses some letters that have no single character.
 *
 * Invariants: 1. no control character, so that no line can be split by a name.  2. whatever is not
 * UTF-8 is no name. */
#include "identity/principal.h"

#include "base/utf8.h"

#define NAME_MAX_BYTES 256

struct range {
	uint32_t from, to;
};

/* Ascending.  Default_Ignorable_Code_Point of Unicode 15, controls, separators, and U+2800. */
static const struct range invisible[] = {
	{ 0x0000, 0x001f },
	{ 0x007f, 0x009f },
	{ 0x00ad, 0x00ad },
	{ 0x034f, 0x034f },
	{ 0x061c, 0x061c },
	{ 0x115f, 0x1160 },
	{ 0x17b4, 0x17b5 },
	{ 0x180b, 0x180f },
	{ 0x200b, 0x200f },
	{ 0x2028, 0x202e },
	{ 0x2060, 0x206f },
	{ 0x2800, 0x2800 },
	{ 0x3164, 0x3164 },
	{ 0xfe00, 0xfe0f },
	{ 0xfeff, 0xfeff },
	{ 0xffa0, 0xffa0 },
	{ 0xfff0, 0xfffb },
	{ 0x1bca0, 0x1bca3 },
	{ 0x1d173, 0x1d17a },
	{ 0xe0000, 0xe0fff },
};

static const struct range composed_otherwise[] = {
	{ 0x0300, 0x036f }, /* accents on the letter before */
	{ 0x0374, 0x0374 },
	{ 0x037e, 0x037e },
	{ 0x0387, 0x0387 },
	{ 0x1100, 0x11ff }, /* parts of Hangul syllables */
	{ 0x1ab0, 0x1aff },
	{ 0x1dc0, 0x1dff },
	{ 0x1f71, 0x1f71 }, /* Greek doubles: acute is written twice */
	{ 0x1f73, 0x1f73 },
	{ 0x1f75, 0x1f75 },
	{ 0x1f77, 0x1f77 },
	{ 0x1f79, 0x1f79 },
	{ 0x1f7b, 0x1f7b },
	{ 0x1f7d, 0x1f7d },
	{ 0x1fbb, 0x1fbb },
	{ 0x1fbe, 0x1fbe },
	{ 0x1fc9, 0x1fc9 },
	{ 0x1fcb, 0x1fcb },
	{ 0x1fd3, 0x1fd3 },
	{ 0x1fdb, 0x1fdb },
	{ 0x1fe3, 0x1fe3 },
	{ 0x1feb, 0x1feb },
	{ 0x1fee, 0x1fef },
	{ 0x1ff9, 0x1ff9 },
	{ 0x1ffb, 0x1ffb },
	{ 0x1ffd, 0x1ffd },
	{ 0x2000, 0x2001 },
	{ 0x20d0, 0x20ff },
	{ 0x2126, 0x2126 }, /* ohm, kelvin, angstrom */
	{ 0x212a, 0x212b },
	{ 0x2329, 0x232a },
	{ 0x3099, 0x309a }, /* voicing of kana */
	{ 0xa960, 0xa97f },
	{ 0xd7b0, 0xd7ff },
	{ 0xf900, 0xfaff }, /* doubles of ideographs */
	{ 0xfb1d, 0xfb4e }, /* of Hebrew */
	{ 0xfe20, 0xfe2f },
	{ 0x2f800, 0x2fa1f },
};

static bool is_in(const struct range *table, size_t count, uint32_t c)
{
	size_t i = 0;

	while (i < count && table[i].to < c)
		i++;
	return i < count && table[i].from <= c;
}

bool principal_name_ok(struct str name)
{
	if (name.n > NAME_MAX_BYTES || !utf8_valid(name))
		return false;
	while (name.n) {
		size_t bytes;
		uint32_t c = utf8_first(name, &bytes);

		if (is_in(invisible, ARRAY_LEN(invisible), c) ||
			is_in(composed_otherwise, ARRAY_LEN(composed_otherwise), c) ||
			(c & 0xfffe) == 0xfffe)
			return false;
		name = str_from(name, bytes);
	}
	return true;
}
