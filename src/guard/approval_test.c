/* Who may decide on a plan, and which call may apply it. */
#include "base/test.h"
#include "guard/approval.h"

#include <string.h>

static const struct str chief_grants[] = { STR_INIT("approve.refunds") };
static const struct str known_as[] = { STR_INIT("ada@acme"), STR_INIT("https://idp.a 4711") };
static const struct person_config persons[] = { { STR_INIT("ada"), { known_as, 2 } } };
static const struct config config = { .environment = ENV_PRODUCTION };
static const struct config named = { .environment = ENV_PRODUCTION,
	.jwt_count = 2,
	.approvals = { .persons = persons, .person_count = 1 } };
static const struct config issuers = { .environment = ENV_PRODUCTION, .jwt_count = 2 };

static struct plan_row row_of(const char *need)
{
	struct plan_row row = { .id = S("pl_1"),
		.tool = S("refund"),
		.subject = S("ada"),
		.tenant = S("acme"),
		.agent = S("desk"),
		.environment = S("production"),
		.need = str_c(need),
		.grant = strcmp(need, "other") == 0 ? S("approve.refunds") : STR_NONE };

	sha256_of(S("arguments"), &row.arguments);
	sha256_of(S("definition"), &row.definition);
	return row;
}

static struct principal person(const char *subject, bool chief)
{
	return (struct principal){ .subject = str_c(subject),
		.kind = PRINCIPAL_HUMAN,
		.tenant = S("acme"),
		.environment = S("production"),
		.approver = true,
		.grants = chief_grants,
		.grant_count = chief };
}

static enum decide judge(const struct plan_row *row, const struct principal *who, bool yes)
{
	return approval_judge(&config, row, &(struct decider){ .who = who, .yes = yes });
}

static void a_plan_for_the_requester_is_the_requesters(void **state)
{
	struct plan_row row = row_of("requester");
	struct principal ada = person("ada", false), eve = person("eve", true);

	(void)state;
	assert_int_equal(judge(&row, &ada, true), DECIDE_MAY);
	assert_int_equal(judge(&row, &ada, false), DECIDE_MAY);
	assert_int_equal(judge(&row, &eve, true), DECIDE_UNKNOWN);
	assert_int_equal(judge(&row, &eve, false), DECIDE_UNKNOWN);
	assert_false(approval_visible(&config, &row, &eve));
	/* what the client may be asked, its person may say elsewhere, too */
	row = row_of("client");
	assert_int_equal(judge(&row, &ada, true), DECIDE_MAY);
	assert_int_equal(judge(&row, &eve, true), DECIDE_UNKNOWN);
}

static void a_second_person_is_another_who_holds_the_grant(void **state)
{
	struct plan_row row = row_of("other");
	struct principal ada = person("ada", true), eve = person("eve", true);
	struct principal bob = person("bob", false);

	(void)state;
	assert_int_equal(judge(&row, &eve, true), DECIDE_MAY);
	assert_int_equal(judge(&row, &eve, false), DECIDE_MAY);
	assert_int_equal(judge(&row, &bob, true), DECIDE_GRANT);
	assert_int_equal(judge(&row, &bob, false), DECIDE_GRANT);
	assert_false(approval_visible(&config, &row, &bob));
	/* who asked sees it, may take it back, and is not the second person */
	assert_int_equal(judge(&row, &ada, true), DECIDE_FOUR_EYES);
	assert_int_equal(judge(&row, &ada, false), DECIDE_MAY);
	/* a plan that names no grant is nobody's */
	row.grant = STR_NONE;
	assert_int_equal(judge(&row, &eve, true), DECIDE_GRANT);
	/* and what cannot be read needs a second person */
	row = row_of("other");
	row.need = S("whatever");
	assert_int_equal(judge(&row, &ada, true), DECIDE_FOUR_EYES);
}

