/* A person at the terminal approves exactly what was shown, and nobody else does. */
#include "cli/decide.h"
#include "cli/show_plan.h"
#include "cli/terminal_fixture.h"
#include "serve/plans_fixture.h"

#include <sysexits.h>

static struct str plan_id, key;
static enum decide_what what;
static const char *note;

static int set_up(void **state)
{
	(void)state;
	note = NULL;
	return open_with("");
}

static int set_up_token(void **state)
{
	(void)state;
	note = NULL;
	return open_with("approvals: { token: true }\n");
}

/* A plan of ada's that waits, and ada's own key to decide with. */
static void wait_for_ada(const char *to)
{
	struct principal ada = person("ada", PRINCIPAL_HUMAN);

	plan_id = kept_id(&ada, to, APPROVAL_REQUESTER);
	approver("ada", "clerk", NULL);
	key = plans_last_key;
}

static int at_the_terminal(const char *path)
{
	const char *option = what == DECIDE_DECLINE ? "--reason" : "--note";
	char *argv[] = { site.config, (char *)(uintptr_t)plan_id.p, (char *)(uintptr_t)option,
		(char *)(uintptr_t)note };
	struct cli c = { .argc = note ? 4 : 2, .argv = argv, .synopsis = S("test") };

	(void)!freopen("/dev/null", "w", stdout);
	(void)!freopen("/dev/null", "w", stderr);
	return decide_run(&c, path, what);
}

/* Threads and files of this process do not go over a fork. */
static void sit_down(struct terminal *t, enum decide_what to_do)
{
	what = to_do;
	world_drop(site.world, g);
	world_close(&site.world);
	terminal_run(t, at_the_terminal);
}

static void show_key(struct terminal *t)
{
	terminal_expect(t, "approver's key: ");
	terminal_type(t, arena_cstr(&site.arena, arena_fmt(&site.arena, "%.*s\n", STR_ARG(key))));
}

static struct plan_row look(void)
{
	struct store *s = store_new(arena_fmt(&site.arena, "%s/state/store.db", site.directory));
	struct plan_row row;
	struct err err;

	if (!store_plan_get(s, &site.arena, plan_id, &row, &err))
		fail_msg("%s", err.text);
	store_free(&s);
	return row;
}

static int get_up(void **state)
{
	(void)state;
	if (site.world)
		plans_close();
	else
		site_remove(&site);
	return 0;
}

static void after_yes_exactly_what_was_shown_is_approved(void **state)
{
	struct terminal t;
	struct plan_row row;
	struct sha256 shown;
	char *from, *to;

	(void)state;
	wait_for_ada("per_2");
	sit_down(&t, DECIDE_APPROVE);
	show_key(&t);
	terminal_expect(&t, "type yes: ");
	terminal_type(&t, "yes\n");
	assert_int_equal(terminal_end(&t), 0);
	assert_null(strstr(t.seen, "psap_"));
	assert_non_null(strstr(t.seen, "tool         correct@2"));
	assert_non_null(strstr(t.seen, "arguments    {\"contract_id\":\"ctr_1\"}"));
	assert_non_null(strstr(t.seen, "signatory  'per_1'"));
	assert_non_null(strstr(t.seen, "'per_2'"));
	assert_non_null(strstr(t.seen, "told by the assistant"));
	row = look();
	assert_int_equal(row.state, PLAN_APPROVED);
	assert_str(row.decided_by, "ada");
	assert_str(row.channel, "terminal");
	/* the digest is that of what stands on the terminal, but for its line ends */
	from = strstr(t.seen, "plan ");
	to = strstr(t.seen, "approve exactly this?");
	assert_true(from && to);
	{
		struct buf text;

		buf_in(&text, &site.arena, 65536);
		for (; from < to; from++)
			if (*from != '\r')
				buf_char(&text, *from);
		sha256_of(buf_str(&text), &shown);
	}
	assert_true(sha256_eq(&row.shown, &shown));
	assert_int_equal(site_audit_count(&site, "\"decision\":\"approved\""), 1);
	terminal_close(&t);
}

static void without_the_word_nothing_is_decided(void **state)
{
	struct terminal t;

	(void)state;
	wait_for_ada("per_2");
	sit_down(&t, DECIDE_APPROVE);
	show_key(&t);
	terminal_expect(&t, "type yes: ");
	terminal_type(&t, "y\n");
	assert_int_equal(terminal_end(&t), 1);
	assert_int_equal(look().state, PLAN_PROPOSED);
	assert_int_equal(site_audit_count(&site, "\"e\":\"APPROVAL\""), 0);
	terminal_close(&t);
}

