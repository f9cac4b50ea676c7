/* The pages, asked as a browser asks them and as others do; what is behind them is made up here. */
#include "site/site.h"

#include <stdio.h>
#include <string.h>

#include "base/test.h"
#include "site/visit.h"

#define ORIGIN "http://127.0.0.1:8081"
#define PLAN "pl_01J0000000000000000000TEST"
#define GOOD_KEY "psap_dev_good"
#define WIRE_KEY "pstn_dev_wire"

/* What stands behind the pages. */
struct behind {
	struct arena a;
	struct site *site;
	struct config config;
	struct plan_row row;
	struct plan plan;
	struct principal ada, bob; /* ada asked; bob may be a second person */
	const struct principal *holder; /* of GOOD_KEY */
	enum identity_verdict verdict; /* of a credential looked up again */
	bool paused, full, deaf, no_record;
	unsigned tried, decided, escalated, sign_ins;
	char reasons[256]; /* of refusals recorded */
	struct site_decision decision;
	uint64_t boot_ms;
	struct site_reply reply;
	char cookie[128];
};

static struct behind b;

/* --- hands --- */

static enum identity_verdict enter(void *ctx, struct str key, struct principal *out)
{
	(void)ctx;
	if (b.deaf)
		return IDENTITY_UNAVAILABLE;
	if (!key.n)
		return IDENTITY_MISSING;
	if (str_eq(key, S(WIRE_KEY))) {
		*out = b.ada;
		out->approver = false;
		return IDENTITY_OK;
	}
	if (!str_eq(key, S(GOOD_KEY)))
		return IDENTITY_UNKNOWN;
	*out = *b.holder;
	return IDENTITY_OK;
}

static enum identity_verdict again(void *ctx, struct str credential, struct principal *out)
{
	(void)ctx;
	assert_true(str_eq(credential, b.holder->credential));
	*out = *b.holder;
	return b.verdict;
}

static bool paused(void *ctx, const struct principal *who)
{
	(void)ctx;
	(void)who;
	return b.paused;
}

static bool may_try(void *ctx, uint32_t *wait_ms_out)
{
	(void)ctx;
	*wait_ms_out = 30000;
	return !b.full;
}

static void tried(void *ctx)
{
	(void)ctx;
	b.tried++;
}

static bool list(void *ctx, const struct principal *who, enum plans_which which,
	struct plan_row **rows_out, size_t *count_out, struct err *err)
{
	(void)ctx;
	(void)which;
	if (b.deaf)
		return err_set(err, E_IO, "the store does not answer");
	*rows_out = &b.row;
	*count_out = approval_visible(&b.config, &b.row, who);
	return true;
}

static bool open_plan(void *ctx, const struct principal *who, struct str id,
	struct plan_row *row_out, struct plan *plan_out, struct err *err)
{
	(void)ctx;
	if (!str_eq(id, b.row.id) || !approval_visible(&b.config, &b.row, who))
		return err_set(err, E_NOT_FOUND, "no such plan");
	*row_out = b.row;
	*plan_out = b.plan;
	return true;
}

static bool decide(void *ctx, const struct principal *who, const struct site_plan *p,
	const struct site_decision *d, struct site_outcome *out, struct err *err)
{
	struct decider decider = { .who = who, .yes = d->yes };

	(void)ctx;
	(void)err;
	out->verdict = approval_judge(&b.config, p->row, &decider);
	if (out->verdict != DECIDE_MAY)
		return false;
	b.decided++;
	b.decision = *d;
	b.row.state = d->yes ? PLAN_APPROVED : PLAN_DECLINED;
	b.row.decided_by = who->subject;
	b.row.decided_us = 1;
	if (b.config.approvals.token)
		out->token = S("ABCD-EFGH-JKMN");
	return true;
}

static bool escalate(void *ctx, const struct principal *who, const struct site_plan *p,
	const struct site_decision *d, struct site_outcome *out, struct err *err)
{
	(void)ctx;
	(void)who;
	(void)p;
	(void)err;
	out->verdict = DECIDE_MAY;
	b.escalated++;
	b.row.escalated_us = 1;
	b.row.escalation_note = d->note;
	b.row.need = S("other");
	b.row.grant = S("approve.plans");
	return true;
}

