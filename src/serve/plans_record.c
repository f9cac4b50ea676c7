/* plans_record - what is recorded of plans and the decisions on them.  See plans_inside.h.
 *
 * Invariant: a token, its HMAC and the plan's values never come here. */
#include "serve/plans_inside.h"

#include "json/write.h"

#define FIELDS_MAX ((size_t)24 << 10)

static void put_digest(struct jw *w, struct str name, const struct sha256 *d)
{
	char space[80];
	struct buf text = { .p = space, .cap = sizeof space, .limit = sizeof space };

	sha256_write(&text, d);
	jw_put_str(w, name, buf_str(&text));
}

static void put_some(struct jw *w, struct str name, struct str value)
{
	if (value.n)
		jw_put_str(w, name, value);
}

static void begin(struct jw *w, struct buf *fields, struct arena *a)
{
	buf_in(fields, a, FIELDS_MAX);
	jw_init(w, fields);
	jw_object(w);
}

static bool end(
	struct world *world, const char *event, struct jw *w, struct buf *fields, struct err *err)
{
	jw_object_end(w);
	if (!buf_ok(fields))
		return err_set(err, E_LIMIT, "a record of %s is too large", event);
	return audit_event(
		world_audit(world), event, str_sub(buf_str(fields), 1, fields->n - 2), err);
}

/* Which plan, and whose. */
static void put_plan(struct jw *w, const struct plan_row *row)
{
	jw_put_str(w, S("plan"), row->id);
	put_digest(w, S("pd"), &row->digest);
	jw_put_str(w, S("tool"), row->tool);
	jw_put_str(w, S("need"), row->need);
	put_some(w, S("grant"), row->grant);
	put_some(w, S("iss"), row->issuer);
	jw_put_str(w, S("subj"), row->subject);
	put_some(w, S("ten"), row->tenant);
	put_some(w, S("agent"), row->agent);
}

bool plan_note(struct world *world, struct arena *a, const char *change, const struct plan_row *row,
	const struct plan *p, struct str by, struct str why, struct err *err)
{
	struct buf fields;
	struct jw w;

	begin(&w, &fields, a);
	jw_put_str(&w, S("change"), str_c(change));
	put_plan(&w, row);
	if (p)
		jw_put_u64(&w, S("rows"), p->rows);
	put_some(&w, S("by"), by);
	put_some(&w, S("reason"), why);
	return end(world, "PLAN", &w, &fields, err);
}

bool plan_note_approval(struct world *world, struct arena *a, const struct plan_row *row,
	const struct approval_record *r, struct err *err)
{
	struct buf fields;
	struct jw w;

	begin(&w, &fields, a);
	jw_put_str(&w, S("decision"), str_c(r->decision));
	put_plan(&w, row);
	jw_put_str(&w, S("by"), r->who->subject);
	jw_put_str(&w, S("cred"), r->who->credential);
	jw_put_str(&w, S("channel"), r->channel);
	if (r->shown)
		put_digest(&w, S("shown"), r->shown);
	put_some(&w, S("note"), r->note);
	put_some(&w, S("peer"), r->peer);
	put_some(&w, S("reason"), r->why);
	return end(world, "APPROVAL", &w, &fields, err);
}

bool plan_note_refusal(struct world *w, const struct plan_row *row, const struct principal *who,
	const struct decision *d, enum decide verdict, struct err *err)
{
	const struct audit_refusal refusal = { .event = "DENY",
		.reason = str_c(decide_name(verdict)),
		.subject = who->subject,
		.credential = who->credential,
		.agent = who->agent,
		.tenant = who->tenant,
		.peer = d->peer,
		.method = d->yes ? S("approve") : S("decline"),
		.target = row->id };

	return audit_refuse(world_audit(w), &refusal, err);
}
