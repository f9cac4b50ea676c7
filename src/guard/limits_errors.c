/* limits_errors - calls that were the caller's mistake.  See limits.h.
 *
 * What is refused or fails counts in no limit of calls, so that a mistake costs nothing of what a
 * caller may do; without a window of its own, making them would be free.
 *
 * Invariants: 1. only what the caller could have known counts: neither an operator's order nor a
 * source's trouble.  2. a call that is refused for it does not count again: who waits as long as
 * they were told is served. */
#include "guard/limits_inside.h"

#include "base/clock.h"

static bool is_mistake(enum fault_code code)
{
	static const bool mistakes[FAULT_COUNT] = {
		[VALIDATION_ERROR] = true,
		[PERMISSION_DENIED] = true,
		[CONFIRMATION_INVALID] = true,
		[PRECONDITION_FAILED] = true,
		[NOT_FOUND] = true,
		[RESULT_TOO_LARGE] = true,
	};

	return mistakes[code];
}

/* While the shared counts cannot be read, this process's must do: a mistake harms nobody. */
static enum windows_verdict ask(
	struct limits *l, const struct windows_ask *ask, struct windows_answer *out)
{
	uint64_t boot_ms = clock_boot_ms();
	struct err err;
	enum windows_verdict v = windows_take(l->shared, ask, boot_ms, out, &err);

	return v == WINDOWS_UNAVAILABLE ? windows_take(l->alone, ask, boot_ms, out, &err) : v;
}

/* One rule at a time: those that are full already take no part of it. */
static enum windows_verdict ask_one(struct limits *l, const struct limit_rule *rule, struct call *c,
	bool look, struct windows_answer *out)
{
	struct window_ask one = { .most = rule->most, .window_ms = rule->window_ms, .cost = 1 };
	const struct windows_ask all = { .windows = &one, .window_count = 1, .look = look };
	struct buf text;

	buf_in(&text, c->arena, LIMITS_KEY_BYTES);
	buf_lit(&text, "errors");
	limits_key_dims(&text, rule, c);
	one.key = limits_key_end(&text);
	return ask(l, &all, out);
}

enum verdict guard_errors(struct limits *l, const struct config *config, struct call *c)
{
	const struct limits_config *all = &config->limits;
	struct windows_answer answer = { 0 };

	for (size_t i = 0; i < all->error_count; i++) {
		const struct limit_rule *rule = &all->errors[i];

		if (ask_one(l, rule, c, true, &answer) != WINDOWS_FULL)
			continue;
		c->rate.rule = rule;
		c->rate.left = 0;
		c->rate.wait_ms = answer.wait_ms;
		limits_say(c, rule);
		return limits_refuse(c, RATE_LIMITED, "errors", answer.wait_ms, STR_NONE);
	}
	return VERDICT_PASS;
}

void limits_count_error(struct limits *l, const struct config *config, struct call *c)
{
	const struct limits_config *all = &config->limits;
	struct windows_answer answer;

	if (c->end != CALL_FAULT || !is_mistake(c->fault.code))
		return;
	for (size_t i = 0; i < all->error_count; i++)
		(void)ask_one(l, &all->errors[i], c, false, &answer);
}
