/* drill - postern drill: does every kind of kill switch work, on every instance, now?
 *
 * One kind after the other: all calls are served; the switch is set, and within two seconds the
 * right calls are PAUSED on every instance while the others pass; it is lifted, and within two
 * seconds all are served again.
 *
 * Invariants: 1. an order of a drill ends by itself after ORDER_SECONDS, whatever becomes of this
 * process.  2. it is lifted whatever went wrong before.  3. in production the kinds that pause
 * other people's calls are drilled only when they are named. */
#include "base/clock.h"
#include "cli/canary.h"
#include "cli/cli.h"
#include "json/write.h"
#include "store/drills.h"
#include "store/kills.h"

#include <stdio.h>
#include <sysexits.h>
#include <time.h>

#define ORDER_SECONDS 60
#define WITHIN_MS 2000
#define LOOK_MS 50
#define REASON "kill switch drill"

struct result {
	bool refused, passed, resumed;
	uint32_t refused_ms, resumed_ms;
	unsigned others;
	struct err err; /* the first thing that went wrong */
};

static void nap(void)
{
	struct timespec t = { .tv_nsec = LOOK_MS * 1000000L };

	nanosleep(&t, NULL);
}

/* Until the call of this kind answers so on every instance that it meets, or the time is over. */
static bool wait_for(struct canary *c, enum kill_kind kind, enum canary_answer wanted,
	uint64_t since_ms, uint32_t *ms_out, struct err *err)
{
	for (size_t i = 0; i < c->instances; i++) {
		if (!canary_meets(kind, i))
			continue;
		while (canary_ask(c, kind, i, err) != wanted) {
			if (clock_mono_ms() - since_ms > WITHIN_MS)
				return false;
			nap();
		}
	}
	*ms_out = (uint32_t)(clock_mono_ms() - since_ms);
	return *ms_out <= WITHIN_MS;
}

static bool others_pass(struct canary *c, enum kill_kind kind, struct result *r)
{
	for (size_t i = 0; i < c->instances; i++) {
		if (!canary_has_other(c, kind, i))
			continue;
		switch (canary_ask_other(c, kind, i, &r->err)) {
		case CANARY_SERVED:
			r->others++;
			break;
		case CANARY_PAUSED:
			return err_set(&r->err, E_CONTRACT,
				"%.*s: a call that the switch is not set on was refused",
				STR_ARG(c->names[i]));
		case CANARY_OTHER:
			return false;
		}
	}
	return true;
}

static bool record(struct desk *d, const char *event, enum kill_kind kind, struct str name,
	int64_t order, struct err *err)
{
	struct buf fields;
	struct jw w;

	buf_in(&fields, &d->arena, (size_t)4 << 10);
	jw_init(&w, &fields);
	jw_object(&w);
	jw_put_i64(&w, S("order"), order);
	jw_put_str(&w, S("kind"), str_c(kill_kind_name(kind)));
	if (name.n)
		jw_put_str(&w, S("name"), name);
	jw_put_str(&w, S("reason"), S(REASON));
	jw_put_str(&w, S("by"), d->who);
	jw_put_bool(&w, S("drill"), true);
	jw_object_end(&w);
	return audit_event(d->audit, event, str_sub(buf_str(&fields), 1, fields.n - 2), err);
}

static bool set(struct canary *c, enum kill_kind kind, int64_t *order_out, struct err *err)
{
	struct desk *d = c->desk;
	int64_t now_us = clock_wall_us();
	struct kill_row row = { .kind = str_c(kill_kind_name(kind)),
		.name = canary_name(c, kind),
		.reason = S(REASON),
		.by = d->who,
		.since_us = now_us,
		.until_us = now_us + INT64_C(1000000) * ORDER_SECONDS,
		.drill = true };

	return store_kill_set(d->store, &row, order_out, err) &&
	       record(d, "KILL", kind, row.name, *order_out, err);
}

static bool lift(struct canary *c, enum kill_kind kind, int64_t order, struct err *err)
{
	struct desk *d = c->desk;
	unsigned count;

	return record(d, "RESUME", kind, canary_name(c, kind), order, err) &&
	       store_kill_lift_one(
		       d->store, order, d->who, S(REASON), clock_wall_us(), &count, err);
}

static void drill_kind(struct canary *c, enum kill_kind kind, struct result *r)
{
	uint64_t at_ms = clock_mono_ms();
	int64_t order = 0;
	struct err err;
	uint32_t ms;

	if (!wait_for(c, kind, CANARY_SERVED, at_ms, &ms, &r->err)) {
		err_while(&r->err, "before the switch was set");
		return;
	}
	if (set(c, kind, &order, &r->err)) {
		at_ms = clock_mono_ms();
		r->refused = wait_for(c, kind, CANARY_PAUSED, at_ms, &r->refused_ms, &r->err);
		r->passed = r->refused && others_pass(c, kind, r);
	}
	if (!order)
		return;
	if (!lift(c, kind, order, &err)) {
		if (r->passed)
			r->err = err;
		return;
	}
	at_ms = clock_mono_ms();
	r->resumed =
		wait_for(c, kind, CANARY_SERVED, at_ms, &r->resumed_ms, r->passed ? &r->err : &err);
}

static bool worked(const struct result *r)
{
	return r->refused && r->passed && r->resumed;
}

