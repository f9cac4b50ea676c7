/* load_approval - `approval`, `idempotency` and `raises`: whose yes a write needs and from which
 * size on whose else, how a repeated call is known, what its own failures are called.
 *
 *   approval: { by: none | client | requester | other, grant: GRANT,
 *               above: { NAME: AMOUNT, per: call | principal/1d | tenant/1d, need: …, grant: … } }
 *   idempotency: { key: "{ARGUMENT}:…", within: 10m }
 *   raises: { REASON: CODE } or [CODE]
 *
 * Invariants: 1. what is not said asks the requester.  2. whoever else approves holds a grant that
 * some role has, and that begins with approve.  3. a threshold asks for more, never for less. */
#include "catalog/load_write.h"
#include "config/rate.h"

#define THRESHOLDS_MAX 16
#define APPROVE "approve."
#define NONE_ROWS 10 /* most rows a write that nobody approves may change */

static const char *const level_words[] = { "none", "client", "requester", "other", NULL };

static void refuse(struct write_load *wl, const struct yaml *at, const char *code, struct str what,
	const char *remedy)
{
	entry_refuse(wl->el, at ? at : wl->node, code, what, str_c(remedy));
}

/* --- who --- */

static void check_grant(
	struct write_load *wl, const struct yaml *at, enum approval_level level, struct str grant)
{
	struct arena *a = wl->el->a;

	if (level == APPROVAL_OTHER && !grant.n)
		refuse(wl, at, "approval.grant", S("another person approves, and nobody is named"),
			"add 'grant: approve.…', which a role of postern.yaml holds");
	if (level != APPROVAL_OTHER && grant.n)
		refuse(wl, at, "approval.grant",
			arena_fmt(a, "a grant beside '%s'", approval_level_name(level)),
			"only 'other' asks somebody who holds a grant: remove it");
	if (level != APPROVAL_OTHER || !grant.n)
		return;
	if (!str_starts(grant, S(APPROVE)))
		refuse(wl, at, "approval.grant",
			arena_fmt(a, "'%.*s' is no grant to approve", STR_ARG(grant)),
			"a grant to approve begins with 'approve.': no agent or service can hold "
			"it");
	else if (!grant_is_held(wl->el->l->config, grant))
		refuse(wl, at, "approval.grant",
			arena_fmt(a, "nobody holds the grant '%.*s'", STR_ARG(grant)),
			"list it under a role of postern.yaml: nobody could approve");
}

static uint64_t rows_of(const struct write *w)
{
	uint64_t rows = 0;

	for (size_t i = 0; i < w->rule_count; i++)
		rows += w->rules[i].rows_max;
	return rows;
}

static void check_none(struct write_load *wl, const struct yaml *at)
{
	if (wl->w->approval != APPROVAL_NONE)
		return;
	if (rows_of(wl->w) > NONE_ROWS)
		refuse(wl, at, "approval.none",
			arena_fmt(wl->el->a, "nobody approves a change of up to %llu rows",
				(unsigned long long)rows_of(wl->w)),
			"keep to 10 rows together, or let somebody approve");
	if (wl->w->class == WRITE_CHANGE)
		entry_warn(wl->el, at, "approval.none",
			S("nobody approves what changes or deletes rows"),
			S("keep that for what is small and can be undone; else let somebody "
			  "approve"));
}

/* --- from which size on --- */

/* Digits, with at most one point between them. */
static bool amount_fits(const struct yaml *node)
{
	struct str whole = node->text, part = S("0");
	uint64_t ignored;

	if (node->kind != YAML_SCALAR)
		return false;
	(void)str_cut(node->text, '.', &whole, &part);
	return whole.n <= 18 && part.n <= 18 && str_to_u64(whole, &ignored) &&
	       str_to_u64(part, &ignored);
}

static bool impact_is(const struct write *w, struct str name)
{
	for (size_t i = 0; i < w->impact_count; i++)
		if (str_eq(w->impacts[i].name, name))
			return true;
	return str_eq(name, S("rows"));
}

