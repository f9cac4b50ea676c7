/* The cache with a fetch of the tests' own: what it gives out, when it asks again, what it tells.
 */
#include "identity/jwks_cache.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/clock.h"
#include "identity/jwt_fixture.h"

#define SETS 4
#define WAIT_MS 10000

static struct arena arena;
static struct test_key keys[SETS];
static struct str sets[SETS];

/* What the issuer answers. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int answer; /* index of a set, -1: down */
static unsigned fetches;
static unsigned heard[4];
static bool hold_fetches;

static bool fetch(
	const struct jwks_place *place, const atomic_bool *stop, struct buf *out, struct err *err)
{
	int now;

	(void)place;
	pthread_mutex_lock(&lock);
	fetches++;
	pthread_cond_broadcast(&changed);
	while (hold_fetches && !atomic_load(stop))
		pthread_cond_wait(&changed, &lock);
	now = answer;
	pthread_mutex_unlock(&lock);
	if (now < 0)
		return err_set(err, E_UNAVAILABLE, "the issuer is down");
	buf_add(out, sets[now]);
	return true;
}

static void hear(void *ctx, const struct jwks_news *news)
{
	(void)ctx;
	pthread_mutex_lock(&lock);
	heard[news->event]++;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static void set_answer(int to)
{
	pthread_mutex_lock(&lock);
	answer = to;
	pthread_mutex_unlock(&lock);
}

/* Until *counter is at least `least`. */
static void await(const unsigned *counter, unsigned least)
{
	struct timespec end;
	int failed = 0;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += WAIT_MS / 1000;
	pthread_mutex_lock(&lock);
	while (*counter < least && !failed)
		failed = pthread_cond_timedwait(&changed, &lock, &end);
	pthread_mutex_unlock(&lock);
	assert_int_equal(failed, 0);
}

static struct jwt_config issuer = {
	.issuer = STR_INIT("https://id.example"),
	.jwks = STR_INIT("https://id.example/keys"),
	.algorithms = JWT_ES256,
	.max_age_ms = 3600000,
	.max_stale_ms = 7200000,
};

/* As if the machine had slept for so long since the tests began. */
static _Atomic uint64_t slept_ms;

static uint64_t boot_ms(void)
{
	return clock_mono_ms() + slept_ms;
}

static struct jwks_cache *cache_of(int first)
{
	answer = first;
	slept_ms = 0;
	fetches = 0;
	hold_fetches = false;
	memset(heard, 0, sizeof heard);
	return jwks_cache_new(&(struct jwks_cache_config){ .fetch = fetch, .boot_ms = boot_ms });
}

static bool has(const struct jwks *set, size_t key)
{
	return jwks_find(set, str_c(keys[key].kid), JWT_ES256) != NULL;
}

static void the_first_set_is_waited_for_and_then_given_to_all(void **state)
{
	struct jwks_cache *c = cache_of(0);
	struct jwks_source *s = jwks_cache_use(c, &issuer), *same = jwks_cache_use(c, &issuer);
	struct jwks *set, *again;
	struct err err;

	(void)state;
	assert_ptr_equal(s, same);
	assert_null(jwks_source_hold(s, boot_ms()));
	assert_true(jwks_source_ready(s, &set, &err));
	assert_true(has(set, 0));
	again = jwks_source_hold(s, boot_ms());
	assert_ptr_equal(again, set);
	jwks_drop(again);
	jwks_drop(set);
	jwks_source_drop(s);
	jwks_source_drop(same);
	jwks_cache_free(&c);
	assert_null(c);
}

static void a_place_without_keys_says_why(void **state)
{
	struct jwks_cache *c = cache_of(-1);
	struct jwks_source *s = jwks_cache_use(c, &issuer);
	struct jwks *set;
	struct err err;

	(void)state;
	assert_false(jwks_source_ready(s, &set, &err));
	assert_string_equal(err.text, "the issuer is down");
	assert_null(jwks_source_hold(s, boot_ms()));
	jwks_source_drop(s);
	jwks_cache_free(&c);
}

static void an_unknown_key_makes_it_ask_once_in_half_a_minute(void **state)
{
	struct jwks_cache *c = cache_of(0);
	struct jwks_source *s = jwks_cache_use(c, &issuer);
	uint64_t now = boot_ms();
	struct jwks *set;
	struct err err;

	(void)state;
	assert_true(jwks_source_ready(s, &set, &err));
	set_answer(1);
	assert_int_equal(jwks_source_refresh(s, &set, now), JWKS_NEWER);
	assert_true(has(set, 1) && !has(set, 0));
	set_answer(2);
	for (uint64_t later = 0; later < JWKS_UNKNOWN_MS; later += 1000)
		assert_int_equal(jwks_source_refresh(s, &set, now + later), JWKS_SAME);
	assert_int_equal(fetches, 2);
	assert_int_equal(jwks_source_refresh(s, &set, now + JWKS_UNKNOWN_MS), JWKS_NEWER);
	assert_true(has(set, 2));
	set_answer(-1);
	assert_int_equal(jwks_source_refresh(s, &set, now + 2 * JWKS_UNKNOWN_MS), JWKS_SAME);
	assert_true(has(set, 2));
	jwks_drop(set);
	jwks_source_drop(s);
	jwks_cache_free(&c);
}

static void a_set_is_given_up_when_it_is_stale(void **state)
{
	struct jwks_cache *c = cache_of(0);
	struct jwks_source *s = jwks_cache_use(c, &issuer);
	uint64_t before = boot_ms(), after;
	struct jwks *set, *old;
	struct err err;

	(void)state;
	assert_true(jwks_source_ready(s, &set, &err));
	after = boot_ms();
	old = jwks_source_hold(s, before + issuer.max_stale_ms - 1);
	assert_ptr_equal(old, set);
	jwks_drop(old);
	assert_null(jwks_source_hold(s, after + issuer.max_stale_ms));
	jwks_drop(set);
	jwks_source_drop(s);
	jwks_cache_free(&c);
}

static void changes_failures_and_the_end_are_told_once_each(void **state)
{
	struct jwt_config quick = issuer;
	struct jwks_cache *c = cache_of(0);
	struct jwks_source *s;
	struct jwks *set;
	struct err err;

	(void)state;
	quick.max_age_ms = 100;
	quick.max_stale_ms = 400;
	s = jwks_cache_use(c, &quick);
	assert_true(jwks_source_ready(s, &set, &err));
	jwks_drop(set);
	jwks_cache_listen(c, hear, NULL);
	await(&heard[JWKS_CHANGED], 1);
	set_answer(1);
	await(&heard[JWKS_CHANGED], 2);
	set_answer(-1);
	await(&heard[JWKS_STALE], 1);
	assert_int_equal(heard[JWKS_FAILING], 1);
	set_answer(1);
	await(&heard[JWKS_RECOVERED], 1);
	assert_int_equal(heard[JWKS_CHANGED], 2); /* the same keys as before */
	jwks_source_drop(s);
	jwks_cache_free(&c);
	assert_int_equal(heard[JWKS_STALE], 1);
}

static void a_machine_that_slept_asks_again_before_it_believes(void **state)
{
	struct jwks_cache *c = cache_of(0);
	struct jwks_source *s = jwks_cache_use(c, &issuer);
	struct jwks *set;
	struct err err;

	(void)state;
	assert_true(jwks_source_ready(s, &set, &err));
	jwks_drop(set);
	set_answer(1);
	slept_ms = issuer.max_stale_ms + 1000;
	assert_null(jwks_source_hold(s, boot_ms())); /* and asks for a fresh one */
	await(&fetches, 2);
	for (set = NULL; !set;) /* it is read yet */
		set = jwks_source_hold(s, boot_ms());
	assert_true(has(set, 1));
	jwks_drop(set);
	jwks_source_drop(s);
	jwks_cache_free(&c);
}

#define CALLS 24u
#define MAY_WAIT 4u

struct waiter {
	pthread_t thread;
	struct jwks_source *source;
};

static unsigned newer, same, crowded; /* under lock */

static void *wait_for_newer(void *ctx)
{
	const struct waiter *w = ctx;
	struct jwks *set = jwks_source_hold(w->source, boot_ms());
	enum jwks_refresh result = jwks_source_refresh(w->source, &set, boot_ms());

	jwks_drop(set);
	pthread_mutex_lock(&lock);
	newer += result == JWKS_NEWER;
	same += result == JWKS_SAME;
	crowded += result == JWKS_CROWDED;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	return NULL;
}

/* Two issuers, one of which hangs: whoever may not wait is answered meanwhile. */
static void calls_that_wait_are_bounded_for_all_issuers_together(void **state)
{
	struct jwt_config other = issuer;
	struct waiter waiters[CALLS];
	struct jwks_cache *c = cache_of(0);
	struct jwks_source *sources[2];
	struct jwks *set;
	struct err err;

	(void)state;
	newer = same = crowded = 0;
	other.issuer = S("https://other.example");
	sources[0] = jwks_cache_use(c, &issuer);
	sources[1] = jwks_cache_use(c, &other);
	jwks_cache_let_wait(c, MAY_WAIT);
	for (size_t i = 0; i < 2; i++) {
		assert_true(jwks_source_ready(sources[i], &set, &err));
		jwks_drop(set);
	}
	pthread_mutex_lock(&lock);
	hold_fetches = true;
	answer = 1;
	pthread_mutex_unlock(&lock);
	for (size_t i = 0; i < CALLS; i++) {
		waiters[i].source = sources[i % 2];
		assert_int_equal(
			pthread_create(&waiters[i].thread, NULL, wait_for_newer, &waiters[i]), 0);
	}
	await(&crowded, CALLS - MAY_WAIT);
	pthread_mutex_lock(&lock);
	assert_int_equal(newer + same + crowded, CALLS - MAY_WAIT);
	hold_fetches = false;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	for (size_t i = 0; i < CALLS; i++)
		pthread_join(waiters[i].thread, NULL);
	assert_int_equal(newer, MAY_WAIT);
	assert_int_equal(fetches, 4); /* one for each, however many ask */
	jwks_source_drop(sources[0]);
	jwks_source_drop(sources[1]);
	jwks_cache_free(&c);
}

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, (size_t)16 << 20);
	for (size_t i = 0; i < SETS; i++) {
		keys[i] =
			test_key_make(JWT_ES256, arena_cstr(&arena, arena_fmt(&arena, "k%zu", i)));
		sets[i] = test_jwks(&arena, &keys[i], 1);
	}
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < SETS; i++)
		EVP_PKEY_free(keys[i].key);
	arena_done(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_set_is_waited_for_and_then_given_to_all),
		cmocka_unit_test(a_place_without_keys_says_why),
		cmocka_unit_test(an_unknown_key_makes_it_ask_once_in_half_a_minute),
		cmocka_unit_test(a_set_is_given_up_when_it_is_stale),
		cmocka_unit_test(changes_failures_and_the_end_are_told_once_each),
		cmocka_unit_test(a_machine_that_slept_asks_again_before_it_believes),
		cmocka_unit_test(calls_that_wait_are_bounded_for_all_issuers_together),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
