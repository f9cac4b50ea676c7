/* fixture - calls by hand for the tests of this room: an entry, a principal, a port, a warrant. */
#pragma once
#include "backend/backend.h"
#include "base/clock.h"
#include "json/write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* What the port was told, and what it answers. */
struct port_log {
	char text[512]; /* one word for each thing that happened */
	bool cancelled;
	struct str may_ask; /* methods, separated by spaces; "*": all */
	struct str capability;
	bool unfit; /* answers have another form */
};

static inline void note(void *ctx, const char *what, struct str text)
{
	struct port_log *log = ctx;
	size_t n = strlen(log->text);

	snprintf(log->text + n, sizeof log->text - n, "%s%s:%.*s", n ? " " : "", what,
		STR_ARG(text));
}

static inline void port_progress(void *ctx, uint64_t n, uint64_t total, struct str message)
{
	char text[32];

	(void)message;
	snprintf(text, sizeof text, "%llu/%llu", (unsigned long long)n, (unsigned long long)total);
	note(ctx, "progress", str_c(text));
}

static inline void port_log_text(void *ctx, struct str level, struct str text)
{
	(void)level;
	note(ctx, "log", text);
}

static inline void port_changed(void *ctx, struct str what)
{
	note(ctx, "changed", what);
}

static inline void port_drop(void *ctx)
{
	note(ctx, "drop", STR_NONE);
}

static inline bool port_cancelled(void *ctx)
{
	return ((struct port_log *)ctx)->cancelled;
}

static inline bool port_may_ask(void *ctx, struct str method, struct str params_json)
{
	struct port_log *log = ctx;

	(void)params_json;
	return str_eq(log->may_ask, S("*")) ||
	       str_find_str(log->may_ask, 0, method) < log->may_ask.n;
}

static inline bool port_has_capability(void *ctx, struct str name)
{
	return str_eq(((struct port_log *)ctx)->capability, name);
}

static inline bool port_answer_fits(
	void *ctx, struct str method, struct str params_json, const struct json *answer)
{
	(void)method;
	(void)params_json;
	return !((struct port_log *)ctx)->unfit && json_is(answer, JSON_OBJECT);
}

static struct arena arena;
static struct port_log port_log;
static const struct call_port port = {
	.progress = port_progress,
	.log = port_log_text,
	.changed = port_changed,
	.drop = port_drop,
	.cancelled = port_cancelled,
	.may_ask = port_may_ask,
	.has_capability = port_has_capability,
	.answer_fits = port_answer_fits,
	.ctx = &port_log,
};
static const struct principal somebody = { .subject = STR_INIT("ada"),
	.agent = STR_INIT("desk"),
	.grants = (const struct str[]){ STR_INIT("g") },
	.grant_count = 1 };

static inline struct json parse(const char *text)
{
	struct json_error error;
	struct json v;

	if (!json_parse(&arena, str_c(text), &v, &error))
		fail_msg("not JSON: %s", text);
	return v;
}

/* A call of the entry with these arguments, through every guard; live for two seconds. */
static inline struct call *call_of(const struct entry *entry, const char *arguments)
{
	struct call *c = arena_new(&arena, struct call);
	struct json *sent = arena_new(&arena, struct json);

	*sent = parse(arguments);
	c->arena = &arena;
	c->entry = entry;
	c->who = &somebody;
	c->port = &port;
	c->arguments_sent = sent;
	c->wall_us = INT64_C(1790000000000000);
	c->deadline_ms = clock_mono_ms() + 2000;
	memcpy(c->id.c, "01ABCDEFGHJKMNPQRSTVWXYZ01", ID_BYTES);
	return c;
}

static inline bool run(struct backends *b, struct call *c)
{
	assert_int_equal(guard_permission(c), VERDICT_PASS);
	assert_int_equal(guard_schema(c), VERDICT_PASS);
	/* by hand here */
	c->passed |= GUARD_KILL | GUARD_STATE | GUARD_CURSOR | GUARD_APPROVAL | GUARD_LIMITS;
	return backend_run(b, guard_warrant(c));
}

static inline void assert_text(struct str got, const char *expected)
{
	if (!str_eq(got, str_c(expected)))
		fail_msg("%.*s\n   is not %s", STR_ARG(got), expected);
}

static inline void assert_fault(const struct call *c, enum fault_code code, const char *reason)
{
	if (c->fault.code != code || !str_eq(c->fault.reason, str_c(reason)))
		fail_msg("%s %.*s (%.*s)", fault_info(c->fault.code)->name,
			STR_ARG(c->fault.reason), STR_ARG(c->fault.operator_text));
}
