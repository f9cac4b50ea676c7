/* The closed list of codes: what each says of itself. */
#include "base/test.h"
#include "catalog/fault.h"

#include <string.h>

static void every_code_has_a_name_and_a_message_of_its_own(void **state)
{
	(void)state;
	for (unsigned i = VALIDATION_ERROR; i < FAULT_COUNT; i++) {
		const struct fault_info *info = fault_info((enum fault_code)i);

		assert_non_null(info->name);
		assert_true(strlen(info->message) > 10);
		assert_null(strchr(info->message, '%'));
		assert_int_equal(info->message[strlen(info->message) - 1], '.');
		for (unsigned k = VALIDATION_ERROR; k < i; k++) {
			const struct fault_info *other = fault_info((enum fault_code)k);

			assert_string_not_equal(info->name, other->name);
			assert_string_not_equal(info->message, other->message);
		}
	}
}

static void only_what_may_pass_by_itself_is_retryable(void **state)
{
	static const enum fault_code retryable[] = { RATE_LIMITED, UPSTREAM_TIMEOUT,
		UPSTREAM_UNAVAILABLE, BUSY, AUDIT_UNAVAILABLE };
	size_t count = 0;

	(void)state;
	for (unsigned i = 0; i < FAULT_COUNT; i++)
		count += fault_info((enum fault_code)i)->retryable;
	assert_int_equal(count, ARRAY_LEN(retryable));
	for (size_t i = 0; i < ARRAY_LEN(retryable); i++)
		assert_true(fault_info(retryable[i])->retryable);
}

static void nobody_is_told_to_repeat_what_may_have_happened(void **state)
{
	(void)state;
	assert_false(fault_info(OUTCOME_UNKNOWN)->retryable);
	assert_int_equal(fault_info(OUTCOME_UNKNOWN)->advice, ADVICE_ESCALATE);
	assert_int_equal(fault_info(UNDECLARED_EFFECT)->advice, ADVICE_ESCALATE);
	assert_int_equal(fault_info(PAUSED)->advice, ADVICE_ASK);
}

static void advice_has_three_words(void **state)
{
	(void)state;
	assert_string_equal(fault_advice_name(ADVICE_RETRY), "retry");
	assert_string_equal(fault_advice_name(ADVICE_ASK), "ask_the_person");
	assert_string_equal(fault_advice_name(ADVICE_ESCALATE), "escalate");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_has_a_name_and_a_message_of_its_own),
		cmocka_unit_test(only_what_may_pass_by_itself_is_retryable),
		cmocka_unit_test(nobody_is_told_to_repeat_what_may_have_happened),
		cmocka_unit_test(advice_has_three_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
