/* plans_record - what is recorded of plans and the decisions on them.  See plans_inside.h.
 *
 * Invariant: a token, what is kept of it and the plan's values never come here. */
#include "serve/plans_inside.h"

#include "json/write.h"

#define FIELDS_MAX ((size_t)8 << 10)

/* Which plan, and what became of it. */
static bool note(struct world *world, struct arena *a, const char *event,
	const struct plan_row *row, const char *name, const char *what, const struct principal *who,
	struct str why, struct err *err)
{
	struct buf fields, digest;
	struct jw w;

	buf_in(&digest, a, 80);
	sha256_write(&digest, &row->digest);
	buf_in(&fields, a, FIELDS_MAX);
	jw_init(&w, &fields);
	jw_object(&w);
	jw_put_str(&w, S("plan"), row->id);
	jw_put_str(&w, S("pd"), buf_str(&digest));
	jw_put_str(&w, S("tool"), row->tool);
	jw_put_str(&w, str_c(name), str_c(what));
	if (who) {
		jw_put_str(&w, S("subj"), who->subject);
		jw_put_str(&w, S("cred"), who->credential);
	}
	jw_put_str(&w, S("reason"), why);
	jw_object_end(&w);
	bug_on(!buf_ok(&fields));
	return audit_event(
		world_audit(world), event, str_sub(buf_str(&fields), 1, fields.n - 2), err);
}

bool plan_note_voided(struct world *w, struct arena *a, const struct plan_row *row, struct str why,
	struct err *err)
{
	return note(w, a, "PLAN", row, "change", "voided", NULL, why, err);
}

bool plan_note_not_taken(struct world *w, struct arena *a, const struct plan_row *row,
	const struct principal *who, struct str why, struct err *err)
{
	return note(w, a, "APPROVAL", row, "decision", "not_taken", who, why, err);
}

bool plan_note_decision(struct world *w, const struct plan_row *row, const struct principal *who,
	const struct decision *d, bool escalated, struct err *err)
{
	const struct audit_decision record = { .plan = row->id,
		.tool = row->tool,
		.digest = &row->digest,
		.shown = escalated ? NULL : &d->shown,
		.kind = escalated ? DECISION_ESCALATED
			: d->yes  ? DECISION_APPROVED
				  : DECISION_DECLINED,
		.by = who->subject,
		.issuer = who->issuer,
		.credential = who->credential,
		.channel = d->channel,
		.peer = d->peer,
		.note = d->note,
		.need = row->need,
		.grant = row->grant };

	return audit_decide(world_audit(w), &record, err);
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