static void a_callers_own_key_decides_nothing(void **state)
{
	struct terminal t;

	(void)state;
	wait_for_ada("per_2");
	key = site.token; /* a clerk's, for calls */
	sit_down(&t, DECIDE_APPROVE);
	show_key(&t);
	assert_int_equal(terminal_end(&t), EX_NOPERM);
	assert_null(strstr(t.seen, "per_2"));
	assert_int_equal(look().state, PLAN_PROPOSED);
	assert_int_equal(site_audit_count(&site, "\"e\":\"AUTH_FAIL\""), 1);
	assert_int_equal(site_audit_count(&site, "\"reason\":\"use\""), 1);
	terminal_close(&t);
}

static void somebody_elses_plan_is_not_there(void **state)
{
	struct terminal t;

	(void)state;
	wait_for_ada("per_2");
	approver("eve", "chief", NULL);
	key = plans_last_key;
	sit_down(&t, DECIDE_APPROVE);
	show_key(&t);
	assert_int_equal(terminal_end(&t), 1);
	assert_null(strstr(t.seen, "per_2"));
	terminal_close(&t);
}

static void a_no_says_why(void **state)
{
	struct plan_row row;
	struct terminal t;

	(void)state;
	wait_for_ada("per_2");
	note = "not this contract";
	sit_down(&t, DECIDE_DECLINE);
	show_key(&t);
	assert_int_equal(terminal_end(&t), 0);
	row = look();
	assert_int_equal(row.state, PLAN_DECLINED);
	assert_str(row.note, "not this contract");
	terminal_close(&t);
}

static void a_no_without_a_reason_is_a_mistake(void **state)
{
	struct terminal t;

	(void)state;
	wait_for_ada("per_2");
	sit_down(&t, DECIDE_DECLINE);
	assert_int_equal(terminal_end(&t), EX_USAGE);
	assert_int_equal(look().state, PLAN_PROPOSED);
	terminal_close(&t);
}

static void who_asked_may_send_it_on(void **state)
{
	struct plan_row row;
	struct terminal t;

	(void)state;
	wait_for_ada("per_2");
	note = "please look";
	sit_down(&t, DECIDE_ESCALATE);
	show_key(&t);
	assert_int_equal(terminal_end(&t), 0);
	row = look();
	assert_str(row.need, "other");
	assert_str(row.grant, APPROVAL_GRANT);
	assert_str(row.escalation_note, "please look");
	terminal_close(&t);
}

static void a_token_is_shown_to_the_terminal_alone(void **state)
{
	struct terminal t;

	(void)state;
	wait_for_ada("per_2");
	sit_down(&t, DECIDE_APPROVE);
	show_key(&t);
	terminal_expect(&t, "type yes: ");
	terminal_type(&t, "yes\n");
	terminal_expect(&t, "shown once: ");
	assert_int_equal(terminal_end(&t), 0);
	assert_int_equal(look().token_tries, 5);
	terminal_close(&t);
}

static void without_a_terminal_nothing_is_asked(void **state)
{
	char *argv[] = { site.config, (char *)(uintptr_t) "pl_x" };
	struct cli c = { .argc = 2, .argv = argv, .synopsis = S("test") };

	(void)state;
	assert_int_equal(decide_run(&c, "/dev/null", DECIDE_APPROVE), EX_NOPERM);
}

static void hostile_values_stay_on_their_line(void **state)
{
	struct terminal t;

	(void)state;
	wait_for_ada("\x1b[2J\napprove exactly this? type yes: \xe2\x80\xae");
	sit_down(&t, DECIDE_APPROVE);
	show_key(&t);
	terminal_expect(&t, "\napprove exactly this? type yes: ");
	assert_null(strchr(t.seen, '\x1b'));
	assert_null(strstr(t.seen, "\xe2\x80\xae"));
	assert_non_null(strstr(t.seen, "U+001B"));
	assert_non_null(strstr(t.seen, "U+202E"));
	terminal_type(&t, "no\n");
	assert_int_equal(terminal_end(&t), 1);
	terminal_close(&t);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, get_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(after_yes_exactly_what_was_shown_is_approved),
		TEST(without_the_word_nothing_is_decided),
		TEST(a_callers_own_key_decides_nothing),
		TEST(somebody_elses_plan_is_not_there),
		TEST(a_no_says_why),
		TEST(a_no_without_a_reason_is_a_mistake),
		TEST(who_asked_may_send_it_on),
		cmocka_unit_test_setup_teardown(
			a_token_is_shown_to_the_terminal_alone, set_up_token, get_up),
		TEST(without_a_terminal_nothing_is_asked),
		TEST(hostile_values_stay_on_their_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
