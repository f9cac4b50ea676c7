/* compare_entry - what is not alike in two catalogs. */
#include "cli/comparison.h"

#define DIGEST_SHOWN 12

static struct str digest_text(struct arena *a, const struct sha256 *digest)
{
	struct buf text;

	buf_in(&text, a, 128);
	hex_write(&text, str_n(digest->b, SHA256_BYTES));
	return str_sub(buf_str(&text), 0, DIGEST_SHOWN);
}

struct entry_set {
	const char *kind;
	const struct entry *const *list;
	size_t count;
};

#define ENTRY_SETS 4

static void sets_of(const struct catalog *c, struct entry_set out[ENTRY_SETS])
{
	out[0] = (struct entry_set){ "tool", c->tools, c->tool_count };
	out[1] = (struct entry_set){ "resource", c->resources, c->resource_count };
	out[2] = (struct entry_set){ "resource template", c->templates, c->template_count };
	out[3] = (struct entry_set){ "prompt", c->prompts, c->prompt_count };
}

static const struct entry *find(const struct entry_set *set, struct str name)
{
	for (size_t i = 0; i < set->count; i++)
		if (str_eq(set->list[i]->name, name))
			return set->list[i];
	return NULL;
}

/* --- what is shown: parts and their columns --- */

static const struct part *find_part(const struct action *action, struct str name)
{
	for (size_t i = 0; i < action->part_count; i++)
		if (str_eq(action->parts[i].name, name))
			return &action->parts[i];
	return NULL;
}

static const struct column *find_column(const struct part *part, struct str name)
{
	for (size_t i = 0; i < part->column_count; i++)
		if (str_eq(part->columns[i].name, name))
			return &part->columns[i];
	return NULL;
}

static struct str column_what(
	struct comparison *c, struct str what, const struct part *part, const struct column *column)
{
	return arena_fmt(c->a, "%.*s: column %.*s%s%.*s", STR_ARG(what), STR_ARG(part->name),
		part->name.n ? "." : "", STR_ARG(column->name));
}

static void compare_column(
	struct comparison *c, struct str what, const struct column *x, const struct column *y)
{
	comparison_text(
		c, what, "mask", mask_written(c->a, &x->mask), mask_written(c->a, &y->mask));
	comparison_text(c, what, "unmask", x->unmask, y->unmask);
	comparison_text(c, what, "class", str_c(data_class_name(x->data_class)),
		str_c(data_class_name(y->data_class)));
}

static void columns_only(struct comparison *c, struct str what, const struct part *in,
	const struct part *not_in, bool in_staging)
{
	for (size_t i = 0; i < in->column_count; i++)
		if (!find_column(not_in, in->columns[i].name))
			comparison_only(c, column_what(c, what, in, &in->columns[i]), in_staging);
}

static void compare_part(
	struct comparison *c, struct str what, const struct part *x, const struct part *y)
{
	columns_only(c, what, x, y, true);
	columns_only(c, what, y, x, false);
	for (size_t i = 0; i < x->column_count; i++) {
		const struct column *other = find_column(y, x->columns[i].name);

		if (other)
			compare_column(c, column_what(c, what, x, other), &x->columns[i], other);
	}
}

static void compare_actions(
	struct comparison *c, struct str what, const struct action *x, const struct action *y)
{
	static const struct part none;

	for (size_t i = 0; i < x->part_count; i++) {
		const struct part *other = find_part(y, x->parts[i].name);

		compare_part(c, what, &x->parts[i], other ? other : &none);
	}
	for (size_t i = 0; i < y->part_count; i++)
		if (!find_part(x, y->parts[i].name))
			columns_only(c, what, &y->parts[i], &none, false);
}

/* --- entries --- */

static void compare_entry(
	struct comparison *c, struct str what, const struct entry *x, const struct entry *y)
{
	comparison_u64(c, what, "version", x->version, y->version);
	comparison_text(c, what, "requires", x->requires, y->requires);
	comparison_bool(c, what, "mutates", x->mutates, y->mutates);
	comparison_bool(c, what, "tenant-scoped", x->tenant_scoped, y->tenant_scoped);
	comparison_u64(c, what, "timeout_ms", x->timeout_ms, y->timeout_ms);
	comparison_u64(c, what, "bytes", x->bytes, y->bytes);
	comparison_rules(c, what, "limit", x->limits, x->limit_count, y->limits, y->limit_count);
	comparison_u64(c, what, "cost", x->cost, y->cost);
	comparison_u64(c, what, "concurrency", x->concurrency, y->concurrency);
	comparison_bool(c, what, "mock", x->mock, y->mock);
	comparison_bool(c, what, "visible", x->visible != NULL, y->visible != NULL);
	compare_actions(c, what, &x->action, &y->action);
	comparison_text(c, what, "definition", digest_text(c->a, &x->digest),
		digest_text(c->a, &y->digest));
}

static struct str entry_what(struct comparison *c, const struct entry_set *set, struct str name)
{
	return arena_fmt(c->a, "%s %.*s", set->kind, STR_ARG(name));
}

void compare_catalogs(
	struct comparison *c, const struct catalog *staging, const struct catalog *production)
{
	struct entry_set x[ENTRY_SETS], y[ENTRY_SETS];

	sets_of(staging, x);
	sets_of(production, y);
	for (size_t s = 0; s < ENTRY_SETS; s++) {
		for (size_t i = 0; i < x[s].count; i++) {
			const struct entry *e = x[s].list[i], *other = find(&y[s], e->name);
			struct str what = entry_what(c, &x[s], e->name);

			if (other)
				compare_entry(c, what, e, other);
			else
				comparison_only(c, what, true);
		}
		for (size_t i = 0; i < y[s].count; i++)
			if (!find(&x[s], y[s].list[i]->name))
				comparison_only(c, entry_what(c, &y[s], y[s].list[i]->name), false);
	}
}
