/* Plans over a whole deployment: kept, shown, decided on, loaded again; and what the log says. */
#include "serve/plans_fixture.h"
#include "store/kills.h"

static const struct sha256 shown = { { 7 } };
static const struct entry changed_tool = {
	.name = STR_INIT("correct"), .version = 3, .digest = { { 9 } }
};

static void pass_time(int64_t us)
{
	moment.boot_ms += (uint64_t)(us / 1000);
	moment.wall_us += us;
}

static int set_up(void **state)
{
	(void)state;
	return open_with("limits: { pending_plans: 3 }\n");
}

static int set_up_token(void **state)
{
	(void)state;
	return open_with("approvals: { token: true }\n");
}

static int tear_down(void **state)
{
	(void)state;
	plans_close();
	return 0;
}

static struct kept open_as(const struct principal *who, struct str id)
{
	struct kept k;
	struct err err;

	if (!plans_open(site.world, g, who, &site.arena, id, &k, &err))
		fail_msg("%s", err.text);
	return k;
}

static enum decide decide_as(
	const struct principal *who, struct kept k, bool yes, struct str *token)
{
	const struct decision d = {
		.yes = yes, .channel = S("terminal"), .note = S("looked at"), .shown = shown
	};
	enum decide verdict;
	struct str got;
	struct err err = { 0 };

	if (plans_decide(site.world, g, who, &site.arena, &k, &d, &got, &verdict, &err)) {
		if (token)
			*token = got;
		return DECIDE_MAY;
	}
	if (verdict == DECIDE_MAY)
		fail_msg("%s", err.text);
	return verdict;
}

static struct call *load_with(const struct principal *who, struct str id, const char *token,
	enum apply *apply_out, bool *ok_out)
{
	struct call *c = call_of(who);
	struct kept k;

	c->change->wish = WISH_APPLY;
	c->change->plan_id = id;
	c->change->token = str_c(token);
	*ok_out = plans_load(site.world, g, c, apply_out, &k);
	return c;
}

static enum apply load(const struct principal *who, struct str id)
{
	enum apply apply;
	bool ok;
	struct call *c = load_with(who, id, "", &apply, &ok);

	if (!ok)
		fail_msg("%s: %.*s", fault_info(c->fault.code)->name, STR_ARG(c->fault.reason));
	return apply;
}

static void assert_load_fault(const struct principal *who, struct str id, const char *token,
	enum fault_code code, const char *reason)
{
	enum apply apply;
	bool ok;
	struct call *c = load_with(who, id, token, &apply, &ok);

	assert_false(ok);
	if (c->fault.code != code)
		fail_msg("%s: %.*s", fault_info(c->fault.code)->name,
			STR_ARG(c->fault.operator_text));
	assert_true(str_eq(c->fault.reason, str_c(reason)));
}

/* --- tests --- */

static void a_plan_is_kept_and_shown_as_it_was(void **state)
{
	struct principal ada = person("ada", PRINCIPAL_HUMAN);
	struct principal at_desk = approver("ada", "clerk", NULL);
	struct call *c = keep(&ada, "per_2", APPROVAL_REQUESTER);
	struct kept k = open_as(&at_desk, c->change->plan->id);
	struct str body;

	(void)state;
	assert_false(c->change->pending); /* it was not there before */
	assert_true(str_starts(k.plan.id, S("pl_")));
	assert_int_equal(k.plan.id.n, 3 + ID_BYTES);
	assert_int_equal(k.plan.expires_us - k.plan.made_us, 600 * SECOND_US);
	assert_int_equal(k.plan.need, APPROVAL_REQUESTER);
	assert_str(k.plan.steps[0].effects.list[0].after[1].text, "per_2");
	assert_str(k.plan.reason, "the wrong entity signed");
	assert_int_equal(k.row.state, PLAN_PROPOSED);
	assert_int_equal(site_audit_count(&site, "\"e\":\"PLAN\""), 1);
	/* nothing of it stands in the store in clear */
	body = k.row.body;
	assert_int_equal(str_find_str(body, 0, S("per_2")), body.n);
}

