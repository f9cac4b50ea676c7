/* What a reload changed, for how long that is said, and how. */
#include "base/test.h"
#include "serve/changes.h"

static struct entry get = { .name = STR_INIT("get"), .version = 1, .digest = { { 1 } } };
static struct entry get2 = { .name = STR_INIT("get"), .version = 2, .digest = { { 2 } } };
static struct entry find = { .name = STR_INIT("find"), .version = 1, .digest = { { 3 } } };
static struct entry find_again = { .name = STR_INIT("find"), .version = 1, .digest = { { 3 } } };
static struct entry prompt_get = {
	.kind = ENTRY_PROMPT, .name = STR_INIT("get"), .version = 1, .digest = { { 9 } }
};
static const struct entry *const one[] = { &get, &find };
static const struct entry *const two[] = { &get2, &find_again };
static const struct entry *const prompts[] = { &prompt_get };

static struct arena arena;

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, (size_t)1 << 20);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

static struct call refused(const struct entry *e)
{
	struct call c = { .arena = &arena, .entry = e };

	call_fault(&c, VALIDATION_ERROR, "required", STR_NONE);
	c.fault.details_json = S("{\"faults\":[]}");
	return c;
}

static const struct catalog first = { .tools = one, .tool_count = 2 };
static const struct catalog second = {
	.tools = two, .tool_count = 2, .prompts = prompts, .prompt_count = 1
};
static const struct changes nothing;

static void what_has_another_digest_is_said_to_have_changed(void **state)
{
	struct changes changes;
	struct call c;

	(void)state;
	changes_find(&changes, &arena, &first, &nothing, &second, 1000);
	assert_int_equal(changes.count, 1);
	c = refused(&get2);
	changes_explain(&changes, &c, 2000);
	assert_str(c.fault.reason, "tool_changed");
	assert_str(c.fault.details_json, "{\"version\":2,\"faults\":[]}");
	c = refused(&find_again);
	changes_explain(&changes, &c, 2000);
	assert_str(c.fault.reason, "required");
	c = refused(&get2);
	c.fault.code = NOT_FOUND;
	changes_explain(&changes, &c, 2000);
	assert_str(c.fault.reason, "required");
}

static void it_is_said_for_ten_minutes_whatever_is_loaded_meanwhile(void **state)
{
	static struct entry same = { .name = STR_INIT("get"), .version = 2, .digest = { { 2 } } };
	static const struct entry *const again[] = { &same };
	const struct catalog third = { .tools = again, .tool_count = 1 };
	struct changes changes, later;
	struct call c;

	(void)state;
	changes_find(&changes, &arena, &first, &nothing, &second, 1000);
	changes_find(&later, &arena, &second, &changes, &third, 500000);
	c = refused(&same);
	changes_explain(&later, &c, 1000 + CHANGES_MS - 1);
	assert_str(c.fault.reason, "tool_changed");
	c = refused(&same);
	changes_explain(&later, &c, 1000 + CHANGES_MS);
	assert_str(c.fault.reason, "required");
	changes_find(&later, &arena, &second, &changes, &third, 1000 + CHANGES_MS);
	assert_int_equal(later.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_has_another_digest_is_said_to_have_changed),
		cmocka_unit_test(it_is_said_for_ten_minutes_whatever_is_loaded_meanwhile),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
