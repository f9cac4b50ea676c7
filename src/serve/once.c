/* once - one call from the command line, through the same pipeline as any other (serve.h). */
#include "base/clock.h"
#include "json/write.h"
#include "serve/pipeline.h"
#include "serve/serve.h"

#define ARENA_BYTES ((size_t)64 << 20) /* as one message to a server has */

static bool record_hidden(
	struct world *w, const struct principal *who, const struct entry *e, struct err *err)
{
	struct audit_refusal refusal = { .event = "DENY",
		.reason = str_c(permission_name(PERMISSION_TOOLSET)),
		.subject = who->subject,
		.credential = who->credential,
		.agent = who->agent,
		.tenant = who->tenant,
		.era = S("cli"),
		.peer = S("cli"),
		.method = S("tools/call"),
		.target = e->name };

	return audit_refuse(world_audit(w), &refusal, err);
}

/* What a toolset keeps from the principal is not there, in the same words. */
static bool find_tool(struct world *w, const struct generation *g, const struct principal *who,
	struct str name, const struct entry **out, struct err *err)
{
	*out = map_get(&g->catalog->tools_by_name, name);
	if (*out && permission_exists(who, *out))
		return true;
	if (*out && !record_hidden(w, who, *out, err))
		return false;
	return err_set(err, E_NOT_FOUND, "there is no tool %.*s in the catalog; see: postern tools",
		STR_ARG(name));
}

static bool run_one(struct world *w, struct generation *g, struct arena *a,
	const struct entry *entry, const struct principal *who, const struct json *arguments,
	struct str *result_out, bool *is_error_out, struct err *err)
{
	struct call *c = call_new(
		a, entry, who, g->config->limits.request_ms, clock_wall_us(), clock_mono_ns());
	struct run run = { .world = w, .generation = g, .call = c, .structured = true };

	c->arguments_sent = arguments;
	c->origin = (struct call_origin){ .era = S("cli"),
		.peer = S("cli"),
		.client_name = S("postern call"),
		.client_version = S(POSTERN_VERSION) };
	pipeline_run(&run);
	if (!run.receipt)
		return err_set(err, E_UNAVAILABLE,
			"the call could not be recorded, so its result "
			"is not shown");
	*result_out = c->result_json;
	*is_error_out = c->end == CALL_FAULT || c->content_is_error;
	return true;
}

static void refuse_key(
	struct world *w, enum identity_verdict verdict, struct str tool, struct err *err)
{
	struct audit_refusal refusal = { .event = "AUTH_FAIL",
		.reason = str_c(identity_verdict_name(verdict)),
		.peer = S("cli"),
		.method = S("tools/call"),
		.target = str_sub(tool, 0, 128) };

	if (audit_refuse(world_audit(w), &refusal, err))
		err_set(err, E_DENIED, "the key is not valid (%s)", identity_verdict_name(verdict));
}

static bool verify_and_run(struct world *w, struct arena *a, struct str token, struct str tool,
	struct str arguments_json, struct str *result_out, bool *is_error_out, struct err *err)
{
	struct generation *g = world_hold_in(w, a);
	struct credential_shown shown = { .bearer = token };
	enum identity_verdict verdict;
	const struct entry *entry;
	struct json_error error;
	struct principal who;
	struct json arguments;
	bool ok = false;

	verdict = identity_verify(g->identity, a, &shown, clock_wall_us(), clock_boot_ms(), &who);
	if (verdict == IDENTITY_OK && watch_start(world_watch(w), err))
		watch_break_glass(world_watch(w), a, &who, clock_boot_ms());
	if (verdict != IDENTITY_OK)
		refuse_key(w, verdict, tool, err);
	else if (!json_parse(a, arguments_json, &arguments, &error))
		err_set(err, E_INVALID, "the arguments are not JSON (%s at byte %zu)",
			json_fault_name(error.fault), error.offset);
	else if (find_tool(w, g, &who, tool, &entry, err) && world_seal(w, err))
		ok = run_one(w, g, a, entry, &who, &arguments, result_out, is_error_out, err);
	return ok;
}

/* In an arena of its own: what a call without memory left open is closed here, and not after the
 * world, which the caller may close before its arena. */
bool serve_call(struct world *w, struct arena *a, struct str token, struct str tool,
	struct str arguments_json, struct str *result_out, bool *is_error_out, struct err *err)
{
	struct str result;
	struct arena own;
	bool ok;

	arena_init(&own, ARENA_BYTES);
	ok = verify_and_run(w, &own, token, tool, arguments_json, &result, is_error_out, err);
	if (ok)
		*result_out = arena_str(a, result);
	arena_done(&own);
	return ok;
}
