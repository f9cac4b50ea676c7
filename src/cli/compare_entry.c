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

static void compare_entry(
	struct comparison *c, struct str what, const struct entry *x, const struct entry *y)
{
	comparison_u64(c, what, "version", x->version, y->version);
	comparison_text(c, what, "requires", x->requires, y->requires);
	comparison_bool(c, what, "mutates", x->mutates, y->mutates);
	comparison_bool(c, what, "tenant-scoped", x->tenant_scoped, y->tenant_scoped);
	comparison_u64(c, what, "timeout_ms", x->timeout_ms, y->timeout_ms);
	comparison_u64(c, what, "bytes", x->bytes, y->bytes);
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
