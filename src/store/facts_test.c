#include "base/test.h"
#include "store/facts.h"
#include "store/kills.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void what_was_noted_is_known_and_nothing_without_a_store(void **state)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	char directory[64], file[80], name[96];
	const struct kill_row row = { .kind = S("tool"), .name = S("x"), .since_us = 1 };
	struct store *s, *other;
	struct err err;
	int64_t id;
	bool known;

	(void)state;
	snprintf(directory, sizeof directory, "%s/facts-XXXXXX", P_tmpdir);
	assert_non_null(mkdtemp(directory));
	snprintf(file, sizeof file, "%s/a.db", directory);
	s = store_new(str_c(file));
	other = store_new(str_c(file));
	for (int i = 0; i < 2; i++) {
		assert_true(store_fact_note(s, S("limits"), 5, &known, &err));
		assert_false(known);
	}
	assert_int_equal(access(file, F_OK), -1);
	assert_true(store_kill_set(s, &row, &id, &err));
	assert_true(store_fact_note(s, S("limits"), 5, &known, &err));
	assert_false(known);
	assert_true(store_fact_note(other, S("limits"), 6, &known, &err));
	assert_true(known);
	assert_true(store_fact_note(other, S("another"), 6, &known, &err));
	assert_false(known);
	store_free(&s);
	store_free(&other);
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		snprintf(name, sizeof name, "%s%s", file, suffixes[i]);
		unlink(name);
	}
	rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_noted_is_known_and_nothing_without_a_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
