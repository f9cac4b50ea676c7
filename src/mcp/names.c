/* names - see names.h.
 *
 * Invariants: 1. what is hidden and what does not exist get the same answer, to the byte.
 * 2. a mirrored header is compared with the argument, never used instead of it. */
#include "mcp/names.h"

#include "catalog/uri_template.h"
#include "json/write.h"
#include "mcp/header.h"
#include "mcp/method.h"
#include "mcp/refuse.h"

#define ARGUMENTS_MAX ((size_t)8 << 20)

/* One search. */
struct search {
	struct arena *a;
	const struct catalog *catalog;
	const struct mcp_request *r;
	const struct mcp_headers *h;
	bool (*visible)(void *ctx, const struct entry *e);
	void *ctx;
	struct mcp_target *out;
	struct mcp_refusal *why;
};

static const struct json no_arguments = { .kind = JSON_OBJECT, .raw = STR_INIT("{}") };

static bool bad_params(struct search *f, struct str message)
{
	return mcp_refuse(f->why, 200, RPC_PARAMS, "params", message);
}

static bool see(const struct search *f, const struct entry *e)
{
	return e && f->visible(f->ctx, e);
}

static bool read_arguments(struct search *f)
{
	const struct json *arguments = json_get(&f->r->params, S("arguments"));

	f->out->arguments = arguments ? *arguments : no_arguments;
	return f->out->arguments.kind == JSON_OBJECT ||
	       bad_params(f, S("params.arguments must be an object"));
}

static const struct entry *named(struct search *f, const struct map *names, struct str name)
{
	const struct entry *e = map_get(names, name);

	return see(f, e) ? e : NULL;
}

/* --- tools/call --- */

static bool header_mismatch(struct search *f, struct str name)
{
	return mcp_refuse(f->why, 400, RPC_HEADER, "header_mismatch",
		arena_fmt(f->a, "the header Mcp-Param-%.*s does not say what the arguments say",
			STR_ARG(name)));
}

static size_t count_headers(const struct mcp_headers *h, struct str name, struct str *value_out)
{
	size_t count = 0;

	for (size_t i = 0; i < h->param_count; i++)
		if (str_eq_ci(h->params[i].name, name)) {
			*value_out = h->params[i].value;
			count++;
		}
	return count;
}

static bool check_param_headers(struct search *f)
{
	const struct entry *e = f->out->entry;

	if (!f->h->http || !f->r->modern)
		return true;
	for (size_t i = 0; i < e->input_count; i++) {
		const struct input *input = &e->inputs[i];
		const struct json *argument = json_get(&f->out->arguments, input->name);
		bool expected = argument && argument->kind != JSON_NULL;
		struct str value = STR_NONE;
		size_t count;

		if (!input->header.n)
			continue;
		count = count_headers(f->h, input->header, &value);
		if (count != (expected ? 1 : 0) ||
			(expected && !mcp_header_mirrors(f->a, value, argument)))
			return header_mismatch(f, input->header);
	}
	return true;
}

static bool find_tool(struct search *f)
{
	const struct json *name = json_get(&f->r->params, S("name"));

	if (!json_is(name, JSON_STRING))
		return bad_params(f, S("params.name must be the name of a tool"));
	f->out->entry = named(f, &f->catalog->tools_by_name, name->text);
	if (!f->out->entry)
		return mcp_refuse(
			f->why, 200, RPC_PARAMS, "unknown_tool", S("there is no such tool"));
	return read_arguments(f) && check_param_headers(f);
}

/* --- prompts/get --- */

static bool find_prompt(struct search *f)
{
	const struct json *name = json_get(&f->r->params, S("name"));

	if (!json_is(name, JSON_STRING))
		return bad_params(f, S("params.name must be the name of a prompt"));
	f->out->entry = named(f, &f->catalog->prompts_by_name, name->text);
	if (!f->out->entry)
		return mcp_refuse(
			f->why, 200, RPC_PARAMS, "unknown_prompt", S("there is no such prompt"));
	if (!read_arguments(f))
		return false;
	for (uint32_t i = 0; i < f->out->arguments.count; i++)
		if (f->out->arguments.members[i].value.kind != JSON_STRING)
			return bad_params(f, S("the arguments of a prompt must be strings"));
	return true;
}

/* --- resources/read --- */

static bool unknown_resource(struct search *f, struct str uri, int code)
{
	struct buf data;
	struct jw w;

	buf_in(&data, f->a, (size_t)8 * URI_MAX_BYTES);
	jw_init(&w, &data);
	jw_object(&w);
	jw_put_str(&w, S("uri"), uri);
	jw_object_end(&w);
	f->why->data_json = buf_str(&data);
	return mcp_refuse(f->why, 200, code, "unknown_resource", S("there is no such resource"));
}

static bool find_resource(struct search *f)
{
	const struct json *uri = json_get(&f->r->params, S("uri"));
	struct json arguments = no_arguments;
	const struct entry *e;

	if (!json_is(uri, JSON_STRING) || uri->text.n > URI_MAX_BYTES)
		return bad_params(f, S("params.uri must be a URI of at most 4096 bytes"));
	e = catalog_resource(f->catalog, f->a, uri->text, &arguments);
	if (!see(f, e))
		return unknown_resource(
			f, uri->text, f->r->modern ? RPC_PARAMS : RPC_OLD_NO_RESOURCE);
	f->out->entry = e;
	f->out->arguments = e->uri_is_template ? arguments : no_arguments;
	f->out->uri = uri->text;
	return true;
}

