/* What a person sees of a plan: types, masks, long and hostile values, what is not shown and what
 * is left out; the same in all forms. */
#include "base/test.h"
#include "plan/plan_fixture.h"
#include "render/diff.h"
#include "render/inert.h"

#include <string.h>

#define EVERYTHING ((struct diff_bounds){ 1000, (size_t)1 << 20 })

static struct arena arena;

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, (size_t)256 << 20);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

static struct str markdown(const struct diff_view *view, struct diff_bounds bounds)
{
	struct buf out;

	buf_in(&out, &arena, (size_t)8 << 20);
	diff_markdown(&out, view, &arena, bounds);
	assert_true(buf_ok(&out));
	return buf_str(&out);
}

static struct str text(const struct diff_view *view, struct diff_bounds bounds, bool colours)
{
	struct buf out;

	buf_in(&out, &arena, (size_t)8 << 20);
	diff_text(&out, view, &arena, bounds, colours);
	assert_true(buf_ok(&out));
	return buf_str(&out);
}

static struct str structured(const struct diff_view *view, size_t bytes)
{
	struct json_error error;
	struct buf out;
	struct json v;
	struct jw w;

	buf_in(&out, &arena, (size_t)8 << 20);
	jw_init(&w, &out);
	jw_object(&w);
	diff_json(&w, view, &arena, bytes);
	jw_object_end(&w);
	assert_true(buf_ok(&out));
	assert_true(json_parse(&arena, buf_str(&out), &v, &error));
	return buf_str(&out);
}

static void has(struct str s, const char *what)
{
	if (str_find_str(s, 0, str_c(what)) == s.n)
		fail_msg("\"%s\" is not in:\n%.*s", what, STR_ARG(s));
}

static void has_not(struct str s, const char *what)
{
	if (str_find_str(s, 0, str_c(what)) != s.n)
		fail_msg("\"%s\" is in:\n%.*s", what, STR_ARG(s));
}

/* Two tables, a fresh key that is referred to, a column that varies, two that are not shown. */
static struct plan *usual_plan(void)
{
	const struct effect_table *contracts =
					  fx_table(&arena, "contracts", "id! signatory at? a- b-"),
				  *notes = fx_table(&arena, "notes", "id!? contract text"),
				  *links = fx_table(&arena, "links", "note>notes! kind!");
	struct plan *p = fx_plan(&arena, 1);
	struct effects *es = &p->steps[0].effects;

	fx_add(es, &arena, contracts,
		FX_ROW(FX_TEXT("ctr_1"), FX_TEXT("per_1"), FX_NULL, FX_INT("1"), FX_INT("1")),
		FX_ROW(FX_TEXT("ctr_1"), FX_TEXT("per_2"), FX_TEXT("2026-11-21"), FX_INT("2"),
			FX_INT("1")));
	fx_add(es, &arena, notes, NULL, FX_ROW(FX_INT("41"), FX_TEXT("ctr_1"), FX_TEXT("swapped")));
	fx_add(es, &arena, links, NULL, FX_ROW(FX_INT("41"), FX_TEXT("reason")));
	fx_add(es, &arena, links, FX_ROW(FX_INT("7"), FX_TEXT("draft")), NULL);
	p->sums = arena_array(&arena, struct plan_sum, 1);
	p->sums[0] = (struct plan_sum){ S("amount_cents"), S("-48000"), S("52000.50") };
	p->sum_count = 1;
	fx_finish(p, &arena);
	return p;
}

