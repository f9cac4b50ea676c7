/* schema_ref - finds what a $ref or $dynamicRef names, and references that go in circles.
 *
 * Invariants:
 * 1. Only documents handed in are found; nothing is fetched.
 * 2. After schema_find_loops no chain of keywords that apply to the same value leads from a node to
 *    itself by static references.  What $dynamicRef adds while checking is bounded there. */
#include "json/schema_build.h"
#include "json/schema_uri.h"

static struct schema_resource *scan_document(struct compiler *c, const struct schema_document *d)
{
	struct schema_node *n = map_get(&c->scanned, d->uri);

	if (n)
		return n->resource;
	n = schema_scan(c, d->root, d->uri);
	if (!n || !map_add(&c->scanned, d->uri, n))
		return NULL;
	return n->resource;
}

/* A document by the URI it was handed in with; failing that, an $id inside one of them. */
static struct schema_resource *find_resource(struct compiler *c, struct str uri)
{
	const struct schema_options *o = c->options;
	struct schema_resource *found = map_get(&c->by_uri, uri);

	for (size_t i = 0; i < o->document_count && !found; i++)
		if (str_eq(o->documents[i].uri, uri))
			found = scan_document(c, &o->documents[i]);
	for (size_t i = 0; i < o->document_count && !found && c->err->code == E_NONE; i++) {
		(void)scan_document(c, &o->documents[i]);
		found = map_get(&c->by_uri, uri);
	}
	return c->err->code == E_NONE ? found : NULL;
}

static const struct json *child_of(const struct json *v, struct str token)
{
	uint64_t i;

	if (v->kind == JSON_OBJECT)
		return json_get(v, token);
	if (v->kind != JSON_ARRAY || !str_to_u64(token, &i) || i >= v->count ||
		(token.n > 1 && token.p[0] == '0'))
		return NULL;
	return &v->items[i];
}

static struct str unescape(struct compiler *c, struct str token)
{
	struct buf out;

	if (!str_has(token, '~'))
		return token;
	buf_in(&out, c->a, token.n);
	for (size_t i = 0; i < token.n; i++) {
		bool escape = token.p[i] == '~' && i + 1 < token.n &&
			      (token.p[i + 1] == '0' || token.p[i + 1] == '1');

		buf_char(&out, !escape ? token.p[i] : token.p[i + 1] == '0' ? '~' : '/');
		i += escape;
	}
	return buf_str(&out);
}

/* RFC 6901, from the root of a resource. */
static struct schema_node *follow_pointer(
	struct compiler *c, struct schema_node *root, struct str pointer)
{
	const struct json *v = root->source;
	const struct schema_node *around = root;
	struct schema_node *n = root;

	while (v && pointer.n) {
		size_t end = str_find(pointer, 1, '/');

		v = child_of(v, unescape(c, str_sub(pointer, 1, end - 1)));
		pointer = str_from(pointer, end);
		n = v ? schema_node_of(c, v) : NULL;
		around = n ? n : around;
	}
	if (v && !n)
		n = schema_scan_inner(c, v, around);
	return v ? n : NULL;
}

struct schema_node *schema_resolve(struct compiler *c, const struct schema_node *from,
	struct str reference, struct str *anchor_out)
{
	struct str fragment, uri = uri_resolve(c->a, from->resource->uri, reference, &fragment);
	struct schema_resource *r;
	struct schema_node *n = NULL;

	*anchor_out = STR_NONE;
	r = reference.n == 0 || reference.p[0] == '#' ? from->resource : find_resource(c, uri);
	if (r && !uri_decode(c->a, fragment, &fragment))
		r = NULL;
	if (r && fragment.n == 0)
		n = r->root;
	else if (r && fragment.p[0] == '/')
		n = follow_pointer(c, r->root, fragment);
	else if (r) {
		*anchor_out = fragment;
		n = map_get(&c->by_anchor,
			arena_fmt(c->a, "%.*s#%.*s", STR_ARG(r->uri), STR_ARG(fragment)));
	}
	if (!n && c->err->code == E_NONE)
		schema_refuse(c, from, "nothing is known as %.*s", STR_ARG(reference));
	return c->err->code == E_NONE ? n : NULL;
}

enum { UNSEEN, OPEN, DONE };

static bool walk(struct compiler *c, struct schema_node *n, unsigned depth);

static bool walk_list(struct compiler *c, const struct node_list *list, unsigned depth)
{
	for (uint32_t i = 0; i < list->count; i++)
		if (!walk(c, list->node[i], depth))
			return false;
	return true;
}

/* The nodes that a check applies to the same value. */
static bool walk_check(struct compiler *c, const struct check *k, unsigned depth)
{
	switch ((int)k->op) {
	case CHECK_REF:
	case CHECK_DYNAMIC_REF:
		return walk(c, k->reference->node, depth);
	case CHECK_ALL_OF:
	case CHECK_ANY_OF:
	case CHECK_ONE_OF:
		return walk_list(c, &k->nodes, depth);
	case CHECK_NOT:
		return walk(c, k->node, depth);
	case CHECK_IF:
		return walk(c, k->branch->test, depth) &&
		       (!k->branch->yes || walk(c, k->branch->yes, depth)) &&
		       (!k->branch->no || walk(c, k->branch->no, depth));
	case CHECK_DEPENDENT_SCHEMAS:
		for (uint32_t i = 0; i < k->dependent->count; i++)
			if (!walk(c, k->dependent->rows[i].node, depth))
				return false;
		return true;
	default:
		return true;
	}
}

static bool walk(struct compiler *c, struct schema_node *n, unsigned depth)
{
	if (n->visit == DONE)
		return true;
	if (n->visit == OPEN)
		return schema_refuse(c, n, "refers to itself without end");
	if (depth == SCHEMA_MAX_CHAIN)
		return schema_refuse(c, n, "references nested too deep");
	n->visit = OPEN;
	for (uint32_t i = 0; i < n->check_count; i++)
		if (!walk_check(c, &n->checks[i], depth + 1))
			return false;
	n->visit = DONE;
	return true;
}

bool schema_find_loops(struct compiler *c)
{
	for (struct schema_node *n = c->schema->nodes; n; n = n->next)
		if (!walk(c, n, 0))
			return false;
	return true;
}
