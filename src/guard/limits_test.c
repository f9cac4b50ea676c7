/* What is counted for whom, what a refusal says, and what holds when counts cannot be read. */
#include "base/test.h"
#include "base/clock.h"
#include "guard/limits.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[64], path[96];
static struct arena arena;
static struct store *store;
static struct limits *limits;
static struct config config = { .limits = { .concurrency = 8 } };
static struct source_config source = { .name = STR_INIT("shop") };
static struct entry entry;
static struct principal ada = { .subject = STR_INIT("ada"),
	.tenant = STR_INIT("acme"),
	.agent = STR_INIT("desk"),
	.credential = STR_INIT("k1") };
static struct limit_rule rule;

static int set_up(void **state)
{
	char db[112];

	(void)state;
	snprintf(directory, sizeof directory, "%s/limits-XXXXXX", P_tmpdir);
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/limits", directory);
	snprintf(db, sizeof db, "%s/store.db", directory);
	arena_init(&arena, (size_t)16 << 20);
	store = store_new(str_c(db));
	limits = limits_new(str_c(path), S("boot"), store);
	entry = (struct entry){ .kind = ENTRY_TOOL,
		.name = STR_INIT("look"),
		.version = 1,
		.source = &source,
		.cost = 1 };
	source = (struct source_config){ .name = STR_INIT("shop"), .concurrency = 4 };
	config.limits = (struct limits_config){ .concurrency = 8 };
	return 0;
}

static int tear_down(void **state)
{
	static const char *const names[] = { "limits", "store.db", "store.db-wal", "store.db-shm" };
	char name[112];

	(void)state;
	arena_done(&arena);
	limits_free(&limits);
	store_free(&store);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(name, sizeof name, "%s/%s", directory, names[i]);
		remove(name);
	}
	return rmdir(directory);
}

static void limit_calls(const char *text)
{
	assert_null(rate_read(str_c(text), &rule));
	config.limits.calls = &rule;
	config.limits.call_count = 1;
}

static bool never(void *ctx)
{
	(void)ctx;
	return false;
}

static const struct call_port port = { .cancelled = never };

static struct call *call_of(const struct principal *who, const struct entry *e)
{
	struct call *c = arena_new(&arena, struct call);

	c->arena = &arena;
	c->entry = e;
	c->who = who;
	c->port = &port;
	c->deadline_ms = clock_mono_ms() + 10000;
	return c;
}

static bool may(const struct principal *who, const struct entry *e)
{
	return guard_limits(limits, &config, call_of(who, e)) == VERDICT_PASS;
}

static void without_rules_nothing_is_counted_and_no_file_made(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++)
		assert_true(may(&ada, &entry));
	assert_int_equal(access(path, F_OK), -1);
}

static void a_refusal_says_which_limit_and_when_to_come_again(void **state)
{
	struct call *c;

	(void)state;
	limit_calls("2/m per principal");
	assert_true(may(&ada, &entry));
	c = call_of(&ada, &entry);
	assert_int_equal(guard_limits(limits, &config, c), VERDICT_PASS);
	assert_true(c->passed & GUARD_LIMITS);
	assert_int_equal(c->rate.left, 0);
	assert_ptr_equal(c->rate.rule, &rule);
	c = call_of(&ada, &entry);
	assert_int_equal(guard_limits(limits, &config, c), VERDICT_REFUSE);
	assert_false(c->passed & GUARD_LIMITS);
	assert_int_equal(c->fault.code, RATE_LIMITED);
	assert_true(str_eq(c->fault.reason, S("calls")));
	assert_true(str_eq(c->fault.details_json, S("{\"limit\":\"2/m per principal\"}")));
	assert_true(c->fault.retry_after_ms > 55000 && c->fault.retry_after_ms <= 61000);
}

