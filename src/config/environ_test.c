#include "base/test.h"
#include "config/environ.h"

#include <stdlib.h>
#include <string.h>

static void what_was_read_is_wiped_and_kept(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, (size_t)1 << 20);
	assert_int_equal(setenv("POSTERN_TEST_A", "secret", 1), 0);
	assert_int_equal(setenv("POSTERN_TEST_B", "secret", 1), 0);
	assert_int_equal(setenv("POSTERN_TEST_C", "other", 1), 0);
	assert_true(str_eq(environ_secret(&a, "POSTERN_TEST_A"), S("secret")));
	assert_int_equal(environ_secret(&a, "POSTERN_TEST_NONE").n, 0);
	assert_string_equal(getenv("POSTERN_TEST_A"), "secret");
	for (int i = 0; i < 2; i++) {
		struct str mine = environ_secret(&a, "POSTERN_TEST_A");

		memset((char *)(uintptr_t)mine.p, 0, mine.n); /* only what was handed out */
		environ_wipe();
		assert_string_equal(getenv("POSTERN_TEST_A"), "");
		assert_string_equal(getenv("POSTERN_TEST_B"), "");
		assert_string_equal(getenv("POSTERN_TEST_C"), "other");
		assert_true(str_eq(environ_secret(&a, "POSTERN_TEST_A"), S("secret")));
	}
	assert_int_equal(environ_secret(&a, "POSTERN_TEST_B").n, 0);
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_read_is_wiped_and_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
