/* Windows and places: never more than the rule allows, and that much; over restarts, deaths, steps
 * of the clock, bad files, and with several processes and threads in one file. */
#include "base/test.h"
#include "base/clock.h"
#include "base/digest.h"
#include "store/windows.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define BOOT S("one boot")
#define START_MS 5000000

static char directory[64], path[96];

static struct str file(void)
{
	return str_c(path);
}

static int set_up(void **state)
{
	(void)state;
	snprintf(directory, sizeof directory, "%s/windows-XXXXXX", P_tmpdir);
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/limits", directory);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(path);
	rmdir(directory);
	return 0;
}

static struct window_key key_of(uint64_t n)
{
	struct window_key k;
	struct sha256 d;

	sha256_of(str_n(&n, sizeof n), &d);
	memcpy(k.b, d.b, sizeof k.b);
	return k;
}

static struct window_ask window(uint64_t key, uint32_t most, uint32_t window_ms)
{
	return (struct window_ask){
		.key = key_of(key), .most = most, .window_ms = window_ms, .cost = 1
	};
}

static enum windows_verdict take_windows(struct windows *w, const struct window_ask *asks,
	size_t count, uint64_t at_ms, struct windows_answer *out)
{
	struct windows_ask ask = { .windows = asks, .window_count = count };
	struct err err = { 0 };

	return windows_take(w, &ask, at_ms, out, &err);
}

static enum windows_verdict take(
	struct windows *w, struct window_ask ask, uint64_t at_ms, struct windows_answer *out)
{
	return take_windows(w, &ask, 1, at_ms, out);
}

static enum windows_verdict enter(struct windows *w, uint64_t key, uint32_t most)
{
	struct place_ask place = { .key = key_of(key), .most = most };
	struct windows_ask ask = { .places = &place, .place_count = 1 };
	struct windows_answer answer;
	struct err err = { 0 };

	return windows_take(w, &ask, START_MS, &answer, &err);
}

static void leave(struct windows *w, uint64_t key)
{
	struct place_ask place = { .key = key_of(key) };

	windows_leave(w, &place, 1);
}

static void the_table_says_how_full_it_is(void **state)
{
	struct windows *w = windows_new(STR_NONE, BOOT);
	struct windows_answer a;
	struct windows_usage u;

	(void)state;
	assert_false(windows_usage(w, START_MS, &u)); /* and does not open it */
	for (uint64_t key = 1; key <= 3; key++)
		assert_int_equal(take(w, window(key, 10, 60000), START_MS, &a), WINDOWS_TAKEN);
	assert_int_equal(enter(w, 77, 2), WINDOWS_TAKEN);
	assert_int_equal(enter(w, 77, 2), WINDOWS_TAKEN);
	assert_true(windows_usage(w, START_MS, &u));
	assert_int_equal(u.windows, 3);
	assert_int_equal(u.places, 1);
	assert_true(u.windows_most >= 10000 && u.places_most >= 1000);
	leave(w, 77);
	leave(w, 77);
	assert_true(windows_usage(w, START_MS + 120000, &u));
	assert_int_equal(u.windows, 0);
	assert_int_equal(u.places, 0);
	windows_free(&w);
}

static void n_pass_and_one_more_does_not(void **state)
{
	struct windows *w = windows_new(STR_NONE, BOOT);
	struct windows_answer a;

	(void)state;
	for (uint32_t i = 0; i < 10; i++) {
		assert_int_equal(take(w, window(1, 10, 60000), START_MS, &a), WINDOWS_TAKEN);
		assert_int_equal(a.left, 9 - i);
	}
	assert_int_equal(take(w, window(1, 10, 60000), START_MS, &a), WINDOWS_FULL);
	assert_int_equal(a.left, 0);
	assert_int_equal(take(w, window(2, 10, 60000), START_MS, &a), WINDOWS_TAKEN);
	windows_free(&w);
}

