/* Who is told what, who is turned away, and every end a stream can have, also all at once. */
#define CROWD_LANES 3
#define CROWD_ROUNDS 300
#include "serve/crowd_fixture.h"
#include "serve/hub.h"

static struct sessions *sessions;
static struct hub *hub;

static int set_up(void **state)
{
	(void)state;
	sessions = sessions_new();
	hub = hub_new(sessions, 6, 3);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	if (hub)
		hub_free(&hub);
	sessions_free(&sessions);
	return 0;
}

static struct hub_listener legacy(const char *nonce)
{
	return (struct hub_listener){
		.owner.binding = { { 1 } }, .owner.credential = S("key1"), .nonce = str_c(nonce)
	};
}

static struct hub_listener modern(const char *id, struct mcp_filter filter)
{
	return (struct hub_listener){ .owner.binding = { { 2 } },
		.owner.credential = S("key2"),
		.modern = true,
		.filter = filter,
		.subscription = str_c(id),
		.end_message = S("END") };
}

static enum hub_verdict add(struct client *c, struct hub_listener l, const char *first)
{
	struct fake_exchange x = exchange_of(c);

	return hub_add(hub, &l, &x.x, str_c(first));
}

static unsigned told(const struct client *c, const char *what)
{
	unsigned count = 0;

	for (const char *at = c->text; (at = strstr(at, what)); at++)
		count++;
	return count;
}

static void each_listener_is_told_what_it_asked_for(void **state)
{
	static const struct str uris[] = { STR_INIT("a://1"), STR_INIT("a://2") };
	struct client tools, both, uri, old;

	(void)state;
	client_init(&tools);
	client_init(&both);
	client_init(&uri);
	client_init(&old);
	assert_int_equal(
		add(&tools, modern("1", (struct mcp_filter){ .tools = true }), "A"), HUB_OK);
	assert_int_equal(
		add(&both,
			modern("\"x\"", (struct mcp_filter){ .resources = true, .prompts = true }),
			"B"),
		HUB_OK);
	assert_int_equal(
		add(&uri, modern("3", (struct mcp_filter){ .uris = uris, .uri_count = 2 }), ""),
		HUB_OK);
	assert_int_equal(add(&old, legacy("n1"), ""), HUB_OK);
	assert_true(sessions_subscribe(sessions, &(struct sha256){ { 1 } }, S("n1"), S("a://2")));
	hub_changed(hub, S("tools"));
	hub_changed(hub, S("prompts"));
	hub_changed(hub, S("resources"));
	hub_updated(hub, S("a://1"));
	hub_updated(hub, S("a://2"));
	hub_updated(hub, S("a://3"));
	assert_int_equal(tools.sent, 2);
	assert_int_equal(told(&tools, "notifications/tools/list_changed"), 1);
	assert_int_equal(both.sent, 3);
	assert_int_equal(told(&both, "notifications/prompts/list_changed"), 1);
	assert_int_equal(told(&both, "notifications/resources/list_changed"), 1);
	assert_int_equal(uri.sent, 2);
	assert_int_equal(told(&uri, "\"a://1\""), 1);
	assert_int_equal(told(&uri, "\"a://2\""), 1);
	assert_int_equal(old.sent, 4);
	assert_int_equal(told(&old, "list_changed"), 3);
	assert_int_equal(told(&old, "\"a://2\""), 1);
	assert_int_equal(told(&old, "\"a://1\""), 0);
	hub_end_all(hub);
	assert_released(&tools);
	assert_released(&both);
	assert_released(&uri);
	assert_released(&old);
}

static void the_first_message_comes_before_any_other(void **state)
{
	struct client c;

	(void)state;
	client_init(&c);
	add(&c, modern("1", (struct mcp_filter){ .tools = true }), "FIRST");
	hub_changed(hub, S("tools"));
	assert_true(strncmp(c.text, "+FIRST+{", 8) == 0);
	hub_end_all(hub);
	assert_released(&c);
}