static void asking_again_makes_no_second_plan(void **state)
{
	struct principal ada = person("ada", PRINCIPAL_HUMAN);
	struct principal at_desk = approver("ada", "clerk", NULL);
	struct str id = kept_id(&ada, "per_2", APPROVAL_REQUESTER);
	struct call *again = keep(&ada, "per_2", APPROVAL_REQUESTER);

	(void)state;
	assert_true(str_eq(again->change->plan->id, id));
	assert_true(again->change->pending);
	assert_int_equal(decide_as(&at_desk, open_as(&at_desk, id), true, NULL), DECIDE_MAY);
	again = keep(&ada, "per_2", APPROVAL_REQUESTER);
	assert_true(str_eq(again->change->plan->id, id));
	assert_false(again->change->pending);
	/* what now needs more is another plan, and the old one is over */
	again = keep(&ada, "per_2", APPROVAL_OTHER);
	assert_false(str_eq(again->change->plan->id, id));
	assert_load_fault(&ada, id, "", CONFIRMATION_INVALID, "void");
	assert_int_equal(site_audit_count(&site, "\"change\":\"voided\""), 1);
}

static void nobody_buries_an_approver(void **state)
{
	static const char *const to[] = { "a", "b", "c" };
	struct principal ada = person("ada", PRINCIPAL_HUMAN), eve = person("eve", PRINCIPAL_HUMAN);
	struct call *c = call_of(&ada);

	(void)state;
	for (int i = 0; i < 3; i++)
		keep(&ada, to[i], APPROVAL_REQUESTER);
	c->change->plan = plan_of(&ada, "d", APPROVAL_REQUESTER);
	assert_false(plans_keep(site.world, g, c));
	assert_int_equal(c->fault.code, RATE_LIMITED);
	assert_str(c->fault.reason, "pending_limit");
	assert_in_range(c->fault.retry_after_ms, 590000, 600001);
	keep(&ada, "a", APPROVAL_REQUESTER); /* it waits already */
	keep(&eve, "d", APPROVAL_REQUESTER);
	pass_time(600 * SECOND_US);
	keep(&ada, "d", APPROVAL_REQUESTER);
}

static void what_needs_nobody_is_not_kept(void **state)
{
	struct principal ada = person("ada", PRINCIPAL_HUMAN);

	(void)state;
	assert_int_equal(keep(&ada, "per_2", APPROVAL_NONE)->change->plan->id.n, 0);
	assert_int_equal(site_audit_count(&site, "\"e\":\"PLAN\""), 0);
}

static void an_agents_plan_waits_for_a_person(void **state)
{
	struct principal robot = person("robot", PRINCIPAL_AGENT);
	struct principal same = approver("robot", "clerk", NULL);
	struct principal eve = approver("eve", "chief", NULL);
	struct call *c = keep(&robot, "per_2", APPROVAL_CLIENT);

	(void)state;
	assert_int_equal(c->change->plan->need, APPROVAL_OTHER);
	assert_str(c->change->plan->grant, APPROVAL_GRANT);
	assert_int_equal(decide_as(&same, open_as(&same, c->change->plan->id), true, NULL),
		DECIDE_FOUR_EYES);
	assert_int_equal(
		decide_as(&eve, open_as(&eve, c->change->plan->id), true, NULL), DECIDE_MAY);
}