static void whoever_could_be_the_requester_is_no_second_person(void **state)
{
	static const struct {
		const char *issuer, *subject, *by_issuer, *by;
		enum decide second, own;
	} table[] = {
		/* the same subject under another issuer */
		{ "https://idp.b", "eve", "", "eve", DECIDE_FOUR_EYES, DECIDE_UNKNOWN },
		{ "https://idp.b", "eve", "https://idp.a", "eve", DECIDE_FOUR_EYES,
			DECIDE_UNKNOWN },
		{ "https://idp.b", "eve", "https://idp.b", "eve", DECIDE_FOUR_EYES, DECIDE_MAY },
		/* one person by the configuration */
		{ "https://idp.a", "4711", "", "ada", DECIDE_FOUR_EYES, DECIDE_MAY },
		{ "", "ada", "", "ada@acme", DECIDE_FOUR_EYES, DECIDE_MAY },
		/* 4711 of another issuer is somebody else */
		{ "https://idp.b", "4711", "", "ada", DECIDE_MAY, DECIDE_UNKNOWN },
		{ "", "https://idp.a 4711", "", "ada", DECIDE_FOUR_EYES, DECIDE_MAY },
		{ "", "ada", "", "Ada", DECIDE_MAY, DECIDE_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct plan_row second = row_of("other"), own = row_of("requester");
		struct principal who = person(table[i].by, true);
		struct decider d = { .who = &who, .yes = true };

		who.issuer = str_c(table[i].by_issuer);
		second.issuer = own.issuer = str_c(table[i].issuer);
		second.subject = own.subject = str_c(table[i].subject);
		if (approval_judge(&named, &second, &d) != table[i].second ||
			approval_judge(&named, &own, &d) != table[i].own)
			fail_msg("row %zu: %s, %s", i,
				decide_name(approval_judge(&named, &second, &d)),
				decide_name(approval_judge(&named, &own, &d)));
	}
}

static void an_issuers_subject_is_the_keys_where_there_is_one_issuer(void **state)
{
	struct plan_row row = row_of("requester");
	struct principal ada = person("ada", false);
	struct decider d = { .who = &ada, .yes = true };

	(void)state;
	row.issuer = S("https://idp.a");
	assert_int_equal(approval_judge(&config, &row, &d), DECIDE_MAY);
	assert_int_equal(approval_judge(&issuers, &row, &d), DECIDE_UNKNOWN);
}

static void what_is_not_open_or_not_here_is_not_decided(void **state)
{
	struct plan_row row = row_of("requester");
	struct principal ada = person("ada", false), other = ada;

	(void)state;
	other.approver = false;
	assert_int_equal(judge(&row, &other, true), DECIDE_CREDENTIAL);
	other = ada;
	other.kind = PRINCIPAL_AGENT;
	assert_int_equal(judge(&row, &other, true), DECIDE_CREDENTIAL);
	other = ada;
	other.tenant = S("umbrella");
	assert_int_equal(judge(&row, &other, true), DECIDE_UNKNOWN);
	other = ada;
	other.tenant_foreign = true;
	assert_int_equal(judge(&row, &other, true), DECIDE_UNKNOWN);
	other = ada;
	other.environment = S("staging");
	assert_int_equal(judge(&row, &other, true), DECIDE_ENVIRONMENT);
	row.environment = S("staging");
	assert_int_equal(judge(&row, &ada, true), DECIDE_ENVIRONMENT);
	for (unsigned s = PLAN_APPROVED; s <= PLAN_UNKNOWN; s++) {
		row = row_of("requester");
		row.state = (enum plan_state)s;
		assert_int_equal(judge(&row, &ada, true), DECIDE_STATE);
		assert_int_equal(judge(&row, &ada, false), DECIDE_STATE);
	}
	row = row_of("requester");
	assert_int_equal(approval_judge(&config, &row,
				 &(struct decider){ .who = &ada, .yes = true, .paused = true }),
		DECIDE_PAUSED);
	assert_int_equal(
		approval_judge(&config, &row, &(struct decider){ .who = &ada, .paused = true }),
		DECIDE_MAY);
}

/* --- applying --- */

struct asked {
	struct principal who;
	struct sha256 arguments, definition;
	struct apply_ask ask;
};

static void ask_as(struct asked *x, const char *subject)
{
	*x = (struct asked){ .who = person(subject, false) };
	x->who.agent = S("desk");
	sha256_of(S("arguments"), &x->arguments);
	sha256_of(S("definition"), &x->definition);
	x->ask = (struct apply_ask){ .who = &x->who,
		.tool = S("refund"),
		.environment = S("production"),
		.arguments = &x->arguments,
		.definition = &x->definition };
}

static void assert_refused(struct apply_finding f, enum fault_code code, const char *reason)
{
	assert_int_equal(f.apply, APPLY_REFUSED);
	assert_int_equal(f.code, code);
	assert_string_equal(f.reason, reason);
}

static void somebody_elses_plan_is_no_plan(void **state)
{
	struct plan_row row = row_of("requester");
	struct asked x;

	(void)state;
	row.state = PLAN_APPROVED;
	ask_as(&x, "ada");
	assert_refused(approval_apply(NULL, &x.ask), NOT_FOUND, "plan");
	assert_int_equal(approval_apply(&row, &x.ask).apply, APPLY_NOW);
	ask_as(&x, "eve");
	assert_refused(approval_apply(&row, &x.ask), NOT_FOUND, "plan");
	ask_as(&x, "ada");
	x.who.tenant = S("umbrella");
	assert_refused(approval_apply(&row, &x.ask), NOT_FOUND, "plan");
	ask_as(&x, "ada");
	x.who.agent = S("another");
	assert_refused(approval_apply(&row, &x.ask), NOT_FOUND, "plan");
	ask_as(&x, "ada");
	x.who.issuer = S("https://idp.a");
	assert_refused(approval_apply(&row, &x.ask), NOT_FOUND, "plan");
	/* also where everything else is wrong */
	x.arguments.b[0] ^= 1;
	x.ask.environment = S("staging");
	assert_refused(approval_apply(&row, &x.ask), NOT_FOUND, "plan");
}

static void what_was_approved_is_what_is_applied(void **state)
{
	struct plan_row row = row_of("other");
	struct asked x;

	(void)state;
	row.state = PLAN_APPROVED;
	ask_as(&x, "ada");
	x.ask.environment = S("staging");
	assert_refused(approval_apply(&row, &x.ask), CONFIRMATION_INVALID, "environment");
	ask_as(&x, "ada");
	x.ask.tool = S("ship");
	assert_refused(approval_apply(&row, &x.ask), CONFIRMATION_INVALID, "tool");
	ask_as(&x, "ada");
	x.arguments.b[31] ^= 1;
	assert_refused(approval_apply(&row, &x.ask), CONFIRMATION_INVALID, "arguments");
	ask_as(&x, "ada");
	x.definition.b[0] ^= 1;
	assert_refused(approval_apply(&row, &x.ask), CONFIRMATION_INVALID, "tool_changed");
	ask_as(&x, "ada");
	x.ask.decider_lost = true;
	assert_refused(approval_apply(&row, &x.ask), PERMISSION_DENIED, "four_eyes");
}

static void the_state_decides_the_rest(void **state)
{
	static const struct {
		enum plan_state state;
		enum apply apply;
		enum fault_code code;
		const char *reason;
	} table[] = {
		{ PLAN_PROPOSED, APPLY_REFUSED, REQUIRES_CONFIRMATION, "pending" },
		{ PLAN_APPROVED, APPLY_NOW, FAULT_NONE, NULL },
		{ PLAN_DECLINED, APPLY_REFUSED, CONFIRMATION_INVALID, "declined" },
		{ PLAN_APPLIED, APPLY_AGAIN, FAULT_NONE, NULL },
		{ PLAN_VOID, APPLY_REFUSED, CONFIRMATION_INVALID, "void" },
		{ PLAN_EXPIRED, APPLY_REFUSED, CONFIRMATION_INVALID, "expired" },
		{ PLAN_UNKNOWN, APPLY_LOOK, FAULT_NONE, NULL },
	};
	struct asked x;

	(void)state;
	ask_as(&x, "ada");
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct plan_row row = row_of("requester");
		struct apply_finding f;

		row.state = table[i].state;
		f = approval_apply(&row, &x.ask);
		assert_int_equal(f.apply, table[i].apply);
		if (table[i].reason)
			assert_refused(f, table[i].code, table[i].reason);
	}
	/* what was applied was applied, whatever became of the tool and the approver */
	for (int i = 0; i < 2; i++) {
		struct plan_row row = row_of("requester");

		row.state = i ? PLAN_APPLIED : PLAN_UNKNOWN;
		x.definition.b[0] ^= 1;
		x.ask.decider_lost = true;
		assert_int_equal(approval_apply(&row, &x.ask).apply, i ? APPLY_AGAIN : APPLY_LOOK);
		x.definition.b[0] ^= 1;
	}
}

