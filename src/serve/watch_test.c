/* The watch with a clock of the test's own; and with many threads. */
#include "serve/site_fixture.h"
#include "serve/watch.h"
#include "store/glass.h"
#include "store/kills.h"

#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>

#define HOUR_US INT64_C(3600000000)
#define NOW_US INT64_C(1790000000000000)

static struct site site;
static struct store *store;
static struct watch *watch;
static char kill_file[192];

static const struct kill_target caller = {
	.instance = STR_INIT("a"), .subject = STR_INIT("ada"), .entry = STR_INIT("orders")
};

static void start_watch(void)
{
	char path[192];

	snprintf(path, sizeof path, "%s/state/store.db", site.directory);
	watch = watch_new(str_c(path), S("a"), world_audit(site.world));
}

static int set_up(void **state)
{
	char path[192];

	(void)state;
	site_make(&site, "tools:\n" SITE_TOOL("one", "shop.read",
				 "shop") "    read: SELECT 1 AS n\n    returns: { shape: one, "
					 "columns: { n: integer } }\n");
	assert_true(site_open(&site));
	snprintf(path, sizeof path, "%s/state/store.db", site.directory);
	snprintf(kill_file, sizeof kill_file, "%s/state/KILL", site.directory);
	store = store_new(str_c(path));
	start_watch();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	watch_free(&watch);
	store_free(&store);
	site_remove(&site);
	return 0;
}

static void set(const char *kind, const char *name, int64_t since_us, int64_t until_us)
{
	struct kill_row row = {
		.kind = str_c(kind), .name = str_c(name), .since_us = since_us, .until_us = until_us
	};
	struct err err;
	int64_t id;

	if (!store_kill_set(store, &row, &id, &err))
		fail_msg("%s", err.text);
}

static void lift(const char *kind, const char *name, int64_t wall_us)
{
	unsigned count = 0;
	struct err err;

	assert_true(store_kill_lift(
		store, str_c(kind), str_c(name), S("me"), S("why"), wall_us, &count, &err));
	assert_true(count > 0);
}

static enum kill_cause cause_at(uint64_t boot_ms)
{
	return watch_judge(watch, &caller, boot_ms).cause;
}

static void nothing_is_served_before_the_first_look(void **state)
{
	(void)state;
	assert_int_equal(cause_at(1000), KILL_BY_DOUBT);
	watch_look(watch, 1000, NOW_US);
	assert_int_equal(cause_at(1000), KILL_BY_NOTHING);
}

static void an_order_is_seen_at_the_next_look_and_so_is_its_end(void **state)
{
	uint64_t edition;

	(void)state;
	watch_look(watch, 1000, NOW_US);
	edition = watch_edition(watch);
	watch_look(watch, 1100, NOW_US);
	assert_int_equal(watch_edition(watch), edition);
	set("tool", "orders", NOW_US, 0);
	watch_look(watch, 1250, NOW_US);
	assert_int_equal(cause_at(1250), KILL_BY_ORDER);
	assert_true(watch_edition(watch) > edition);
	lift("tool", "orders", NOW_US + 5);
	watch_look(watch, 1500, NOW_US);
	assert_int_equal(cause_at(1500), KILL_BY_NOTHING);
}

static void a_step_of_the_wall_clock_neither_lifts_nor_prolongs(void **state)
{
	(void)state;
	set("tool", "orders", NOW_US, NOW_US + HOUR_US);
	watch_look(watch, 1000, NOW_US);
	watch_look(watch, 1250, NOW_US + 2 * HOUR_US);
	assert_int_equal(cause_at(1250), KILL_BY_ORDER);
	watch_look(watch, 1500, NOW_US - 2 * HOUR_US);
	assert_int_equal(cause_at(1500), KILL_BY_ORDER);
	watch_look(watch, 1000 + 3600000 - 1, NOW_US - 2 * HOUR_US);
	assert_int_equal(cause_at(1000 + 3600000 - 1), KILL_BY_ORDER);
	watch_look(watch, 1000 + 3600000, NOW_US - 2 * HOUR_US);
	assert_int_equal(cause_at(1000 + 3600000), KILL_BY_NOTHING);
}