static void what_is_approved_is_applied_once(void **state)
{
	struct principal ada = person("ada", PRINCIPAL_HUMAN), eve = person("eve", PRINCIPAL_HUMAN);
	struct principal at_desk = approver("ada", "clerk", NULL);
	struct str id = kept_id(&ada, "per_2", APPROVAL_REQUESTER);
	struct kept k = open_as(&at_desk, id);
	struct err err;

	(void)state;
	assert_load_fault(&ada, id, "", REQUIRES_CONFIRMATION, "pending");
	assert_load_fault(&eve, id, "", NOT_FOUND, "plan");
	assert_load_fault(&ada, S("pl_nothing"), "", NOT_FOUND, "plan");
	assert_int_equal(decide_as(&at_desk, k, true, NULL), DECIDE_MAY);
	assert_int_equal(load(&ada, id), APPLY_NOW);
	assert_load_fault(&eve, id, "", NOT_FOUND, "plan");
	/* a second yes or no comes too late; k is as it was before */
	assert_int_equal(decide_as(&at_desk, k, false, NULL), DECIDE_STATE);
	assert_int_equal(site_audit_count(&site, "\"decision\":\"approved\""), 1);
	assert_int_equal(site_audit_count(&site, "\"decision\":\"not_taken\""), 1);
	assert_true(plans_applied(site.world, id, S("lg_1"), &err));
	assert_true(plans_applied(site.world, id, S("lg_1"), &err));
	assert_int_equal(load(&ada, id), APPLY_AGAIN);
	assert_false(plans_void(site.world, id, S("differs"), &err));
}

static void a_doubtful_plan_is_settled_by_the_ledger(void **state)
{
	struct principal ada = person("ada", PRINCIPAL_HUMAN);
	struct principal at_desk = approver("ada", "clerk", NULL);
	struct str id = kept_id(&ada, "per_2", APPROVAL_REQUESTER);
	struct err err;

	(void)state;
	assert_int_equal(decide_as(&at_desk, open_as(&at_desk, id), true, NULL), DECIDE_MAY);
	assert_true(plans_unknown(site.world, id, &err));
	assert_true(plans_unknown(site.world, id, &err));
	assert_int_equal(load(&ada, id), APPLY_LOOK);
	assert_true(plans_void(site.world, id, S("differs"), &err));
	assert_load_fault(&ada, id, "", CONFIRMATION_INVALID, "void");
	assert_true(plans_applied(site.world, id, S("lg_1"), &err));
	assert_int_equal(load(&ada, id), APPLY_AGAIN);
	assert_false(plans_applied(site.world, S("pl_none"), S("lg_1"), &err));
	assert_int_equal(err.code, E_NOT_FOUND);
}

static void what_changed_since_is_not_applied(void **state)
{
	struct principal ada = person("ada", PRINCIPAL_HUMAN);
	struct principal at_desk = approver("ada", "clerk", NULL);
	struct str id = kept_id(&ada, "per_2", APPROVAL_REQUESTER);
	struct call *c = call_of(&ada);
	enum apply apply;
	struct kept k;

	(void)state;
	assert_int_equal(decide_as(&at_desk, open_as(&at_desk, id), true, NULL), DECIDE_MAY);
	c->change->plan_id = id;
	c->change->arguments.b[0] ^= 1;
	assert_false(plans_load(site.world, g, c, &apply, &k));
	assert_str(c->fault.reason, "arguments");
	c = call_of(&ada);
	c->change->plan_id = id;
	c->entry = &changed_tool;
	assert_false(plans_load(site.world, g, c, &apply, &k));
	assert_str(c->fault.reason, "tool_changed");
	/* one of the steps */
	c = call_of(&ada);
	c->change->plan_id = id;
	c->change->steps[0].entry = &changed_tool;
	assert_false(plans_load(site.world, g, c, &apply, &k));
	assert_str(c->fault.reason, "tool_changed");
	pass_time(600 * SECOND_US);
	assert_load_fault(&ada, id, "", CONFIRMATION_INVALID, "expired");
}

static void a_yes_is_over_when_its_key_is_taken_back(void **state)
{
	struct principal ada = person("ada", PRINCIPAL_HUMAN);
	struct str key;
	struct principal eve = approver("eve", "chief", &key);
	struct str id = kept_id(&ada, "per_2", APPROVAL_OTHER);
	struct err err;

	(void)state;
	assert_int_equal(decide_as(&eve, open_as(&eve, id), true, NULL), DECIDE_MAY);
	assert_int_equal(load(&ada, id), APPLY_NOW);
	assert_true(
		store_key_revoke(world_store(site.world), key, S("lost"), clock_wall_us(), &err));
	assert_load_fault(&ada, id, "", PERMISSION_DENIED, "four_eyes");
}

