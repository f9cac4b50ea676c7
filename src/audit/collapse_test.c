/* The first is recorded, the rest is counted, nothing is lost from the count; see collapse.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "audit/collapse.h"

#define SECOND ((uint64_t)1000000000)

static struct audit_refusal by(const char *peer)
{
	return (struct audit_refusal){
		.event = "AUTH_FAIL", .reason = S("unknown_key"), .peer = str_c(peer)
	};
}

static bool first(struct collapse *c, const char *peer, uint64_t now)
{
	struct audit_refusal r = by(peer);

	return collapse_first(c, &r, collapse_key(&r), now);
}

/* The sum of what is given out at `now`. */
static uint64_t flushed(struct collapse *c, uint64_t now, bool all)
{
	uint64_t sum = 0;
	struct buf out;

	buf_init(&out, 1 << 20);
	collapse_flush(c, now, all, &out);
	buf_char(&out, 0);
	for (const char *at = out.p; (at = strstr(at, "\"repeated\":")) != NULL; at++)
		sum += strtoull(at + 11, NULL, 10);
	buf_done(&out);
	return sum;
}

static void repeats_within_a_second_are_counted_and_given_out_once(void **state)
{
	struct collapse c = { 0 };

	(void)state;
	assert_true(first(&c, "a", 1));
	assert_true(first(&c, "b", 1));
	for (int i = 0; i < 9; i++)
		assert_false(first(&c, "a", 2));
	assert_int_equal(flushed(&c, SECOND / 2, false), 0);
	assert_int_equal(flushed(&c, SECOND + 1, false), 9);
	assert_int_equal(flushed(&c, SECOND + 1, false), 0);
	collapse_done(&c);
}

static void a_stream_is_one_record_and_then_one_a_second(void **state)
{
	struct collapse c = { 0 };

	(void)state;
	assert_true(first(&c, "a", 1));
	for (uint64_t s = 1; s < 5; s++) {
		assert_false(first(&c, "a", s * SECOND));
		assert_int_equal(flushed(&c, s * SECOND + 1, false), 1);
	}
	assert_int_equal(flushed(&c, 7 * SECOND, false), 0);
	assert_true(first(&c, "a", 7 * SECOND)); /* it had stopped */
	collapse_done(&c);
}

static void who_event_and_reason_keep_refusals_apart(void **state)
{
	struct audit_refusal r[6];
	uint64_t keys[6];

	(void)state;
	for (int i = 0; i < 6; i++)
		r[i] = by("a");
	r[1].event = "DENY";
	r[2].reason = S("expired");
	r[3].subject = S("anna");
	r[4].credential = S("anna");
	r[5].peer = S("b");
	for (int i = 0; i < 6; i++) {
		keys[i] = collapse_key(&r[i]);
		for (int j = 0; j < i; j++)
			assert_true(keys[i] != keys[j]);
	}
	r[0].target = S("other");
	assert_true(collapse_key(&r[0]) == keys[0]);
}

static void many_different_ones_are_counted_together(void **state)
{
	static const uint64_t total = 1000;
	struct collapse c = { 0 };
	uint64_t firsts = 0;

	(void)state;
	for (uint64_t i = 0; i < total; i++) {
		char peer[32];

		snprintf(peer, sizeof peer, "10.0.0.%u", (unsigned)i);
		firsts += first(&c, peer, 1);
	}
	assert_int_equal(firsts, COLLAPSE_SLOTS);
	assert_int_equal(flushed(&c, 2, true), total - firsts);
	assert_int_equal(flushed(&c, 2, true), 0);
	collapse_done(&c);
}

static void what_has_no_room_is_given_out_later(void **state)
{
	struct collapse c = { 0 };
	struct buf small;

	(void)state;
	assert_true(first(&c, "a", 1));
	assert_false(first(&c, "a", 1));
	buf_init(&small, 10);
	collapse_flush(&c, 2 * SECOND, false, &small);
	assert_int_equal(small.n, 0);
	assert_true(buf_ok(&small));
	assert_int_equal(flushed(&c, 4 * SECOND, false), 1);
	collapse_done(&c);
}

static void the_first_is_forgotten_only_while_nothing_is_counted(void **state)
{
	struct collapse c = { 0 };
	struct audit_refusal r = by("a");

	(void)state;
	assert_true(first(&c, "a", 1));
	collapse_forget(&c, collapse_key(&r));
	assert_true(first(&c, "a", 1));
	assert_false(first(&c, "a", 1));
	collapse_forget(&c, collapse_key(&r));
	assert_int_equal(flushed(&c, 2, true), 1);
	collapse_done(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(repeats_within_a_second_are_counted_and_given_out_once),
		cmocka_unit_test(a_stream_is_one_record_and_then_one_a_second),
		cmocka_unit_test(who_event_and_reason_keep_refusals_apart),
		cmocka_unit_test(many_different_ones_are_counted_together),
		cmocka_unit_test(what_has_no_room_is_given_out_later),
		cmocka_unit_test(the_first_is_forgotten_only_while_nothing_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
