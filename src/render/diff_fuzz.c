/* Properties: whatever plan is kept, for whoever looks, its texts are valid UTF-8 without control
 * or hidden characters but line ends, the markdown opens no tag, and the structured content is
 * JSON.  The first byte picks the bounds and who looks.
 *
 * covers: src/render/diff.c src/render/diff_json.c src/render/diff_markdown.c
 * src/render/diff_text.c */
#include "base/err.h"
#include "base/utf8.h"
#include "render/diff.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(struct str s, bool markdown)
{
	bug_on(!utf8_valid(s));
	while (s.n) {
		size_t n;
		uint32_t c = utf8_first(s, &n);

		bug_on((c < 0x20 && c != '\n') || (c >= 0x7f && c <= 0xa0));
		bug_on((c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202f));
		bug_on((c >= 0x2060 && c <= 0x206f) || c >= 0x40000);
		bug_on(markdown && c == '<');
		s = str_from(s, n);
	}
}

static void check_json(struct arena *a, const struct diff_view *view, size_t bytes)
{
	struct json_error error;
	struct buf out;
	struct json v;
	struct jw w;

	buf_in(&out, a, SIZE_MAX / 2);
	jw_init(&w, &out);
	jw_object(&w);
	diff_json(&w, view, a, bytes);
	jw_object_end(&w);
	/* no database has two columns of one name, but such a plan can be written */
	bug_on(!json_parse(a, buf_str(&out), &v, &error) && error.fault != JSON_BAD_DUPLICATE &&
		error.fault != JSON_BAD_NAME);
}

static void check_forms(struct arena *a, const struct diff_view *view, uint8_t pick)
{
	struct diff_bounds bounds = { (size_t)1 << (pick & 7), (size_t)64 << (pick & 15) };
	struct buf out;

	buf_in(&out, a, SIZE_MAX / 2);
	diff_markdown(&out, view, a, bounds);
	check_text(buf_str(&out), true);
	buf_in(&out, a, SIZE_MAX / 2);
	diff_text(&out, view, a, bounds, false);
	check_text(buf_str(&out), false);
	check_json(a, view, bounds.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a;
	struct plan p;
	struct err err;

	if (size < 1 || size > 65536)
		return 0;
	arena_init(&a, (size_t)256 << 20);
	if (plan_read(&a, str_n(data + 1, size - 1), &p, &err)) {
		struct diff_view view = {
			.plan = &p, .mask_key = S("key"), .committed = (data[0] & 16) != 0
		};

		check_forms(&a, &view, data[0]);
	}
	arena_done(&a);
	return 0;
}
