/* What each environment permits, and that the table says the same. */
#include "base/test.h"
#include "config/profile.h"

#include <string.h>

static void production_permits_nothing_of_the_table(void **state)
{
	(void)state;
	for (unsigned p = 0; p < PERMIT_COUNT; p++) {
		assert_false(profile_permits(ENV_PRODUCTION, (enum permit)p));
		assert_true(profile_permits(ENV_DEVELOPMENT, (enum permit)p));
	}
}

static void what_invents_data_stays_in_development(void **state)
{
	(void)state;
	assert_false(profile_permits(ENV_STAGING, PERMIT_MOCK));
	assert_false(profile_permits(ENV_STAGING, PERMIT_RAW_SQL));
	assert_false(profile_permits(ENV_STAGING, PERMIT_SCRIPT));
	assert_false(profile_permits(ENV_STAGING, PERMIT_PLAIN_SECRET));
	assert_true(profile_permits(ENV_STAGING, PERMIT_UNMARKED_SOURCE));
}

static void the_table_says_it_row_by_row(void **state)
{
	struct arena a;
	struct buf out;
	char *text;

	(void)state;
	arena_init(&a, 65536);
	buf_in(&out, &a, 8192);
	profile_write(&out, ENV_STAGING);
	text = arena_cstr(&a, buf_str(&out));
	assert_non_null(strstr(text, "environment staging; what each permits:\n"));
	assert_non_null(strstr(text, "development   staging       production\n"));
	assert_non_null(strstr(text, "raw_sql                             yes           refused"
				     "       refused\n"));
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(production_permits_nothing_of_the_table),
		cmocka_unit_test(what_invents_data_stays_in_development),
		cmocka_unit_test(the_table_says_it_row_by_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