static void who_waits_as_long_as_told_is_served(void **state)
{
	static const uint32_t lengths[] = { 1000, 7000, 60000, 3600000, 86400000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		struct windows *w = windows_new(STR_NONE, BOOT);
		struct window_ask ask = window(1, 3, lengths[i]);
		struct windows_answer a, b;
		uint64_t t = START_MS + 17;

		assert_int_equal(take(w, ask, t, &a), WINDOWS_TAKEN);
		assert_int_equal(take(w, ask, t + lengths[i] / 2, &a), WINDOWS_TAKEN);
		assert_int_equal(take(w, ask, t + lengths[i] / 2, &a), WINDOWS_TAKEN);
		assert_int_equal(take(w, ask, t + lengths[i] / 2, &a), WINDOWS_FULL);
		assert_true(a.wait_ms >= lengths[i] - lengths[i] / 2);
		assert_true(a.wait_ms <= lengths[i] - lengths[i] / 2 + lengths[i] / 60 + 20);
		t += lengths[i] / 2 + a.wait_ms;
		assert_int_equal(take(w, ask, t - 1, &b), WINDOWS_FULL);
		assert_int_equal(b.wait_ms, 1);
		assert_int_equal(take(w, ask, t, &b), WINDOWS_TAKEN);
		windows_free(&w);
	}
}

/* Arrivals of every tempo: no stretch of the window's length ever holds more than N, and whoever
 * keeps asking gets N in every window and a sixtieth. */
static void no_window_ever_holds_more_than_n_and_n_pass(void **state)
{
	static const struct {
		uint32_t most, window_ms, gap_ms;
	} cases[] = {
		{ 100, 60000, 40 },
		{ 1000, 60000, 3 },
		{ 10, 3600000, 9000 },
		{ 5, 1000, 7 },
		{ 1, 2000, 1 },
		{ 7, 90000, 5000 },
	};
	static uint64_t passed[200000];
	unsigned seed = 20261121;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint32_t most = cases[i].most, length = cases[i].window_ms;
		struct window_ask ask = window(i, most, length);
		struct windows *w = windows_new(STR_NONE, BOOT);
		uint64_t t = START_MS, end = START_MS + 20 * (uint64_t)length;
		size_t count = 0;

		for (; t < end; t += (uint64_t)rand_r(&seed) % (2 * cases[i].gap_ms + 1)) {
			struct windows_answer a;

			if (take(w, ask, t, &a) != WINDOWS_TAKEN)
				continue;
			assert_true(count < ARRAY_LEN(passed));
			passed[count++] = t;
			if (count > most)
				assert_true(t - passed[count - 1 - most] >= length);
		}
		/* 20 windows are 19 of a window and a sixtieth, and some */
		assert_true(count >= 19 * (size_t)most || cases[i].gap_ms * most * 2 > length);
		windows_free(&w);
	}
}

static void calls_of_different_cost_share_a_window(void **state)
{
	struct windows *w = windows_new(STR_NONE, BOOT);
	struct window_ask dear = window(1, 1000, 86400000), cheap = dear;
	struct windows_answer a;

	(void)state;
	dear.cost = 400;
	assert_int_equal(take(w, dear, START_MS, &a), WINDOWS_TAKEN);
	assert_int_equal(take(w, dear, START_MS, &a), WINDOWS_TAKEN);
	assert_int_equal(a.left, 200);
	assert_int_equal(take(w, dear, START_MS, &a), WINDOWS_FULL);
	cheap.cost = 200;
	assert_int_equal(take(w, cheap, START_MS, &a), WINDOWS_TAKEN);
	cheap.cost = 1;
	assert_int_equal(take(w, cheap, START_MS, &a), WINDOWS_FULL);
	windows_free(&w);
}

static void a_refused_call_takes_nothing_of_any_window(void **state)
{
	struct windows *w = windows_new(STR_NONE, BOOT);
	struct window_ask asks[] = { window(1, 5, 60000), window(2, 1, 1000) };
	struct windows_answer a;

	(void)state;
	assert_int_equal(take_windows(w, asks, 2, START_MS, &a), WINDOWS_TAKEN);
	assert_int_equal(a.index, 1);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(take_windows(w, asks, 2, START_MS, &a), WINDOWS_FULL);
		assert_int_equal(a.index, 1);
	}
	assert_int_equal(take(w, asks[0], START_MS, &a), WINDOWS_TAKEN);
	assert_int_equal(a.left, 3);
	windows_free(&w);
}

static void the_longest_wait_is_told(void **state)
{
	struct windows *w = windows_new(STR_NONE, BOOT);
	struct window_ask asks[] = { window(1, 1, 60000), window(2, 1, 1000) };
	struct windows_answer a;

	(void)state;
	assert_int_equal(take_windows(w, asks, 2, START_MS, &a), WINDOWS_TAKEN);
	assert_int_equal(take_windows(w, asks, 2, START_MS, &a), WINDOWS_FULL);
	assert_int_equal(a.index, 0);
	assert_true(a.wait_ms >= 60000);
	windows_free(&w);
}