/* --- tokens --- */

static void a_token_is_one_plans_and_one_persons(void **state)
{
	struct plan_row row = row_of("requester"), other;
	struct sha256 right, got;
	struct arena a;
	struct str token;

	(void)state;
	arena_init(&a, 65536);
	token = approval_token_make(&a);
	assert_int_equal(token.n, 14);
	assert_false(str_eq(token, approval_token_make(&a)));
	assert_true(approval_token_hmac(S("key"), &row, token, &right));
	assert_true(approval_token_hmac(S("key"), &row, token, &got));
	assert_true(sha256_eq(&right, &got));
	assert_true(approval_token_hmac(S("kez"), &row, token, &got));
	assert_false(sha256_eq(&right, &got));
	for (int i = 0; i < 4; i++) {
		other = row;
		*(i == 0         ? &other.id
			: i == 1 ? &other.subject
			: i == 2 ? &other.tenant
				 : &other.issuer) = S("x");
		assert_true(approval_token_hmac(S("key"), &other, token, &got));
		assert_false(sha256_eq(&right, &got));
	}
	for (size_t i = 0; i < token.n; i++) {
		struct str wrong = arena_str(&a, token);

		if (token.p[i] == '-')
			continue;
		((char *)(uintptr_t)wrong.p)[i] = token.p[i] == '7' ? '8' : '7';
		assert_true(approval_token_hmac(S("key"), &row, wrong, &got));
		assert_false(sha256_eq(&right, &got));
	}
	arena_done(&a);
}