static void places_are_bounded_in_all_and_for_each_principal(void **state)
{
	static const char *const ids[] = { "1", "2", "3", "4", "5", "6", "7" };
	struct client c[7];

	(void)state;
	for (size_t i = 0; i < 7; i++) {
		struct hub_listener l = modern(ids[i], (struct mcp_filter){ 0 });

		client_init(&c[i]);
		l.owner.binding.b[0] = i < 4 ? 1 : 2;
		assert_int_equal(add(&c[i], l, ""), i == 3 ? HUB_FULL : HUB_OK);
	}
	for (size_t i = 0; i < 3; i++) {
		struct client late;
		struct hub_listener l = modern("8", (struct mcp_filter){ 0 });

		client_init(&late);
		l.owner.binding.b[0] = 9;
		assert_int_equal(add(&late, l, "A"), HUB_FULL);
		assert_client(&late, "");
		assert_released(&late);
	}
	client_leave(&c[0]);
	{
		struct hub_listener l = modern("9", (struct mcp_filter){ 0 });

		client_init(&c[3]);
		l.owner.binding.b[0] = 9;
		assert_int_equal(add(&c[3], l, ""), HUB_OK);
	}
	hub_free(&hub);
	for (size_t i = 0; i < 7; i++)
		assert_released(&c[i]);
}

static void a_session_has_one_stream_and_may_open_it_again(void **state)
{
	struct client first, second, third;

	(void)state;
	client_init(&first);
	client_init(&second);
	client_init(&third);
	assert_int_equal(add(&first, legacy("n1"), ""), HUB_OK);
	assert_int_equal(add(&second, legacy("n1"), ""), HUB_TAKEN);
	client_leave(&first);
	assert_int_equal(add(&third, legacy("n1"), ""), HUB_OK);
	hub_end_session(hub, S("n2"));
	assert_int_equal(third.replies, 0);
	hub_end_session(hub, S("n1"));
	assert_int_equal(third.replies, 1);
	assert_released(&first);
	assert_released(&second);
	assert_released(&third);
}

static void what_is_too_large_to_keep_is_turned_away(void **state)
{
	static char text[200 << 10];
	struct str uri = str_n(text, sizeof text);
	struct client c;

	(void)state;
	memset(text, 'u', sizeof text);
	client_init(&c);
	assert_int_equal(
		add(&c, modern("1", (struct mcp_filter){ .uris = &uri, .uri_count = 1 }), "A"),
		HUB_FULL);
	assert_client(&c, "");
	assert_released(&c);
}

static void every_end_has_its_last_word(void **state)
{
	struct client http, pipe, pipe_left, old;
	struct hub_listener on_pipe = modern("7", (struct mcp_filter){ 0 });

	(void)state;
	client_init(&http);
	client_init(&pipe);
	client_init(&pipe_left);
	client_init(&old);
	on_pipe.scope = S("stdio");
	add(&http, modern("7", (struct mcp_filter){ 0 }), "");
	add(&pipe, on_pipe, "");
	on_pipe.subscription = S("8");
	add(&pipe_left, on_pipe, "");
	add(&old, legacy("n1"), "");
	hub_cancel(hub, S("stdio"), S("7"));
	assert_client(&pipe, "="); /* cancelled: no answer, but an end */
	assert_client(&http, "");
	assert_client(&pipe_left, "");
	hub_free(&hub);
	assert_client(&http, "=END");
	assert_client(&pipe_left, "=END");
	assert_client(&old, "=");
	assert_released(&http);
	assert_released(&pipe);
	assert_released(&pipe_left);
	assert_released(&old);
}

static bool is_not_key2(void *ctx, const struct hub_owner *owner)
{
	(*(unsigned *)ctx)++;
	return !str_eq(owner->credential, S("key2"));
}

static void a_credential_that_is_not_good_any_more_loses_its_streams(void **state)
{
	struct client a, b, kept;
	unsigned asked = 0;

	(void)state;
	client_init(&a);
	client_init(&b);
	client_init(&kept);
	add(&a, modern("1", (struct mcp_filter){ 0 }), "");
	add(&b, modern("2", (struct mcp_filter){ 0 }), "");
	add(&kept, legacy("n1"), "");
	hub_review(hub, is_not_key2, &asked);
	assert_int_equal(asked, 2);
	assert_int_equal(a.replies, 1);
	assert_int_equal(b.replies, 1);
	assert_int_equal(kept.replies, 0);
	hub_end_all(hub);
	assert_released(&a);
	assert_released(&b);
	assert_released(&kept);
}

static bool is_in_time(void *ctx, const struct hub_owner *owner)
{
	return !owner->expires_us || *(int64_t *)ctx < owner->expires_us;
}