static bool record(void *ctx, const struct site_record *r)
{
	(void)ctx;
	if (b.no_record)
		return false;
	if (r->visit)
		b.sign_ins += str_eq(str_c(r->event), S("SIGN_IN"));
	else
		snprintf(b.reasons + strlen(b.reasons), sizeof b.reasons - strlen(b.reasons),
			"%s:%.*s ", r->event, STR_ARG(r->reason));
	return true;
}

static void failed(void *ctx, const struct err *err)
{
	(void)ctx;
	(void)err;
}

static const struct site_hands hands = { .enter = enter,
	.again = again,
	.paused = paused,
	.may_try = may_try,
	.tried = tried,
	.list = list,
	.open = open_plan,
	.decide = decide,
	.escalate = escalate,
	.record = record,
	.failed = failed };

/* --- who and what --- */

static struct principal approver(const char *subject, const char *role)
{
	struct str *roles = arena_new(&b.a, struct str);
	struct principal p = { .subject = str_c(subject),
		.kind = PRINCIPAL_HUMAN,
		.tenant = S("acme"),
		.credential = arena_fmt(&b.a, "key-%s", subject),
		.environment = S("development"),
		.roles = roles,
		.role_count = 1,
		.approver = true };

	*roles = str_c(role);
	principal_finish(&b.config, &b.a, &p);
	return p;
}

static const struct str chief_grants[] = { STR_INIT("approve.plans") };
static const struct role_config roles[] = {
	{ .name = STR_INIT("clerk") },
	{ .name = STR_INIT("chief"), .grants = chief_grants, .grant_count = 1 },
};
static const struct str column_names[] = { STR_INIT("id"), STR_INIT("note") };
static const struct str key_names[] = { STR_INIT("id") };
static const struct column columns[] = { { .name = STR_INIT("id") }, { .name = STR_INIT("note") } };
static const struct effect_rule rule = { .table = STR_INIT("notes"),
	.operations = EFFECT_UPDATE,
	.key = { key_names, 1 },
	.columns = columns,
	.column_count = 2 };

#define HOSTILE                                                                                    \
	"<img src=x onerror=alert(1)>\"'&\xe2\x80\xae"                                             \
	"evil\xf3\xa0\x81\x81"

static struct plan plan_make(void)
{
	struct plan_step *step = arena_new(&b.a, struct plan_step);
	struct effect *e = effects_add(&step->effects, &b.a);
	struct cell *before = arena_array(&b.a, struct cell, 2);
	struct cell *after = arena_array(&b.a, struct cell, 2);

	before[0] = (struct cell){ CELL_TEXT, S("n_1") };
	before[1] = (struct cell){ CELL_NULL, STR_NONE };
	after[0] = before[0];
	after[1] = (struct cell){ CELL_TEXT, S(HOSTILE) };
	e->table = effect_table_make(&b.a, S("notes"), column_names, 2, &rule);
	e->operation = EFFECT_UPDATE;
	e->before = before;
	e->after = after;
	effects_order(&step->effects, &b.a);
	step->tool = S("correct_note");
	step->version = 3;
	step->arguments = S("{\"note\":\"<b>x</b>\",\"note_id\":\"n_1\"}");
	return (struct plan){ .id = S(PLAN),
		.deployment = S("desk"),
		.environment = S("development"),
		.source = S("crm"),
		.who = { .subject = S("ada"), .tenant = S("acme"), .agent = S("helper") },
		.steps = step,
		.step_count = 1,
		.rows = 1,
		.need = APPROVAL_REQUESTER,
		.request = S("please <script>fix</script> it") };
}

