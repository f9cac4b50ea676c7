/* session_test - a session is its id: what it holds, and who may bring it back. */
#include "mcp/message_fixture.h"

static void a_session_id_is_visible_ascii_and_opens_to_what_was_agreed(void **state)
{
	struct world *w = *state;
	struct mcp_context m = context(w);
	struct mcp_session s;

	for (size_t i = 0; i < w->ids[LIVE_03].n; i++)
		assert_in_range(w->ids[LIVE_03].p[i], 0x21, 0x7e);
	assert_true(str_starts(w->ids[LIVE_03], S("v1.")));
	assert_true(mcp_session_open(&w->arena, &m, w->ids[LIVE_03], &s));
	assert_int_equal(s.revision, MCP_2025_03_26);
	assert_text(s.client_name, "probe");
	assert_text(s.client_version, "3.1");
	assert_true(s.can.elicitation_form && s.can.roots && !s.can.elicitation_url);
	assert_true(str_eq(s.nonce, w->sessions[LIVE_03].nonce));
	assert_int_equal(s.issued_us, START_US);
}

static void no_changed_byte_of_a_session_id_goes_unnoticed(void **state)
{
	struct world *w = *state;
	struct mcp_context m = context(w);
	struct mcp_session s;

	for (size_t i = 0; i < w->ids[LIVE_11].n; i++) {
		char *changed = arena_cstr(&w->arena, w->ids[LIVE_11]);

		changed[i] = changed[i] == 'x' ? 'y' : 'x';
		assert_false(mcp_session_open(&w->arena, &m, str_c(changed), &s));
		assert_false(mcp_session_open(&w->arena, &m, str_sub(w->ids[LIVE_11], 0, i), &s));
	}
	assert_false(mcp_session_open(&w->arena, &m, STR_NONE, &s));
	m.binding = S("mallory's binding");
	assert_false(mcp_session_open(&w->arena, &m, w->ids[LIVE_11], &s));
}

static void long_client_names_are_cut_in_a_session(void **state)
{
	struct world *w = *state;
	struct mcp_context m = context(w);
	struct mcp_session made = w->sessions[LIVE_11], s;

	made.client_name = arena_fmt(&w->arena, "%063d\xc3\xa9tail", 0);
	assert_true(mcp_session_open(&w->arena, &m, mcp_session_make(&w->arena, &m, &made), &s));
	assert_int_equal(s.client_name.n, 63); /* no half of a character */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_id_is_visible_ascii_and_opens_to_what_was_agreed),
		cmocka_unit_test(no_changed_byte_of_a_session_id_goes_unnoticed),
		cmocka_unit_test(long_client_names_are_cut_in_a_session),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