static void what_is_not_theirs_is_not_there(void **state)
{
	struct principal ada = person("ada", PRINCIPAL_HUMAN);
	struct principal eve = approver("eve", "chief", NULL);
	struct str own = kept_id(&ada, "per_2", APPROVAL_REQUESTER);
	struct str others = kept_id(&ada, "per_3", APPROVAL_OTHER);
	struct plan_row *rows;
	struct kept k;
	struct err foreign, none;
	size_t count;

	(void)state;
	assert_false(plans_open(site.world, g, &eve, &site.arena, own, &k, &foreign));
	assert_false(plans_open(
		site.world, g, &eve, &site.arena, S("pl_01ABCDEFGHJKMNPQRSTVWXYZ23"), &k, &none));
	assert_int_equal(foreign.code, E_NOT_FOUND);
	assert_int_equal(none.code, E_NOT_FOUND);
	assert_true(
		plans_list(site.world, g, &eve, &site.arena, PLANS_WAITING, &rows, &count, &none));
	assert_int_equal(count, 1);
	assert_true(str_eq(rows[0].id, others));
	/* the caller's own credential is none */
	assert_false(plans_open(site.world, g, &ada, &site.arena, own, &k, &none));
	assert_int_equal(none.code, E_NOT_FOUND);
	assert_true(
		plans_list(site.world, g, &ada, &site.arena, PLANS_RECENT, &rows, &count, &none));
	assert_int_equal(count, 0);
}

static void who_may_not_decide_is_recorded(void **state)
{
	struct principal ada = person("ada", PRINCIPAL_HUMAN);
	struct principal at_desk = approver("ada", "clerk chief", NULL);
	struct kept k = open_as(&at_desk, kept_id(&ada, "per_2", APPROVAL_OTHER));

	(void)state;
	assert_int_equal(decide_as(&ada, k, true, NULL), DECIDE_CREDENTIAL);
	assert_int_equal(decide_as(&at_desk, k, true, NULL), DECIDE_FOUR_EYES);
	assert_int_equal(site_audit_count(&site, "\"e\":\"DENY\""), 2);
	assert_int_equal(site_audit_count(&site, "\"reason\":\"four_eyes\""), 1);
	assert_int_equal(site_audit_count(&site, "\"e\":\"APPROVAL\""), 0);
	assert_int_equal(decide_as(&at_desk, k, false, NULL), DECIDE_MAY);
	assert_load_fault(&ada, k.row.id, "", CONFIRMATION_INVALID, "declined");
}

static void nothing_is_approved_while_a_switch_is_set(void **state)
{
	struct principal ada = person("ada", PRINCIPAL_HUMAN);
	struct principal at_desk = approver("ada", "clerk", NULL);
	struct kept k = open_as(&at_desk, kept_id(&ada, "per_2", APPROVAL_REQUESTER));
	struct kill_row order = { .kind = S("tool"),
		.name = S("correct"),
		.reason = S("test"),
		.by = S("os:test"),
		.since_us = clock_wall_us() };
	unsigned count;
	struct err err;

	(void)state;
	assert_true(store_kill_set(world_store(site.world), &order, &order.id, &err));
	watch_look(world_watch(site.world), clock_boot_ms(), clock_wall_us());
	assert_int_equal(decide_as(&at_desk, k, true, NULL), DECIDE_PAUSED);
	assert_true(store_kill_lift(world_store(site.world), order.kind, order.name, S("os:test"),
		S("over"), clock_wall_us(), &count, &err));
	watch_look(world_watch(site.world), clock_boot_ms(), clock_wall_us());
	assert_int_equal(decide_as(&at_desk, k, true, NULL), DECIDE_MAY);
}