static void markdown_has_totals_then_a_table_for_each_row(void **state)
{
	struct diff_view view = { .plan = usual_plan() };

	(void)state;
	assert_str(markdown(&view, EVERYTHING),
		"**4 rows change**: `contracts` 1 updated; `links` 1 inserted, 1 deleted; `notes` "
		"1 "
		"inserted\n"
		"\n"
		"| sum | net | gross |\n"
		"|---|---:|---:|\n"
		"| `amount_cents` | -48,000 | 52,000.50 |\n"
		"\n"
		"#### update `contracts` `id='ctr_1'`\n"
		"\n"
		"| column | before | after |\n"
		"|---|---|---|\n"
		"| `signatory` | `'per_1'` | `'per_2'` |\n"
		"| `at` | `NULL` | `'2026-11-21'` (may differ when applied) |\n"
		"\n"
		"and 1 column this tool does not show\n"
		"\n"
		"#### delete `links` `note=7, kind='draft'`\n"
		"\n"
		"| column | before |\n"
		"|---|---|\n"
		"| `note` | `7` |\n"
		"| `kind` | `'draft'` |\n"
		"\n"
		"#### insert `links` `note=notes #1 (assigned at apply), kind='reason'`\n"
		"\n"
		"| column | after |\n"
		"|---|---|\n"
		"| `note` | `notes #1` (assigned at apply) |\n"
		"| `kind` | `'reason'` |\n"
		"\n"
		"#### insert `notes` `id=notes #1 (assigned at apply)`\n"
		"\n"
		"| column | after |\n"
		"|---|---|\n"
		"| `id` | `notes #1` (assigned at apply) |\n"
		"| `contract` | `'ctr_1'` |\n"
		"| `text` | `'swapped'` |\n");
}

static void the_terminal_has_the_same_in_aligned_columns(void **state)
{
	struct diff_view view = { .plan = usual_plan() };

	(void)state;
	assert_str(text(&view, EVERYTHING, false),
		"4 rows change\n"
		"  contracts  1 updated\n"
		"  links      1 inserted  1 deleted\n"
		"  notes      1 inserted\n"
		"\n"
		"  amount_cents  net -48,000  gross 52,000.50\n"
		"\n"
		"update contracts id='ctr_1'\n"
		"  column     before                            after\n"
		"  signatory  'per_1'                           'per_2'\n"
		"  at         NULL                              '2026-11-21' (may differ when\n"
		"                                               applied)\n"
		"  and 1 column this tool does not show\n"
		"\n"
		"delete links note=7, kind='draft'\n"
		"  column  before\n"
		"  note    7\n"
		"  kind    'draft'\n"
		"\n"
		"insert links note=notes #1 (assigned at apply), kind='reason'\n"
		"  column  after\n"
		"  note    notes #1 (assigned at apply)\n"
		"  kind    'reason'\n"
		"\n"
		"insert notes id=notes #1 (assigned at apply)\n"
		"  column    after\n"
		"  id        notes #1 (assigned at apply)\n"
		"  contract  'ctr_1'\n"
		"  text      'swapped'\n");
}

static void structured_content_has_values_of_json(void **state)
{
	struct diff_view view = { .plan = usual_plan() };

	(void)state;
	assert_str(structured(&view, 1 << 20),
		"{\"effects\":["
		"{\"table\":\"contracts\",\"operation\":\"update\",\"key\":{\"id\":\"ctr_1\"},"
		"\"before\":{\"signatory\":\"per_1\",\"at\":null},"
		"\"after\":{\"signatory\":\"per_2\",\"at\":\"2026-11-21\"}},"
		"{\"table\":\"links\",\"operation\":\"delete\",\"key\":{\"note\":7,\"kind\":"
		"\"draft\"},"
		"\"before\":{\"note\":7,\"kind\":\"draft\"},\"after\":null},"
		"{\"table\":\"links\",\"operation\":\"insert\","
		"\"key\":{\"note\":{\"assigned\":\"notes "
		"#1\"},\"kind\":\"reason\"},\"before\":null,"
		"\"after\":{\"note\":{\"assigned\":\"notes #1\"},\"kind\":\"reason\"}},"
		"{\"table\":\"notes\",\"operation\":\"insert\","
		"\"key\":{\"id\":{\"assigned\":\"notes #1\"}},\"before\":null,"
		"\"after\":{\"id\":{\"assigned\":\"notes #1\"},\"contract\":\"ctr_1\","
		"\"text\":\"swapped\"}}],"
		"\"impact\":{\"rows\":{\"contracts\":1,\"links\":2,\"notes\":1},"
		"\"sums\":{\"amount_cents\":\"-48000\"}}}");
}

