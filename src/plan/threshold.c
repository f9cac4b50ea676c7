/* threshold - see threshold.h. */
#include "base/err.h"
#include "json/json.h"
#include "plan/sum.h"
#include "plan/threshold.h"

#define ROWS S("rows")

static bool read_past(struct str text, struct sum *out)
{
	*out = (struct sum){ 0 };
	return !text.n || sum_read(text, out);
}

static bool add_text(struct str *to, struct str more, struct arena *a)
{
	struct sum s, m;

	return read_past(*to, &s) && sum_read(more, &m) && sum_add(&s, &m) && sum_text(&s, a, to);
}

bool threshold_past_add(struct threshold_past *to, struct str net, struct str gross,
	struct arena *a, struct err *err)
{
	struct threshold_past sum = *to;

	if (!add_text(&sum.net, net, a) || !add_text(&sum.gross, gross, a))
		return err_set(err, E_CONTRACT, "a sum of the ledger is no exact number");
	*to = sum;
	return true;
}

/* What the plan itself adds up to. */
static bool own_sum(
	const struct plan *p, struct str name, struct arena *a, struct threshold_past *out)
{
	if (str_eq(name, ROWS)) {
		out->net = out->gross = arena_fmt(a, "%llu", (unsigned long long)p->rows);
		return true;
	}
	for (size_t i = 0; i < p->sum_count; i++)
		if (str_eq(p->sums[i].name, name)) {
			*out = (struct threshold_past){ p->sums[i].net, p->sums[i].gross };
			return true;
		}
	return false;
}

static struct str without_sign(struct str s)
{
	return s.n && s.p[0] == '-' ? str_from(s, 1) : s;
}

static struct str window_words(uint64_t ms, struct arena *a)
{
	static const struct {
		uint64_t ms;
		const char *one, *many;
	} units[] = { { 86400000, "a day", "days" }, { 3600000, "an hour", "hours" },
		{ 60000, "a minute", "minutes" }, { 1000, "a second", "seconds" } };

	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		uint64_t n = ms / units[i].ms;

		if (n && ms % units[i].ms == 0)
			return n == 1 ? str_c(units[i].one)
				      : arena_fmt(
						a, "%llu %s", (unsigned long long)n, units[i].many);
	}
	return arena_fmt(a, "%llu ms", (unsigned long long)ms);
}

static struct str whose(const struct threshold *t, struct arena *a)
{
	struct str window = window_words(t->window_ms, a);

	switch (t->per) {
	case OVER_PRINCIPAL:
		return arena_fmt(a, "with what this person did within %.*s", STR_ARG(window));
	case OVER_TENANT:
		return arena_fmt(
			a, "with what was done for this tenant within %.*s", STR_ARG(window));
	case OVER_CALL:
		break;
	}
	return S("in this plan");
}

static struct str words(
	const struct threshold *t, const struct threshold_past *sum, bool net, struct arena *a)
{
	struct str place = whose(t, a), number = decimal_grouped(a, net ? sum->net : sum->gross);
	struct str how =
		net || str_eq(t->impact, ROWS) ? STR_NONE : S(" when no sign cancels another");

	return arena_fmt(a, "%.*s adds up to %.*s %.*s%.*s: above %.*s", STR_ARG(t->impact),
		STR_ARG(number), STR_ARG(place), STR_ARG(how),
		STR_ARG(decimal_grouped(a, t->amount)));
}

static bool judge_one(const struct plan *p, const struct threshold *t,
	const struct threshold_past *past, struct arena *a, struct approval *out)
{
	struct threshold_past sum;
	struct approval more = { .need = t->need, .grant = t->grant };
	bool net;

	if (!own_sum(p, t->impact, a, &sum))
		return false;
	if (t->per != OVER_CALL &&
		!(add_text(&sum.net, past->net.n ? past->net : S("0"), a) &&
			add_text(&sum.gross, past->gross.n ? past->gross : S("0"), a)))
		return false;
	net = json_number_cmp(without_sign(sum.net), t->amount) > 0;
	if (!net && json_number_cmp(sum.gross, t->amount) <= 0)
		return true;
	if (more.need < out->need)
		return true;
	more.because = words(t, &sum, net, a);
	*out = more;
	return true;
}

bool threshold_judge(const struct plan *p, const struct write *w, const struct threshold_past *past,
	struct arena *a, struct approval *out, struct err *err)
{
	struct approval found = { .need = w->approval, .grant = w->grant };

	for (size_t i = 0; i < w->threshold_count; i++)
		if (!judge_one(p, &w->thresholds[i], &past[i], a, &found))
			return err_set(err, E_CONTRACT, "the threshold of %.*s cannot be compared",
				STR_ARG(w->thresholds[i].impact));
	*out = found;
	return true;
}

bool approval_join(struct approval *to, const struct approval *more)
{
	if (to->need == APPROVAL_OTHER && more->need == APPROVAL_OTHER &&
		!str_eq(to->grant, more->grant))
		return false;
	if (more->need > to->need || (more->need == to->need && !to->because.n))
		*to = *more;
	return true;
}