static void what_was_read_is_good_for_five_seconds(void **state)
{
	char path[192], away[192];

	(void)state;
	set("tool", "another", NOW_US, 0);
	watch_look(watch, 1000, NOW_US);
	snprintf(path, sizeof path, "%s/state/store.db", site.directory);
	snprintf(away, sizeof away, "%s/state/away.db", site.directory);
	assert_int_equal(rename(path, away), 0);
	watch_look(watch, 3000, NOW_US);
	assert_int_equal(cause_at(5999), KILL_BY_NOTHING);
	assert_int_equal(cause_at(6000), KILL_BY_DOUBT);
	watch_look(watch, 6000, NOW_US);
	assert_int_equal(rename(away, path), 0);
	watch_look(watch, 6250, NOW_US);
	assert_int_equal(cause_at(6250), KILL_BY_NOTHING);
}

static void run_sql(const char *sql)
{
	char path[192];
	sqlite3 *db;

	snprintf(path, sizeof path, "%s/state/store.db", site.directory);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void an_order_that_vanished_pauses_everything_at_once(void **state)
{
	static const char *const ways[] = {
		"DELETE FROM kills",
		"UPDATE kills SET id = id + 1000 WHERE name = 'another'",
		"UPDATE kills SET name = 'somebody' WHERE name = 'another'",
		"UPDATE kills SET kind = 'agent' WHERE name = 'another'",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		run_sql("CREATE TABLE IF NOT EXISTS away AS SELECT * FROM kills; DELETE FROM away");
		set("tool", "another", NOW_US, 0);
		watch_free(&watch);
		start_watch();
		watch_look(watch, 1000, NOW_US);
		assert_int_equal(cause_at(1000), KILL_BY_NOTHING);
		run_sql("INSERT INTO away SELECT * FROM kills");
		run_sql(ways[i]);
		watch_look(watch, 1250, NOW_US);
		assert_int_equal(cause_at(1250), KILL_BY_DOUBT);
		watch_look(watch, 1500, NOW_US);
		assert_int_equal(cause_at(1500), KILL_BY_DOUBT); /* for as long as it is away */
		run_sql("DELETE FROM kills; INSERT INTO kills SELECT * FROM away");
		watch_look(watch, 1750, NOW_US);
		assert_int_equal(cause_at(1750), KILL_BY_NOTHING);
		lift("tool", "another", NOW_US + 1);
	}
	watch_look(watch, 2000, NOW_US + 2);
	assert_int_equal(cause_at(2000), KILL_BY_NOTHING);
}

/* What a later postern meant by it is not known, and neither is where it went. */
static void an_order_nobody_understands_does_not_vanish_either(void **state)
{
	(void)state;
	set("galaxy", "milky way", NOW_US, 0);
	watch_look(watch, 1000, NOW_US);
	run_sql("DELETE FROM kills");
	watch_look(watch, 1250, NOW_US);
	assert_int_equal(cause_at(1250), KILL_BY_DOUBT);
}

/* More history than is listed: what was lifted is found all the same. */
static void an_order_lifted_long_before_others_has_not_vanished(void **state)
{
	(void)state;
	set("tool", "another", NOW_US, 0);
	watch_look(watch, 1000, NOW_US);
	lift("tool", "another", NOW_US + 1);
	watch_look(watch, 1250, NOW_US + 40 * 24 * HOUR_US); /* a clock that jumped */
	assert_int_equal(cause_at(1250), KILL_BY_NOTHING);
}

static void another_file_in_its_place_pauses_everything_at_once(void **state)
{
	char path[192], away[192], copy[192], sql[512];

	(void)state;
	set("tool", "another", NOW_US, 0);
	watch_look(watch, 1000, NOW_US);
	assert_int_equal(cause_at(1000), KILL_BY_NOTHING);
	snprintf(path, sizeof path, "%s/state/store.db", site.directory);
	snprintf(away, sizeof away, "%s/state/away.db", site.directory);
	snprintf(copy, sizeof copy, "%s/state/copy.db", site.directory);
	snprintf(sql, sizeof sql, "VACUUM INTO '%s'", copy);
	run_sql(sql);
	assert_int_equal(chmod(copy, 0600), 0);
	assert_int_equal(rename(path, away), 0);
	assert_int_equal(rename(copy, path), 0);
	watch_look(watch, 1250, NOW_US);
	assert_int_equal(cause_at(1250), KILL_BY_DOUBT);
	assert_int_equal(rename(away, path), 0);
	watch_look(watch, 1500, NOW_US);
	assert_int_equal(cause_at(1500), KILL_BY_NOTHING);
}

static void the_sum_says_what_is_in_force_and_how_old_it_is(void **state)
{
	char path[192], away[192];
	struct watch_sum sum;

	(void)state;
	watch_sum(watch, 900, &sum);
	assert_false(sum.read || sum.known || sum.local);
	set("tool", "orders", NOW_US, 0);
	set("tool", "another", NOW_US, NOW_US + HOUR_US);
	set("tenant", "acme", NOW_US, 0);
	lift("tenant", "acme", NOW_US + 5);
	watch_look(watch, 1000, NOW_US + 6);
	watch_sum(watch, 1200, &sum);
	assert_true(sum.read && sum.known && !sum.local);
	assert_int_equal(sum.age_ms, 200);
	assert_int_equal(sum.orders[KILL_TOOL], 2);
	assert_int_equal(sum.orders[KILL_TENANT], 0);
	snprintf(path, sizeof path, "%s/state/store.db", site.directory);
	snprintf(away, sizeof away, "%s/state/away.db", site.directory);
	assert_int_equal(rename(path, away), 0);
	watch_look(watch, 1000 + WATCH_LEASE_MS, NOW_US);
	watch_sum(watch, 1000 + WATCH_LEASE_MS, &sum);
	assert_true(sum.read && !sum.known);
	assert_int_equal(sum.age_ms, WATCH_LEASE_MS);
	assert_int_equal(rename(away, path), 0);
}

static void an_order_of_a_later_postern_pauses_everything(void **state)
{
	(void)state;
	watch_look(watch, 1000, NOW_US);
	set("galaxy", "milky way", NOW_US, 0);
	watch_look(watch, 1250, NOW_US);
	assert_int_equal(cause_at(1250), KILL_BY_DOUBT);
	lift("galaxy", "milky way", NOW_US + 1);
	watch_look(watch, 1500, NOW_US);
	assert_int_equal(cause_at(1500), KILL_BY_NOTHING);
}

static void a_file_beside_the_store_pauses_everything(void **state)
{
	(void)state;
	watch_look(watch, 1000, NOW_US);
	site_write(&site, "state/KILL", "");
	watch_look(watch, 1250, NOW_US);
	assert_int_equal(cause_at(1250), KILL_BY_SWITCH);
	watch_free(&watch);
	start_watch();
	watch_look(watch, 1500, NOW_US);
	assert_int_equal(cause_at(1500), KILL_BY_SWITCH); /* also after a restart */
	assert_int_equal(unlink(kill_file), 0);
	watch_look(watch, 1750, NOW_US);
	assert_int_equal(cause_at(1750), KILL_BY_NOTHING);
}

static void the_file_needs_no_store(void **state)
{
	char path[192];
	FILE *f;

	(void)state;
	snprintf(path, sizeof path, "%s/state/store.db-wal", site.directory);
	assert_int_equal(unlink(path), 0); /* all of it may stand there */
	snprintf(path, sizeof path, "%s/state/store.db", site.directory);
	f = fopen(path, "w");
	fputs("this is no database, and longer than a hundred bytes: it has to be, or SQLite would "
	      "take it for one that is empty",
		f);
	fclose(f);
	site_write(&site, "state/KILL", "");
	watch_look(watch, 1000, NOW_US);
	assert_int_equal(cause_at(1000), KILL_BY_SWITCH);
	assert_int_equal(unlink(kill_file), 0);
	watch_look(watch, 1250, NOW_US);
	assert_int_equal(cause_at(1250), KILL_BY_DOUBT);
}

static struct call running_call(struct arena *a, const struct entry *e, const struct principal *who)
{
	return (struct call){ .arena = a, .entry = e, .who = who };
}

static void running_calls_that_are_met_are_stopped_and_others_go_on(void **state)
{
	static const struct entry orders = { .name = STR_INIT("orders") };
	static const struct entry other = { .name = STR_INIT("other") };
	static const struct principal ada = { .subject = STR_INIT("ada") };
	struct call calls[] = { running_call(&site.arena, &orders, &ada),
		running_call(&site.arena, &other, &ada), running_call(&site.arena, &orders, &ada) };
	struct watched running[3] = { { .call = &calls[0] }, { .call = &calls[1] },
		{ .call = &calls[2] } };

	(void)state;
	watch_look(watch, 1000, NOW_US);
	for (size_t i = 0; i < ARRAY_LEN(running); i++)
		watch_enter(watch, &running[i]);
	watch_leave(watch, &running[2]);
	watch_leave(watch, &running[2]);
	set("tool", "orders", NOW_US, 0);
	watch_look(watch, 1250, NOW_US);
	assert_true(calls[0].killed && !calls[1].killed && !calls[2].killed);
	assert_int_equal(running[0].found.kind, KILL_TOOL);
	watch_leave(watch, &running[0]);
	watch_leave(watch, &running[1]);
}

static void sessions_begun_before_an_order_ended_with_it(void **state)
{
	(void)state;
	set("principal", "ada", NOW_US, 0);
	watch_look(watch, 1000, NOW_US);
	assert_false(watch_ended_session(watch, &caller, NOW_US - 1, 1250));
	assert_true(watch_ends_streams(watch, &caller) == false); /* by the real clock: in doubt */
	lift("principal", "ada", NOW_US + 5);
	watch_look(watch, 1250, NOW_US + 6);
	assert_true(watch_ended_session(watch, &caller, NOW_US - 1, 1250));
	assert_false(watch_ended_session(watch, &caller, NOW_US + 1, 1250));
}

/* A timed order is over when its time has come, and not only when somebody looked. */
static void a_session_ends_with_the_order_and_not_with_the_next_look(void **state)
{
	(void)state;
	set("principal", "ada", NOW_US, NOW_US + 100000);
	watch_look(watch, 1000, NOW_US);
	assert_int_equal(cause_at(1099), KILL_BY_ORDER);
	assert_false(watch_ended_session(watch, &caller, NOW_US - 1, 1099));
	assert_int_equal(cause_at(1100), KILL_BY_NOTHING);
	assert_true(watch_ended_session(watch, &caller, NOW_US - 1, 1100));
	assert_false(watch_ended_session(watch, &caller, NOW_US + 1, 1100));
}

static unsigned recorded(const char *what)
{
	watch_free(&watch); /* notes are written out */
	return site_audit_count(&site, what);
}

static void what_was_seen_is_recorded_once(void **state)
{
	(void)state;
	set("tool", "before", NOW_US - HOUR_US, 0);
	lift("tool", "before", NOW_US - HOUR_US + 5);
	watch_free(&watch);
	start_watch();
	{
		struct err err;

		assert_true(watch_start(watch, &err));
		assert_true(watch_start(watch, &err));
		set("tool", "orders", clock_wall_us(), 0);
		for (unsigned i = 0; i < 400 && cause_at(clock_boot_ms()) != KILL_BY_ORDER; i++)
			usleep(10000);
		assert_int_equal(cause_at(clock_boot_ms()), KILL_BY_ORDER);
		kill(getpid(), SIGUSR2);
		for (unsigned i = 0; i < 400 && cause_at(clock_boot_ms()) != KILL_BY_SWITCH; i++)
			usleep(10000);
	}
	assert_int_equal(access(kill_file, F_OK), 0);
	assert_int_equal(recorded("\"e\":\"KILL_SEEN\""), 1);
	assert_int_equal(site_audit_count(&site, "\"name\":\"orders\",\"change\":\"set\""), 1);
	assert_int_equal(site_audit_count(&site, "\"source\":\"local\""), 1);
}

static atomic_bool stop;

static void *judge_and_run(void *ctx)
{
	static const struct entry orders = { .name = STR_INIT("orders") };
	static const struct principal ada = { .subject = STR_INIT("ada") };

	(void)ctx;
	while (!stop) {
		struct call c = { .entry = &orders, .who = &ada };
		struct watched running = { .call = &c };

		watch_enter(watch, &running);
		(void)watch_judge(watch, &caller, 1000);
		(void)watch_ended_session(watch, &caller, 5, 1000);
		watch_leave(watch, &running);
		(void)watch_edition(watch);
	}
	return NULL;
}

static void editions_change_under_many_threads(void **state)
{
	pthread_t threads[4];

	(void)state;
	stop = false;
	watch_look(watch, 1000, NOW_US);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, judge_and_run, NULL), 0);
	for (int i = 0; i < 20; i++) {
		set("tool", "orders", NOW_US + i, 0);
		watch_look(watch, 1000, NOW_US);
		lift("tool", "orders", NOW_US + i);
		watch_look(watch, 1000, NOW_US);
	}
	stop = true;
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(cause_at(1000), KILL_BY_NOTHING);
}

