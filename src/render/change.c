/* change - see change.h. */
#include "render/change.h"

#include "base/clock.h"
#include "render/diff.h"
#include "render/inside.h"
#include "render/mask.h"

#define CONTENT_MAX ((size_t)8 << 20)
#define TEXT_MAX ((size_t)32 << 10) /* of the diff as text */
#define EFFECTS_MAX 50

struct showing {
	struct call *c;
	struct change *change;
	struct str mask_key;
	bool live; /* about to be committed; else a preview */
};

static void put_time(struct jw *w, struct str name, int64_t us)
{
	struct buf text;

	buf_init(&text, 64);
	clock_write_rfc3339(&text, us);
	jw_put_str(w, name, buf_str(&text));
	buf_done(&text);
}

/* Where it stands and what it waits for; nothing where nobody needs to be asked. */
static void put_plan(const struct showing *s, struct jw *w)
{
	const struct plan *p = s->change->plan;

	if (!p->id.n)
		return;
	jw_name(w, S("plan"));
	jw_object(w);
	jw_put_str(w, S("id"), p->id);
	if (!s->live) {
		jw_put_str(w, S("approval"), str_c(approval_level_name(p->need)));
		if (p->grant.n)
			jw_put_str(w, S("grant"), p->grant);
		if (p->because.n)
			jw_put_str(w, S("because"), p->because);
		put_time(w, S("expires_at"), p->expires_us);
		if (s->change->approval_url.n)
			jw_put_str(w, S("url"), s->change->approval_url);
	}
	jw_object_end(w);
}

/* One tool's own answer.  What the database assigns at commit is not known before. */
static bool put_answer(const struct showing *s, struct jw *w, const struct change_step *step)
{
	struct call one = change_step_call(s->c, step);
	bool ok;

	one.rows = step->rows;
	mask_rows(&one, s->mask_key);
	ok = write_single_part(&one, w, STR_NONE);
	s->c->result_rows += one.result_rows;
	if (ok)
		return true;
	s->c->end = one.end;
	s->c->fault = one.fault;
	return false;
}

static bool put_answers(const struct showing *s, struct jw *w)
{
	const struct change *ch = s->change;

	if (ch->step_count == 1) {
		if (!ch->steps[0].rows)
			return true;
		jw_name(w, S("result"));
		return put_answer(s, w, &ch->steps[0]);
	}
	jw_name(w, S("results"));
	jw_array(w);
	for (size_t i = 0; i < ch->step_count; i++) {
		if (!ch->steps[i].rows)
			jw_null(w);
		else if (!put_answer(s, w, &ch->steps[i]))
			return false;
	}
	jw_array_end(w);
	return true;
}

static void put_assigned(const struct showing *s, struct jw *w)
{
	const struct action *action = &s->change->steps[0].entry->action;
	bool any = false;

	if (s->live || s->change->step_count != 1 || !action->part_count)
		return;
	for (size_t i = 0; i < action->parts[0].column_count; i++) {
		if (!action->parts[0].columns[i].assigned)
			continue;
		if (!any) {
			jw_name(w, S("assigned"));
			jw_array(w);
		}
		any = true;
		jw_str(w, action->parts[0].columns[i].name);
	}
	if (any)
		jw_array_end(w);
}

static bool too_large(struct call *c)
{
	return call_fault(c, RESULT_TOO_LARGE, "bytes", S("the changes are too large to be shown"));
}

/* The members of the structured content behind outcome and replayed. */
static bool write_members(const struct showing *s, struct jw *w)
{
	const struct diff_view view = { .plan = s->change->plan,
		.who = s->c->who,
		.mask_key = s->mask_key,
		.committed = s->live };

	put_plan(s, w);
	diff_json(w, &view, s->c->arena, (size_t)s->c->entry->bytes);
	if (!put_answers(s, w))
		return false;
	put_assigned(s, w);
	if (s->change->ledger_id.n)
		jw_put_str(w, S("ledger_id"), s->change->ledger_id);
	return true;
}

