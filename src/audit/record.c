/* record - see record.h.
 *
 * Invariants: 1. every text that a caller, client or credential chose goes through clip_put or
 * protect_arguments.  2. the text is one line: the JSON writer escapes control characters, and JSON
 * made elsewhere is refused when it holds a line feed.  3. arguments that do not fit are named by
 * digest and size; what else there is always fits. */
#include "audit/record.h"

#include <string.h>

#include "audit/clip.h"
#include "audit/record_change.h"
#include "plan/past.h"

#define NAME_MAX_BYTES 128
#define TEXT_MAX_BYTES 1024
#define UNMASKED_MAX 64

static const char *const events[] = {
	"START",
	"STOP",
	"CONFIG",
	"CALL_INTENT",
	"CALL_OUTCOME",
	"REPLAY",
	"DENY",
	"AUTH_FAIL",
	"PROTOCOL_REJECT",
	"PLAN",
	"APPROVAL",
	"SIGN_IN",
	"SIGN_OUT",
	"KILL",
	"KEY",
	"RESUME",
	"KILL_SEEN",
	"DRILL",
	"BREAK_GLASS",
	"SECURITY",
	"RECONCILE",
	"CLOCK",
	"BREAKER",
	"WITNESS_LAG",
	"SEGMENT_OPEN",
	"SEGMENT_CLOSE",
	"CHECKPOINT",
	"KEY_ROTATE",
	"KEY_DESTROY",
	"PRUNE",
	"EXPORT",
	"SEAL",
	"GAP",
};

/* Faults by which a call is turned away before it touched anything. */
static const bool turned_away[FAULT_COUNT] = {
	[VALIDATION_ERROR] = true,
	[PERMISSION_DENIED] = true,
	[RATE_LIMITED] = true,
	[PAUSED] = true,
	[REQUIRES_CONFIRMATION] = true,
	[CONFIRMATION_INVALID] = true,
};

static const char *const what_names[] = {
	[ENTRY_TOOL] = "tool",
	[ENTRY_RESOURCE] = "resource",
	[ENTRY_PROMPT] = "prompt",
	[ENTRY_COMPLETION] = "completion",
};

bool record_event_known(const char *event)
{
	for (size_t i = 0; i < ARRAY_LEN(events); i++)
		if (strcmp(events[i], event) == 0)
			return true;
	return false;
}

/* Something ran for it, if only to show what would be: its end is an outcome, whatever it is. */
static bool has_run(const struct call *c)
{
	return c->change && (c->change->plan || c->change->queued);
}

const char *record_call_event(const struct call *c)
{
	if (c->change && c->change->replayed)
		return "REPLAY";
	return c->end == CALL_FAULT && turned_away[c->fault.code] && !has_run(c) ? "DENY"
										 : "CALL_OUTCOME";
}

void record_begin(struct buf *out, struct jw *w, const char *event)
{
	jw_init(w, out);
	jw_object(w);
	jw_put_str(w, S("e"), str_c(event));
}

/* The writer's object without its braces. */
void record_end(struct buf *out, struct jw *w)
{
	jw_object_end(w);
	if (!buf_ok(out) || out->n < 2)
		return;
	memmove(out->p, out->p + 1, out->n - 2);
	out->n -= 2;
}

/* The JSON-RPC id as it stood, so that "1" and 1 stay two; a long one is a clipped string. */
static void put_rpc_id(struct jw *w, struct str raw)
{
	if (raw.n && raw.n <= NAME_MAX_BYTES && !str_has(raw, '\n'))
		jw_put_raw(w, S("rpc"), raw);
	else
		clip_put(w, S("rpc"), raw, NAME_MAX_BYTES);
}

static void put_who(struct jw *w, const struct principal *who, const struct call_origin *from)
{
	clip_put(w, S("conv"), from->conversation, NAME_MAX_BYTES);
	clip_put(w, S("trace"), from->trace_id, NAME_MAX_BYTES);
	if (who) {
		clip_put(w, S("subj"), who->subject, 2 * NAME_MAX_BYTES);
		jw_put_str(w, S("kind"), str_c(principal_kind_name(who->kind)));
		clip_put(w, S("act"), who->agent, 2 * NAME_MAX_BYTES);
		clip_put(w, S("ten"), who->tenant, 2 * NAME_MAX_BYTES);
	}
	clip_put(w, S("cn"), from->client_name, NAME_MAX_BYTES);
	clip_put(w, S("cv"), from->client_version, NAME_MAX_BYTES);
	if (who) {
		clip_put(w, S("cred"), who->credential, NAME_MAX_BYTES);
		clip_put(w, S("env"), who->environment, NAME_MAX_BYTES);
		if (who->break_glass)
			jw_put_i64(w, S("break_glass"), who->break_glass);
	}
}