/* One principal with one credential's name, but two tokens: each stream ends with its own. */
static void a_stream_ends_with_the_token_it_was_opened_with(void **state)
{
	static const struct {
		int64_t now_us;
		unsigned early, late, never;
	} table[] = { { 9, 0, 0, 0 }, { 10, 1, 0, 0 }, { 19, 1, 0, 0 }, { 20, 1, 1, 0 } };
	static const int64_t expires_us[] = { 10, 20, 0 };
	struct client c[3];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct hub_listener l = modern("1", (struct mcp_filter){ 0 });

		client_init(&c[i]);
		l.owner.kind = CREDENTIAL_JWT;
		l.owner.expires_us = expires_us[i];
		assert_int_equal(add(&c[i], l, ""), HUB_OK);
	}
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		int64_t now_us = table[i].now_us;

		hub_review(hub, is_in_time, &now_us);
		assert_int_equal(c[0].replies, table[i].early);
		assert_int_equal(c[1].replies, table[i].late);
		assert_int_equal(c[2].replies, table[i].never);
	}
	assert_client(&c[0], "=END");
	hub_end_all(hub);
	for (size_t i = 0; i < 3; i++)
		assert_released(&c[i]);
}

static void an_owner_is_all_that_its_principal_says(void **state)
{
	const struct principal who = { .subject = S("ada"),
		.tenant = S("acme"),
		.agent = S("desk"),
		.issuer = S("https://issuer.example"),
		.credential_kind = CREDENTIAL_JWT,
		.credential = S("jwt:1"),
		.expires_us = 7,
		.binding = { { 3 } } };
	struct hub_owner owner = hub_owner_of(&who);

	(void)state;
	assert_true(str_eq(owner.subject, S("ada")) && str_eq(owner.tenant, S("acme")));
	assert_true(str_eq(owner.agent, S("desk")) && str_eq(owner.credential, S("jwt:1")));
	assert_true(str_eq(owner.issuer, S("https://issuer.example")));
	assert_true(owner.kind == CREDENTIAL_JWT && owner.expires_us == 7);
	assert_true(sha256_eq(&owner.binding, &who.binding));
}

static void a_client_that_is_gone_or_cannot_wait_leaves_no_place_taken(void **state)
{
	struct client gone, odd, next;

	(void)state;
	client_init(&gone);
	client_init(&odd);
	client_init(&next);
	gone.gone = true;
	odd.cannot_park = true;
	assert_int_equal(add(&gone, legacy("n1"), ""), HUB_OK);
	assert_int_equal(add(&odd, legacy("n1"), ""), HUB_OK);
	assert_int_equal(add(&next, legacy("n1"), ""), HUB_OK);
	hub_end_all(hub);
	assert_released(&gone);
	assert_released(&odd);
	assert_released(&next);
}

static void end_the_session(struct client *c)
{
	(void)c;
	hub_end_session(hub, S("n1"));
	hub_changed(hub, S("tools"));
}

/* The session is deleted while its stream is being opened. */
static void a_stream_that_is_ended_while_it_is_parked_does_not_stay(void **state)
{
	struct client c, next;

	(void)state;
	client_init(&c);
	client_init(&next);
	c.while_parking = end_the_session;
	assert_int_equal(add(&c, legacy("n1"), ""), HUB_OK);
	assert_int_equal(c.replies, 1);
	assert_int_equal(add(&next, legacy("n1"), ""), HUB_OK);
	hub_end_all(hub);
	assert_released(&c);
	assert_released(&next);
}

/* What is kept of them together is more than a call may use: 64 MiB. */
#define LARGE_OWNERS 700
#define LARGE_OWNER ((size_t)100000)

static bool is_even(void *ctx, const struct hub_owner *owner)
{
	(*(unsigned *)ctx)++;
	return owner->expires_us % 2 == 0;
}