static void looking_takes_nothing(void **state)
{
	struct windows *w = windows_new(STR_NONE, BOOT);
	struct window_ask one = window(1, 1, 60000);
	struct place_ask place = { .key = key_of(9), .most = 1 };
	struct windows_ask ask = {
		.windows = &one, .window_count = 1, .places = &place, .place_count = 1, .look = true
	};
	struct windows_answer a;
	struct err err = { 0 };

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(windows_take(w, &ask, START_MS, &a, &err), WINDOWS_TAKEN);
	ask.look = false;
	assert_int_equal(windows_take(w, &ask, START_MS, &a, &err), WINDOWS_TAKEN);
	ask.look = true;
	assert_int_equal(windows_take(w, &ask, START_MS, &a, &err), WINDOWS_FULL);
	windows_free(&w);
}

/* Boot time does not step; if it ever seems to, nothing is granted and nobody waits longer than a
 * window. */
static void a_clock_that_steps_back_grants_nothing(void **state)
{
	struct windows *w = windows_new(STR_NONE, BOOT);
	struct window_ask ask = window(1, 2, 60000);
	struct windows_answer a;

	(void)state;
	assert_int_equal(take(w, ask, START_MS, &a), WINDOWS_TAKEN);
	assert_int_equal(take(w, ask, START_MS - 500, &a), WINDOWS_TAKEN);
	assert_int_equal(take(w, ask, START_MS - 900, &a), WINDOWS_FULL);
	assert_int_equal(take(w, ask, START_MS - 3600000, &a), WINDOWS_FULL);
	assert_int_equal(take(w, ask, START_MS - 3600000 + 60000 - 1, &a), WINDOWS_FULL);
	assert_int_equal(take(w, ask, START_MS - 3600000 + 61000, &a), WINDOWS_TAKEN);
	windows_free(&w);
}

static void callers_in_their_thousands_are_kept_apart_until_the_table_is_full(void **state)
{
	struct windows *w = windows_new(STR_NONE, BOOT);
	struct windows_answer a;
	uint64_t n = 0, refused = 0;

	(void)state;
	for (; n < 12000; n++)
		assert_int_equal(take(w, window(n, 1, 60000), START_MS, &a), WINDOWS_TAKEN);
	for (; n < 30000; n++)
		refused += take(w, window(n, 1, 60000), START_MS, &a) == WINDOWS_UNAVAILABLE;
	assert_true(refused >= 30000 - 16384);
	for (n = 0; n < 12000; n++) /* nobody was put out while it counts */
		assert_int_equal(take(w, window(n, 1, 60000), START_MS, &a), WINDOWS_FULL);
	for (n = 50000; n < 62000; n++)
		assert_int_equal(take(w, window(n, 1, 60000), START_MS + 61000, &a), WINDOWS_TAKEN);
	windows_free(&w);
}

/* --- places --- */

static void places_are_counted_and_come_back(void **state)
{
	struct windows *w = windows_new(STR_NONE, BOOT);

	(void)state;
	assert_int_equal(enter(w, 1, 2), WINDOWS_TAKEN);
	assert_int_equal(enter(w, 1, 2), WINDOWS_TAKEN);
	assert_int_equal(enter(w, 1, 2), WINDOWS_CROWDED);
	assert_int_equal(enter(w, 2, 2), WINDOWS_TAKEN);
	leave(w, 1);
	assert_int_equal(enter(w, 1, 2), WINDOWS_TAKEN);
	assert_int_equal(enter(w, 1, 2), WINDOWS_CROWDED);
	windows_free(&w);
}

static void one_place_that_is_missing_takes_none(void **state)
{
	struct windows *w = windows_new(STR_NONE, BOOT);
	struct place_ask places[] = { { key_of(1), 2 }, { key_of(2), 1 } };
	struct window_ask one = window(3, 9, 60000);
	struct windows_ask ask = {
		.windows = &one, .window_count = 1, .places = places, .place_count = 2
	};
	struct windows_answer a;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(enter(w, 2, 1), WINDOWS_TAKEN);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(windows_take(w, &ask, START_MS, &a, &err), WINDOWS_CROWDED);
		assert_int_equal(a.index, 1);
	}
	leave(w, 2);
	assert_int_equal(windows_take(w, &ask, START_MS, &a, &err), WINDOWS_TAKEN);
	assert_int_equal(a.left, 8);
	assert_int_equal(enter(w, 1, 2), WINDOWS_TAKEN);
	assert_int_equal(enter(w, 1, 2), WINDOWS_CROWDED);
	windows_free(&w);
}

