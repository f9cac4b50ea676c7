/* guards - what all guards together cost a call: the steps before the warrant, over one prepared
 * call again and again.
 *
 * usage: bench-guards CATALOG_DIRECTORY KEYS SECONDS
 *   CATALOG_DIRECTORY   where postern.yaml is, with the tool get_customer
 *   KEYS                file: customer ids, one a line, all of one length
 *
 * Prints one line of JSON: CPU of a call with the guards, and of the same loop without them (the
 * arena's reset and the call's making), which is the baseline.  Ends with 1 when a guard says no.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/seal.h"
#include "guard/kill.h"
#include "guard/limits.h"

struct bench {
	const struct config *config;
	const struct entry *entry;
	struct principal who;
	struct guard *guard;
	struct limits *limits;
	struct str keys;
	size_t key_bytes, key_count, next_key;
	struct arena arena;
};

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static bool never(void *ctx)
{
	(void)ctx;
	return false;
}

static struct call *make_call(struct bench *b)
{
	static const struct call_port port = { .cancelled = never };
	struct call *c = arena_new(&b->arena, struct call);
	struct json_member *member = arena_new(&b->arena, struct json_member);
	struct json *arguments = arena_new(&b->arena, struct json);

	b->next_key = (b->next_key + 7919) % b->key_count;
	*member = (struct json_member){ .name = S("customer_id"),
		.value = { .kind = JSON_STRING,
			.text = str_n(
				b->keys.p + b->next_key * (b->key_bytes + 1), b->key_bytes) } };
	*arguments = (struct json){ .kind = JSON_OBJECT, .count = 1, .members = member };
	*c = (struct call){ .arena = &b->arena,
		.entry = b->entry,
		.who = &b->who,
		.port = &port,
		.arguments_sent = arguments,
		.deadline_ms = UINT64_MAX };
	return c;
}

/* As with a few orders in force that meet somebody else. */
static bool is_not_killed(struct call *c)
{
	static const struct kill_order orders[] = {
		{ .kind = KILL_TENANT, .name = STR_INIT("birch") },
		{ .kind = KILL_PRINCIPAL, .name = STR_INIT("mallory@support-desk.example") },
		{ .kind = KILL_TOOL, .name = STR_INIT("get_customer_notes") },
	};
	const struct kill_state s = { .read = true,
		.lease_boot_ms = UINT64_MAX,
		.orders = orders,
		.count = ARRAY_LEN(orders) };
	struct kill_target t = kill_target_of(c, S("bench"));
	struct kill_finding found = kill_judge(&s, &t, clock_boot_ms());

	return guard_kill(c, &found, false) == VERDICT_PASS;
}

static bool judge(struct bench *b, struct call *c)
{
	return is_not_killed(c) && guard_permission(c) == VERDICT_PASS &&
	       guard_schema(c) == VERDICT_PASS && guard_state(c, true) == VERDICT_PASS &&
	       guard_cursor(b->guard, c) == VERDICT_PASS &&
	       guard_approval(c, true) == VERDICT_PASS &&
	       guard_limits(b->limits, b->config, c) == VERDICT_PASS && guard_warrant(c);
}

/* CPU of one call in microseconds, or -1. */
static double loop(struct bench *b, bool guarded, double seconds)
{
	uint64_t end = clock_mono_ns() + (uint64_t)(seconds * 1e9), calls = 0, cpu = cpu_ns();

	do {
		for (int i = 0; i < 100; i++, calls++) {
			struct call *c = make_call(b);

			if (guarded && !judge(b, c))
				return -1;
			arena_reset(&b->arena);
		}
	} while (clock_mono_ns() < end);
	return (double)(cpu_ns() - cpu) / 1000 / (double)calls;
}

static bool prepare(struct bench *b, struct arena *a, const char *directory, struct findings *f)
{
	struct str file = arena_fmt(a, "%s/postern.yaml", directory);
	struct catalog *catalog;

	b->config = config_load(a, file, STR_NONE, STR_NONE, f);
	catalog = b->config ? catalog_load(a, b->config, f) : NULL;
	if (!catalog)
		return false;
	b->entry = map_get(&catalog->tools_by_name, S("get_customer"));
	b->who = (struct principal){ .subject = S("bench@support-desk.example"),
		.agent = S("bench"),
		.tenant = S("acme"),
		.credential = S("bench"),
		.grants = &b->entry->requires,
		.grant_count = 1 };
	b->limits = limits_new(
		arena_fmt(a, "%s/state/bench.limits", directory), clock_boot_id(a), NULL);
	return true;
}

static bool measure(struct bench *b, double seconds)
{
	double with = loop(b, true, seconds), without = loop(b, false, seconds);

	if (with < 0)
		return false;
	printf("{\"with_us\":%.3f,\"without_us\":%.3f,\"rules\":%zu}\n", with, without,
		b->config->limits.call_count + b->entry->limit_count +
			b->entry->source->call_count);
	return true;
}

int main(int argc, char **argv)
{
	struct bench b = { 0 };
	struct findings f;
	struct seal seal;
	char key[32];
	struct arena a;
	struct err err;
	bool ok;

	if (argc != 4) {
		fputs("usage: bench-guards CATALOG_DIRECTORY KEYS SECONDS\n", stderr);
		return 2;
	}
	arena_init(&a, (size_t)64 << 20);
	arena_init(&b.arena, (size_t)64 << 20);
	findings_init(&f, &a);
	random_bytes(key, sizeof key);
	if (!seal_init(&seal, str_n(key, sizeof key)))
		return 1;
	b.guard = guard_new(&seal);
	ok = prepare(&b, &a, argv[1], &f) &&
	     file_read(&a, str_c(argv[2]), (size_t)16 << 20, &b.keys, &err);
	if (ok) {
		b.key_bytes = str_find(b.keys, 0, '\n');
		b.key_count = b.keys.n / (b.key_bytes + 1);
		ok = b.key_count && measure(&b, atof(argv[3]));
	}
	if (!ok)
		fputs("guards: the catalog, the keys or a guard said no\n", stderr);
	limits_free(&b.limits);
	guard_free(&b.guard);
	return !ok;
}
