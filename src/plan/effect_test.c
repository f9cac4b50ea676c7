/* Effects come out in one order, however they were found; what is not declared is found. */
#include "base/test.h"
#include "plan/effect_fixture.h"
#include "plan/fresh.h"

static struct arena arena;

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, (size_t)64 << 20);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

static void a_table_knows_what_its_rule_says(void **state)
{
	static const struct str key[] = { STR_INIT("id") }, varies[] = { STR_INIT("at") };
	static const struct column shown[] = {
		{ .name = STR_INIT("id") },
		{ .name = STR_INIT("email"),
			.mask = { .kind = MASK_EMAIL },
			.unmask = STR_INIT("see.contact"),
			.data_class = CLASS_PII },
	};
	static const struct reference refers[] = { { STR_INIT("owner"), STR_INIT("people") } };
	static const struct effect_rule rule = { .table = STR_INIT("t"),
		.key = { key, 1 },
		.varies = { varies, 1 },
		.columns = shown,
		.column_count = 2,
		.refers = refers,
		.refer_count = 1 };
	static const struct str columns[] = { STR_INIT("id"), STR_INIT("email"), STR_INIT("owner"),
		STR_INIT("at") };
	const struct effect_table *t = effect_table_make(&arena, S("t"), columns, 4, &rule);
	const struct effect_table *strange = effect_table_make(&arena, S("u"), columns, 4, NULL);

	(void)state;
	assert_int_equal(t->column_count, 4);
	assert_true(t->columns[0].key && t->columns[0].shown && !t->columns[0].varies);
	assert_true(t->columns[1].shown && !t->columns[1].key);
	assert_int_equal(t->columns[1].mask.kind, MASK_EMAIL);
	assert_str(t->columns[1].unmask, "see.contact");
	assert_int_equal(t->columns[1].data_class, CLASS_PII);
	assert_str(t->columns[2].refers, "people");
	assert_false(t->columns[2].shown);
	assert_true(t->columns[3].varies && !t->columns[3].shown);
	assert_ptr_equal(t->rule, &rule);
	for (size_t i = 0; i < 4; i++)
		assert_false(strange->columns[i].shown || strange->columns[i].key);
	assert_null(strange->rule);
}

/* Every rotation and the reverse of what was added comes out in the order it was added in. */
static void assert_ordered(const struct effects *right)
{
	for (size_t turn = 0; turn < right->count * 2; turn++) {
		struct effects es = { 0 };

		for (size_t i = 0; i < right->count; i++) {
			size_t at = (turn + i) % right->count;

			if (turn >= right->count)
				at = right->count - 1 - at;
			*effects_add(&es, &arena) = right->list[at];
		}
		effects_order(&es, &arena);
		for (size_t i = 0; i < right->count; i++)
			if (es.list[i].before != right->list[i].before ||
				es.list[i].after != right->list[i].after)
				fail_msg("turn %zu: effect %zu is another one", turn, i);
	}
}