void record_put_digest(struct jw *w, struct str name, const struct sha256 *d)
{
	struct buf text;

	buf_init(&text, 80);
	sha256_write(&text, d);
	jw_put_str(w, name, buf_str(&text));
	buf_done(&text);
}

static void put_entry(struct jw *w, const struct entry *e)
{
	struct buf name;

	if (!e)
		return;
	buf_init(&name, 512);
	buf_add(&name, str_sub(e->name, 0, 256));
	buf_char(&name, '@');
	buf_u64(&name, e->version);
	jw_put_str(w, S("what"), str_c(what_names[e->kind]));
	jw_put_str(w, S("tool"), buf_str(&name));
	buf_done(&name);
	record_put_digest(w, S("td"), &e->digest);
}

static struct str code_of(const struct call *c)
{
	switch (c->end) {
	case CALL_FAULT:
		return str_c(fault_info(c->fault.code)->name);
	case CALL_ASKS:
		return S("INPUT_REQUIRED");
	case CALL_DONE:
		return c->content_is_error ? S("TOOL_ERROR") : S("OK");
	case CALL_OPEN:
		break;
	}
	return S("UNFINISHED");
}

/* Without memory of the call's: that may be used up. */
struct unmasked {
	struct {
		struct str table, column; /* table: empty for the entry's own */
	} list[UNMASKED_MAX];
	size_t count;
};

static void add_unmasked(struct unmasked *u, struct str table, struct str column)
{
	for (size_t i = 0; i < u->count; i++)
		if (str_eq(u->list[i].table, table) && str_eq(u->list[i].column, column))
			return;
	if (u->count == UNMASKED_MAX)
		return;
	u->list[u->count].table = table;
	u->list[u->count++].column = column;
}

static void write_name(struct jw *w, struct str table, struct str column)
{
	struct buf name;

	buf_init(&name, 2 * NAME_MAX_BYTES + 1);
	if (table.n) {
		buf_add(&name, str_sub(table, 0, NAME_MAX_BYTES));
		buf_char(&name, '.');
	}
	buf_add(&name, str_sub(column, 0, NAME_MAX_BYTES));
	jw_str(w, buf_str(&name));
	buf_done(&name);
}

static void find_in_rows(struct unmasked *u, const struct call *c)
{
	const struct action *action = &c->entry->action;

	for (size_t p = 0; p < action->part_count; p++)
		for (size_t i = 0; i < action->parts[p].column_count; i++) {
			const struct column *column = &action->parts[p].columns[i];

			if (column->mask.kind != MASK_NONE && !call_masks(c, column))
				add_unmasked(u, STR_NONE, column->name);
		}
}

static void find_in_table(struct unmasked *u, const struct call *c, const struct effect_table *t)
{
	for (size_t i = 0; i < t->column_count; i++) {
		const struct effect_column *column = &t->columns[i];

		if (column->shown && column->unmask.n && principal_holds(c->who, column->unmask))
			add_unmasked(u, t->name, column->name);
	}
}

/* Of changes that were told: their columns are not the entry's. */
static void find_in_past(struct unmasked *u, const struct call *c)
{
	for (size_t i = 0; c->past && i < c->past->count; i++) {
		const struct plan *p = &c->past->list[i].plan;

		for (size_t s = 0; s < p->step_count; s++)
			for (size_t k = 0; k < p->steps[s].effects.count; k++)
				find_in_table(u, c, p->steps[s].effects.list[k].table);
	}
}

/* The columns that the caller saw by a grant of unmask. */
static void put_unmasked(struct jw *w, const struct call *c)
{
	struct unmasked u = { .count = 0 };

	if (!c->entry || c->end != CALL_DONE || c->content != CONTENT_ROWS)
		return;
	find_in_rows(&u, c);
	find_in_past(&u, c);
	if (!u.count)
		return;
	jw_name(w, S("unmasked"));
	jw_array(w);
	for (size_t i = 0; i < u.count; i++)
		write_name(w, u.list[i].table, u.list[i].column);
	jw_array_end(w);
}

static void put_outcome(struct jw *w, const struct call *c, const struct protector *p)
{
	jw_put_str(w, S("code"), code_of(c));
	if (c->end == CALL_FAULT) {
		clip_put(w, S("reason"), c->fault.reason, NAME_MAX_BYTES);
		clip_put(w, S("detail"), c->fault.operator_text, TEXT_MAX_BYTES);
	} else {
		jw_put_u64(w, S("rows"), c->result_rows);
	}
	jw_put_u64(w, S("bytes"), c->result_json.n);
	if (c->end != CALL_FAULT)
		protect_result(p, c, w);
	if (c->ended_ns >= c->started_ns)
		jw_put_u64(w, S("us"), (c->ended_ns - c->started_ns) / 1000);
}

