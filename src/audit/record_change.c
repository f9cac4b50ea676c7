/* record_change - see record_change.h.
 *
 * Invariant: what others chose is clipped, so that all of it together fits into a record in which
 * the arguments do not. */
#include "audit/record_change.h"

#include "audit/clip.h"
#include "audit/record.h"
#include "base/clock.h"

#define NAME_MAX_BYTES 128
#define REQUEST_MAX_BYTES 4096
#define REASON_MAX_BYTES 2048
#define BARE_MAX_BYTES 512
#define NOTE_MAX_BYTES 4096

static const char *const ends[] = {
	[CHANGE_NOT] = "not",
	[CHANGE_COMMITTED] = "committed",
	[CHANGE_UNKNOWN] = "unknown",
};

/* The plan that is applied, else the one that was found; before either, what the caller named. */
static void put_plan(struct jw *w, const struct change *ch)
{
	const struct plan *plan = ch->approved ? ch->approved : ch->plan;

	clip_put(w, S("plan"), plan && plan->id.n ? plan->id : ch->plan_id, NAME_MAX_BYTES);
	if (plan)
		record_put_digest(w, S("pd"), &plan->digest);
	record_put_digest(w, S("cd"), &ch->catalog);
}

static void put_claimed(struct jw *w, const struct change *ch, bool bare)
{
	if (!ch->request.n && !ch->reason.n)
		return;
	jw_name(w, S("claimed"));
	jw_object(w);
	clip_put(w, S("request"), ch->request, bare ? BARE_MAX_BYTES : REQUEST_MAX_BYTES);
	clip_put(w, S("reason"), ch->reason, bare ? BARE_MAX_BYTES : REASON_MAX_BYTES);
	jw_object_end(w);
}

void record_put_change(struct jw *w, const struct change *ch, const struct protector *p, bool bare)
{
	put_plan(w, ch);
	if (ch->idempotency_key.n)
		protect_text(p, S("idem"), ch->idempotency_key, w);
	put_claimed(w, ch, bare);
}

void record_put_end(struct jw *w, const struct change *ch, const struct kept *effects, bool bare)
{
	clip_put(w, S("intent"), ch->intent, 4 * NAME_MAX_BYTES);
	jw_put_str(w, S("end"), str_c(ends[ch->end]));
	clip_put(w, S("ledger"), ch->ledger_id, NAME_MAX_BYTES);
	if (!ch->plan)
		return;
	jw_put_u64(w, S("changed"), ch->plan->rows);
	if (!bare)
		kept_put_sums(ch->plan, w);
	kept_put(effects, w);
}

static void put_time(struct jw *w, struct str name, int64_t us)
{
	struct buf text;

	buf_init(&text, 64);
	clock_write_rfc3339(&text, us);
	jw_put_str(w, name, buf_str(&text));
	buf_done(&text);
}

void record_plan(struct buf *out, const struct call *c)
{
	const struct plan *plan = c->change->plan;
	struct jw w;

	record_begin(out, &w, "PLAN");
	jw_put_str(&w, S("call"), id_str(&c->id));
	clip_put(&w, S("subj"), plan->who.subject, 2 * NAME_MAX_BYTES);
	clip_put(&w, S("ten"), plan->who.tenant, 2 * NAME_MAX_BYTES);
	clip_put(&w, S("tool"), c->entry->name, 2 * NAME_MAX_BYTES);
	clip_put(&w, S("plan"), plan->id, NAME_MAX_BYTES);
	record_put_digest(&w, S("pd"), &plan->digest);
	record_put_digest(&w, S("cd"), &c->change->catalog);
	jw_put_str(&w, S("need"), str_c(approval_level_name(plan->need)));
	clip_put(&w, S("grant"), plan->grant, NAME_MAX_BYTES);
	put_time(&w, S("expires"), plan->expires_us);
	record_end(out, &w);
}

static const char *const decisions[] = {
	[DECISION_DECLINED] = "declined",
	[DECISION_APPROVED] = "approved",
	[DECISION_ESCALATED] = "escalated",
};

void record_decision(struct buf *out, const struct audit_decision *d)
{
	struct jw w;

	record_begin(out, &w, "APPROVAL");
	clip_put(&w, S("plan"), d->plan, NAME_MAX_BYTES);
	record_put_digest(&w, S("pd"), d->digest);
	clip_put(&w, S("tool"), d->tool, 2 * NAME_MAX_BYTES);
	jw_put_str(&w, S("decision"), str_c(decisions[d->kind]));
	clip_put(&w, S("subj"), d->by, 2 * NAME_MAX_BYTES);
	clip_put(&w, S("iss"), d->issuer, 2 * NAME_MAX_BYTES);
	clip_put(&w, S("cred"), d->credential, NAME_MAX_BYTES);
	clip_put(&w, S("channel"), d->channel, NAME_MAX_BYTES);
	clip_put(&w, S("peer"), d->peer, NAME_MAX_BYTES);
	if (d->shown)
		record_put_digest(&w, S("shown"), d->shown);
	clip_put(&w, S("need"), d->need, NAME_MAX_BYTES);
	clip_put(&w, S("grant"), d->grant, NAME_MAX_BYTES);
	clip_put(&w, S("note"), d->note, NOTE_MAX_BYTES);
	record_end(out, &w);
}

static const char *const settled_ends[] = {
	[SETTLED_NOT] = "not",
	[SETTLED_COMMITTED] = "committed",
	[SETTLED_UNKNOWN] = "unknown",
};

void record_settled(struct buf *out, const struct audit_settled *s)
{
	struct jw w;

	record_begin(out, &w, "RECONCILE");
	jw_put_str(&w, S("call"), id_str(&s->call));
	clip_put(&w, S("tool"), s->tool, 2 * NAME_MAX_BYTES);
	clip_put(&w, S("of"), s->of, 4 * NAME_MAX_BYTES);
	jw_put_str(&w, S("end"), str_c(settled_ends[s->end]));
	clip_put(&w, S("ledger"), s->ledger, NAME_MAX_BYTES);
	clip_put(&w, S("detail"), s->detail, 4 * NAME_MAX_BYTES);
	record_end(out, &w);
}