static int begin(void **state)
{
	(void)state;
	memset(&b, 0, sizeof b);
	arena_init(&b.a, (size_t)64 << 20);
	b.config = (struct config){
		.name = S("desk"), .environment = ENV_DEVELOPMENT, .roles = roles, .role_count = 2
	};
	b.ada = approver("ada", "clerk");
	b.bob = approver("bob", "chief");
	b.holder = &b.ada;
	b.plan = plan_make();
	b.row = (struct plan_row){ .id = S(PLAN),
		.tool = S("correct_note"),
		.subject = S("ada"),
		.tenant = S("acme"),
		.environment = S("development"),
		.need = S("requester"),
		.expires_us = 600000000 };
	b.boot_ms = 1000;
	b.site = site_new(&hands);
	return 0;
}

static int end(void **state)
{
	(void)state;
	site_free(&b.site);
	arena_done(&b.a);
	return 0;
}

/* --- a browser --- */

static struct site_request ask(const char *method, const char *path)
{
	const char *query = strchr(path, '?');
	struct site_request r = { .arena = &b.a,
		.method = str_c(method),
		.path = query ? str_n(path, (size_t)(query - path)) : str_c(path),
		.query = query ? str_c(query + 1) : STR_NONE,
		.cookie = str_c(b.cookie),
		.own_origin = S(ORIGIN),
		.host_ok = true,
		.config = &b.config,
		.boot_ms = b.boot_ms };

	return r;
}

static struct str answer(const struct site_request *r)
{
	site_answer(b.site, r, &b.reply);
	return b.reply.body;
}

static struct str get(const char *path)
{
	struct site_request r = ask("GET", path);

	return answer(&r);
}

static struct site_request form(const char *path, struct str body)
{
	struct site_request r = ask("POST", path);

	r.origin = S(ORIGIN);
	r.fetch_site = S("same-origin");
	r.content_type = S("application/x-www-form-urlencoded");
	r.body = body;
	return r;
}

static struct str post(const char *path, struct str body)
{
	struct site_request r = form(path, body);

	return answer(&r);
}

static struct str header(const char *name)
{
	for (size_t i = 0; i < b.reply.header_count; i++)
		if (str_eq_ci(b.reply.headers[i].name, str_c(name)))
			return b.reply.headers[i].value;
	return STR_NONE;
}

static bool has(struct str text, const char *what)
{
	return str_find_str(text, 0, str_c(what)) < text.n;
}

/* Of the n-th field of this name on the page. */
static struct str field(struct str page, const char *name, unsigned n)
{
	struct str mark = arena_fmt(&b.a, "name=\"%s\" value=\"", name);
	size_t at = 0;

	for (unsigned i = 0; i <= n; i++)
		at = str_find_str(page, i ? at + 1 : 0, mark);
	assert_true(at < page.n);
	at += mark.n;
	return str_sub(page, at, str_find(page, at, '"') - at);
}

static void take_cookie(void)
{
	struct str value = header("Set-Cookie"), pair, rest;

	assert_true(str_cut(value, ';', &pair, &rest));
	snprintf(b.cookie, sizeof b.cookie, "%.*s", STR_ARG(pair));
}

static void sign_in(void)
{
	b.cookie[0] = '\0';
	post("/approvals/sign-in", S("key=" GOOD_KEY "&next=/approvals/" PLAN));
	assert_int_equal(b.reply.status, 303);
	take_cookie();
}

static struct str decision(struct str page, const char *what, unsigned n)
{
	return arena_fmt(&b.a, "decision=%s&shown=%.*s&seal=%.*s&note=because", what,
		STR_ARG(field(page, "shown", n)), STR_ARG(field(page, "seal", n + 1)));
}

static struct str approve_form(void)
{
	struct str page = get("/approvals/" PLAN);

	assert_int_equal(b.reply.status, 200);
	return decision(page, "approve", 0);
}

/* --- tests --- */