/* Whom a rule counts apart, and who stays in the same window whatever they vary. */
static void who_varies_what_does_not_count_stays_in_the_window(void **state)
{
	static const struct {
		const char *rule;
		struct principal who;
		const char *tool;
		unsigned version;
		bool same;
	} cases[] = {
		{ "1/h per principal", { .subject = STR_INIT("ADA") }, "look", 1, true },
		{ "1/h per principal", { .credential = STR_INIT("k2") }, "look", 1, true },
		{ "1/h per principal", { .agent = STR_INIT("other") }, "look", 1, true },
		{ "1/h per principal", { .kind = PRINCIPAL_HUMAN }, "other", 1, true },
		{ "1/h per principal", { .tenant = STR_INIT("birch") }, "look", 1, false },
		{ "1/h per principal", { .subject = STR_INIT("ad") }, "look", 1, false },
		{ "1/h per tenant", { .subject = STR_INIT("bob") }, "look", 1, true },
		{ "1/h per tenant", { .tenant = STR_INIT("Acme") }, "look", 1, true },
		{ "1/h per tenant", { .tenant = STR_INIT("birch") }, "look", 1, false },
		{ "1/h per agent", { .agent = STR_INIT("other") }, "look", 1, false },
		{ "1/h per agent", { .subject = STR_INIT("bob") }, "look", 1, true },
		{ "1/h per credential", { .credential = STR_INIT("k2") }, "look", 1, false },
		{ "1/h per tool", { .subject = STR_INIT("bob") }, "look", 2, true },
		{ "1/h per tool", { .kind = PRINCIPAL_HUMAN }, "other", 1, false },
		{ "1/h per principal and tool", { .kind = PRINCIPAL_HUMAN }, "other", 1, false },
		{ "1/h per principal and tool", { .kind = PRINCIPAL_HUMAN }, "look", 9, true },
		{ "1/h per source", { .subject = STR_INIT("bob") }, "other", 1, true },
		{ "1/h", { .subject = STR_INIT("bob"), .tenant = STR_INIT("birch") }, "other", 1,
			true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct principal who = ada;
		struct entry e = entry;

		tear_down(NULL);
		set_up(NULL);
		limit_calls(cases[i].rule);
		if (cases[i].who.subject.n)
			who.subject = cases[i].who.subject;
		if (cases[i].who.tenant.n)
			who.tenant = cases[i].who.tenant;
		if (cases[i].who.agent.n)
			who.agent = cases[i].who.agent;
		if (cases[i].who.credential.n)
			who.credential = cases[i].who.credential;
		e.name = str_c(cases[i].tool);
		e.version = cases[i].version;
		assert_true(may(&ada, &entry));
		if (may(&who, &e) == cases[i].same)
			fail_msg("case %zu: %s", i, cases[i].rule);
	}
}

static void tools_and_sources_have_limits_of_their_own(void **state)
{
	static const struct limit_rule tool = { STR_INIT("1/h"), 1, 3600000, 0 };
	static const struct limit_rule behind = { STR_INIT("3/h"), 3, 3600000, 0 };
	struct entry other = entry;
	struct call *c;

	(void)state;
	entry.limits = &tool;
	entry.limit_count = 1;
	source.calls = &behind;
	source.call_count = 1;
	other.name = S("other");
	assert_true(may(&ada, &entry));
	c = call_of(&ada, &entry);
	assert_int_equal(guard_limits(limits, &config, c), VERDICT_REFUSE);
	assert_true(str_eq(c->fault.reason, S("tool")));
	assert_true(may(&ada, &other));
	assert_true(may(&ada, &other));
	c = call_of(&ada, &other);
	assert_int_equal(guard_limits(limits, &config, c), VERDICT_REFUSE);
	assert_true(str_eq(c->fault.reason, S("source")));
	assert_true(str_eq(c->fault.details_json, S("{\"limit\":\"3/h\"}")));
}

static void a_limit_that_is_changed_keeps_its_count(void **state)
{
	(void)state;
	limit_calls("2/h per principal");
	assert_true(may(&ada, &entry));
	assert_true(may(&ada, &entry));
	limit_calls("3/h per principal");
	assert_true(may(&ada, &entry));
	assert_false(may(&ada, &entry));
}

static void a_dear_call_counts_more(void **state)
{
	(void)state;
	limit_calls("10/h per principal");
	entry.cost = 4;
	assert_true(may(&ada, &entry));
	assert_true(may(&ada, &entry));
	assert_false(may(&ada, &entry));
	entry.cost = 2;
	assert_true(may(&ada, &entry));
}

static void *leave_soon(void *ctx)
{
	usleep(30000);
	limits_leave(ctx);
	return NULL;
}

static void who_finds_no_place_waits_a_while_and_is_busy_then(void **state)
{
	struct call *first, *second, *third;
	pthread_t thread;
	uint64_t began_ms;

	(void)state;
	entry.concurrency = 1;
	first = call_of(&ada, &entry);
	assert_int_equal(guard_limits(limits, &config, first), VERDICT_PASS);
	second = call_of(&ada, &entry);
	second->deadline_ms = clock_mono_ms() + 40;
	began_ms = clock_mono_ms();
	assert_int_equal(guard_limits(limits, &config, second), VERDICT_REFUSE);
	assert_true(clock_mono_ms() - began_ms >= 40);
	assert_int_equal(second->fault.code, BUSY);
	assert_true(str_eq(second->fault.reason, S("tool")));
	assert_true(second->fault.retry_after_ms > 0);
	third = call_of(&ada, &entry);
	pthread_create(&thread, NULL, leave_soon, first);
	assert_int_equal(guard_limits(limits, &config, third), VERDICT_PASS);
	pthread_join(thread, NULL);
	limits_leave(third);
	limits_leave(third);
	assert_true(may(&ada, &entry));
}

static void the_queue_for_places_is_bounded(void **state)
{
	struct call *c;
	uint64_t began_ms;

	(void)state;
	config.limits.concurrency = 1; /* one may wait */
	source.concurrency = 1;
	source.concurrency_shared = true;
	assert_true(may(&ada, &entry));
	c = call_of(&ada, &entry);
	began_ms = clock_mono_ms();
	assert_int_equal(guard_limits(limits, &config, c), VERDICT_REFUSE);
	assert_true(clock_mono_ms() - began_ms >= LIMITS_WAIT_MS);
	assert_true(str_eq(c->fault.reason, S("source")));
}

static void places_come_back_with_the_calls_memory(void **state)
{
	(void)state;
	entry.concurrency = 1;
	assert_true(may(&ada, &entry));
	arena_reset(&arena);
	assert_true(may(&ada, &entry));
}

/* The file is nobody's: a directory stands where it should be. */
static void what_cannot_be_counted_is_little_for_reads_and_nothing_for_changes(void **state)
{
	struct err err;
	struct call *c;
	int passed = 0;

	(void)state;
	assert_int_equal(mkdir(path, 0700), 0);
	limit_calls("50/h per principal");
	assert_false(limits_trouble(limits, &err));
	for (int i = 0; i < 60; i++)
		passed += may(&ada, &entry);
	assert_int_equal(passed, 5);
	assert_true(limits_trouble(limits, &err));
	assert_false(limits_trouble(limits, &err));
	entry.mutates = true;
	c = call_of(&ada, &entry);
	assert_int_equal(guard_limits(limits, &config, c), VERDICT_REFUSE);
	assert_int_equal(c->fault.code, BUSY);
	assert_true(str_eq(c->fault.reason, S("limits_unavailable")));
	assert_true(c->fault.operator_text.n > 0);
}

static void changes_have_a_quota_of_their_own(void **state)
{
	static const struct limit_rule quota = { STR_INIT("2/d per principal"), 2, 86400000,
		PER_PRINCIPAL };
	struct entry read = entry;
	struct principal again = ada;
	struct call *c;

	(void)state;
	config.limits.destructive = &quota;
	config.limits.destructive_count = 1;
	entry.mutates = true;
	entry.concurrency = 1;
	again.credential = S("k2");
	again.subject = S("Ada");
	for (int i = 0; i < 5; i++)
		assert_true(may(&ada, &read));
	c = call_of(&ada, &entry);
	assert_int_equal(guard_limits(limits, &config, c), VERDICT_PASS);
	limits_leave(c);
	c = call_of(&again, &entry);
	assert_int_equal(guard_limits(limits, &config, c), VERDICT_PASS);
	limits_leave(c);
	for (int i = 0; i < 3; i++) { /* and it keeps no place */
		c = call_of(&ada, &entry);
		assert_int_equal(guard_limits(limits, &config, c), VERDICT_REFUSE);
		assert_int_equal(c->fault.code, RATE_LIMITED);
		assert_true(str_eq(c->fault.reason, S("destructive")));
		assert_true(c->fault.retry_after_ms > 86000000);
	}
	assert_true(may(&ada, &read));
}

static void a_change_that_is_refused_leaves_the_windows_as_they_were(void **state)
{
	static const struct limit_rule quota = { STR_INIT("1/d per principal"), 1, 86400000,
		PER_PRINCIPAL };
	struct entry read = entry;
	struct call *c;

	(void)state;
	limit_calls("3/h per principal");
	config.limits.destructive = &quota;
	config.limits.destructive_count = 1;
	entry.mutates = true;
	assert_true(may(&ada, &entry));
	for (int i = 0; i < 5; i++) {
		c = call_of(&ada, &entry);
		assert_int_equal(guard_limits(limits, &config, c), VERDICT_REFUSE);
		assert_true(str_eq(c->fault.reason, S("destructive")));
	}
	for (int i = 0; i < 2; i++)
		assert_true(may(&ada, &read));
	assert_false(may(&ada, &read));
}

/* Else whoever starts enough of them has a share with each. */
static void one_process_too_many_is_refused_and_told(void **state)
{
	struct limits *others = limits_new(str_c(path), S("boot"), store);
	struct err err = { 0 };
	struct call *c;
	int fd;

	(void)state;
	limit_calls("50/h per principal");
	c = call_of(&ada, &entry);
	assert_int_equal(guard_limits(others, &config, c), VERDICT_PASS);
	fd = open(path, O_RDWR | O_CLOEXEC);
	for (int i = 0; i < WINDOWS_PROCESSES; i++) {
		struct flock l = { .l_type = F_WRLCK, .l_start = 1 + i, .l_len = 1 };

		assert_int_equal(fcntl(fd, F_OFD_SETLK, &l) == 0, i > 0);
	}
	c = call_of(&ada, &entry);
	assert_int_equal(guard_limits(limits, &config, c), VERDICT_REFUSE);
	assert_int_equal(c->fault.code, BUSY);
	assert_true(str_eq(c->fault.reason, S("limits_unavailable")));
	assert_true(limits_trouble(limits, &err));
	assert_non_null(strstr(err.text, "64 processes"));
	close(fd);
	limits_free(&others);
}

static void end_with(const struct principal *who, enum fault_code code)
{
	struct call *c = call_of(who, &entry);

	call_fault(c, code, "why", STR_NONE);
	limits_count_error(limits, &config, c);
}

static void mistakes_have_a_window_of_their_own(void **state)
{
	static const struct limit_rule few = { STR_INIT("3/h per principal"), 3, 3600000,
		PER_PRINCIPAL };
	static const enum fault_code others[] = { RATE_LIMITED, PAUSED, REQUIRES_CONFIRMATION,
		CONFLICT, UNDECLARED_EFFECT, UPSTREAM_TIMEOUT, UPSTREAM_UNAVAILABLE, BUSY,
		AUDIT_UNAVAILABLE, OUTCOME_UNKNOWN, INTERNAL };
	struct principal bob = ada;
	struct call *c;

	(void)state;
	bob.subject = S("bob");
	limit_calls("5/h per principal");
	config.limits.errors = &few;
	config.limits.error_count = 1;
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		end_with(&ada, others[i]);
	limits_count_error(limits, &config, call_of(&ada, &entry)); /* it went well */
	end_with(&ada, VALIDATION_ERROR);
	end_with(&ada, NOT_FOUND);
	assert_int_equal(guard_errors(limits, &config, call_of(&ada, &entry)), VERDICT_PASS);
	end_with(&ada, PERMISSION_DENIED);
	for (int i = 0; i < 3; i++) {
		c = call_of(&ada, &entry);
		assert_int_equal(guard_errors(limits, &config, c), VERDICT_REFUSE);
		assert_int_equal(c->fault.code, RATE_LIMITED);
		assert_true(str_eq(c->fault.reason, S("errors")));
		assert_true(c->fault.retry_after_ms > 3500000);
		limits_count_error(limits, &config, c);
	}
	assert_int_equal(guard_errors(limits, &config, call_of(&bob, &entry)), VERDICT_PASS);
	for (int i = 0; i < 5; i++) /* none of it was a call of the other limit */
		assert_true(may(&ada, &entry));
	assert_false(may(&ada, &entry));
}

static void refused_credentials_are_counted_by_network(void **state)
{
	static const struct {
		const char *address, *other;
		bool same;
	} cases[] = {
		{ "192.0.2.1", "192.0.2.1", true },
		{ "192.0.2.1", "192.0.2.2", false },
		{ "2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true },
		{ "2001:db8:1:2::1", "2001:db8:1:3::1", false },
		{ "::ffff:192.0.2.1", "::ffff:192.0.2.2", false },
		{ "::1", "::1", true },
	};
	struct limit_rule few = { STR_INIT("2/m per address"), 2, 60000, PER_ADDRESS };
	uint32_t wait_ms = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str address = str_c(cases[i].address);

		tear_down(NULL);
		set_up(NULL);
		for (int k = 0; k < 2; k++) {
			assert_true(limits_address_free(limits, &few, address, 5000, &wait_ms));
			limits_address_failed(limits, &few, address, 5000);
		}
		assert_false(limits_address_free(limits, &few, address, 5000, &wait_ms));
		assert_true(wait_ms >= 60000 && wait_ms <= 61000);
		assert_int_equal(
			limits_address_free(limits, &few, str_c(cases[i].other), 5000, &wait_ms),
			!cases[i].same);
		assert_true(limits_address_free(limits, &few, address, 66001, &wait_ms));
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_rules_nothing_is_counted_and_no_file_made),
		TEST(a_refusal_says_which_limit_and_when_to_come_again),
		TEST(who_varies_what_does_not_count_stays_in_the_window),
		TEST(tools_and_sources_have_limits_of_their_own),
		TEST(a_limit_that_is_changed_keeps_its_count),
		TEST(a_dear_call_counts_more),
		TEST(who_finds_no_place_waits_a_while_and_is_busy_then),
		TEST(the_queue_for_places_is_bounded),
		TEST(places_come_back_with_the_calls_memory),
		TEST(what_cannot_be_counted_is_little_for_reads_and_nothing_for_changes),
		TEST(changes_have_a_quota_of_their_own),
		TEST(mistakes_have_a_window_of_their_own),
		TEST(a_change_that_is_refused_leaves_the_windows_as_they_were),
		TEST(one_process_too_many_is_refused_and_told),
		TEST(refused_credentials_are_counted_by_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