static void what_was_committed_is_shown_as_it_is(void **state)
{
	struct diff_view view = { .plan = usual_plan(), .committed = true };
	struct str shown = markdown(&view, EVERYTHING);

	(void)state;
	has(shown, "**4 rows changed**");
	has(shown, "#### insert `notes` `id=41`");
	has(shown, "| `note` | `41` |");
	has_not(shown, "#1");
	has_not(shown, "may differ");
	has(text(&view, EVERYTHING, false), "4 rows changed\n");
	has(structured(&view, 1 << 20), "\"key\":{\"id\":41}");
}

/* A plan of one update of `v` from one cell to another. */
static struct plan *one_change(const char *column, struct cell before, struct cell after)
{
	const struct effect_table *t =
		fx_table(&arena, "t", arena_cstr(&arena, arena_fmt(&arena, "id! %s", column)));
	struct plan *p = fx_plan(&arena, 1);

	fx_add(&p->steps[0].effects, &arena, t, FX_ROW(FX_INT("1"), before),
		FX_ROW(FX_INT("1"), after));
	fx_finish(p, &arena);
	return p;
}

static void every_difference_is_seen(void **state)
{
	static const struct {
		struct cell before, after;
		const char *row;
	} cases[] = {
		{ { CELL_NULL, { 0 } }, { CELL_TEXT, STR_INIT("") }, "| `NULL` | `''` |" },
		{ { CELL_NULL, { 0 } }, { CELL_TEXT, STR_INIT("NULL") }, "| `NULL` | `'NULL'` |" },
		{ { CELL_INTEGER, STR_INIT("1") }, { CELL_TEXT, STR_INIT("1") },
			"| `1` | `'1'` |" },
		{ { CELL_INTEGER, STR_INIT("1") }, { CELL_REAL, STR_INIT("1.0") },
			"| `1` | `1.0` |" },
		{ { CELL_TEXT, STR_INIT("1") }, { CELL_BLOB, STR_INIT("1") },
			"| `'1'` | `x'31'` |" },
		{ { CELL_BLOB, STR_INIT("") }, { CELL_BLOB, STR_INIT("\0\xff") },
			"| `x''` | `x'00ff'` |" },
		{ { CELL_TEXT, STR_INIT("a") }, { CELL_TEXT, STR_INIT("a ") },
			"| `'a'` | `'a\xe2\x9f\xa8U+0020\xe2\x9f\xa9'` |" },
		{ { CELL_TEXT, STR_INIT("1.0") }, { CELL_TEXT, STR_INIT("1.00") },
			"| `'1.0'` | `'1.00'` |" },
		{ { CELL_TEXT, STR_INIT("{\"a\":1,\"b\":2}") },
			{ CELL_TEXT, STR_INIT("{\"b\":2,\"a\":1}") },
			"| `'{\"a\":1,\"b\":2}'` | `'{\"b\":2,\"a\":1}'` |" },
		{ { CELL_TEXT, STR_INIT("\xe2\x80\xaeoc") }, { CELL_TEXT, STR_INIT("\xff") },
			"| `'\xe2\x9f\xa8U+202E\xe2\x9f\xa9oc'` | `'\xe2\x9f\xa8xFF\xe2\x9f\xa9'` "
			"|" },
		{ { CELL_TEXT, STR_INIT("`|\\<b>") }, { CELL_TEXT, STR_INIT("[x](http://y)\n# z") },
			"| `'\xe2\x9f\xa8U+0060\xe2\x9f\xa9\xe2\x9f\xa8U+007C\xe2\x9f\xa9"
			"\xe2\x9f\xa8U+005C\xe2\x9f\xa9\xe2\x9f\xa8U+003C\xe2\x9f\xa9"
			"b>'` | `'[x](http://y)\xe2\x9f\xa8U+000A\xe2\x9f\xa9# z'` |" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct diff_view view = { .plan = one_change(
						  "v", cases[i].before, cases[i].after) };

		has(markdown(&view, EVERYTHING), cases[i].row);
	}
}

static struct str filled(size_t n, char c)
{
	char *p = arena_alloc(&arena, n);

	memset(p, c, n);
	return str_n(p, n);
}

static void long_values_have_head_tail_length_and_digest(void **state)
{
	struct str before = filled(102400, 'a'), after = arena_str(&arena, before);
	struct cell cells[2] = { { CELL_TEXT, before }, { CELL_TEXT, after } };
	struct diff_view view;
	struct str shown;

	(void)state;
	((char *)(uintptr_t)after.p)[51200] = 'b'; /* in the middle, where nobody looks */
	view = (struct diff_view){ .plan = one_change("v", cells[0], cells[1]) };
	shown = markdown(&view, EVERYTHING);
	assert_true(shown.n < 1000);
	has(shown, "a' \xe2\x80\xa6 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'` (102,400 bytes, "
		   "SHA-256 4c3e1e46");
	has(shown, "SHA-256 39f4a34b\xe2\x80\xa6) |\n");
	assert_int_equal(inert_count(before), 102400);
	cells[0] = (struct cell){ CELL_BLOB, before };
	view.plan = one_change("v", cells[0], FX_NULL);
	has(markdown(&view, EVERYTHING),
		"`x'616161616161616161616161616161616161616161616161' \xe2\x80\xa6 "
		"x'6161616161616161'` (102,400 bytes, SHA-256 4c3e1e46");
	/* bytes that are no characters are no way round it */
	cells[0] = (struct cell){ CELL_TEXT, filled(102400, (char)0x80) };
	view.plan = one_change("v", cells[0], FX_NULL);
	shown = markdown(&view, EVERYTHING);
	assert_true(shown.n < 4000);
	has(shown, "(102,400 bytes");
}

static struct principal holder(void)
{
	static const struct str grants[] = { STR_INIT("see.contact") };

	return (struct principal){ .subject = S("bob"), .grants = grants, .grant_count = 1 };
}

static void masks_stand_before_those_without_the_grant(void **state)
{
	struct principal bob = holder(), eve = { .subject = S("eve") };
	struct plan *p = one_change(
		"mail@", FX_TEXT("jane.doe@acme.example"), FX_TEXT("joe.roe@acme.example"));
	struct diff_view views[] = { { .plan = p }, { .plan = p, .who = &eve },
		{ .plan = p, .who = &bob } };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct str shown = markdown(&views[i], EVERYTHING);

		has(shown, "| `mail` | `j***@acme.example` (masked) | `j***@acme.example` (masked, "
			   "another value) |");
		has_not(shown, "jane");
		has_not(text(&views[i], EVERYTHING, false), "jane");
		has(structured(&views[i], 4096), "{\"mail\":\"j***@acme.example\"}");
		has_not(structured(&views[i], 4096), "jane");
	}
	has(markdown(&views[2], EVERYTHING),
		"| `'jane.doe@acme.example'` | `'joe.roe@acme.example'` |");
	has(structured(&views[2], 4096), "jane.doe");
}