static void an_escalated_plan_is_somebody_elses(void **state)
{
	struct principal ada = person("ada", PRINCIPAL_HUMAN);
	struct principal at_desk = approver("ada", "clerk", NULL);
	struct principal eve = approver("eve", "chief", NULL);
	struct str id = kept_id(&ada, "per_2", APPROVAL_REQUESTER);
	struct kept k = open_as(&at_desk, id), same = k;
	struct decision d = { .channel = S("terminal"), .note = S("is this right?") };
	enum decide verdict;
	struct err err;

	(void)state;
	assert_false(plans_escalate(site.world, g, &eve, &site.arena, &k, &d, &verdict, &err));
	assert_int_equal(verdict, DECIDE_UNKNOWN);
	assert_true(plans_escalate(site.world, g, &at_desk, &site.arena, &k, &d, &verdict, &err));
	/* who looked at it before decides on something else */
	assert_int_equal(decide_as(&at_desk, same, true, NULL), DECIDE_STATE);
	k = open_as(&eve, id);
	assert_int_equal(k.plan.need, APPROVAL_OTHER);
	assert_str(k.row.escalation_note, "is this right?");
	assert_int_equal(k.row.expires_us - moment.wall_us / 1000 * 1000, 86400 * SECOND_US);
	assert_int_equal(decide_as(&at_desk, k, true, NULL), DECIDE_FOUR_EYES);
	assert_false(plans_escalate(site.world, g, &at_desk, &site.arena, &k, &d, &verdict, &err));
	assert_int_equal(verdict, DECIDE_STATE);
	pass_time(3600 * SECOND_US);
	assert_int_equal(decide_as(&eve, open_as(&eve, id), true, NULL), DECIDE_MAY);
	assert_int_equal(load(&ada, id), APPLY_NOW);
}

static void a_no_needs_a_reason(void **state)
{
	struct principal ada = person("ada", PRINCIPAL_HUMAN);
	struct principal at_desk = approver("ada", "clerk", NULL);
	struct kept k = open_as(&at_desk, kept_id(&ada, "per_2", APPROVAL_REQUESTER));
	struct decision d = { .channel = S("terminal"), .note = S("  ") };
	enum decide verdict;
	struct str token;
	struct err err;

	(void)state;
	assert_false(
		plans_decide(site.world, g, &at_desk, &site.arena, &k, &d, &token, &verdict, &err));
	assert_int_equal(verdict, DECIDE_MAY);
	assert_int_equal(err.code, E_INVALID);
	d.note = S("bad \xff bytes");
	assert_false(
		plans_decide(site.world, g, &at_desk, &site.arena, &k, &d, &token, &verdict, &err));
	assert_int_equal(err.code, E_INVALID);
}

static void the_clients_yes_is_for_what_the_client_may_be_asked(void **state)
{
	struct principal ada = person("ada", PRINCIPAL_HUMAN), eve = person("eve", PRINCIPAL_HUMAN);
	struct str asked = kept_id(&ada, "per_2", APPROVAL_CLIENT);
	struct str more = kept_id(&ada, "per_3", APPROVAL_REQUESTER);
	struct str not_so = kept_id(&ada, "per_4", APPROVAL_CLIENT);
	struct call *c = call_of(&eve);
	struct kept k;

	(void)state;
	assert_false(plans_answer(site.world, g, c, asked, true, &k));
	assert_int_equal(c->fault.code, NOT_FOUND);
	c = call_of(&ada);
	assert_false(plans_answer(site.world, g, c, more, true, &k));
	assert_int_equal(c->fault.code, REQUIRES_CONFIRMATION);
	c = call_of(&ada);
	c->change->arguments.b[0] ^= 1;
	assert_false(plans_answer(site.world, g, c, asked, true, &k));
	assert_int_equal(c->fault.code, CONFIRMATION_INVALID);
	assert_true(plans_answer(site.world, g, call_of(&ada), asked, true, &k));
	assert_int_equal(load(&ada, asked), APPLY_NOW);
	c = call_of(&ada);
	assert_false(plans_answer(site.world, g, c, asked, true, &k));
	assert_str(c->fault.reason, "decided");
	assert_true(plans_answer(site.world, g, call_of(&ada), not_so, false, &k));
	assert_load_fault(&ada, not_so, "", CONFIRMATION_INVALID, "declined");
	assert_int_equal(site_audit_count(&site, "\"channel\":\"client\""), 2);
}