/* The same name may be somebody else at an issuer, a proxy, an authority. */
static void broken_glass_is_for_who_comes_with_a_key(void **state)
{
	const struct glass_row row = { .subject = S("ada"),
		.grant = S("shop.write"),
		.reason = S("tonight"),
		.asked_by = S("bob"),
		.asked_us = NOW_US,
		.lasts_us = HOUR_US };
	struct arena arena;
	struct err err;
	int64_t id;

	(void)state;
	arena_init(&arena, (size_t)1 << 20);
	assert_true(store_glass_ask(store, &row, &id, &err));
	assert_true(store_glass_approve(store, id, S("eve"), NOW_US, &err));
	watch_look(watch, 1000, NOW_US);
	for (int kind = CREDENTIAL_FIXED; kind <= CREDENTIAL_PROXY; kind++) {
		struct principal who = { .subject = S("ada"),
			.credential_kind = (enum credential_kind)kind };

		watch_break_glass(watch, &arena, &who, 1001);
		assert_int_equal(who.break_glass, kind == CREDENTIAL_KEY ? id : 0);
		assert_int_equal(principal_granted(&who, S("shop.write")), kind == CREDENTIAL_KEY);
	}
	arena_done(&arena);
}

/* By issuer, tenant and subject together; ended, it is over at the next look. */
static void broken_glass_is_for_one_somebody_until_it_is_ended(void **state)
{
	const struct glass_row row = { .subject = S("ada"),
		.tenant = S("acme"),
		.issuer = S("https://issuer.example"),
		.grant = S("shop.write"),
		.reason = S("tonight"),
		.asked_by = S("bob"),
		.asked_us = NOW_US,
		.lasts_us = HOUR_US };
	const struct {
		struct str subject, tenant, issuer;
		enum credential_kind kind;
	} table[] = {
		{ S("ada"), S("acme"), S("https://issuer.example"), CREDENTIAL_JWT },
		{ S("ada"), S("acme"), S("https://other.example"), CREDENTIAL_JWT },
		{ S("ada"), S("birch"), S("https://issuer.example"), CREDENTIAL_JWT },
		{ S("ada"), STR_NONE, S("https://issuer.example"), CREDENTIAL_JWT },
		{ S("bob"), S("acme"), S("https://issuer.example"), CREDENTIAL_JWT },
		{ S("ada"), S("acme"), STR_NONE, CREDENTIAL_KEY },
		{ S("ada"), S("acme"), S("https://issuer.example"), CREDENTIAL_PROXY },
	};
	struct arena arena;
	struct err err;
	int64_t id;

	(void)state;
	arena_init(&arena, (size_t)1 << 20);
	assert_true(store_glass_ask(store, &row, &id, &err));
	assert_true(store_glass_approve(store, id, S("eve"), NOW_US, &err));
	assert_false(store_glass_review(store, id, S("eve"), NOW_US, &err));
	for (int ended = 0; ended < 2; ended++) {
		watch_look(watch, 1000 + (uint64_t)ended, NOW_US + ended);
		for (size_t i = 0; i < ARRAY_LEN(table); i++) {
			struct principal who = { .subject = table[i].subject,
				.tenant = table[i].tenant,
				.issuer = table[i].issuer,
				.credential_kind = table[i].kind };

			watch_break_glass(watch, &arena, &who, 1001);
			assert_int_equal(who.break_glass, i || ended ? 0 : id);
		}
		if (!ended)
			assert_true(store_glass_end(store, id, S("ada"), NOW_US + 1, &err));
	}
	assert_false(store_glass_end(store, id, S("ada"), NOW_US + 2, &err));
	assert_true(store_glass_review(store, id, S("dee"), NOW_US + 2, &err));
	arena_done(&arena);
}

