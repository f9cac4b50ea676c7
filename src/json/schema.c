/* schema - see schema.h: the steps of compiling, and the two passes of checking.
 *
 * A value is first checked without collecting faults; only one that does not fit is checked again,
 * with them.  So the usual call pays nothing for good messages.
 *
 * Invariants:
 * 1. Compiled patterns are the only memory outside of the arena; the arena releases them too, so a
 *    compilation cut short by the arena's limit loses nothing.
 * 2. After schema_compile nothing of the schema is written.
 * 3. schema_check says "fits" only when every check ran to its end within the limits. */
#include "json/schema.h"

#include <stdarg.h>
#include <stdio.h>

#include "json/schema_build.h"
#include "json/schema_run.h"

bool schema_refuse(struct compiler *c, const struct schema_node *n, const char *fmt, ...)
{
	const struct schema_node *path[JSON_MAX_DEPTH + 1];
	size_t depth = 0;
	struct buf where;
	char why[400];
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof why, fmt, args);
	va_end(args);
	for (; n && depth < ARRAY_LEN(path); n = n->parent)
		path[depth++] = n;
	buf_in(&where, c->a, 300);
	while (depth-- > 0) {
		if (path[depth]->keyword.n)
			schema_token(&where, path[depth]->keyword);
		if (path[depth]->has_name)
			schema_token(&where, path[depth]->name);
	}
	return err_set(c->err, E_INVALID, "schema, at #%.*s: %s", STR_ARG(buf_str(&where)), why);
}

const struct json *schema_keyword(const struct schema_node *n, struct str name, unsigned vocabulary)
{
	if (!(n->resource->vocabularies & vocabulary))
		return NULL;
	return json_get(n->source, name);
}

struct schema_node *schema_node_of(struct compiler *c, const struct json *source)
{
	return map_get(&c->by_source, str_n(&source, sizeof source));
}

static void compiler_done(void *what)
{
	struct compiler *c = what;

	map_done(&c->by_source);
	map_done(&c->by_uri);
	map_done(&c->by_anchor);
	map_done(&c->scanned);
}

static void release(void *what)
{
	schema_done(what);
}

static struct compiler *compiler_new(
	struct arena *a, const struct schema_options *options, struct err *err)
{
	struct compiler *c = arena_new(a, struct compiler);

	c->a = a;
	c->options = options;
	c->err = err;
	map_init(&c->by_source);
	map_init(&c->by_uri);
	map_init(&c->by_anchor);
	map_init(&c->scanned);
	arena_defer(a, compiler_done, c);
	c->schema = arena_new(a, struct schema);
	c->schema->last_node = &c->schema->nodes;
	arena_defer(a, release, c->schema);
	return c;
}

static bool compile_all(struct compiler *c, const struct json *root)
{
	c->schema->root = schema_scan(c, root, c->options->base_uri);
	if (!c->schema->root)
		return false;
	/* references add documents, and so nodes, to the end of the list */
	for (struct schema_node *n = c->schema->nodes; n; n = n->next)
		if (!schema_compile_node(c, n))
			return false;
	return schema_find_loops(c);
}

struct schema *schema_compile(struct arena *a, const struct json *root,
	const struct schema_options *options, struct err *err)
{
	struct err why = { 0 };
	struct compiler *c = compiler_new(a, options, &why);
	struct schema *s = c->schema;
	bool done = compile_all(c, root);

	compiler_done(c);
	if (done)
		return s;
	schema_done(s);
	*err = why;
	return NULL;
}

void schema_done(struct schema *s)
{
	for (struct owned_pattern *o = s->patterns; o; o = o->next)
		pattern_free(&o->pattern);
	for (struct schema_resource *r = s->resources; r; r = r->next)
		map_done(&r->dynamic_anchors);
}

/* Fits, does not, or was not decided within the limits. */
static bool pass(const struct schema *s, struct arena *scratch, const struct json *v,
	struct schema_faults *faults, bool *exhausted_out)
{
	struct scope scope = { .resource = s->root->resource };
	struct place place = { .value = v };
	struct run r = {
		.scratch = scratch, .scope = &scope, .faults = faults, .steps = SCHEMA_MAX_STEPS
	};
	bool fits = schema_eval(&r, s->root, &place);

	*exhausted_out = r.exhausted;
	return fits && !r.exhausted;
}

bool schema_check(const struct schema *s, struct arena *scratch, const struct json *v,
	struct schema_faults *faults)
{
	bool exhausted, again;

	if (faults)
		faults->count = 0;
	if (pass(s, scratch, v, NULL, &exhausted))
		return true;
	if (!faults)
		return false;
	if (!exhausted)
		(void)pass(s, scratch, v, faults, &again);
	if (faults->count == 0) {
		faults->list[0] = (struct schema_fault){ .keyword = S("limit"),
			.pointer = S(""),
			.expected =
				S("a smaller value: this one cannot be checked in bounded time") };
		faults->count = 1;
	}
	return false;
}
