/* plans_fixture - for tests of plans: a deployment, people, and a plan to decide on. */
#pragma once
#include "identity/approver.h"
#include "serve/plans.h"
#include "serve/site_fixture.h"

#define SECOND_US INT64_C(1000000)

#define PLANS_CONFIG                                                                               \
	"environment: development\n"                                                               \
	"name: site\n"                                                                             \
	"owner: tests\n"                                                                           \
	"sources: { shop: { sqlite: { file: shop.db, pool: 2 }, owner: tests, purpose: Rows } }\n" \
	"store: { sqlite: state/store.db }\n"                                                      \
	"audit: { directory: state/audit, keys: state/keys }\n"                                    \
	"identity: { api_keys: true }\n"                                                           \
	"roles:\n"                                                                                 \
	"  clerk: [shop.read]\n"                                                                   \
	"  chief: [approve.plans]\n"                                                               \
	"catalog: [\"catalog*.yaml\"]\n"
#define PLANS_CATALOG                                                                              \
	"tools:\n" SITE_TOOL(                                                                      \
		"first", "shop.read", "shop") "    read: SELECT s FROM every LIMIT 1\n"            \
					      "    returns: { shape: maybe, columns: { "           \
					      "s: string } }\n"

static struct site site;
static struct generation *g;
static struct store_moment moment;

static const struct entry tool = {
	.name = STR_INIT("correct"), .version = 2, .digest = { { 1, 2, 3 } }
};
static inline void read_moment(struct store_moment *out)
{
	*out = moment;
}

static inline int open_with(const char *more)
{
	char text[4096];

	site_make(&site, PLANS_CATALOG);
	snprintf(text, sizeof text, "%s%s", PLANS_CONFIG, more);
	site_write(&site, "postern.yaml", text);
	if (!site_open(&site))
		return -1;
	moment = (struct store_moment){ S("boot"), 1000, clock_wall_us() };
	store_clock_set(world_store(site.world), read_moment);
	g = world_hold(site.world);
	return 0;
}

static inline void plans_close(void)
{
	world_drop(site.world, g);
	site_remove(&site);
}

/* --- who --- */

static inline struct principal person(const char *subject, enum principal_kind kind)
{
	struct principal p = { .subject = str_c(subject),
		.kind = kind,
		.tenant = S("acme"),
		.credential = S("wirekey23456"),
		.environment = S("development") };

	principal_finish(g->config, &site.arena, &p);
	return p;
}

static struct str plans_last_key; /* of whom approver made last */

/* With a key of the store, so that it can be taken back. */
static inline struct principal approver(const char *subject, const char *role, struct str *id_out)
{
	struct key_row row = { .subject = str_c(subject),
		.kind = S("human"),
		.tenant = S("acme"),
		.roles = str_c(role),
		.approver = true };
	struct credential_shown credential = { .bearer = identity_make_key(
						       &site.arena, ENV_DEVELOPMENT, NULL, &row) };
	struct principal p;
	struct err err;

	if (!store_key_add(world_store(site.world), &row, &err))
		fail_msg("%s", err.text);
	assert_int_equal(approver_verify(g->identity, &site.arena, &credential, clock_wall_us(),
				 clock_mono_ms(), &p),
		IDENTITY_OK);
	if (id_out)
		*id_out = row.id;
	plans_last_key = credential.bearer;
	return p;
}

/* --- what --- */

static const struct str column_names[] = { STR_INIT("id"), STR_INIT("signatory") };
static const struct str key_names[] = { STR_INIT("id") };
static const struct column shown_columns[] = { { .name = STR_INIT("id") },
	{ .name = STR_INIT("signatory") } };
static const struct effect_rule rule = { .table = STR_INIT("contracts"),
	.operations = EFFECT_UPDATE,
	.key = { key_names, 1 },
	.columns = shown_columns,
	.column_count = 2 };

static inline struct cell *cells_of(const char *id, const char *signatory)
{
	struct cell *cells = arena_array(&site.arena, struct cell, 2);

	cells[0] = (struct cell){ CELL_TEXT, str_c(id) };
	cells[1] = (struct cell){ CELL_TEXT, str_c(signatory) };
	return cells;
}

static inline struct plan *plan_of(
	const struct principal *who, const char *to, enum approval_level need)
{
	struct plan *p = arena_new(&site.arena, struct plan);
	struct plan_step *step = arena_new(&site.arena, struct plan_step);
	struct effect *e = effects_add(&step->effects, &site.arena);

	e->table = effect_table_make(&site.arena, S("contracts"), column_names, 2, &rule);
	e->operation = EFFECT_UPDATE;
	e->before = cells_of("ctr_1", "per_1");
	e->after = cells_of("ctr_1", to);
	effects_order(&step->effects, &site.arena);
	step->tool = tool.name;
	step->version = tool.version;
	step->definition = tool.digest;
	step->arguments = S("{\"contract_id\":\"ctr_1\"}");
	*p = (struct plan){ .deployment = S("site"),
		.environment = S("development"),
		.source = S("shop"),
		.database = S("00ff"),
		.who = { .issuer = who->issuer,
			.subject = who->subject,
			.tenant = who->tenant,
			.agent = who->agent,
			.credential = who->credential,
			.kind = who->kind },
		.steps = step,
		.step_count = 1,
		.rows = 1,
		.need = need,
		.reason = S("the wrong entity signed") };
	plan_digest(p, &site.arena, &p->digest);
	return p;
}

static inline struct call *call_of(const struct principal *who)
{
	struct call *c = call_new(&site.arena, &tool, who, 5000, clock_wall_us(), clock_mono_ns());
	struct change *change = arena_new(&site.arena, struct change);

	change->steps = arena_new(&site.arena, struct change_step);
	change->steps[0].entry = &tool;
	change->step_count = 1;
	sha256_of(S("{\"contract_id\":\"ctr_1\"}"), &change->arguments);
	c->change = change;
	return c;
}

static inline struct call *keep(
	const struct principal *who, const char *to, enum approval_level need)
{
	struct call *c = call_of(who);

	c->change->plan = plan_of(who, to, need);
	/* as the backend does */
	approval_raise(who, &c->change->plan->need, &c->change->plan->grant);
	if (!plans_keep(site.world, g, c))
		fail_msg("%s: %.*s", fault_info(c->fault.code)->name,
			STR_ARG(c->fault.operator_text));
	return c;
}

static inline struct str kept_id(
	const struct principal *who, const char *to, enum approval_level need)
{
	return keep(who, to, need)->change->plan->id;
}