static void every_reply_says_what_a_browser_may_do_with_it(void **state)
{
	static const char *const paths[] = { "/approvals", "/approvals/sign-in",
		"/approvals/style.css", "/approvals/left/60.css", "/approvals/nothing", "/",
		("/approvals/" PLAN) };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct str body = get(paths[i]);

		assert_str(header("Content-Security-Policy"),
			"default-src 'none'; style-src 'self'; form-action 'self'; "
			"frame-ancestors 'none'; base-uri 'none'");
		assert_str(header("X-Frame-Options"), "DENY");
		assert_str(header("Referrer-Policy"), "same-origin");
		assert_str(header("Cache-Control"), "no-store");
		assert_false(has(body, "<script") || has(body, "style=") || has(body, "onclick"));
	}
}

static void nobody_sees_anything_without_signing_in(void **state)
{
	(void)state;
	get("/approvals/" PLAN);
	assert_int_equal(b.reply.status, 303);
	assert_str(header("Location"), "/approvals/sign-in?next=/approvals/" PLAN);
	post("/approvals/" PLAN "/decide", S("decision=approve"));
	assert_int_equal(b.reply.status, 401);
	assert_int_equal(b.decided, 0);
}

static void a_link_from_elsewhere_asks_again_from_here(void **state)
{
	struct site_request r;

	(void)state;
	r = ask("GET", "/approvals/" PLAN);
	r.fetch_site = S("cross-site");
	assert_true(has(answer(&r), "http-equiv=\"refresh\" content=\"0;url=/approvals/" PLAN));
	assert_int_equal(b.reply.status, 200);
}

static void only_an_approvers_key_signs_in(void **state)
{
	static const char *const wrong[] = { ("key=" WIRE_KEY), "key=psap_dev_bad", "key=", "" };
	struct str words = STR_NONE;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct str page = post("/approvals/sign-in", str_c(wrong[i]));

		assert_int_equal(b.reply.status, 403);
		assert_false(header("Set-Cookie").n);
		if (words.n)
			assert_true(str_eq(page, words));
		words = page;
	}
	assert_int_equal(b.tried, 2); /* nothing shown is no try */
	assert_true(has(str_c(b.reasons), "AUTH_FAIL:unknown"));
	assert_int_equal(b.sign_ins, 0);
	b.full = true;
	assert_true(has(post("/approvals/sign-in", S("key=" GOOD_KEY)), "30 s"));
	assert_int_equal(b.reply.status, 429);
	b.full = false;
	b.deaf = true;
	post("/approvals/sign-in", S("key=" GOOD_KEY));
	assert_int_equal(b.reply.status, 503);
	b.deaf = false;
	b.no_record = true;
	post("/approvals/sign-in", S("key=" GOOD_KEY));
	assert_int_equal(b.reply.status, 503);
	assert_false(header("Set-Cookie").n);
}

static void a_visit_is_the_browsers_alone(void **state)
{
	struct site_request r = form("/approvals/sign-in", S("key=" GOOD_KEY));
	struct str cookie;

	(void)state;
	answer(&r);
	cookie = header("Set-Cookie");
	assert_true(str_starts(cookie, S("postern-visit=")));
	assert_true(str_ends(cookie, S("; Path=/; HttpOnly; SameSite=Strict")));
	r.secure = true;
	answer(&r);
	cookie = header("Set-Cookie");
	assert_true(str_starts(cookie, S("__Host-postern-visit=")));
	assert_true(str_ends(cookie, S("; Path=/; HttpOnly; SameSite=Strict; Secure")));
	take_cookie(); /* of the secure name: not taken where TLS is not spoken */
	get("/approvals");
	assert_int_equal(b.reply.status, 303);
	assert_int_equal(b.sign_ins, 2);
}

static void signing_in_leads_to_our_pages_alone(void **state)
{
	static const char *const bad[] = { "https://evil.example/", "//evil.example", "/approvalsx",
		"/approvals/../x", "/approvals?x", "/approvals%2F%0d%0aSet-Cookie:x", "",
		"javascript:alert(1)" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		post("/approvals/sign-in", arena_fmt(&b.a, "key=" GOOD_KEY "&next=%s", bad[i]));
		assert_int_equal(b.reply.status, 303);
		assert_str(header("Location"), "/approvals");
	}
}