static const char *mode_of(const struct call *c)
{
	if (!c->change)
		return "read";
	return c->change->live ? "live" : "preview";
}

/* Who asks for what: the part that an intent and an outcome have in common. */
static void put_asked(struct jw *w, const struct call *c, const struct protector *p, bool bare)
{
	jw_put_str(w, S("call"), id_str(&c->id));
	put_rpc_id(w, c->origin.rpc_id);
	put_who(w, c->who, &c->origin);
	put_entry(w, c->entry);
	jw_put_str(w, S("mode"), str_c(mode_of(c)));
	/* a template's values are arguments: they stand under args, protected by their class */
	clip_put(w, S("uri"), c->uri.n ? c->entry->uri : STR_NONE, 2 * NAME_MAX_BYTES);
	clip_put(w, S("era"), c->origin.era, NAME_MAX_BYTES);
	clip_put(w, S("peer"), c->origin.peer, NAME_MAX_BYTES);
	protect_arguments(p, c, bare, w);
	if (c->change)
		record_put_change(w, c->change, p, bare);
}

static void write_intent(
	struct buf *out, const struct call *c, const struct protector *p, bool bare)
{
	struct jw w;

	record_begin(out, &w, "CALL_INTENT");
	put_asked(&w, c, p, bare);
	record_end(out, &w);
}

void record_intent(struct buf *out, const struct call *c, const struct protector *p)
{
	write_intent(out, c, p, false);
	if (buf_ok(out))
		return;
	buf_clear(out);
	write_intent(out, c, p, true);
	bug_on(!buf_ok(out));
}

static void write_call(struct buf *out, const struct call *c, const struct protector *p,
	const struct kept *effects, bool bare)
{
	struct jw w;

	record_begin(out, &w, record_call_event(c));
	put_asked(&w, c, p, bare);
	put_outcome(&w, c, p);
	if (c->change)
		record_put_end(&w, c->change, effects, bare);
	if (c->entry && c->entry->mock)
		jw_put_bool(&w, S("mock"), true);
	if (!bare)
		put_unmasked(&w, c);
	record_end(out, &w);
}

void record_call(struct buf *out, const struct call *c, const struct protector *p,
	const struct kept *effects)
{
	write_call(out, c, p, effects, false);
	if (buf_ok(out))
		return;
	buf_clear(out);
	write_call(out, c, p, effects, true);
	bug_on(!buf_ok(out));
}

static void put_refused(struct jw *w, const struct audit_refusal *r)
{
	clip_put(w, S("subj"), r->subject, 2 * NAME_MAX_BYTES);
	clip_put(w, S("act"), r->agent, 2 * NAME_MAX_BYTES);
	clip_put(w, S("ten"), r->tenant, 2 * NAME_MAX_BYTES);
	clip_put(w, S("cred"), r->credential, NAME_MAX_BYTES);
	clip_put(w, S("peer"), r->peer, NAME_MAX_BYTES);
	clip_put(w, S("reason"), r->reason, 2 * NAME_MAX_BYTES);
}

void record_refusal(struct buf *out, const struct audit_refusal *r)
{
	struct jw w;

	record_begin(out, &w, r->event);
	put_refused(&w, r);
	clip_put(&w, S("era"), r->era, NAME_MAX_BYTES);
	put_rpc_id(&w, r->rpc_id);
	clip_put(&w, S("method"), r->method, NAME_MAX_BYTES);
	clip_put(&w, S("target"), r->target, NAME_MAX_BYTES);
	record_end(out, &w);
	bug_on(!buf_ok(out));
}

void record_repeated(struct buf *out, const struct audit_refusal *r)
{
	struct jw w;

	record_begin(out, &w, r->event);
	put_refused(&w, r);
	record_end(out, &w);
	bug_on(!buf_ok(out));
}

bool record_event(struct buf *out, const char *event, struct str fields_json, struct err *err)
{
	bug_on(!record_event_known(event));
	if (str_has(fields_json, '\n'))
		return err_set(err, E_INVALID, "the fields of %s are more than one line", event);
	buf_lit(out, "\"e\":\"");
	buf_add(out, str_c(event));
	buf_char(out, '"');
	if (fields_json.n) {
		buf_char(out, ',');
		buf_add(out, fields_json);
	}
	if (!buf_ok(out))
		return err_set(err, E_LIMIT, "the fields of %s are too long for a record", event);
	return true;
}