/* --- the file --- */

static void a_restart_grants_nothing(void **state)
{
	struct windows *w = windows_new(file(), BOOT);
	struct window_ask ask = window(1, 3, 60000);
	struct windows_answer a;
	struct stat st;

	(void)state;
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(take(w, ask, START_MS, &a), WINDOWS_TAKEN);
	assert_int_equal(enter(w, 5, 1), WINDOWS_TAKEN);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	windows_free(&w);
	w = windows_new(file(), BOOT);
	assert_int_equal(take(w, ask, START_MS + 10, &a), WINDOWS_TAKEN);
	assert_int_equal(a.left, 1);
	assert_int_equal(enter(w, 5, 1), WINDOWS_TAKEN); /* who was inside is no more */
	windows_free(&w);
}

static void a_restart_of_the_host_counts_everything_as_just_happened(void **state)
{
	struct windows *w = windows_new(file(), BOOT);
	struct window_ask ask = window(1, 2, 60000), old = window(2, 1, 1000);
	struct windows_answer a;

	(void)state;
	assert_int_equal(take(w, old, START_MS, &a), WINDOWS_TAKEN);
	assert_int_equal(take(w, ask, START_MS + 30000, &a), WINDOWS_TAKEN);
	assert_int_equal(take(w, ask, START_MS + 60000, &a), WINDOWS_TAKEN);
	windows_free(&w);
	w = windows_new(file(), S("another boot"));
	assert_int_equal(take(w, ask, 4000, &a), WINDOWS_FULL);
	assert_true(a.wait_ms >= 60000 && a.wait_ms <= 61000);
	assert_int_equal(take(w, old, 4000, &a), WINDOWS_TAKEN);
	assert_int_equal(take(w, ask, 4000 + 61000, &a), WINDOWS_TAKEN);
	windows_free(&w);
}

static void two_that_share_a_file_share_its_windows(void **state)
{
	struct windows *one = windows_new(file(), BOOT), *two = windows_new(file(), BOOT);
	struct window_ask ask = window(1, 4, 60000);
	struct windows_answer a;

	(void)state;
	assert_int_equal(take(one, ask, START_MS, &a), WINDOWS_TAKEN);
	assert_int_equal(take(two, ask, START_MS, &a), WINDOWS_TAKEN);
	assert_int_equal(a.left, 2);
	assert_int_equal(enter(one, 7, 1), WINDOWS_TAKEN);
	assert_int_equal(enter(two, 7, 1), WINDOWS_CROWDED);
	leave(one, 7);
	assert_int_equal(enter(two, 7, 1), WINDOWS_TAKEN);
	assert_int_equal(enter(one, 7, 1), WINDOWS_CROWDED);
	windows_free(&two); /* it leaves nothing behind */
	assert_int_equal(enter(one, 7, 1), WINDOWS_TAKEN);
	windows_free(&one);
}

static void unavailable(struct windows *w, uint64_t at_ms, const char *says)
{
	struct window_ask one = window(1, 4, 60000);
	struct windows_ask ask = { .windows = &one, .window_count = 1 };
	struct windows_answer a;
	struct err err = { 0 };

	assert_int_equal(windows_take(w, &ask, at_ms, &a, &err), WINDOWS_UNAVAILABLE);
	if (!strstr(err.text, says))
		fail_msg("'%s' does not say '%s'", err.text, says);
}

static void a_file_that_goes_away_is_unavailable_until_it_is_back(void **state)
{
	struct windows *w = windows_new(file(), BOOT);
	struct windows_answer a;
	char away[128];

	(void)state;
	snprintf(away, sizeof away, "%s.away", path);
	assert_int_equal(take(w, window(1, 4, 60000), START_MS, &a), WINDOWS_TAKEN);
	assert_int_equal(rename(path, away), 0);
	unavailable(w, START_MS + 2000, "removed");
	unavailable(w, START_MS + 2001, "removed");
	assert_int_equal(rename(away, path), 0);
	assert_int_equal(take(w, window(1, 4, 60000), START_MS + 4000, &a), WINDOWS_TAKEN);
	assert_int_equal(a.left, 2);
	windows_free(&w);
}