static void a_post_from_elsewhere_does_nothing(void **state)
{
	static const struct {
		const char *origin, *site;
	} bad[] = { { "", "" }, { "", "same-origin" }, { "null", "" }, { ORIGIN "0", "" },
		{ "https://127.0.0.1:8081", "" }, { ORIGIN, "cross-site" }, { ORIGIN, "same-site" },
		{ ORIGIN, "none" } };
	struct site_request r;

	(void)state;
	sign_in();
	r = form("/approvals/" PLAN "/decide", approve_form());
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		r.origin = str_c(bad[i].origin);
		r.fetch_site = str_c(bad[i].site);
		answer(&r);
		assert_int_equal(b.reply.status, 403);
	}
	assert_int_equal(b.decided, 0);
	assert_true(has(str_c(b.reasons), "DENY:origin"));
	r = ask("GET", "/approvals/" PLAN);
	r.fetch_dest = S("iframe");
	answer(&r);
	assert_int_equal(b.reply.status, 403);
	r.fetch_dest = S("document");
	r.host_ok = false;
	answer(&r);
	assert_int_equal(b.reply.status, 403);
}

static void what_was_shown_is_approved(void **state)
{
	(void)state;
	sign_in();
	post("/approvals/" PLAN "/decide", approve_form());
	assert_int_equal(b.reply.status, 303);
	assert_str(header("Location"), "/approvals/" PLAN);
	assert_int_equal(b.decided, 1);
	assert_true(b.decision.yes);
	assert_str(b.decision.note, "because");
	assert_true(has(get("/approvals/" PLAN), "approved by ada"));
	assert_true(has(get("/approvals/history"), PLAN));
}

static void a_form_is_good_for_one_answer_to_one_plan_of_one_visit(void **state)
{
	struct str page, yes, no;

	(void)state;
	sign_in();
	page = get("/approvals/" PLAN);
	yes = decision(page, "approve", 0);
	no = decision(page, "decline", 1);
	assert_false(str_eq(field(page, "seal", 1), field(page, "seal", 2)));
	/* the seal of one answer with the other */
	post("/approvals/" PLAN "/decide",
		arena_fmt(&b.a, "decision=approve&shown=%.*s&seal=%.*s",
			STR_ARG(field(page, "shown", 1)), STR_ARG(field(page, "seal", 2))));
	assert_int_equal(b.reply.status, 403);
	post("/approvals/" PLAN "/decide",
		arena_fmt(&b.a, "decision=approve&shown=%.*s", STR_ARG(field(page, "shown", 0))));
	assert_int_equal(b.reply.status, 403);
	/* of another visit */
	sign_in();
	post("/approvals/" PLAN "/decide", yes);
	assert_int_equal(b.reply.status, 403);
	post("/approvals/" PLAN "/decide", no);
	assert_int_equal(b.reply.status, 403);
	assert_int_equal(b.decided, 0);
	assert_true(has(str_c(b.reasons), "DENY:seal"));
}

static void what_changed_since_is_not_approved(void **state)
{
	struct str form;

	(void)state;
	sign_in();
	form = approve_form();
	b.plan.steps[0].effects.list[0].table =
		effect_table_make(&b.a, S("other"), column_names, 2, &rule);
	assert_true(has(post("/approvals/" PLAN "/decide", form), "has changed"));
	assert_int_equal(b.reply.status, 409);
	assert_int_equal(b.decided, 0);
}

static void what_is_over_is_said_to_be(void **state)
{
	struct str form, page;

	(void)state;
	sign_in();
	form = approve_form();
	b.row.state = PLAN_VOID;
	post("/approvals/" PLAN "/decide", form);
	assert_int_equal(b.reply.status, 409);
	b.row.state = PLAN_EXPIRED;
	page = get("/approvals/" PLAN);
	assert_true(has(page, "expired"));
	assert_false(has(page, "<textarea"));
	post("/approvals/" PLAN "/decide", form);
	assert_int_equal(b.reply.status, 409);
	assert_int_equal(b.decided, 0);
}