static bool write_down(
	struct canary *c, enum kill_kind kind, const struct result *r, struct err *err)
{
	struct desk *d = c->desk;
	struct drill_row row = { .kind = str_c(kill_kind_name(kind)),
		.by = d->who,
		.at_us = clock_wall_us(),
		.instances = (uint32_t)c->instances,
		.worked = worked(r),
		.refused_ms = r->refused_ms,
		.resumed_ms = r->resumed_ms };
	struct buf fields;
	struct jw w;

	buf_in(&fields, &d->arena, (size_t)4 << 10);
	jw_init(&w, &fields);
	jw_object(&w);
	jw_put_str(&w, S("kind"), row.kind);
	jw_put_str(&w, S("by"), d->who);
	jw_put_u64(&w, S("instances"), row.instances);
	jw_put_bool(&w, S("refused"), r->refused);
	jw_put_bool(&w, S("passed"), r->passed);
	jw_put_bool(&w, S("resumed"), r->resumed);
	jw_put_u64(&w, S("refused_ms"), r->refused_ms);
	jw_put_u64(&w, S("resumed_ms"), r->resumed_ms);
	jw_object_end(&w);
	return audit_event(d->audit, "DRILL", str_sub(buf_str(&fields), 1, fields.n - 2), err) &&
	       store_drill_add(d->store, &row, err);
}

static void print_result(const struct canary *c, enum kill_kind kind, const struct result *r)
{
	if (worked(r))
		printf("%-11s refused on %zu %s after %u ms, %u %s passed, resumed after %u ms\n",
			kill_kind_name(kind), kind == KILL_SERVER ? (size_t)1 : c->instances,
			kind == KILL_SERVER || c->instances == 1 ? "instance" : "instances",
			r->refused_ms, r->others, r->others == 1 ? "other" : "others",
			r->resumed_ms);
	else
		printf("%-11s FAILED: %s: %s\n", kill_kind_name(kind),
			!r->refused  ? "the right calls were not refused"
			: !r->passed ? "the others did not pass"
				     : "the calls did not resume",
			r->err.text[0] ? r->err.text : "not within two seconds");
	fflush(stdout);
}

/* Bits of the kinds to drill; 0: one of the words is none. */
static unsigned kinds_of(const char **words, const struct canary *c)
{
	bool production = c->desk->config->environment == ENV_PRODUCTION;
	unsigned kinds = 0;

	for (size_t i = 0; words[i]; i++) {
		enum kill_kind kind;

		if (!kill_kind_read(str_c(words[i]), &kind))
			return 0;
		kinds |= 1u << kind;
	}
	if (kinds)
		return kinds;
	kinds = 1u << KILL_TENANT | 1u << KILL_PRINCIPAL | 1u << KILL_AGENT | 1u << KILL_CREDENTIAL;
	if (production)
		return kinds;
	return kinds | 1u << KILL_EVERYTHING | 1u << KILL_SERVER | 1u << KILL_TOOL |
	       (c->tool->source ? 1u << KILL_SOURCE : 0);
}

static int drill_all(struct canary *c, const char **words)
{
	unsigned kinds = kinds_of(words, c), drilled = 0, refused = 0, resumed = 0;
	bool written = true;

	if (!kinds)
		return cli_fail(EX_USAGE, "--kind takes everything, server, tenant, principal, "
					  "agent, credential, tool or source");
	if (!c->tool->source && kinds & 1u << KILL_SOURCE)
		return cli_fail(EX_USAGE, "tool %.*s has no source: name one with --tool",
			STR_ARG(c->tool->name));
	for (unsigned k = 0; k < KILL_KIND_COUNT; k++) {
		struct result r = { 0 };
		struct err err;

		if (!(kinds & 1u << k))
			continue;
		drill_kind(c, (enum kill_kind)k, &r);
		print_result(c, (enum kill_kind)k, &r);
		if (!write_down(c, (enum kill_kind)k, &r, &err)) {
			cli_fail(0, "this drill could not be recorded: %s", err.text);
			written = false;
		}
		drilled++;
		refused += r.refused && r.passed;
		resumed += r.resumed;
	}
	printf("%u switches drilled, %u refused, %u resumed\n", drilled, refused, resumed);
	return written && refused == drilled && resumed == drilled ? 0 : 1;
}

int cli_drill(struct cli *c)
{
	const char *words[1], *tool = NULL;
	const char *urls[CLI_LIST_MAX] = { 0 }, *kinds[CLI_LIST_MAX] = { 0 };
	const struct cli_option options[] = { { .name = "url", .list = urls },
		{ .name = "kind", .list = kinds }, { .name = "tool", .value = &tool } };
	struct canary canary;
	struct desk d;
	struct err err;
	int status;

	if (!cli_parse(c, options, ARRAY_LEN(options), words, 1, 1))
		return EX_USAGE;
	if (!desk_open(&d, words[0]))
		return EX_CONFIG;
	if (!canary_open(&canary, &d, urls, tool, &err)) {
		status = cli_fail(
			err.code == E_INVALID || err.code == E_NOT_FOUND ? EX_USAGE : EX_CANTCREAT,
			"no drill: %s", err.text);
	} else {
		status = drill_all(&canary, kinds);
		if (!canary_close(&canary, &err))
			cli_fail(0,
				"warning: the drill's keys could not be revoked; they expire "
				"within minutes: %s",
				err.text);
	}
	desk_close(&d);
	return status;
}