/* Also to nothing, and back to its size: what is there then are zeros, and no counts. */
static void a_file_cut_short_under_us_is_unavailable_and_nobody_dies(void **state)
{
	static const struct {
		off_t cut;
		bool grown;
	} cases[] = { { 0, false }, { 0, true }, { 4096, false }, { 4096, true } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct windows *w = windows_new(file(), BOOT), *other = windows_new(file(), BOOT);
		struct windows_usage usage;
		struct windows_answer a;
		struct stat st;

		assert_int_equal(take(w, window(1, 4, 60000), START_MS, &a), WINDOWS_TAKEN);
		assert_int_equal(take(other, window(1, 4, 60000), START_MS, &a), WINDOWS_TAKEN);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(truncate(path, cases[i].cut), 0);
		if (cases[i].grown)
			assert_int_equal(truncate(path, st.st_size), 0);
		if (!cases[i].grown || !cases[i].cut) {
			unavailable(w, START_MS + 10, "cut");
			assert_false(windows_usage(w, START_MS + 10, &usage));
			unavailable(w, START_MS + 20, "cut");
			unavailable(other, START_MS + 5000, "cut");
		}
		windows_free(&other);
		windows_free(&w);
		unlink(path);
	}
}

static void write_file(const char *bytes, size_t n, off_t size, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), n);
	assert_int_equal(ftruncate(fd, size), 0);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static off_t size_of_file(void)
{
	struct windows *w = windows_new(file(), BOOT);
	struct windows_answer a;
	struct stat st;

	assert_int_equal(take(w, window(1, 4, 60000), START_MS, &a), WINDOWS_TAKEN);
	assert_int_equal(stat(path, &st), 0);
	windows_free(&w);
	return st.st_size;
}

static void a_file_that_is_not_ours_is_refused_and_left_as_it_is(void **state)
{
	off_t whole = size_of_file();
	const struct {
		const char *bytes, *says;
		off_t size;
		mode_t mode;
	} cases[] = {
		{ "somebody's diary", "form", 16, 0600 },
		{ "somebody's diary", "not a file of limits", whole, 0600 },
		{ "", "form", whole - 4096, 0600 },
		{ "", "access", whole, 0644 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct windows *w = windows_new(file(), BOOT);
		struct stat st;
		char first[16] = "";
		int fd;

		write_file(cases[i].bytes, strlen(cases[i].bytes), cases[i].size, cases[i].mode);
		unavailable(w, START_MS, cases[i].says);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_size, cases[i].size);
		fd = open(path, O_RDONLY);
		assert_true(read(fd, first, sizeof first) >= 0);
		assert_memory_equal(first, cases[i].bytes, strlen(cases[i].bytes));
		close(fd);
		unlink(path);
		struct windows_answer a;
		/* asked again within a second it remembers, later it looks again */
		unavailable(w, START_MS + 10, cases[i].says);
		assert_int_equal(take(w, window(1, 4, 60000), START_MS + 1010, &a), WINDOWS_TAKEN);
		windows_free(&w);
		unlink(path);
	}
}

static void a_file_whose_making_was_cut_short_is_made_again(void **state)
{
	off_t whole = size_of_file();
	struct windows *w = windows_new(file(), BOOT);
	struct windows_answer a;

	(void)state;
	write_file("", 0, whole, 0600);
	assert_int_equal(take(w, window(1, 4, 60000), START_MS, &a), WINDOWS_TAKEN);
	assert_int_equal(a.left, 3);
	windows_free(&w);
}

/* --- many at once --- */

#define RACERS 8
#define RACE_MOST 5000

static void *race(void *ctx)
{
	struct windows *w = ctx;
	intptr_t passed = 0;

	for (int i = 0; i < RACE_MOST / 4; i++) {
		struct windows_answer a;
		struct place_ask place = { .key = key_of(77), .most = RACERS };
		struct window_ask one = window(1, RACE_MOST, 3600000);
		struct windows_ask ask = {
			.windows = &one, .window_count = 1, .places = &place, .place_count = 1
		};
		struct err err = { 0 };
		enum windows_verdict v = windows_take(w, &ask, START_MS, &a, &err);

		if (v != WINDOWS_TAKEN)
			continue;
		windows_leave(w, &place, 1);
		passed++;
	}
	return (void *)passed;
}