/* Who is asked, in words. */
static const char *const askers[] = {
	[APPROVAL_NONE] = "nobody",
	[APPROVAL_CLIENT] = "the person, asked by this client",
	[APPROVAL_REQUESTER] = "the person who asks, outside this client",
	[APPROVAL_OTHER] = "another person, who may approve it",
};

static void write_plan(const struct showing *s, struct buf *out)
{
	const struct plan *p = s->change->plan;

	if (s->live || !p->id.n)
		return;
	buf_fmt(out, "\nPlan %.*s waits for a yes of %s", STR_ARG(p->id), askers[p->need]);
	if (s->change->approval_url.n)
		buf_fmt(out, " at %.*s", STR_ARG(s->change->approval_url));
	buf_lit(out, ", until ");
	clock_write_rfc3339(out, p->expires_us);
	if (p->because.n)
		buf_fmt(out, ", because %.*s", STR_ARG(p->because));
	buf_lit(out, ". Then call again with the same arguments and this plan_id.\n");
}

static void write_text(const struct showing *s, struct buf *out)
{
	const struct diff_view view = { .plan = s->change->plan,
		.who = s->c->who,
		.mask_key = s->mask_key,
		.committed = s->live };

	buf_add(out, s->live ? S("Applied.\n\n") : S("Preview: nothing was changed.\n\n"));
	diff_markdown(out, &view, s->c->arena,
		(struct diff_bounds){ .effects = EFFECTS_MAX, .bytes = TEXT_MAX });
	write_plan(s, out);
}

static void put_grant(const struct showing *s, struct jw *w, struct str unmask)
{
	if (unmask.n && principal_holds(s->c->who, unmask))
		jw_str(w, unmask);
}

/* The grants by which this viewer may have been shown more than others. */
static void put_grants(const struct showing *s, struct jw *w)
{
	for (size_t i = 0; i < s->change->step_count; i++) {
		const struct entry *e = s->change->steps[i].entry;

		for (size_t k = 0; k < e->write->rule_count; k++)
			for (size_t n = 0; n < e->write->rules[k].column_count; n++)
				put_grant(s, w, e->write->rules[k].columns[n].unmask);
		for (size_t k = 0; e->action.part_count && k < e->action.parts[0].column_count; k++)
			put_grant(s, w, e->action.parts[0].columns[k].unmask);
	}
}

/* What said which columns are masked. */
static void put_tools(const struct showing *s, struct jw *w)
{
	for (size_t i = 0; i < s->change->step_count; i++) {
		struct buf hex;

		buf_in(&hex, s->c->arena, 2 * SHA256_BYTES);
		sha256_write(&hex, &s->change->steps[i].entry->digest);
		jw_str(w, buf_str(&hex));
	}
}

static void put_list(const struct showing *s, struct jw *w, struct str name,
	void (*put)(const struct showing *s, struct jw *w))
{
	jw_name(w, name);
	jw_array(w);
	put(s, w);
	jw_array_end(w);
}

/* {"text": "…", "tools": […], "grants": […], "members": {…}} */
static bool write_document(const struct showing *s, struct str *out)
{
	struct buf document, text;
	struct jw w;

	buf_in(&document, s->c->arena, CONTENT_MAX);
	buf_in(&text, s->c->arena, TEXT_MAX * 2);
	write_text(s, &text);
	jw_init(&w, &document);
	jw_object(&w);
	jw_put_str(&w, S("text"), buf_str(&text));
	put_list(s, &w, S("tools"), put_tools);
	put_list(s, &w, S("grants"), put_grants);
	jw_name(&w, S("members"));
	jw_object(&w);
	if (!write_members(s, &w))
		return false;
	jw_object_end(&w);
	jw_object_end(&w);
	*out = buf_str(&document);
	return buf_ok(&document) || too_large(s->c);
}

bool change_render_fits(struct call *c, struct str mask_key)
{
	struct showing s = { .c = c, .change = c->change, .mask_key = mask_key };
	struct str document;

	return write_document(&s, &document);
}

bool change_render_answer(struct call *c, struct str mask_key)
{
	struct showing s = { .c = c, .change = c->change, .mask_key = mask_key, .live = true };

	return write_document(&s, &c->change->answer);
}