static void the_order_is_by_table_key_operation_and_the_rest(void **state)
{
	const struct effect_table *a = fx_table(&arena, "a", "id! n"),
				  *b = fx_table(&arena, "b", "x! y! n"),
				  *none = fx_table(&arena, "c", "n m");
	struct effects es = { 0 };

	(void)state;
	/* a table with a rowid alone has no key: by content */
	fx_add(&es, &arena, a, FX_ROW(FX_NULL, FX_INT("1")), NULL);
	fx_add(&es, &arena, a, FX_ROW(FX_INT("-10"), FX_INT("1")), NULL);
	fx_add(&es, &arena, a, FX_ROW(FX_INT("-9"), FX_INT("1")),
		FX_ROW(FX_INT("-9"), FX_INT("2")));
	fx_add(&es, &arena, a, FX_ROW(FX_INT("9"), FX_INT("1")), FX_ROW(FX_INT("9"), FX_INT("2")));
	fx_add(&es, &arena, a, NULL, FX_ROW(FX_INT("10"), FX_INT("1")));
	fx_add(&es, &arena, a, FX_ROW(FX_REAL("0.5"), FX_INT("1")), NULL);
	fx_add(&es, &arena, a, FX_ROW(FX_TEXT("10"), FX_INT("1")), NULL);
	fx_add(&es, &arena, a, FX_ROW(FX_TEXT("9"), FX_INT("1")), NULL);
	fx_add(&es, &arena, a, FX_ROW(FX_TEXT("Z"), FX_INT("1")), NULL);
	fx_add(&es, &arena, a, FX_ROW(FX_TEXT("a"), FX_INT("1")), NULL);
	fx_add(&es, &arena, a, FX_ROW(FX_TEXT("\xc3\xa4"), FX_INT("1")), NULL);
	fx_add(&es, &arena, a, FX_ROW(FX_BLOB("10"), FX_INT("1")), NULL);
	fx_add(&es, &arena, b, NULL, FX_ROW(FX_INT("1"), FX_INT("2"), FX_INT("0")));
	fx_add(&es, &arena, b, NULL, FX_ROW(FX_INT("1"), FX_INT("3"), FX_INT("0")));
	fx_add(&es, &arena, b, FX_ROW(FX_INT("1"), FX_INT("3"), FX_INT("0")), NULL);
	fx_add(&es, &arena, b, NULL, FX_ROW(FX_INT("2"), FX_INT("1"), FX_INT("0")));
	fx_add(&es, &arena, none, NULL, FX_ROW(FX_INT("1"), FX_TEXT("b")));
	fx_add(&es, &arena, none, FX_ROW(FX_INT("1"), FX_TEXT("a")), FX_ROW(FX_INT("5"), FX_NULL));
	fx_add(&es, &arena, none, FX_ROW(FX_INT("1"), FX_TEXT("a")), FX_ROW(FX_INT("6"), FX_NULL));
	assert_ordered(&es);
}

static void what_varies_has_no_say_in_the_order(void **state)
{
	const struct effect_table *notes = fx_table(&arena, "notes", "id!? at? text");
	struct effects es = { 0 };

	(void)state;
	fx_add(&es, &arena, notes, NULL, FX_ROW(FX_INT("12"), FX_TEXT("z"), FX_TEXT("a")));
	fx_add(&es, &arena, notes, NULL, FX_ROW(FX_INT("11"), FX_TEXT("a"), FX_TEXT("b")));
	fx_add(&es, &arena, notes, NULL, FX_ROW(FX_INT("9"), FX_TEXT("m"), FX_TEXT("c")));
	assert_ordered(&es);
}

static void rows_that_were_there_are_ordered_by_their_key_though_it_varies(void **state)
{
	const struct effect_table *notes = fx_table(&arena, "notes", "id!? text");
	struct effects es = { 0 };

	(void)state;
	fx_add(&es, &arena, notes, FX_ROW(FX_INT("3"), FX_TEXT("z")), NULL);
	fx_add(&es, &arena, notes, FX_ROW(FX_INT("20"), FX_TEXT("a")), NULL);
	fx_add(&es, &arena, notes, NULL, FX_ROW(FX_INT("1"), FX_TEXT("a")));
	assert_ordered(&es);
}

static void rows_follow_the_new_row_they_refer_to(void **state)
{
	const struct effect_table *lines = fx_table(&arena, "a_lines", "inv>invoices! n! cents"),
				  *invoices = fx_table(&arena, "invoices", "id!? no");
	struct effects es = { 0 };

	(void)state;
	fx_add(&es, &arena, lines, NULL, FX_ROW(FX_INT("5"), FX_INT("1"), FX_INT("100")));
	fx_add(&es, &arena, lines, NULL, FX_ROW(FX_INT("41"), FX_INT("1"), FX_INT("100")));
	fx_add(&es, &arena, lines, NULL, FX_ROW(FX_INT("41"), FX_INT("2"), FX_INT("100")));
	fx_add(&es, &arena, lines, NULL, FX_ROW(FX_INT("40"), FX_INT("1"), FX_INT("100")));
	fx_add(&es, &arena, invoices, NULL, FX_ROW(FX_INT("41"), FX_TEXT("first")));
	fx_add(&es, &arena, invoices, NULL, FX_ROW(FX_INT("40"), FX_TEXT("second")));
	assert_ordered(&es);
}