/* The one key that is no word of ours: NAME: AMOUNT. */
static void load_amount(struct write_load *wl, struct reader *r, struct threshold *out)
{
	static const char *const ours[] = { "per", "need", "grant" };
	size_t names = 0;

	for (size_t i = 0; i < r->map->count; i++) {
		const struct yaml_entry *e = &r->map->entries[i];
		bool other = true;

		for (size_t k = 0; k < ARRAY_LEN(ours); k++)
			other = other && !str_eq(e->name, str_c(ours[k]));
		if (!other)
			continue;
		names++;
		r->seen[i] = true;
		out->impact = e->name;
		out->amount = e->value.text;
		if (!impact_is(wl->w, e->name))
			refuse(wl, r->map, "approval.above",
				arena_fmt(wl->el->a, "'%.*s' is no impact", STR_ARG(e->name)),
				"name one of 'impact', or 'rows'");
		else if (!amount_fits(&e->value))
			refuse(wl, &e->value, "approval.above",
				arena_fmt(wl->el->a, "above %.*s: not an amount", STR_ARG(e->name)),
				"write digits, with at most one point: 10000 or 99.50");
	}
	if (names != 1)
		refuse(wl, r->map, "approval.above",
			arena_fmt(wl->el->a, "a threshold over %zu impacts", names),
			"write one for each: above: [{ amount_cents: 100000 }, { rows: 5 }]");
}

/* call, principal/LENGTH or tenant/LENGTH; a length is what a limit of calls has. */
static bool per_fits(struct arena *a, struct str text, struct threshold *out)
{
	struct limit_rule rule;
	struct str who, length;

	if (str_eq(text, S("call")))
		return true;
	if (!str_cut(text, '/', &who, &length) || str_has(length, ' '))
		return false;
	if (!str_eq(who, S("principal")) && !str_eq(who, S("tenant")))
		return false;
	if (rate_read(arena_fmt(a, "1/%.*s", STR_ARG(length)), &rule))
		return false;
	out->per = who.p[0] == 'p' ? OVER_PRINCIPAL : OVER_TENANT;
	out->window_ms = rule.window_ms;
	return true;
}

static void load_per(struct write_load *wl, struct reader *r, struct threshold *out)
{
	const struct yaml *node = r->map ? yaml_get(r->map, S("per")) : NULL;

	if (!per_fits(wl->el->a, read_str(r, "per", S("call")), out))
		refuse(wl, node, "approval.above", S("'per' is not what a threshold can count"),
			"write call, principal/1d or tenant/1d; the window is at most 31d");
}

static void load_threshold(struct write_load *wl, const struct yaml *node, struct threshold *out)
{
	struct entry_load *el = wl->el;
	struct reader r;

	reader_init(&r, el->a, el->f, node,
		arena_cstr(el->a, arena_fmt(el->a, "%s approval above", el->r.what)));
	if (!r.map)
		return;
	load_amount(wl, &r, out);
	load_per(wl, &r, out);
	out->need = (enum approval_level)read_choice(&r, "need", level_words, APPROVAL_OTHER);
	out->grant = read_str(&r, "grant", STR_NONE);
	reader_done(&r);
	check_grant(wl, node, out->need, out->grant);
	if (out->need < wl->w->approval ||
		(out->need == wl->w->approval && str_eq(out->grant, wl->w->grant)))
		refuse(wl, node, "approval.above",
			arena_fmt(el->a, "above it '%s' is enough, as below",
				approval_level_name(out->need)),
			"let 'need' be more than 'by': none, client, requester, other");
}

static void load_thresholds(struct write_load *wl, const struct yaml *node)
{
	bool list = node && node->kind == YAML_LIST;
	size_t count = list ? node->count : 1;
	struct threshold *all;

	if (!node)
		return;
	if (!count || count > THRESHOLDS_MAX) {
		refuse(wl, node, "approval.above", arena_fmt(wl->el->a, "%zu thresholds", count),
			"write 1 to 16");
		return;
	}
	all = arena_array(wl->el->a, struct threshold, count);
	for (size_t i = 0; i < count; i++)
		load_threshold(wl, list ? &node->items[i] : node, &all[i]);
	wl->w->thresholds = all;
	wl->w->threshold_count = count;
}

void approval_load(struct write_load *wl)
{
	struct entry_load *el = wl->el;
	const struct yaml *node = read_node(&el->r, "approval");
	struct reader r;

	reader_init(&r, el->a, el->f, node,
		arena_cstr(el->a, arena_fmt(el->a, "%s approval", el->r.what)));
	wl->w->approval =
		(enum approval_level)read_choice(&r, "by", level_words, APPROVAL_REQUESTER);
	wl->w->grant = read_str(&r, "grant", STR_NONE);
	check_grant(wl, node, wl->w->approval, wl->w->grant);
	check_none(wl, node);
	load_thresholds(wl, read_node(&r, "above"));
	reader_done(&r);
}

/* --- idempotency --- */