static void declining_needs_a_reason(void **state)
{
	struct str page, no;

	(void)state;
	sign_in();
	page = get("/approvals/" PLAN);
	no = decision(page, "decline", 1);
	post("/approvals/" PLAN "/decide", str_sub(no, 0, no.n - 7));
	assert_int_equal(b.reply.status, 422);
	assert_int_equal(b.decided, 0);
	post("/approvals/" PLAN "/decide", no);
	assert_int_equal(b.reply.status, 303);
	assert_false(b.decision.yes);
}

static void an_old_sign_in_decides_nothing(void **state)
{
	struct str form;

	(void)state;
	sign_in();
	form = approve_form();
	b.boot_ms += VISIT_RECENT_MS / 2;
	get("/approvals");
	b.boot_ms += VISIT_RECENT_MS / 2;
	post("/approvals/" PLAN "/decide", form);
	assert_int_equal(b.reply.status, 303);
	assert_str(header("Location"), "/approvals/sign-in?next=/approvals/" PLAN);
	assert_true(has(get("/approvals/" PLAN), "Sign in again"));
	assert_int_equal(b.decided, 0);
	sign_in();
	post("/approvals/" PLAN "/decide", approve_form());
	assert_int_equal(b.decided, 1);
}

static void a_credential_that_is_over_ends_the_visit(void **state)
{
	(void)state;
	sign_in();
	b.verdict = IDENTITY_UNAVAILABLE; /* nobody now; the visit waits */
	get("/approvals");
	assert_int_equal(b.reply.status, 303);
	b.verdict = IDENTITY_OK;
	get("/approvals");
	assert_int_equal(b.reply.status, 200);
	b.verdict = IDENTITY_REVOKED;
	get("/approvals");
	assert_int_equal(b.reply.status, 303);
	b.verdict = IDENTITY_OK;
	get("/approvals");
	assert_int_equal(b.reply.status, 303);
}

static void another_person_behind_the_credential_is_not_the_visitor(void **state)
{
	struct principal other;

	(void)state;
	sign_in();
	other = b.ada;
	other.role_count = 0;
	principal_finish(&b.config, &b.a, &other);
	b.holder = &other;
	get("/approvals");
	assert_int_equal(b.reply.status, 303);
}

static void whoever_is_paused_decides_nothing(void **state)
{
	struct str form;

	(void)state;
	sign_in();
	form = approve_form();
	b.paused = true;
	post("/approvals/" PLAN "/decide", form);
	assert_int_equal(b.reply.status, 503);
	get("/approvals");
	assert_int_equal(b.reply.status, 503);
	b.cookie[0] = '\0';
	post("/approvals/sign-in", S("key=" GOOD_KEY));
	assert_int_equal(b.reply.status, 503);
	assert_int_equal(b.decided, 0);
}

static void not_theirs_looks_like_not_there(void **state)
{
	struct str theirs, none;

	(void)state;
	b.holder = &b.bob;
	sign_in();
	theirs = get("/approvals/" PLAN);
	assert_int_equal(b.reply.status, 404);
	none = get("/approvals/pl_01J0000000000000000000NONE");
	assert_int_equal(b.reply.status, 404);
	assert_true(str_eq(theirs, none));
	assert_true(has(get("/approvals"), "Nothing waits"));
}

static void a_second_person_sees_what_was_sent_to_them(void **state)
{
	struct str page, form;

	(void)state;
	sign_in();
	page = get("/approvals/" PLAN);
	form = arena_fmt(&b.a, "shown=%.*s&seal=%.*s&note=look", STR_ARG(field(page, "shown", 2)),
		STR_ARG(field(page, "seal", 3)));
	post("/approvals/" PLAN "/escalate", form);
	assert_int_equal(b.reply.status, 303);
	assert_int_equal(b.escalated, 1);
	page = get("/approvals/" PLAN);
	assert_true(has(page, "a second person is needed"));
	assert_false(has(page, "Approve exactly this"));
	b.holder = &b.bob;
	sign_in();
	page = get("/approvals/" PLAN);
	assert_true(has(page, "Approve exactly this") && has(page, "look"));
	post("/approvals/" PLAN "/decide", decision(page, "approve", 0));
	assert_int_equal(b.decided, 1);
}

