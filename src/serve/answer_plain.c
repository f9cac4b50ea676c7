/* answer_plain - requests that are not calls: opening, lists, subscriptions (answer_inside.h). */
#include "serve/answer_inside.h"

#include "json/write.h"

static bool visible(void *ctx, const struct entry *e)
{
	return permission_visible(ctx, e);
}

void answer_empty(struct answering *t)
{
	struct buf out;

	buf_in(&out, t->in->arena, REPLY_MAX);
	mcp_write_empty(&out, &t->r);
	answer_reply(t, &out, STR_NONE);
}

void answer_discover(struct answering *t)
{
	struct buf out;

	buf_in(&out, t->in->arena, REPLY_MAX);
	mcp_write_discover(&out, &t->in->generation->info, &t->r);
	answer_reply(t, &out, STR_NONE);
}

void answer_initialize(struct answering *t)
{
	struct mcp_context m = answer_context(t);
	struct str session = STR_NONE;
	struct buf out;

	buf_in(&out, t->in->arena, REPLY_MAX);
	mcp_write_initialize(&out, &t->in->generation->info, &t->r);
	if (t->x->http)
		session = mcp_session_make(t->in->arena, &m, &t->r.session);
	else if (t->in->pipe)
		*t->in->pipe = t->r.session;
	answer_reply(t, &out, session);
}

void answer_list(struct answering *t)
{
	struct incoming *in = t->in;
	struct mcp_refusal why = { 0 };
	union {
		const struct principal *in;
		void *out;
	} who = { .in = in->who };
	struct buf out;

	buf_in(&out, in->arena, REPLY_MAX);
	if (mcp_write_list(&out, in->arena, &in->generation->info, world_seal_of(t->server->world),
		    str_n(in->who->binding.b, SHA256_BYTES), &t->r, in->generation->catalog,
		    visible, who.out, &why))
		answer_reply(t, &out, STR_NONE);
	else
		answer_refuse(t, &why, STR_NONE);
}

/* A method of a capability that was not declared does not exist. */
static bool is_declared(struct answering *t, bool declared)
{
	if (!declared)
		answer_refuse_with(t, -32601, "method", S("this server does not offer the method"));
	return declared;
}

void answer_set_level(struct answering *t)
{
	struct str level = json_get_str(&t->r.params, S("level"));

	if (!is_declared(t, t->in->generation->info.logging))
		return;
	if (!mcp_log_level_passes(level, S("debug"))) {
		answer_refuse_with(t, -32602, "level", S("params.level is not a log level"));
		return;
	}
	sessions_set_level(t->server->sessions, &t->in->who->binding, answer_scope(t), level);
	answer_empty(t);
}

static bool may_watch(struct answering *t, struct str uri)
{
	struct json arguments;
	const struct entry *e =
		catalog_resource(t->in->generation->catalog, t->in->arena, uri, &arguments);

	t->hidden = e && !permission_exists(t->in->who, e) ? e : NULL;
	return e && uri.n <= SESSION_URI_BYTES && permission_visible(t->in->who, e);
}

static void refuse_uri(struct answering *t, struct str uri)
{
	struct mcp_refusal why = { .http_status = 200,
		.code = -32002,
		.reason = "resource",
		.message = S("there is no such resource"),
		.id = t->r.id };
	struct buf data;
	struct jw w;

	if (!uri.n) {
		answer_refuse_with(t, -32602, "params", S("params.uri is missing"));
		return;
	}
	buf_in(&data, t->in->arena, REPLY_MAX);
	jw_init(&w, &data);
	jw_object(&w);
	jw_put_str(&w, S("uri"), uri);
	jw_object_end(&w);
	why.data_json = buf_str(&data);
	if (t->hidden)
		why.reason = permission_name(PERMISSION_TOOLSET);
	/* a URI may hold what an argument's class would protect: it is not written down */
	answer_refuse(t, &why, t->hidden ? t->hidden->name : STR_NONE);
}

void answer_subscribe(struct answering *t)
{
	struct str uri = json_get_str(&t->r.params, S("uri"));
	struct str scope = answer_scope(t);

	if (!is_declared(t, t->in->generation->info.resources))
		return;
	if (!uri.n || !may_watch(t, uri)) {
		refuse_uri(t, uri);
		return;
	}
	if (t->r.method == MCP_RESOURCES_UNSUBSCRIBE)
		sessions_unsubscribe(t->server->sessions, scope, uri);
	else if (!sessions_subscribe(t->server->sessions, &t->in->who->binding, scope, uri)) {
		answer_refuse_with(
			t, -32603, "subscriptions", S("too many subscriptions in this session"));
		return;
	}
	answer_empty(t);
}

/* Only what this caller may see is honoured. */
static void narrow(struct answering *t, struct mcp_filter *filter)
{
	const struct mcp_server_info *info = &t->in->generation->info;
	struct str *uris = arena_array(t->in->arena, struct str, filter->uri_count);
	size_t kept = 0;

	for (size_t i = 0; i < filter->uri_count && kept < SESSION_URIS_MAX; i++)
		if (may_watch(t, filter->uris[i]))
			uris[kept++] = filter->uris[i];
	filter->uris = uris;
	filter->uri_count = kept;
	filter->tools = filter->tools && info->tools;
	filter->prompts = filter->prompts && info->prompts;
	filter->resources = filter->resources && info->resources;
}

void answer_listen(struct answering *t)
{
	struct mcp_refusal why = { 0 };
	struct kill_target target = kill_target_of_principal(t->in->who);
	struct hub_listener l = {
		.owner = hub_owner_of(t->in->who), .modern = true, .subscription = t->r.id
	};
	struct buf first, end;

	if (!mcp_read_filter(t->in->arena, &t->r, &l.filter, &why)) {
		answer_refuse(t, &why, STR_NONE);
		return;
	}
	if (watch_ends_streams(world_watch(t->server->world), &target)) {
		answer_refuse_with(t, 1000, "killed", S("paused by an operator; do not retry"));
		return;
	}
	narrow(t, &l.filter);
	buf_in(&first, t->in->arena, REPLY_MAX);
	mcp_write_acknowledged(&first, &t->r, &l.filter);
	buf_in(&end, t->in->arena, REPLY_MAX);
	mcp_write_listen_end(&end, &t->in->generation->info, &t->r);
	l.end_message = buf_str(&end);
	if (t->in->pipe)
		l.scope = t->in->peer;
	if (hub_add(t->server->hub, &l, t->x, buf_str(&first)) != HUB_OK)
		answer_refuse_with(
			t, -32603, "streams", S("too many open streams; close one first"));
}