static void threads_together_get_n(void **state)
{
	struct windows *w = windows_new(file(), BOOT);
	pthread_t threads[RACERS];
	intptr_t passed = 0;

	(void)state;
	for (int i = 0; i < RACERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, race, w), 0);
	for (int i = 0; i < RACERS; i++) {
		void *got;

		pthread_join(threads[i], &got);
		passed += (intptr_t)got;
	}
	assert_int_equal(passed, RACE_MOST);
	windows_free(&w);
}

/* Shared by the processes of a test: what each has passed, counted after it was told so. */
struct tally {
	_Atomic uint64_t passed, inside, most_inside;
};

static no_return void hammer(struct tally *tally)
{
	struct windows *w = windows_new(file(), BOOT);

	for (;;) {
		struct place_ask place = { .key = key_of(77), .most = 2 };
		struct window_ask one = window(1, 1000000, 3600000);
		struct windows_ask ask = {
			.windows = &one, .window_count = 1, .places = &place, .place_count = 1
		};
		struct windows_answer a;
		struct err err = { 0 };

		if (windows_take(w, &ask, START_MS, &a, &err) != WINDOWS_TAKEN)
			continue;
		tally->passed++;
		windows_leave(w, &place, 1);
	}
}

static pid_t start_hammer(struct tally *tally)
{
	pid_t child = fork();

	assert_true(child >= 0);
	if (!child)
		hammer(tally);
	return child;
}

static void wait_for(struct tally *tally, uint64_t passed)
{
	uint64_t until_ms = clock_mono_ms() + 30000;

	while (tally->passed < passed) {
		assert_true(clock_mono_ms() < until_ms);
		usleep(200);
	}
}

/* Killed wherever they are: the lock goes on to the next, what passed is counted, and places of the
 * dead come back. */
static void processes_that_are_killed_in_the_middle_cost_nothing(void **state)
{
	struct tally *tally = mmap(
		NULL, sizeof *tally, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct windows *w;
	struct windows_answer a;
	uint64_t counted;
	const int rounds = 20;
	pid_t steady;

	(void)state;
	assert_true(tally != MAP_FAILED);
	steady = start_hammer(tally);
	for (int i = 0; i < rounds; i++) {
		pid_t child = start_hammer(tally);

		wait_for(tally, tally->passed + 50 + (uint64_t)i);
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, NULL, 0), child);
	}
	wait_for(tally, tally->passed + 100); /* it goes on alone */
	kill(steady, SIGKILL);
	assert_int_equal(waitpid(steady, NULL, 0), steady);
	w = windows_new(file(), BOOT);
	assert_int_equal(take(w, window(1, 1000000, 3600000), START_MS, &a), WINDOWS_TAKEN);
	counted = 1000000 - a.left - 1;
	assert_true(counted >= tally->passed); /* one of each may have been counted and not told */
	assert_true(counted <= tally->passed + (uint64_t)rounds + 1);
	assert_int_equal(enter(w, 77, 2), WINDOWS_TAKEN);
	assert_int_equal(enter(w, 77, 2), WINDOWS_TAKEN);
	assert_int_equal(enter(w, 77, 2), WINDOWS_CROWDED);
	windows_free(&w);
	munmap(tally, sizeof *tally);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(n_pass_and_one_more_does_not),
		cmocka_unit_test(the_table_says_how_full_it_is),
		cmocka_unit_test(who_waits_as_long_as_told_is_served),
		cmocka_unit_test(no_window_ever_holds_more_than_n_and_n_pass),
		cmocka_unit_test(calls_of_different_cost_share_a_window),
		cmocka_unit_test(a_refused_call_takes_nothing_of_any_window),
		cmocka_unit_test(the_longest_wait_is_told),
		cmocka_unit_test(looking_takes_nothing),
		cmocka_unit_test(a_clock_that_steps_back_grants_nothing),
		cmocka_unit_test(callers_in_their_thousands_are_kept_apart_until_the_table_is_full),
		cmocka_unit_test(places_are_counted_and_come_back),
		cmocka_unit_test(one_place_that_is_missing_takes_none),
		cmocka_unit_test_setup_teardown(a_restart_grants_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_restart_of_the_host_counts_everything_as_just_happened, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			two_that_share_a_file_share_its_windows, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_file_that_goes_away_is_unavailable_until_it_is_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_file_that_is_not_ours_is_refused_and_left_as_it_is, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_file_cut_short_under_us_is_unavailable_and_nobody_dies, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			a_file_whose_making_was_cut_short_is_made_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(threads_together_get_n, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			processes_that_are_killed_in_the_middle_cost_nothing, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
