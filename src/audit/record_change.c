/* record_change - see record_change.h.
 *
 * Invariant: what others chose is clipped, so that all of it together fits into a record in which
 * the arguments do not. */
#include "audit/record_change.h"

#include "audit/clip.h"

#define NAME_MAX_BYTES 128
#define CLAIM_MAX_BYTES 2048
#define SUMS_MAX 16

static const char *const ends[] = {
	[CHANGE_NOT] = "not",
	[CHANGE_COMMITTED] = "committed",
	[CHANGE_UNKNOWN] = "unknown",
};

static void put_digest(struct jw *w, struct str name, const struct sha256 *d)
{
	struct buf text;

	buf_init(&text, 80);
	sha256_write(&text, d);
	jw_put_str(w, name, buf_str(&text));
	buf_done(&text);
}

/* The plan that is applied, else the one that was found; before either, what the caller named. */
static void put_plan(struct jw *w, const struct change *ch)
{
	const struct plan *plan = ch->approved ? ch->approved : ch->plan;

	clip_put(w, S("plan"), plan && plan->id.n ? plan->id : ch->plan_id, NAME_MAX_BYTES);
	if (plan)
		put_digest(w, S("pd"), &plan->digest);
	put_digest(w, S("cd"), &ch->catalog);
}

static void put_claimed(struct jw *w, const struct change *ch)
{
	if (!ch->request.n && !ch->reason.n)
		return;
	jw_name(w, S("claimed"));
	jw_object(w);
	clip_put(w, S("request"), ch->request, 2 * CLAIM_MAX_BYTES);
	clip_put(w, S("reason"), ch->reason, CLAIM_MAX_BYTES);
	jw_object_end(w);
}

void record_put_change(struct jw *w, const struct change *ch, const struct protector *p)
{
	put_plan(w, ch);
	if (ch->idempotency_key.n)
		protect_text(p, S("idem"), ch->idempotency_key, w);
	put_claimed(w, ch);
}

static void put_sums(struct jw *w, const struct plan *plan)
{
	if (!plan->sum_count)
		return;
	jw_name(w, S("sums"));
	jw_array(w);
	for (size_t i = 0; i < MIN(plan->sum_count, (size_t)SUMS_MAX); i++) {
		jw_object(w);
		clip_put(w, S("name"), plan->sums[i].name, NAME_MAX_BYTES / 2);
		clip_put(w, S("net"), plan->sums[i].net, NAME_MAX_BYTES);
		clip_put(w, S("gross"), plan->sums[i].gross, NAME_MAX_BYTES);
		jw_object_end(w);
	}
	jw_array_end(w);
}

void record_put_end(struct jw *w, const struct change *ch)
{
	clip_put(w, S("intent"), ch->intent, 4 * NAME_MAX_BYTES);
	jw_put_str(w, S("end"), str_c(ends[ch->end]));
	clip_put(w, S("ledger"), ch->ledger_id, NAME_MAX_BYTES);
	if (ch->attempts > 1)
		jw_put_u64(w, S("attempts"), ch->attempts);
	if (!ch->plan)
		return;
	jw_put_u64(w, S("changed"), ch->plan->rows);
	put_sums(w, ch->plan);
}
