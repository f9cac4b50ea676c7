/* The rule of `visible`: asked first, of every kind of entry, and silent about why not. */
#include "backend/place_fixture.h"

static const struct param by_input_and_subject[] = {
	{ .kind = PARAM_INPUT, .name = STR_INIT("id") },
	{ .kind = PARAM_SUBJECT },
};
static const struct column body[] = { { .name = STR_INIT("body") } };

static int set_up(void **state)
{
	(void)state;
	place_make("CREATE TABLE notes (id INTEGER, owner TEXT, body TEXT);"
		   "INSERT INTO notes VALUES (1, 'ada', 'hers'), (2, 'bob', 'his')");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	place_remove();
	return 0;
}

static struct call *note_of(enum action_kind kind, const char *rule, const char *arguments)
{
	struct entry *e = arena_new(&arena, struct entry);
	struct part *part = arena_new(&arena, struct part);
	struct part *visible = arena_new(&arena, struct part);

	*part = (struct part){ .statement = { .sql = S("SELECT body FROM notes WHERE id = ?1"),
				       .params = by_input_and_subject,
				       .param_count = 1 },
		.shape = SHAPE_ONE,
		.columns = body,
		.column_count = 1,
		.rows = 1 };
	*visible = (struct part){ .statement = { .sql = str_c(rule),
					  .params = by_input_and_subject,
					  .param_count = 2,
					  .serial = 1 },
		.shape = SHAPE_MAYBE,
		.rows = 1 };
	*e = (struct entry){ .kind = kind == ACTION_READ ? ENTRY_TOOL : ENTRY_RESOURCE,
		.name = S("note"),
		.requires = S("g"),
		.source = kind == ACTION_READ ? &place_source : NULL,
		.bytes = 4096,
		.visible = visible,
		.visible_source = &place_source,
		.action = { .kind = kind, .parts = part, .part_count = 1, .text = S("a text") } };
	return call_of(e, arguments);
}

#define RULE "SELECT 1 FROM notes WHERE id = ?1 AND owner = ?2"

static void a_row_says_yes_and_no_row_says_not_found(void **state)
{
	static const struct {
		const char *arguments;
		bool shown;
	} table[] = { { "{\"id\":1}", true }, { "{\"id\":2}", false }, { "{\"id\":3}", false },
		{ "{}", false } };
	static const enum action_kind kinds[] = { ACTION_READ, ACTION_TEXT };

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
		for (size_t i = 0; i < ARRAY_LEN(table); i++) {
			struct call *c = note_of(kinds[k], RULE, table[i].arguments);

			assert_int_equal(run(place_backends, c), table[i].shown);
			if (table[i].shown)
				continue;
			assert_fault(c, NOT_FOUND, "");
			assert_int_equal(c->fault.details_json.n, 0);
			assert_int_equal(c->fault.operator_text.n, 0);
		}
}

static void what_is_hidden_and_what_is_not_there_are_one_fault(void **state)
{
	struct call *hidden = note_of(ACTION_READ, RULE, "{\"id\":2}");
	struct call *absent =
		note_of(ACTION_READ, "SELECT 1 WHERE ?1 = 9 AND ?2 = 'ada'", "{\"id\":9}");

	(void)state;
	assert_false(run(place_backends, hidden));
	assert_false(run(place_backends, absent)); /* the rule says yes, the read finds nothing */
	assert_int_equal(hidden->fault.code, absent->fault.code);
	assert_true(str_eq(hidden->fault.reason, absent->fault.reason));
	assert_int_equal(hidden->fault.details_json.n, absent->fault.details_json.n);
}

static void a_rule_that_cannot_be_asked_shows_nothing(void **state)
{
	struct call *c = note_of(ACTION_TEXT, "SELECT 1 FROM nowhere WHERE ?1 = ?2", "{\"id\":1}");

	(void)state;
	assert_false(run(place_backends, c));
	assert_true(c->fault.code != NOT_FOUND);
	c = note_of(ACTION_READ, "SELECT json_extract(?1, ?2)", "{\"id\":1}");
	assert_false(run(place_backends, c));
	assert_fault(c, VALIDATION_ERROR, "value");
	c = note_of(ACTION_TEXT, RULE, "{\"id\":1}");
	c->deadline_ms = clock_mono_ms() - 1;
	assert_false(run(place_backends, c));
	assert_true(c->fault.code == BUSY || c->fault.code == UPSTREAM_TIMEOUT);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(a_row_says_yes_and_no_row_says_not_found),
		T(what_is_hidden_and_what_is_not_there_are_one_fault),
		T(a_rule_that_cannot_be_asked_shows_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