static void a_long_masked_value_tells_neither_length_nor_digest(void **state)
{
	struct cell cell = { CELL_TEXT, filled(5000, 'x') };
	struct diff_view view = { .plan = one_change("mail@", FX_NULL, cell) };
	struct str shown = markdown(&view, EVERYTHING);

	(void)state;
	has(shown, "| `mail` | `NULL` | `[redacted]` (masked) |");
	has_not(shown, "SHA-256");
	has_not(shown, "5,000");
}

/* A mask forgotten in the catalog, or a document of another time: personal is personal. */
static void a_personal_column_without_a_mask_is_redacted(void **state)
{
	static const struct effect_column phi = {
		.name = STR_INIT("v"), .shown = true, .data_class = CLASS_PHI
	};
	struct diff_view view = { .plan = fx_plan(&arena, 0) };
	struct cell cell = FX_TEXT("diagnosis");
	struct diff_value v = diff_cell(&view, &arena, &phi, &cell);

	(void)state;
	assert_str(v.text, "[redacted]");
	assert_str(v.note, "masked");
}

/* What a mask lets through may be hostile, too. */
static void masked_values_are_inert(void **state)
{
	struct diff_view view = { .plan = one_change("mail@", FX_NULL,
					  FX_TEXT("\xe2\x80\xaejane@acme.example")) };

	(void)state;
	has(markdown(&view, EVERYTHING),
		"`\xe2\x9f\xa8U+202E\xe2\x9f\xa9***@acme.example` (masked)");
}