static void owners_whose_names_are_large_are_judged_one_after_the_other(void **state)
{
	char *name = test_malloc(LARGE_OWNER);
	struct hub *large = hub_new(sessions, LARGE_OWNERS, LARGE_OWNERS);
	unsigned asked = 0;
	struct client c;

	(void)state;
	client_init(&c);
	memset(name, 'n', LARGE_OWNER);
	for (unsigned i = 0; i < LARGE_OWNERS; i++) {
		struct hub_listener l = modern("1", (struct mcp_filter){ 0 });
		struct fake_exchange x = exchange_of(&c);

		l.owner.subject = str_n(name, LARGE_OWNER);
		l.owner.expires_us = i;
		assert_int_equal(hub_add(large, &l, &x.x, STR_NONE), HUB_OK);
	}
	hub_review(large, is_even, &asked);
	assert_int_equal(asked, LARGE_OWNERS);
	assert_int_equal(hub_count(large), LARGE_OWNERS / 2);
	hub_free(&large);
	assert_int_equal(c.freed, LARGE_OWNERS);
	pthread_mutex_destroy(&c.lock);
	test_free(name);
}

#define LARGE_LISTENERS 2500
#define LARGE_ID 12000

static void everybody_is_told_whatever_room_the_letters_take_together(void **state)
{
	static char id[LARGE_ID + 1];
	struct hub *large = hub_new(sessions, LARGE_LISTENERS, LARGE_LISTENERS);
	struct client c;

	(void)state;
	client_init(&c);
	memset(id, '7', LARGE_ID);
	for (unsigned i = 0; i < LARGE_LISTENERS; i++) {
		struct hub_listener l = modern(id, (struct mcp_filter){ .tools = true });
		struct fake_exchange x = exchange_of(&c);

		assert_int_equal(hub_add(large, &l, &x.x, STR_NONE), HUB_OK);
	}
	hub_changed(large, S("tools"));
	assert_int_equal(c.sent, LARGE_LISTENERS);
	hub_free(&large);
	assert_int_equal(c.freed, LARGE_LISTENERS);
	pthread_mutex_destroy(&c.lock);
}

static void come(struct client *c, unsigned i)
{
	char nonce[16];

	snprintf(nonce, sizeof nonce, "n%u", i % 7);
	add(c, i % 2 ? legacy(nonce) : modern("1", (struct mcp_filter){ .tools = true }), "A");
}

static void *open_many(void *lane)
{
	crowd_come((unsigned)(uintptr_t)lane, come);
	return NULL;
}

static bool two_of_three(unsigned i)
{
	return i % 3 > 0;
}

static void *leave_many(void *arg)
{
	(void)arg;
	crowd_leave(two_of_three);
	return NULL;
}

static void *tell_many(void *arg)
{
	unsigned asked = 0;

	for (unsigned i = 0; atomic_load(&busy); i++) {
		hub_changed(hub, S("tools"));
		hub_updated(hub, S("a://1"));
		if (arg && i % 8 == 0)
			hub_end_session(hub, S("n1"));
		if (arg && i % 32 == 0)
			hub_review(hub, is_not_key2, &asked);
		if (arg && i % 64 == 0)
			hub_end_all(hub);
	}
	return NULL;
}

static void streams_come_and_go_from_many_threads(void **state)
{
	pthread_t threads[CROWD_LANES + 3];

	(void)state;
	crowd_gather();
	for (uintptr_t i = 0; i < CROWD_LANES; i++)
		pthread_create(&threads[i], NULL, open_many, (void *)i);
	pthread_create(&threads[CROWD_LANES], NULL, leave_many, NULL);
	pthread_create(&threads[CROWD_LANES + 1], NULL, tell_many, NULL);
	pthread_create(&threads[CROWD_LANES + 2], NULL, tell_many, hub);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		pthread_join(threads[i], NULL);
	hub_free(&hub);
	assert_true(crowd_disperse().parked > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_listener_is_told_what_it_asked_for),
		TEST(the_first_message_comes_before_any_other),
		TEST(places_are_bounded_in_all_and_for_each_principal),
		TEST(a_session_has_one_stream_and_may_open_it_again),
		TEST(what_is_too_large_to_keep_is_turned_away),
		TEST(every_end_has_its_last_word),
		TEST(a_credential_that_is_not_good_any_more_loses_its_streams),
		TEST(a_stream_ends_with_the_token_it_was_opened_with),
		TEST(an_owner_is_all_that_its_principal_says),
		TEST(a_client_that_is_gone_or_cannot_wait_leaves_no_place_taken),
		TEST(a_stream_that_is_ended_while_it_is_parked_does_not_stay),
		TEST(owners_whose_names_are_large_are_judged_one_after_the_other),
		TEST(everybody_is_told_whatever_room_the_letters_take_together),
		TEST(streams_come_and_go_from_many_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