static void a_token_is_shown_once(void **state)
{
	(void)state;
	b.config.approvals.token = true;
	sign_in();
	assert_true(has(post("/approvals/" PLAN "/decide", approve_form()), "ABCD-EFGH-JKMN"));
	assert_int_equal(b.reply.status, 200);
	assert_false(has(get("/approvals/" PLAN), "ABCD"));
}

static void hostile_values_are_text(void **state)
{
	struct str page;

	(void)state;
	sign_in();
	page = get("/approvals/" PLAN);
	assert_true(has(page, "&lt;img src=x"));
	assert_true(has(page, "U+202E") && has(page, "U+E0041"));
	assert_true(has(page, "&lt;b&gt;x&lt;/b&gt;"));
	assert_false(has(page, "<img") || has(page, "<script") || has(page, "<b>"));
	assert_false(has(page, "\xe2\x80\xae"));
	assert_true(has(page, "Told by the assistant"));
	assert_true(has(page, "correct_note@3"));
}

static void signing_out_ends_the_visit(void **state)
{
	struct str seal;
	char before[sizeof b.cookie];

	(void)state;
	sign_in();
	seal = field(get("/approvals"), "seal", 0);
	post("/approvals/sign-out", S("seal=x"));
	assert_int_equal(b.reply.status, 403);
	post("/approvals/sign-out", arena_fmt(&b.a, "seal=%.*s", STR_ARG(seal)));
	assert_int_equal(b.reply.status, 303);
	assert_true(has(header("Set-Cookie"), "Max-Age=0"));
	memcpy(before, b.cookie, sizeof before);
	get("/approvals");
	assert_int_equal(b.reply.status, 303);
}

static void what_is_not_a_page_is_not_found(void **state)
{
	static const char *const paths[] = { "/approvals/", "/approvals/pl_", "/approvals/x",
		"/approvals/../etc", "/approvals/" PLAN "/", "/approvals/" PLAN "/x",
		"/approvals/left/x.css", "/approvals/left/1.js", "/mcp", "/favicon.ico", "*" };

	(void)state;
	sign_in();
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		get(paths[i]);
		assert_int_equal(b.reply.status, 404);
	}
	get("/approvals/" PLAN "/decide");
	assert_int_equal(b.reply.status, 405);
	post("/approvals", S(""));
	assert_int_equal(b.reply.status, 405);
	get("/approvals?a=%ff");
	assert_int_equal(b.reply.status, 404);
}

static void a_store_that_does_not_answer_decides_nothing(void **state)
{
	(void)state;
	sign_in();
	b.deaf = true;
	get("/approvals");
	assert_int_equal(b.reply.status, 503);
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_reply_says_what_a_browser_may_do_with_it),
		T(nobody_sees_anything_without_signing_in),
		T(a_link_from_elsewhere_asks_again_from_here),
		T(only_an_approvers_key_signs_in),
		T(a_visit_is_the_browsers_alone),
		T(signing_in_leads_to_our_pages_alone),
		T(a_post_from_elsewhere_does_nothing),
		T(what_was_shown_is_approved),
		T(a_form_is_good_for_one_answer_to_one_plan_of_one_visit),
		T(what_changed_since_is_not_approved),
		T(what_is_over_is_said_to_be),
		T(declining_needs_a_reason),
		T(an_old_sign_in_decides_nothing),
		T(a_credential_that_is_over_ends_the_visit),
		T(another_person_behind_the_credential_is_not_the_visitor),
		T(whoever_is_paused_decides_nothing),
		T(not_theirs_looks_like_not_there),
		T(a_second_person_sees_what_was_sent_to_them),
		T(a_token_is_shown_once),
		T(hostile_values_are_text),
		T(signing_out_ends_the_visit),
		T(what_is_not_a_page_is_not_found),
		T(a_store_that_does_not_answer_decides_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
