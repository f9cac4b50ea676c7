/* port - the port of a call that nobody listens to (call.h). */
#include "plan/call.h"

static void no_progress(void *ctx, uint64_t n, uint64_t total, struct str message)
{
	(void)ctx;
	(void)n;
	(void)total;
	(void)message;
}

static void no_log(void *ctx, struct str level, struct str text)
{
	(void)ctx;
	(void)level;
	(void)text;
}

static void no_change(void *ctx, struct str what)
{
	(void)ctx;
	(void)what;
}

static void no_drop(void *ctx)
{
	(void)ctx;
}

static bool never(void *ctx)
{
	(void)ctx;
	return false;
}

static bool cannot(void *ctx, struct str name)
{
	(void)ctx;
	(void)name;
	return false;
}

static bool cannot_ask(void *ctx, struct str method, struct str params_json)
{
	(void)ctx;
	(void)method;
	(void)params_json;
	return false;
}

static bool fits_nothing(
	void *ctx, struct str method, struct str params_json, const struct json *answer)
{
	(void)ctx;
	(void)method;
	(void)params_json;
	(void)answer;
	return false;
}

const struct call_port call_port_none = { .progress = no_progress,
	.log = no_log,
	.changed = no_change,
	.drop = no_drop,
	.cancelled = never,
	.may_ask = cannot_ask,
	.has_capability = cannot,
	.answer_fits = fits_nothing };