/* --- completion/complete --- */

static const struct entry *find_template(struct search *f, struct str uri)
{
	const struct entry *fixed = map_get(&f->catalog->resources_by_uri, uri);

	for (size_t i = 0; i < f->catalog->template_count; i++)
		if (str_eq(f->catalog->templates[i]->uri, uri))
			return see(f, f->catalog->templates[i]) ? f->catalog->templates[i] : NULL;
	return see(f, fixed) ? fixed : NULL;
}

/* Whose argument is to be completed; NULL: refused. */
static const struct entry *find_owner(struct search *f)
{
	const struct json *ref = json_get(&f->r->params, S("ref"));
	struct str type = json_get_str(ref, S("type"));
	const struct json *name = json_get(ref, S("name")), *uri = json_get(ref, S("uri"));
	const struct entry *e = NULL;

	if (str_eq(type, S("ref/prompt")) && json_is(name, JSON_STRING)) {
		e = named(f, &f->catalog->prompts_by_name, name->text);
		if (!e)
			(void)mcp_refuse(f->why, 200, RPC_PARAMS, "unknown_prompt",
				S("there is no such prompt"));
	} else if (str_eq(type, S("ref/resource")) && json_is(uri, JSON_STRING) &&
		   uri->text.n <= URI_MAX_BYTES) {
		e = find_template(f, uri->text);
		if (!e)
			(void)unknown_resource(f, uri->text, RPC_PARAMS);
	} else {
		(void)bad_params(f, S("params.ref must be {\"type\": \"ref/prompt\", \"name\"} or "
				      "{\"type\": \"ref/resource\", \"uri\"}"));
	}
	return e;
}

static const struct json *context_value(const struct json *context, const struct input *input)
{
	const struct json *v = json_get(context, input->name);

	return json_is(v, JSON_STRING) && !str_eq(input->name, S("value")) ? v : NULL;
}

/* {"value": what was typed so far, and what the completion declares of the other arguments}. */
static void gather_arguments(struct search *f, const struct entry *completion)
{
	const struct json *context =
		json_get(json_get(&f->r->params, S("context")), S("arguments"));
	struct json_error error;
	struct buf text;
	struct jw w;

	buf_in(&text, f->a, ARGUMENTS_MAX);
	jw_init(&w, &text);
	jw_object(&w);
	jw_put_str(&w, S("value"), f->out->value);
	for (size_t i = 0; i < completion->input_count; i++) {
		const struct json *v = context_value(context, &completion->inputs[i]);

		if (v)
			jw_put_str(&w, completion->inputs[i].name, v->text);
	}
	jw_object_end(&w);
	if (!buf_ok(&text) || !json_parse(f->a, buf_str(&text), &f->out->arguments, &error))
		f->out->arguments = no_arguments;
}

static bool find_argument(struct search *f, const struct entry *owner)
{
	for (size_t i = 0; i < owner->input_count; i++) {
		if (!str_eq(owner->inputs[i].name, f->out->argument))
			continue;
		f->out->entry = owner->completions ? owner->completions[i] : NULL;
		if (f->out->entry)
			gather_arguments(f, f->out->entry);
		return true;
	}
	return bad_params(f, S("params.argument.name is not an argument of what params.ref names"));
}

static bool find_completion(struct search *f)
{
	const struct json *argument = json_get(&f->r->params, S("argument"));
	const struct json *name = json_get(argument, S("name"));
	const struct json *value = json_get(argument, S("value"));
	const struct entry *owner;

	if (!json_is(name, JSON_STRING) || !json_is(value, JSON_STRING))
		return bad_params(
			f, S("params.argument must hold a name and a value, both strings"));
	owner = find_owner(f);
	if (!owner)
		return false;
	f->out->arguments = no_arguments;
	f->out->argument = name->text;
	f->out->value = value->text;
	return find_argument(f, owner);
}

/* --- which of them --- */

static bool has_kind(const struct catalog *c, enum mcp_method method)
{
	if (method == MCP_TOOLS_CALL)
		return c->tool_count > 0;
	if (method == MCP_PROMPTS_GET)
		return c->prompt_count > 0;
	if (method == MCP_RESOURCES_READ)
		return c->resource_count + c->template_count > 0;
	return c->prompt_count + c->template_count > 0;
}

bool mcp_target(struct arena *a, const struct catalog *catalog, const struct mcp_request *r,
	const struct mcp_headers *h, bool (*visible)(void *ctx, const struct entry *e), void *ctx,
	struct mcp_target *out, struct mcp_refusal *why)
{
	struct search f = { .a = a,
		.catalog = catalog,
		.r = r,
		.h = h,
		.visible = visible,
		.ctx = ctx,
		.out = out,
		.why = why };

	*out = (struct mcp_target){ 0 };
	*why = (struct mcp_refusal){ .id = r->id };
	if (!has_kind(catalog, r->method))
		return mcp_refuse(why, r->modern ? 404 : 200, RPC_NO_METHOD, "method",
			mcp_say_name(a, S("there is no method "), r->method_name));
	if (r->method == MCP_TOOLS_CALL)
		return find_tool(&f);
	if (r->method == MCP_PROMPTS_GET)
		return find_prompt(&f);
	if (r->method == MCP_RESOURCES_READ)
		return find_resource(&f);
	bug_on(r->method != MCP_COMPLETE);
	return find_completion(&f);
}