static void what_the_tool_does_not_show_is_counted_and_no_more(void **state)
{
	const struct effect_table *t = fx_table(&arena, "t", "id!- a- b- c-");
	struct plan *p = fx_plan(&arena, 1);
	struct diff_view view = { .plan = p };
	struct str shown;

	(void)state;
	fx_add(&p->steps[0].effects, &arena, t, NULL,
		FX_ROW(FX_TEXT("hidden-key"), FX_TEXT("hidden"), FX_NULL, FX_INT("7")));
	fx_finish(p, &arena);
	shown = markdown(&view, EVERYTHING);
	has(shown, "#### insert `t`\n\n3 columns this tool does not show\n");
	has_not(shown, "hidden");
	has(text(&view, EVERYTHING, false), "insert t\n  3 columns this tool does not show\n");
	has(structured(&view, 4096), "\"key\":{},\"before\":null,\"after\":{}}");
}

static struct plan *many_rows(size_t count)
{
	const struct effect_table *t = fx_table(&arena, "t", "id! v");
	struct plan *p = fx_plan(&arena, 1);

	for (size_t i = 0; i < count; i++) {
		struct cell id = { CELL_INTEGER, arena_fmt(&arena, "%zu", i) };

		fx_add(&p->steps[0].effects, &arena, t, NULL, FX_ROW(id, FX_TEXT("value")));
	}
	fx_finish(p, &arena);
	return p;
}

static size_t times(struct str s, const char *what)
{
	size_t count = 0;

	for (size_t at = 0; (at = str_find_str(s, at, str_c(what))) < s.n; at++)
		count++;
	return count;
}

static void what_does_not_fit_is_counted(void **state)
{
	struct diff_view view = { .plan = many_rows(250) };
	struct str shown = markdown(&view, (struct diff_bounds){ 38, 1 << 20 });
	size_t kept;

	(void)state;
	has(shown, "**250 rows change**: `t` 250 inserted");
	has(shown, "\n\xe2\x80\xa6 and 212 more rows; the totals above cover all\n");
	assert_int_equal(times(shown, "#### insert"), 38);
	shown = markdown(&view, (struct diff_bounds){ 1000, 4096 });
	kept = times(shown, "#### insert");
	assert_true(kept > 10 && shown.n < 4200);
	has(shown, arena_cstr(&arena, arena_fmt(&arena, "and %zu more rows;", 250 - kept)));
	shown = text(&view, (struct diff_bounds){ 249, 1 << 20 }, false);
	has(shown, "\xe2\x80\xa6 and 1 more row; the totals above cover all\n");
	shown = text(&view, (struct diff_bounds){ 1000, 2048 }, false);
	kept = times(shown, "insert t id=");
	assert_true(kept > 10 && shown.n < 2200);
	has(shown, arena_cstr(&arena, arena_fmt(&arena, "and %zu more rows;", 250 - kept)));
	shown = structured(&view, 2048);
	kept = times(shown, "\"operation\"");
	assert_true(kept > 10 && shown.n < 2200);
	has(shown, arena_cstr(&arena, arena_fmt(&arena, "\"truncated_effects\":%zu,", 250 - kept)));
	has(shown, "\"rows\":{\"t\":250}");
	assert_int_equal(times(structured(&view, 0), "\"operation\""), 0);
	has_not(structured(&view, 1 << 20), "truncated");
}