static void alike_rows_stay_in_the_order_of_statements_and_of_touch(void **state)
{
	const struct effect_table *notes = fx_table(&arena, "notes", "id!? text");
	struct effects es = { 0 };

	(void)state;
	fx_add(&es, &arena, notes, NULL, FX_ROW(FX_INT("3"), FX_TEXT("a")))->statement = 1;
	fx_add(&es, &arena, notes, NULL, FX_ROW(FX_INT("2"), FX_TEXT("a")))->statement = 0;
	fx_add(&es, &arena, notes, NULL, FX_ROW(FX_INT("1"), FX_TEXT("a")))->statement = 0;
	effects_order(&es, &arena);
	assert_str(es.list[0].after[0].text, "2");
	assert_str(es.list[1].after[0].text, "1");
	assert_str(es.list[2].after[0].text, "3");
	effects_order(&es, &arena);
	assert_str(es.list[0].after[0].text, "2");
}

static void touched_rows_are_counted_by_table(void **state)
{
	const struct effect_table *a = fx_table(&arena, "a", "id!"),
				  *b = fx_table(&arena, "b", "id!");
	struct effects es = { 0 }, none = { 0 };

	(void)state;
	fx_add(&es, &arena, b, NULL, FX_ROW(FX_INT("1")));
	fx_add(&es, &arena, a, FX_ROW(FX_INT("1")), FX_ROW(FX_INT("1")));
	fx_add(&es, &arena, b, NULL, FX_ROW(FX_INT("2")));
	fx_add(&es, &arena, b, FX_ROW(FX_INT("3")), NULL);
	effects_order(&es, &arena);
	assert_int_equal(es.touched_count, 2);
	assert_str(es.touched[0].table->name, "a");
	assert_int_equal(es.touched[0].updated, 1);
	assert_str(es.touched[1].table->name, "b");
	assert_int_equal(es.touched[1].inserted, 2);
	assert_int_equal(es.touched[1].updated, 0);
	assert_int_equal(es.touched[1].deleted, 1);
	effects_order(&none, &arena);
	assert_int_equal(none.touched_count, 0);
}

/* --- fresh keys --- */

static enum form form_of(const struct fresh_set *set, const struct effects *es, size_t at,
	size_t step, enum side side, size_t column, unsigned *number_out)
{
	const struct fresh *fresh = NULL;
	enum form form = cell_form(set, &es->list[at], step, side, column, &fresh);

	*number_out = form == FORM_FRESH ? fresh->number : 0;
	return form;
}

static void fresh_keys_stand_where_they_name_rows_and_nowhere_else(void **state)
{
	const struct effect_table *notes = fx_table(&arena, "notes", "id!? at? amount"),
				  *links = fx_table(&arena, "links", "id! note>notes twin>other");
	struct effects es = { 0 };
	struct fresh_set set;
	unsigned n;

	(void)state;
	fx_add(&es, &arena, notes, NULL, FX_ROW(FX_INT("7"), FX_INT("7"), FX_INT("7")));
	fx_add(&es, &arena, notes, FX_ROW(FX_INT("6"), FX_INT("7"), FX_INT("7")),
		FX_ROW(FX_INT("6"), FX_INT("7"), FX_INT("7")));
	fx_add(&es, &arena, links, FX_ROW(FX_INT("7"), FX_INT("7"), FX_INT("7")),
		FX_ROW(FX_INT("7"), FX_INT("7"), FX_INT("7")));
	fx_add(&es, &arena, links, NULL, FX_ROW(FX_INT("8"), FX_INT("6"), FX_NULL));
	fx_add(&es, &arena, links, NULL, FX_ROW(FX_INT("9"), FX_TEXT("7"), FX_NULL));
	fresh_init(&set, &arena);
	fresh_take(&set, &es, 0);

	assert_int_equal(form_of(&set, &es, 0, 0, SIDE_AFTER, 0, &n), FORM_FRESH);
	assert_int_equal(n, 1);
	assert_int_equal(form_of(&set, &es, 0, 0, SIDE_AFTER, 1, &n), FORM_VARIES);
	assert_int_equal(form_of(&set, &es, 0, 0, SIDE_AFTER, 2, &n), FORM_AS_IS);
	/* the row was there: its key is what it is, though the column varies */
	assert_int_equal(form_of(&set, &es, 1, 0, SIDE_BEFORE, 0, &n), FORM_AS_IS);
	assert_int_equal(form_of(&set, &es, 1, 0, SIDE_BEFORE, 1, &n), FORM_VARIES);
	/* before this plan nobody could refer to what it makes */
	assert_int_equal(form_of(&set, &es, 2, 0, SIDE_BEFORE, 1, &n), FORM_AS_IS);
	assert_int_equal(form_of(&set, &es, 2, 0, SIDE_AFTER, 1, &n), FORM_FRESH);
	assert_int_equal(form_of(&set, &es, 2, 0, SIDE_AFTER, 0, &n), FORM_AS_IS);
	assert_int_equal(form_of(&set, &es, 2, 0, SIDE_AFTER, 2, &n), FORM_AS_IS);
	assert_int_equal(form_of(&set, &es, 3, 0, SIDE_AFTER, 1, &n), FORM_AS_IS);
	assert_int_equal(form_of(&set, &es, 3, 0, SIDE_AFTER, 2, &n), FORM_AS_IS);
	assert_int_equal(form_of(&set, &es, 4, 0, SIDE_AFTER, 1, &n), FORM_AS_IS);
}