static void a_token_in_the_persons_hand(void **state)
{
	struct principal ada = person("ada", PRINCIPAL_HUMAN);
	struct principal at_desk = approver("ada", "clerk", NULL);
	struct str id = kept_id(&ada, "per_2", APPROVAL_REQUESTER);
	struct str other = kept_id(&ada, "per_3", APPROVAL_REQUESTER);
	struct str token, of_other;
	enum apply apply;
	bool ok;

	(void)state;
	assert_int_equal(decide_as(&at_desk, open_as(&at_desk, id), true, &token), DECIDE_MAY);
	assert_int_equal(
		decide_as(&at_desk, open_as(&at_desk, other), true, &of_other), DECIDE_MAY);
	assert_int_equal(token.n, 14);
	assert_load_fault(&ada, id, "", REQUIRES_CONFIRMATION, "confirmation_token");
	for (int i = 0; i < 2; i++)
		assert_load_fault(&ada, id, i ? "nonsense" : arena_cstr(&site.arena, of_other),
			CONFIRMATION_INVALID, "confirmation_token");
	load_with(&ada, id, arena_cstr(&site.arena, token), &apply, &ok);
	assert_true(ok);
	assert_int_equal(apply, APPLY_NOW);
	/* used: what holds the call up later needs it no more, and nobody can use it again */
	assert_int_equal(load(&ada, id), APPLY_NOW);
	assert_load_fault(&ada, id, arena_cstr(&site.arena, token), CONFIRMATION_INVALID,
		"confirmation_token");
	/* five wrong ones, and the right one is too late */
	for (int i = 0; i < 5; i++)
		assert_load_fault(
			&ada, other, "AAAA-AAAA-AAAA", CONFIRMATION_INVALID, "confirmation_token");
	assert_load_fault(&ada, other, arena_cstr(&site.arena, of_other), CONFIRMATION_INVALID,
		"confirmation_token");
	/* it stands nowhere */
	assert_int_equal(site_audit_count(&site, arena_cstr(&site.arena, token)), 0);
}

static void a_body_opens_under_its_own_id_alone(void **state)
{
	struct principal ada = person("ada", PRINCIPAL_HUMAN);
	struct principal at_desk = approver("ada", "clerk", NULL);
	struct str first = kept_id(&ada, "per_2", APPROVAL_REQUESTER);
	struct str second = kept_id(&ada, "per_3", APPROVAL_REQUESTER);
	char path[192], sql[300];
	sqlite3 *db;
	struct kept k;
	struct err err;

	(void)state;
	snprintf(path, sizeof path, "%s/state/store.db", site.directory);
	snprintf(sql, sizeof sql,
		"UPDATE plans SET body = (SELECT body FROM plans WHERE id = '%.*s') WHERE id = "
		"'%.*s'",
		STR_ARG(second), STR_ARG(first));
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_false(plans_open(site.world, g, &at_desk, &site.arena, first, &k, &err));
	assert_int_equal(err.code, E_INVALID);
	open_as(&at_desk, second);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_plan_is_kept_and_shown_as_it_was),
		TEST(asking_again_makes_no_second_plan),
		TEST(nobody_buries_an_approver),
		TEST(what_needs_nobody_is_not_kept),
		TEST(an_agents_plan_waits_for_a_person),
		TEST(what_is_approved_is_applied_once),
		TEST(a_doubtful_plan_is_settled_by_the_ledger),
		TEST(what_changed_since_is_not_applied),
		TEST(a_yes_is_over_when_its_key_is_taken_back),
		TEST(what_is_not_theirs_is_not_there),
		TEST(who_may_not_decide_is_recorded),
		TEST(nothing_is_approved_while_a_switch_is_set),
		TEST(an_escalated_plan_is_somebody_elses),
		TEST(a_no_needs_a_reason),
		TEST(the_clients_yes_is_for_what_the_client_may_be_asked),
		cmocka_unit_test_setup_teardown(
			a_token_in_the_persons_hand, set_up_token, tear_down),
		TEST(a_body_opens_under_its_own_id_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