static void steps_are_told_apart(void **state)
{
	const struct effect_table *t = fx_table(&arena, "t", "id!? v"),
				  *u = fx_table(&arena, "t", "id!? v");
	struct plan *p = fx_plan(&arena, 4);
	struct diff_view view = { .plan = p };
	struct str shown;

	(void)state;
	p->steps[1].tool = S("idle");
	p->steps[2].tool = S("second");
	p->steps[3].tool = S("last");
	fx_add(&p->steps[0].effects, &arena, t, NULL, FX_ROW(FX_INT("9"), FX_TEXT("a")));
	fx_add(&p->steps[2].effects, &arena, u, FX_ROW(FX_INT("9"), FX_TEXT("a")),
		FX_ROW(FX_INT("9"), FX_TEXT("b")));
	fx_finish(p, &arena);
	shown = markdown(&view, EVERYTHING);
	has(shown, "**2 rows change**: `t` 1 inserted, 1 updated\n");
	has(shown,
		"\n### Step 1 of 4: `correct_signatory_on_contract` version 2\n\n#### insert `t`");
	has(shown, "\n### Step 2 of 4: `idle` version 2\n\nno row changes\n");
	has(shown, "\n### Step 3 of 4: `second` version 2\n\n#### update `t` `id=t #1 (assigned at "
		   "apply)`\n");
	has(shown, "\n### Step 4 of 4: `last` version 2\n\nno row changes\n");
	shown = text(&view, EVERYTHING, false);
	has(shown, "\nstep 2 of 4: idle version 2\n  no row changes\n");
	has(shown, "\nupdate t id=t #1 (assigned at apply)\n");
	has(shown, "\nstep 4 of 4: last version 2\n  no row changes\n");
	has(structured(&view, 4096), "\"rows\":{\"t\":2}");
}

static void a_plan_that_changes_nothing_says_so(void **state)
{
	struct diff_view view = { .plan = fx_plan(&arena, 1) };

	(void)state;
	assert_str(markdown(&view, EVERYTHING), "**No row changes.**\n");
	assert_str(text(&view, EVERYTHING, false), "0 rows change\n");
	assert_str(structured(&view, 100), "{\"effects\":[],\"impact\":{\"rows\":{},\"sums\":{}}}");
}

static void the_terminal_keeps_to_its_width_and_cuts_nothing(void **state)
{
	static const char long_text[] =
		"the wrong entity had signed; \xe5\xb1\xb1\xe7\x94\xb0 asked for it and "
		"averyveryveryveryverylongwordwithoutanyspaceinsideofit_at_all \x1b[31m.";
	struct cell cell = { CELL_TEXT, str_n(long_text, sizeof long_text - 1) };
	struct diff_view view = { .plan = one_change("an_unusually_long_name_of_a_column", cell,
					  FX_TEXT("x")) };
	struct str shown = text(&view, EVERYTHING, false), rest = shown, line;
	struct buf joined;

	(void)state;
	buf_in(&joined, &arena, 4096);
	while (str_cut(rest, '\n', &line, &rest))
		assert_true(inert_width(line) <= 80);
	for (size_t i = 0; i < shown.n; i++)
		assert_true((unsigned char)shown.p[i] >= 0x20 || shown.p[i] == '\n');
	for (size_t i = 0; i < shown.n; i++)
		if (shown.p[i] != ' ' && shown.p[i] != '\n')
			buf_char(&joined, shown.p[i]);
	has(buf_str(&joined), "U+001B");
	has(shown, "an_unusually_long_name_o");
	has(shown, "f_a_column");
	has(shown, "_at_all");
}