static bool are_todays(const struct call *c, const struct json *tools)
{
	if (!tools || tools->count != c->change->step_count)
		return false;
	for (uint32_t i = 0; i < tools->count; i++) {
		struct buf hex;

		buf_in(&hex, c->arena, 2 * SHA256_BYTES);
		sha256_write(&hex, &c->change->steps[i].entry->digest);
		if (!str_eq(tools->items[i].text, buf_str(&hex)))
			return false;
	}
	return true;
}

/* What was shown to somebody is not shown again to who holds less, with another credential or since
 * a grant was taken back; nor when the tool may mask more by now. */
static bool may_read(const struct call *c, const struct json *document)
{
	const struct json *grants = json_get(document, S("grants"));

	for (uint32_t i = 0; grants && i < grants->count; i++)
		if (!principal_holds(c->who, grants->items[i].text))
			return false;
	return grants && are_todays(c, json_get(document, S("tools")));
}

/* Of a kept answer without its values: that it was done, what it sums up to, and how many rows are
 * left out. */
static void put_bare(struct jw *w, const struct json *members)
{
	static const struct str kept[] = { STR_INIT("plan"), STR_INIT("impact"),
		STR_INIT("ledger_id") };
	const struct json *more = json_get(members, S("truncated_effects"));
	const struct json *effects = json_get(members, S("effects"));
	uint64_t count = 0;

	if (more)
		(void)!str_to_u64(more->text, &count);
	jw_put_raw(w, S("effects"), S("[]"));
	jw_put_u64(w, S("truncated_effects"), count + (effects ? effects->count : 0));
	for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
		const struct json *v = json_get(members, kept[i]);

		if (v) {
			jw_name(w, kept[i]);
			jw_json(w, v);
		}
	}
}

static struct str content_of(struct call *c, const struct json *members, bool applied, bool bare)
{
	struct buf out;
	struct jw w;

	buf_in(&out, c->arena, CONTENT_MAX);
	jw_init(&w, &out);
	jw_object(&w);
	jw_put_str(&w, S("outcome"), applied ? S("applied") : S("preview"));
	if (c->change->replayed)
		jw_put_bool(&w, S("replayed"), true);
	if (bare)
		put_bare(&w, members);
	for (uint32_t i = 0; !bare && i < members->count; i++) {
		jw_name(&w, members->members[i].name);
		jw_json(&w, &members->members[i].value);
	}
	jw_object_end(&w);
	return buf_ok(&out) ? buf_str(&out) : STR_NONE;
}

static void write_content(struct jw *w, struct str text)
{
	jw_name(w, S("content"));
	jw_array(w);
	jw_object(w);
	jw_put_str(w, S("type"), S("text"));
	jw_put_str(w, S("text"), text);
	jw_object_end(w);
	jw_array_end(w);
}

bool change_render(struct call *c, struct str mask_key, struct jw *w, bool structured)
{
	struct showing s = { .c = c, .change = c->change, .mask_key = mask_key };
	bool applied = c->change->end == CHANGE_COMMITTED || c->change->replayed;
	struct str document = c->change->answer, content, text;
	struct json_error error;
	struct json parsed;
	bool bare;

	if (!applied && !write_document(&s, &document))
		return false;
	if (!json_parse(c->arena, document, &parsed, &error))
		return call_fault(c, INTERNAL, "answer", S("the kept answer is not JSON"));
	bare = c->change->replayed && !may_read(c, &parsed);
	content = content_of(c, json_get(&parsed, S("members")), applied, bare);
	if (!content.n)
		return too_large(c);
	text = bare ? S("Applied. What it changed is not shown with what you hold now.\n")
		    : json_get_str(&parsed, S("text"));
	if (c->change->replayed)
		text = arena_fmt(c->arena, "This was done before; nothing was changed now.\n\n%.*s",
			STR_ARG(text));
	write_content(w, text);
	if (structured)
		jw_put_raw(w, S("structuredContent"), content);
	jw_put_bool(w, S("isError"), false);
	return true;
}
