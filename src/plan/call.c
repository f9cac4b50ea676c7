/* call - see call.h: the arguments with their defaults, and templates filled from them. */
#include "plan/call.h"

#include "json/write.h"

#define CANONICAL_MAX ((size_t)8 << 20)
/* Above the largest limits.bytes: what was cut is refused for its size. */
#define FILLED_MAX ((size_t)24 << 20)

struct call *call_new(struct arena *a, const struct entry *entry, const struct principal *who,
	uint32_t most_ms, int64_t wall_us, uint64_t mono_ns)
{
	struct call *c = arena_new(a, struct call);

	*c = (struct call){ .arena = a,
		.entry = entry,
		.who = who,
		.port = &call_port_none,
		.wall_us = wall_us,
		.started_ns = mono_ns,
		.deadline_ms = mono_ns / 1000000 + MIN(entry->timeout_ms, most_ms) };
	id_make(&c->id, wall_us);
	return c;
}

bool call_fault(struct call *c, enum fault_code code, const char *reason, struct str operator_text)
{
	c->end = CALL_FAULT;
	c->fault.code = code;
	c->fault.reason = str_c(reason);
	c->fault.operator_text = operator_text;
	return false;
}

bool call_cancelled(void *call)
{
	const struct call *c = call;

	return c->killed || c->port->cancelled(c->port->ctx);
}

static size_t count_missing_defaults(const struct call *c, const struct json *sent)
{
	size_t missing = 0;

	for (size_t i = 0; i < c->entry->input_count; i++)
		missing += c->entry->inputs[i].default_json.n &&
			   !json_get(sent, c->entry->inputs[i].name);
	return missing;
}

static struct json with_defaults(struct call *c, const struct json *sent)
{
	size_t given = sent ? sent->count : 0, at = given;
	size_t missing = count_missing_defaults(c, sent);
	struct json all = { .kind = JSON_OBJECT };
	struct json_member *members;

	if (!missing && sent)
		return *sent;
	members = arena_array(c->arena, struct json_member, given + missing);
	for (size_t i = 0; i < given; i++)
		members[i] = sent->members[i];
	for (size_t i = 0; i < c->entry->input_count; i++) {
		const struct input *in = &c->entry->inputs[i];
		struct json_error error;

		if (!in->default_json.n || json_get(sent, in->name))
			continue;
		members[at].name = in->name;
		/* the catalog refused a default that does not parse */
		bug_on(!json_parse(c->arena, in->default_json, &members[at].value, &error));
		at++;
	}
	all.members = members;
	all.count = (uint32_t)at;
	return all;
}

bool args_prepare(struct call *c)
{
	struct buf text;

	c->arguments = with_defaults(c, c->arguments_sent);
	buf_in(&text, c->arena, CANONICAL_MAX);
	json_canonical(&text, c->arena, &c->arguments);
	c->arguments_canonical = buf_str(&text);
	sha256_of(c->arguments_canonical, &c->arguments_digest);
	return buf_ok(&text);
}

bool call_masks(const struct call *c, const struct column *column)
{
	if (column->mask.kind == MASK_NONE)
		return false;
	return !column->unmask.n || !c->who || !principal_holds(c->who, column->unmask);
}

const struct json *args_get(const struct call *c, struct str name)
{
	return json_get(&c->arguments, name);
}

static void add_value(struct call *c, struct buf *out, struct str name, bool json)
{
	const struct json *v = args_get(c, name);
	struct buf plain;

	if (!v)
		return;
	if (json_is(v, JSON_STRING)) {
		if (json)
			json_escape(out, v->text);
		else
			buf_add(out, v->text);
		return;
	}
	buf_in(&plain, c->arena, FILLED_MAX);
	{
		struct jw w;

		jw_init(&w, &plain);
		jw_json(&w, v);
	}
	if (json)
		json_escape(out, buf_str(&plain));
	else
		buf_add(out, buf_str(&plain));
}

/* A "{name}" of ours: letters, digits, '_' and '-'.  In JSON text every other brace is JSON's own.
 */
static bool take_name(struct str s, size_t at, struct str *name_out)
{
	size_t end = at + 1;

	while (end < s.n && (ascii_is_alnum(s.p[end]) || s.p[end] == '_' || s.p[end] == '-'))
		end++;
	if (end == s.n || s.p[end] != '}' || end == at + 1)
		return false;
	*name_out = str_sub(s, at + 1, end - at - 1);
	return true;
}

struct str args_fill(struct call *c, struct str template_text, bool json)
{
	struct buf out;
	size_t at = 0;

	buf_in(&out, c->arena, FILLED_MAX);
	while (at < template_text.n) {
		char here = template_text.p[at];
		struct str name;

		if (!json && (here == '{' || here == '}') && at + 1 < template_text.n &&
			template_text.p[at + 1] == here) {
			buf_char(&out, here);
			at += 2;
		} else if (here == '{' && take_name(template_text, at, &name)) {
			add_value(c, &out, name, json);
			at += name.n + 2;
		} else {
			buf_char(&out, here);
			at++;
		}
	}
	return buf_str(&out);
}