static void a_token_is_read_as_people_type(void **state)
{
	static const struct {
		const char *text;
		bool reads, same;
	} table[] = {
		{ "AB10-2345-WXYZ", true, true },
		{ "ab10 2345 wxyz", true, true },
		{ "abIo2345wxyz", true, true },
		{ "abLO-2345-wxyz", true, true },
		{ "AB10-2345-WXY", false, false },
		{ "AB10-2345-WXYZ0", false, false },
		{ "AB10-2345-WXYU", false, false },
		{ "AB10-2345-WXY\xc3\x84", false, false },
		{ "", false, false },
		{ "------", false, false },
		{ "BA10-2345-WXYZ", true, false },
	};
	struct plan_row row = row_of("requester");
	struct sha256 right, got;

	(void)state;
	assert_true(approval_token_hmac(S("key"), &row, str_c(table[0].text), &right));
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		bool reads = approval_token_hmac(S("key"), &row, str_c(table[i].text), &got);

		if (reads != table[i].reads || (reads && sha256_eq(&got, &right) != table[i].same))
			fail_msg("%s", table[i].text);
	}
	assert_false(approval_token_hmac(S("key"), &row, str_n("AB10\0002345WXY", 12), &got));
}

static void a_stricter_yes_may_take_longer(void **state)
{
	(void)state;
	assert_int_equal(approval_lives_us(APPROVAL_CLIENT), INT64_C(120000000));
	assert_int_equal(approval_lives_us(APPROVAL_REQUESTER), INT64_C(600000000));
	assert_int_equal(approval_lives_us(APPROVAL_OTHER), INT64_C(86400000000));
}

static void an_agents_own_yes_is_anothers(void **state)
{
	static const struct {
		enum principal_kind kind;
		enum approval_level need, raised;
		const char *grant, *then;
	} table[] = {
		{ PRINCIPAL_HUMAN, APPROVAL_CLIENT, APPROVAL_CLIENT, "", "" },
		{ PRINCIPAL_HUMAN, APPROVAL_OTHER, APPROVAL_OTHER, "approve.x", "approve.x" },
		{ PRINCIPAL_AGENT, APPROVAL_NONE, APPROVAL_NONE, "", "" },
		{ PRINCIPAL_AGENT, APPROVAL_CLIENT, APPROVAL_OTHER, "", APPROVAL_GRANT },
		{ PRINCIPAL_SERVICE, APPROVAL_REQUESTER, APPROVAL_OTHER, "", APPROVAL_GRANT },
		{ PRINCIPAL_SERVICE, APPROVAL_OTHER, APPROVAL_OTHER, "approve.x", "approve.x" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct principal who = { .kind = table[i].kind };
		enum approval_level need = table[i].need;
		struct str grant = str_c(table[i].grant);

		approval_raise(&who, &need, &grant);
		assert_int_equal(need, table[i].raised);
		assert_str(grant, table[i].then);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plan_for_the_requester_is_the_requesters),
		cmocka_unit_test(a_second_person_is_another_who_holds_the_grant),
		cmocka_unit_test(whoever_could_be_the_requester_is_no_second_person),
		cmocka_unit_test(an_issuers_subject_is_the_keys_where_there_is_one_issuer),
		cmocka_unit_test(what_is_not_open_or_not_here_is_not_decided),
		cmocka_unit_test(somebody_elses_plan_is_no_plan),
		cmocka_unit_test(what_was_approved_is_what_is_applied),
		cmocka_unit_test(the_state_decides_the_rest),
		cmocka_unit_test(a_token_is_one_plans_and_one_persons),
		cmocka_unit_test(a_token_is_read_as_people_type),
		cmocka_unit_test(a_stricter_yes_may_take_longer),
		cmocka_unit_test(an_agents_own_yes_is_anothers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
