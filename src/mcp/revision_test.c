/* revision_test - the revisions differ as the specification's table says. */
#include "mcp/revision.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void every_revision_is_found_by_its_name_alone(void **state)
{
	enum mcp_revision r;

	(void)state;
	for (unsigned i = 0; i < MCP_REVISIONS; i++) {
		assert_true(mcp_revision_find(mcp_revision_info((enum mcp_revision)i)->name, &r));
		assert_int_equal(r, i);
	}
	assert_false(mcp_revision_find(STR_NONE, &r));
	assert_false(mcp_revision_find(S("2025-11-25 "), &r));
	assert_false(mcp_revision_find(S("2025-11-2"), &r));
}

static void features_begin_where_they_began(void **state)
{
	static const struct {
		enum mcp_revision r;
		bool modern, batches, structured, audio, message, form, url, mode, id;
	} rows[] = {
		{ MCP_2024_11_05, 0, 0, 0, 0, 0, 0, 0, 0, 0 },
		{ MCP_2025_03_26, 0, 1, 0, 1, 1, 0, 0, 0, 0 },
		{ MCP_2025_06_18, 0, 0, 1, 1, 1, 1, 0, 0, 0 },
		{ MCP_2025_11_25, 0, 0, 1, 1, 1, 1, 1, 1, 1 },
		{ MCP_2026_07_28, 1, 0, 1, 1, 1, 1, 1, 1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct mcp_revision_info *info = mcp_revision_info(rows[i].r);

		assert_int_equal(info->modern, rows[i].modern);
		assert_int_equal(info->batches, rows[i].batches);
		assert_int_equal(info->structured, rows[i].structured);
		assert_int_equal(info->audio, rows[i].audio);
		assert_int_equal(info->progress_message, rows[i].message);
		assert_int_equal(info->elicitation, rows[i].form);
		assert_int_equal(info->elicitation_url, rows[i].url);
		assert_int_equal(info->elicitation_mode, rows[i].mode);
		assert_int_equal(info->elicitation_id, rows[i].id);
	}
}

static void a_later_date_is_modern_and_nothing_else_is(void **state)
{
	(void)state;
	assert_true(mcp_version_is_modern(S("2026-07-28")));
	assert_true(mcp_version_is_modern(S("2025-11-26")));
	assert_false(mcp_version_is_modern(S("2025-11-25")));
	assert_false(mcp_version_is_modern(S("2026-7-28")));
	assert_false(mcp_version_is_modern(S("2026-07-281")));
	assert_false(mcp_version_is_modern(S("v999.0.0..")));
	assert_false(mcp_version_is_modern(STR_NONE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_revision_is_found_by_its_name_alone),
		cmocka_unit_test(features_begin_where_they_began),
		cmocka_unit_test(a_later_date_is_modern_and_nothing_else_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