/* Answers are of scripts: here they would be the same nothing in every call. */
static void check_key(struct write_load *wl, const struct yaml *key)
{
	text_check(wl->el, key);
	if (!str_has(key->text, '{') || str_find_str(key->text, 0, S("{answer.")) < key->text.n)
		refuse(wl, key, "write.idempotency", S("the key is the same for every call"),
			"build it from arguments: \"{contract_id}\"");
}

void idempotency_load(struct write_load *wl)
{
	struct entry_load *el = wl->el;
	const struct yaml *node = read_node(&el->r, "idempotency"), *key;
	struct write *w = wl->w;
	struct reader r;

	if (!node && w->approval == APPROVAL_NONE)
		entry_warn(el, wl->node, "write.idempotency",
			S("a call that is sent twice changes twice"),
			S("add 'idempotency: {key: \"{ARGUMENT}\", within: 10m}'"));
	if (!node)
		return;
	reader_init(&r, el->a, el->f, node,
		arena_cstr(el->a, arena_fmt(el->a, "%s idempotency", el->r.what)));
	key = r.map ? yaml_get(r.map, S("key")) : NULL;
	w->idempotency_key = read_str_required(&r, "key");
	w->idempotency_ms = read_duration_ms(&r, "within", 0, 1000, 2678400000u);
	reader_done(&r);
	if (r.map && !read_has(&r, "within"))
		refuse(wl, node, "write.idempotency", S("idempotency without 'within'"),
			"say for how long the same key is the same call: within: 10m");
	if (w->approval != APPROVAL_NONE)
		refuse(wl, node, "write.idempotency", S("idempotency of a write with approval"),
			"remove it: the plan applies once, its id is the key");
	if (key && w->idempotency_key.n)
		check_key(wl, key);
}

/* --- raises --- */

static const enum fault_code raisable[] = { VALIDATION_ERROR, PERMISSION_DENIED,
	PRECONDITION_FAILED, CONFLICT, NOT_FOUND };

static enum fault_code code_of(struct write_load *wl, const struct yaml *node)
{
	struct str name = read_text(&wl->el->r, "raises", node);

	for (size_t i = 0; i < ARRAY_LEN(raisable); i++)
		if (str_eq(name, str_c(fault_info(raisable[i])->name)))
			return raisable[i];
	if (name.n)
		refuse(wl, node, "write.raises",
			arena_fmt(wl->el->a, "'%.*s' cannot be raised", STR_ARG(name)),
			"it is VALIDATION_ERROR, PERMISSION_DENIED, PRECONDITION_FAILED, CONFLICT "
			"or NOT_FOUND");
	return PRECONDITION_FAILED;
}

static bool reason_fits(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_is_digit(s.p[i]) && s.p[i] != '_' && (s.p[i] < 'a' || s.p[i] > 'z'))
			return false;
	return s.n && s.n <= 64 && !ascii_is_digit(s.p[0]);
}

void raises_load(struct write_load *wl)
{
	struct entry_load *el = wl->el;
	const struct yaml *node = read_node(&el->r, "raises");
	bool map = node && node->kind == YAML_MAP;
	struct raised *all;

	if (!node)
		return;
	if (node->kind == YAML_SCALAR) {
		refuse(wl, node, "write.raises", S("raises is neither a map nor a list"),
			"write {invalid_run_id: NOT_FOUND} or [NOT_FOUND, CONFLICT]");
		return;
	}
	all = arena_array(el->a, struct raised, node->count + 1);
	for (size_t i = 0; i < node->count; i++) {
		all[i].code = code_of(wl, map ? &node->entries[i].value : &node->items[i]);
		all[i].reason = map ? node->entries[i].name : STR_NONE;
		if (map && !reason_fits(all[i].reason))
			refuse(wl, node, "write.raises",
				arena_fmt(el->a, "'%.*s' is no reason", STR_ARG(all[i].reason)),
				"use a-z, 0-9 and _, at most 64 of them");
	}
	wl->w->raises = all;
	wl->w->raised_count = node->count;
}

enum fault_code raised_code(struct write_load *wl, const struct yaml *at, struct str reason)
{
	if (!reason.n)
		return PRECONDITION_FAILED;
	for (size_t i = 0; i < wl->w->raised_count; i++)
		if (str_eq(wl->w->raises[i].reason, reason))
			return wl->w->raises[i].code;
	refuse(wl, at, "write.raises",
		arena_fmt(wl->el->a, "raises does not have the reason '%.*s'", STR_ARG(reason)),
		"add it with its code: raises: {invalid_run_id: NOT_FOUND}");
	return PRECONDITION_FAILED;
}