static void what_was_asked_a_day_ago_is_not_approved(void **state)
{
	struct glass_row row = { .subject = S("ada"),
		.grant = S("shop.write"),
		.reason = S("tonight"),
		.asked_by = S("bob"),
		.asked_us = NOW_US,
		.lasts_us = HOUR_US };
	struct err err;
	int64_t id;

	(void)state;
	assert_true(store_glass_ask(store, &row, &id, &err));
	assert_false(store_glass_approve(store, id, S("eve"), NOW_US + GLASS_OPEN_US, &err));
	assert_true(store_glass_approve(store, id, S("eve"), NOW_US + GLASS_OPEN_US - 1, &err));
	assert_true(store_glass_ask(store, &row, &id, &err));
	assert_true(store_glass_end(store, id, S("bob"), NOW_US + 1, &err));
	assert_false(store_glass_approve(store, id, S("eve"), NOW_US + 2, &err));
}

#define WATCH_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WATCH_TEST(broken_glass_is_for_who_comes_with_a_key),
		WATCH_TEST(broken_glass_is_for_one_somebody_until_it_is_ended),
		WATCH_TEST(what_was_asked_a_day_ago_is_not_approved),
		WATCH_TEST(nothing_is_served_before_the_first_look),
		WATCH_TEST(an_order_is_seen_at_the_next_look_and_so_is_its_end),
		WATCH_TEST(a_step_of_the_wall_clock_neither_lifts_nor_prolongs),
		WATCH_TEST(what_was_read_is_good_for_five_seconds),
		WATCH_TEST(an_order_that_vanished_pauses_everything_at_once),
		WATCH_TEST(an_order_nobody_understands_does_not_vanish_either),
		WATCH_TEST(an_order_lifted_long_before_others_has_not_vanished),
		WATCH_TEST(another_file_in_its_place_pauses_everything_at_once),
		WATCH_TEST(the_sum_says_what_is_in_force_and_how_old_it_is),
		WATCH_TEST(an_order_of_a_later_postern_pauses_everything),
		WATCH_TEST(a_file_beside_the_store_pauses_everything),
		WATCH_TEST(the_file_needs_no_store),
		WATCH_TEST(running_calls_that_are_met_are_stopped_and_others_go_on),
		WATCH_TEST(sessions_begun_before_an_order_ended_with_it),
		WATCH_TEST(a_session_ends_with_the_order_and_not_with_the_next_look),
		WATCH_TEST(what_was_seen_is_recorded_once),
		WATCH_TEST(editions_change_under_many_threads),
	};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2); /* as start.c does: for every thread */
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