static void later_steps_know_what_earlier_ones_made(void **state)
{
	const struct effect_table *notes = fx_table(&arena, "notes", "id!? text");
	struct effects first = { 0 }, second = { 0 }, third = { 0 };
	struct fresh_set set;
	unsigned n;

	(void)state;
	fx_add(&first, &arena, notes, NULL, FX_ROW(FX_INT("7"), FX_TEXT("a")));
	fx_add(&first, &arena, notes, NULL, FX_ROW(FX_INT("8"), FX_TEXT("b")));
	fx_add(&second, &arena, notes, FX_ROW(FX_INT("8"), FX_TEXT("b")), NULL);
	fx_add(&third, &arena, notes, NULL, FX_ROW(FX_INT("8"), FX_TEXT("c")));
	fresh_init(&set, &arena);
	fresh_take(&set, &first, 0);
	fresh_take(&set, &second, 1);
	fresh_take(&set, &third, 2);
	assert_int_equal(form_of(&set, &first, 1, 0, SIDE_AFTER, 0, &n), FORM_FRESH);
	assert_int_equal(n, 2);
	assert_int_equal(form_of(&set, &second, 0, 1, SIDE_BEFORE, 0, &n), FORM_FRESH);
	assert_int_equal(n, 2);
	assert_int_equal(form_of(&set, &third, 0, 2, SIDE_AFTER, 0, &n), FORM_FRESH);
	assert_int_equal(n, 3);
}

/* --- what is declared --- */

static const struct str update_names[] = { STR_INIT("text"), STR_INIT("at") };
static const struct effect_rule rules[] = {
	{ .table = STR_INIT("notes"),
		.operations = EFFECT_INSERT | EFFECT_UPDATE,
		.update = { update_names, 2 },
		.rows_min = 1,
		.rows_max = 2 },
	{ .table = STR_INIT("events"), .operations = EFFECT_INSERT, .rows_max = 1 },
};
static const struct write writes = { .rules = rules, .rule_count = 2 };

