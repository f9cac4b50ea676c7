/* state_test - a requestState opens for the call it was given for, before it expires, and no other.
 */
#include "mcp/write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define NOW_US ((int64_t)1790000000 * 1000000)

struct world {
	struct arena arena;
	struct seal seal;
	struct sha256 arguments;
	struct mcp_request r;
};

static int setup(void **state)
{
	struct world *w = heap_new(struct world);

	arena_init(&w->arena, (size_t)64 << 20);
	assert_true(seal_init(&w->seal, S("an entirely fixed key of 32 byte")));
	sha256_of(S("{}"), &w->arguments);
	w->r = (struct mcp_request){ .method_name = S("tools/call") };
	w->r.request_state = mcp_state_seal(&w->arena, &w->seal, S("alice"), &w->r, S("refund"),
		&w->arguments, S("{\"round\":1}"), NOW_US + 1);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	seal_done(&w->seal);
	arena_done(&w->arena);
	heap_free(w);
	return 0;
}

static bool opens(struct world *w, const struct mcp_request *r, struct str binding,
	struct str target, const struct sha256 *arguments, int64_t wall_us)
{
	struct str plain = STR_NONE;
	bool ok =
		mcp_state_open(&w->arena, &w->seal, binding, r, target, arguments, wall_us, &plain);

	if (ok)
		assert_true(str_eq(plain, S("{\"round\":1}")));
	return ok;
}

static void a_state_opens_for_its_own_call(void **state)
{
	struct world *w = *state;

	assert_true(opens(w, &w->r, S("alice"), S("refund"), &w->arguments, NOW_US));
}

static void a_state_opens_for_nothing_else(void **state)
{
	struct world *w = *state;
	struct mcp_request other = w->r;
	struct sha256 arguments;

	sha256_of(S("{\"a\":1}"), &arguments);
	other.method_name = S("prompts/get");
	assert_false(opens(w, &other, S("alice"), S("refund"), &w->arguments, NOW_US));
	assert_false(opens(w, &w->r, S("mallory"), S("refund"), &w->arguments, NOW_US));
	assert_false(opens(w, &w->r, S("alice"), S("refund2"), &w->arguments, NOW_US));
	assert_false(opens(w, &w->r, S("alice"), S("refund"), &arguments, NOW_US));
	assert_false(opens(w, &w->r, S("alice"), S("refund"), &w->arguments, NOW_US + 1));
}

static void a_tampered_state_does_not_open(void **state)
{
	struct world *w = *state;
	struct mcp_request r = w->r;

	r.request_state = arena_fmt(&w->arena, "%.*s-TAMPERED", STR_ARG(w->r.request_state));
	assert_false(opens(w, &r, S("alice"), S("refund"), &w->arguments, NOW_US));
	for (size_t i = 0; i < w->r.request_state.n; i++) {
		char *changed = arena_cstr(&w->arena, w->r.request_state);

		changed[i] = changed[i] == 'A' ? 'B' : 'A';
		r.request_state = str_c(changed);
		assert_false(opens(w, &r, S("alice"), S("refund"), &w->arguments, NOW_US));
	}
	r.request_state = STR_NONE;
	assert_false(opens(w, &r, S("alice"), S("refund"), &w->arguments, NOW_US));
}

static void no_two_states_have_the_same_text(void **state)
{
	struct world *w = *state;
	struct str again = mcp_state_seal(&w->arena, &w->seal, S("alice"), &w->r, S("refund"),
		&w->arguments, S("{\"round\":1}"), NOW_US + 1);

	assert_false(str_eq(again, w->r.request_state));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_state_opens_for_its_own_call),
		cmocka_unit_test(a_state_opens_for_nothing_else),
		cmocka_unit_test(a_tampered_state_does_not_open),
		cmocka_unit_test(no_two_states_have_the_same_text),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
