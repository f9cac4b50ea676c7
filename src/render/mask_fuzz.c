/* Properties: what is shown is short, valid UTF-8 without ASCII control characters, and is
 * [redacted] or of its mask's own form.  The first byte picks mask and kind of cell, the second the
 * bucket.
 *
 * covers: src/render/mask.c */
#include "base/utf8.h"
#include "render/mask.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(struct str shown)
{
	bug_on(!utf8_valid(shown) || !shown.n || shown.n > 300);
	for (size_t i = 0; i < shown.n; i++)
		bug_on((unsigned char)shown.p[i] < 0x20 || shown.p[i] == 0x7f);
}

static void check_form(enum mask_kind kind, struct str s, struct str shown)
{
	struct str local, domain;

	if (str_eq(shown, S(MASK_REDACTED)))
		return;
	bug_on(kind == MASK_REDACT || kind == MASK_NONE);
	if (kind == MASK_EMAIL) {
		bug_on(!str_cut(s, '@', &local, &domain) || !str_ends(shown, domain));
		bug_on(shown.n > domain.n + 8);
	}
	bug_on(kind == MASK_PHONE && shown.n != 5);
	bug_on(kind == MASK_LAST4 && utf8_count(shown) != 7);
	bug_on(kind == MASK_INITIALS && utf8_count(shown) > 6);
	bug_on(kind == MASK_HASH && shown.n != 16);
	bug_on(kind == MASK_BUCKET && shown.n > 44);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a;
	struct mask mask = { 0 };
	struct cell cell = { 0 };
	struct str shown;

	if (size < 2 || size > 65536)
		return 0;
	mask.kind = (enum mask_kind)(data[0] % (MASK_BUCKET + 1));
	mask.bucket = (enum bucket)(data[1] % (BUCKET_YEAR + 1));
	mask.size = (uint64_t)1 + (uint64_t)(data[1] >> 2) * 1000;
	cell.kind = (enum cell_kind)(CELL_INTEGER + (data[0] >> 4) % 4);
	cell.text = str_n(data + 2, size - 2);
	arena_init(&a, (size_t)1 << 20);
	shown = mask_text(&mask, S("key"), &a, &cell);
	check_text(shown);
	check_form(mask.kind, cell.text, shown);
	arena_done(&a);
	return 0;
}