static void what_happened_is_held_against_what_is_declared(void **state)
{
	enum {
		INSERT,
		CHANGE,
		NOTHING,
		STRANGE_COLUMN,
		TYPE,
		REMOVE,
		EVENT,
		EVENT_CHANGE,
		STRANGE
	};
	static const struct {
		int what[4], count;
		enum effect_verdict verdict;
		const char *table, *column;
		int rows;
	} cases[] = {
		{ { INSERT }, 1, EFFECTS_DECLARED, "", "", 0 },
		{ { CHANGE }, 1, EFFECTS_DECLARED, "", "", 0 },
		{ { NOTHING }, 1, EFFECTS_DECLARED, "", "", 0 },
		{ { INSERT, CHANGE, EVENT }, 3, EFFECTS_DECLARED, "", "", 0 },
		{ { 0 }, 0, EFFECTS_NONE, "notes", "", 0 },
		{ { EVENT }, 1, EFFECTS_NONE, "notes", "", 0 },
		{ { CHANGE, CHANGE, INSERT }, 3, EFFECTS_MORE, "notes", "", 3 },
		{ { CHANGE, EVENT, EVENT }, 3, EFFECTS_MORE, "events", "", 2 },
		{ { CHANGE, STRANGE_COLUMN }, 2, EFFECTS_COLUMN, "notes", "owner", 2 },
		{ { TYPE }, 1, EFFECTS_COLUMN, "notes", "owner", 1 },
		{ { REMOVE }, 1, EFFECTS_OPERATION, "notes", "", 1 },
		{ { CHANGE, EVENT_CHANGE }, 2, EFFECTS_OPERATION, "events", "", 1 },
		{ { CHANGE, STRANGE, STRANGE }, 3, EFFECTS_TABLE, "sly", "", 2 },
		/* what is not declared comes before what is too much or too little */
		{ { EVENT, EVENT, STRANGE }, 3, EFFECTS_TABLE, "sly", "", 1 },
	};
	const struct effect_table *notes = fx_table(&arena, "notes", "id! text at? owner"),
				  *events = fx_table(&arena, "events", "id!? text"),
				  *sly = fx_table(&arena, "sly", "id");
	const struct cell *row = FX_ROW(FX_INT("1"), FX_TEXT("a"), FX_TEXT("x"), FX_INT("1"));

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct effects es = { 0 };
		struct effect_finding f;

		for (int k = 0; k < cases[i].count; k++)
			switch (cases[i].what[k]) {
			case INSERT:
				fx_add(&es, &arena, notes, NULL, row);
				break;
			case CHANGE:
				fx_add(&es, &arena, notes, row,
					FX_ROW(FX_INT("1"), FX_TEXT("b"), FX_TEXT("y"),
						FX_INT("1")));
				break;
			case NOTHING:
				fx_add(&es, &arena, notes, row, row);
				break;
			case STRANGE_COLUMN:
				fx_add(&es, &arena, notes, row,
					FX_ROW(FX_INT("1"), FX_TEXT("a"), FX_TEXT("x"),
						FX_INT("2")));
				break;
			case TYPE:
				fx_add(&es, &arena, notes, row,
					FX_ROW(FX_INT("1"), FX_TEXT("a"), FX_TEXT("x"),
						FX_TEXT("1")));
				break;
			case REMOVE:
				fx_add(&es, &arena, notes, row, NULL);
				break;
			case EVENT:
				fx_add(&es, &arena, events, NULL, FX_ROW(FX_INT("1"), FX_NULL));
				break;
			case EVENT_CHANGE:
				fx_add(&es, &arena, events, FX_ROW(FX_INT("1"), FX_NULL),
					FX_ROW(FX_INT("1"), FX_TEXT("x")));
				break;
			default:
				fx_add(&es, &arena, sly, NULL, FX_ROW(FX_INT("1")));
			}
		effects_order(&es, &arena);
		f = effects_judge(&es, &writes);
		if (f.verdict != cases[i].verdict)
			fail_msg("case %zu: verdict %d", i, (int)f.verdict);
		assert_str(f.table, cases[i].table);
		assert_str(f.column, cases[i].column);
		assert_int_equal(f.rows, cases[i].rows);
	}
}

static void fewer_rows_than_declared_are_told_from_none(void **state)
{
	static const struct effect_rule three = {
		.table = STR_INIT("t"), .operations = EFFECT_DELETE, .rows_min = 3, .rows_max = 3
	};
	static const struct write w = { .rules = &three, .rule_count = 1 };
	const struct effect_table *t = fx_table(&arena, "t", "id!");
	static const enum effect_verdict verdicts[] = { EFFECTS_NONE, EFFECTS_FEWER, EFFECTS_FEWER,
		EFFECTS_DECLARED, EFFECTS_MORE };
	struct effects es = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(verdicts); i++) {
		struct effect_finding f = effects_judge(&es, &w);

		assert_int_equal(f.verdict, verdicts[i]);
		if (f.verdict != EFFECTS_DECLARED)
			assert_int_equal(f.rows, i);
		fx_add(&es, &arena, t, FX_ROW(FX_INT("1")), NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_table_knows_what_its_rule_says, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			the_order_is_by_table_key_operation_and_the_rest, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_varies_has_no_say_in_the_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			rows_that_were_there_are_ordered_by_their_key_though_it_varies, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			rows_follow_the_new_row_they_refer_to, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			alike_rows_stay_in_the_order_of_statements_and_of_touch, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			touched_rows_are_counted_by_table, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			fresh_keys_stand_where_they_name_rows_and_nowhere_else, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			later_steps_know_what_earlier_ones_made, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_happened_is_held_against_what_is_declared, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			fewer_rows_than_declared_are_told_from_none, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
