/* comparison - see comparison.h. */
#include "cli/comparison.h"

static void note(struct comparison *c, struct str text)
{
	struct difference *d = arena_new(c->a, struct difference);

	d->text = text;
	*c->last = d;
	c->last = &d->next;
	c->count++;
}

void comparison_only(struct comparison *c, struct str what, bool in_staging)
{
	note(c, arena_fmt(c->a, "%.*s: only in %s", STR_ARG(what),
			in_staging ? "staging" : "production"));
}

void comparison_text(
	struct comparison *c, struct str what, const char *key, struct str x, struct str y)
{
	if (!str_eq(x, y))
		note(c, arena_fmt(c->a, "%.*s: %s: %.*s -> %.*s", STR_ARG(what), key,
				STR_ARG(x.n ? x : S("none")), STR_ARG(y.n ? y : S("none"))));
}

void comparison_u64(struct comparison *c, struct str what, const char *key, uint64_t x, uint64_t y)
{
	comparison_text(c, what, key, arena_fmt(c->a, "%llu", (unsigned long long)x),
		arena_fmt(c->a, "%llu", (unsigned long long)y));
}

void comparison_bool(struct comparison *c, struct str what, const char *key, bool x, bool y)
{
	comparison_text(c, what, key, x ? S("yes") : S("no"), y ? S("yes") : S("no"));
}

static void names_only(struct comparison *c, struct str what, const char *key, struct names in,
	struct names not_in, bool in_staging)
{
	for (size_t i = 0; i < in.count; i++)
		if (!names_hold(not_in, in.list[i]))
			comparison_only(c,
				arena_fmt(c->a, "%.*s: %s %.*s", STR_ARG(what), key,
					STR_ARG(in.list[i])),
				in_staging);
}

void comparison_names(
	struct comparison *c, struct str what, const char *key, struct names x, struct names y)
{
	names_only(c, what, key, x, y, true);
	names_only(c, what, key, y, x, false);
}

static struct names rule_names(struct arena *a, const struct limit_rule *rules, size_t count)
{
	struct str *list = arena_array(a, struct str, count + 1);

	for (size_t i = 0; i < count; i++) {
		struct buf text;

		buf_in(&text, a, 256);
		rate_write(&rules[i], &text);
		list[i] = buf_str(&text);
	}
	return (struct names){ list, count };
}

void comparison_rules(struct comparison *c, struct str what, const char *key,
	const struct limit_rule *x, size_t x_count, const struct limit_rule *y, size_t y_count)
{
	comparison_names(c, what, key, rule_names(c->a, x, x_count), rule_names(c->a, y, y_count));
}