static void colours_are_there_only_when_asked_for(void **state)
{
	struct diff_view view = { .plan = one_change("v", FX_INT("1"), FX_INT("2")) };
	struct str with = text(&view, EVERYTHING, true);

	(void)state;
	has(with, "\x1b[31m1\x1b[0m");
	has(with, "\x1b[32m2\x1b[0m");
	has(with, "\x1b[1mupdate t id=1\x1b[0m\n");
	has_not(text(&view, EVERYTHING, false), "\x1b");
}

static void the_walk_gives_the_parts(void **state)
{
	struct diff_view view = { .plan = usual_plan() };
	struct diff_effect e;
	struct diff_walk w;
	size_t count = 0;

	(void)state;
	diff_open(&w, &view, &arena);
	assert_true(diff_next(&w, &e));
	assert_str(e.table, "contracts");
	assert_str(e.key, "id='ctr_1'");
	assert_int_equal(e.row_count, 2);
	assert_int_equal(e.not_shown, 1);
	assert_str(e.rows[0].column, "signatory");
	assert_true(e.rows[0].changed && !e.rows[0].masked);
	assert_str(e.rows[0].before.text, "'per_1'");
	assert_str(e.rows[1].after.note, "may differ when applied");
	for (count = 1; diff_next(&w, &e); count++)
		assert_true(!e.effect->before == !e.rows[0].before.text.n);
	assert_int_equal(count, 4);
	assert_false(diff_next(&w, &e));
}

static void numbers_json_readers_would_spoil_are_strings(void **state)
{
	static const struct {
		struct cell cell;
		const char *json;
	} cases[] = {
		{ { CELL_INTEGER, STR_INIT("9007199254740991") },
			"\"after\":{\"v\":9007199254740991}" },
		{ { CELL_INTEGER, STR_INIT("-9007199254740992") },
			"\"after\":{\"v\":\"-9007199254740992\"}" },
		{ { CELL_REAL, STR_INIT("0.1") }, "\"after\":{\"v\":0.1}" },
		{ { CELL_REAL, STR_INIT("inf") }, "\"after\":{\"v\":\"inf\"}" },
		{ { CELL_TEXT, STR_INIT("\xff") }, "\"after\":{\"v\":{\"base64\":\"/w==\"}}" },
		{ { CELL_BLOB, STR_INIT("ab") }, "\"after\":{\"v\":{\"base64\":\"YWI=\"}}" },
		{ { CELL_TEXT, STR_INIT("\xe2\x80\xae<b>") },
			"\"after\":{\"v\":\"\xe2\x80\xae<b>\"}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct diff_view view = { .plan = one_change("v", FX_NULL, cases[i].cell) };

		has(structured(&view, 4096), cases[i].json);
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(markdown_has_totals_then_a_table_for_each_row),
		T(the_terminal_has_the_same_in_aligned_columns),
		T(structured_content_has_values_of_json),
		T(what_was_committed_is_shown_as_it_is),
		T(every_difference_is_seen),
		T(long_values_have_head_tail_length_and_digest),
		T(masks_stand_before_those_without_the_grant),
		T(a_long_masked_value_tells_neither_length_nor_digest),
		T(a_personal_column_without_a_mask_is_redacted),
		T(masked_values_are_inert),
		T(what_the_tool_does_not_show_is_counted_and_no_more),
		T(what_does_not_fit_is_counted),
		T(steps_are_told_apart),
		T(a_plan_that_changes_nothing_says_so),
		T(the_terminal_keeps_to_its_width_and_cuts_nothing),
		T(colours_are_there_only_when_asked_for),
		T(the_walk_gives_the_parts),
		T(numbers_json_readers_would_spoil_are_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
