/* schema_scan - finds the subschemas, resources ($id) and anchors of a document, before any keyword
 * is compiled.
 *
 * Invariants:
 * 1. Only places that a keyword of 2020-12 makes a subschema are entered; what stands under enum,
 *    const, default or an unknown keyword is data.
 * 2. A place is registered once: by_source holds every node.
 * 3. Depth is that of the parser (JSON_MAX_DEPTH), the count of nodes SCHEMA_MAX_NODES. */
#include "json/schema_build.h"
#include "json/schema_uri.h"

#include <string.h>

enum sub_shape { SUB_ONE, SUB_LIST, SUB_MAP };

static const struct {
	struct str keyword;
	enum sub_shape shape;
	enum vocabulary vocabulary;
} sub_keywords[] = {
	{ STR_INIT("$defs"), SUB_MAP, VOCAB_CORE },
	{ STR_INIT("definitions"), SUB_MAP, VOCAB_CORE }, /* its name before 2019-09 */
	{ STR_INIT("prefixItems"), SUB_LIST, VOCAB_APPLICATOR },
	{ STR_INIT("items"), SUB_ONE, VOCAB_APPLICATOR },
	{ STR_INIT("contains"), SUB_ONE, VOCAB_APPLICATOR },
	{ STR_INIT("additionalProperties"), SUB_ONE, VOCAB_APPLICATOR },
	{ STR_INIT("properties"), SUB_MAP, VOCAB_APPLICATOR },
	{ STR_INIT("patternProperties"), SUB_MAP, VOCAB_APPLICATOR },
	{ STR_INIT("dependentSchemas"), SUB_MAP, VOCAB_APPLICATOR },
	{ STR_INIT("dependencies"), SUB_MAP, VOCAB_APPLICATOR },
	{ STR_INIT("propertyNames"), SUB_ONE, VOCAB_APPLICATOR },
	{ STR_INIT("if"), SUB_ONE, VOCAB_APPLICATOR },
	{ STR_INIT("then"), SUB_ONE, VOCAB_APPLICATOR },
	{ STR_INIT("else"), SUB_ONE, VOCAB_APPLICATOR },
	{ STR_INIT("allOf"), SUB_LIST, VOCAB_APPLICATOR },
	{ STR_INIT("anyOf"), SUB_LIST, VOCAB_APPLICATOR },
	{ STR_INIT("oneOf"), SUB_LIST, VOCAB_APPLICATOR },
	{ STR_INIT("not"), SUB_ONE, VOCAB_APPLICATOR },
	{ STR_INIT("unevaluatedItems"), SUB_ONE, VOCAB_UNEVALUATED },
	{ STR_INIT("unevaluatedProperties"), SUB_ONE, VOCAB_UNEVALUATED },
	{ STR_INIT("contentSchema"), SUB_ONE, VOCAB_CONTENT },
};

#define VOCAB_BASE "https://json-schema.org/draft/2020-12/vocab/"

static const struct {
	struct str uri;
	enum vocabulary bit;
} vocabularies[] = {
	{ STR_INIT(VOCAB_BASE "core"), VOCAB_CORE },
	{ STR_INIT(VOCAB_BASE "applicator"), VOCAB_APPLICATOR },
	{ STR_INIT(VOCAB_BASE "unevaluated"), VOCAB_UNEVALUATED },
	{ STR_INIT(VOCAB_BASE "validation"), VOCAB_VALIDATION },
	{ STR_INIT(VOCAB_BASE "format-annotation"), VOCAB_FORMAT },
	{ STR_INIT(VOCAB_BASE "format-assertion"), VOCAB_FORMAT_ASSERT },
	{ STR_INIT(VOCAB_BASE "content"), VOCAB_CONTENT },
	{ STR_INIT(VOCAB_BASE "meta-data"), VOCAB_META_DATA },
};

static bool anchor_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_is_alpha(s.p[i]) && s.p[i] != '_' &&
			(i == 0 || (!ascii_is_digit(s.p[i]) && s.p[i] != '-' && s.p[i] != '.')))
			return false;
	return s.n > 0;
}

/* The bits a metaschema's $vocabulary stands for; 0 (with the reason) when one is not known. */
static unsigned vocabulary_bits(
	struct compiler *c, const struct schema_node *n, const struct json *declared)
{
	unsigned bits = VOCAB_CORE;

	for (uint32_t i = 0; json_is(declared, JSON_OBJECT) && i < declared->count; i++) {
		const struct json_member *m = &declared->members[i];
		size_t k = 0;

		while (k < ARRAY_LEN(vocabularies) && !str_eq(m->name, vocabularies[k].uri))
			k++;
		if (k < ARRAY_LEN(vocabularies)) {
			bits |= vocabularies[k].bit;
		} else if (!json_is(&m->value, JSON_BOOL) || m->value.truth) {
			schema_refuse(c, n, "a required vocabulary that is not known: %.*s",
				STR_ARG(m->name));
			return 0;
		}
	}
	return bits;
}

bool schema_dialect(struct compiler *c, struct schema_node *n)
{
	const struct json *named = json_get(n->source, S("$schema")), *declared;
	struct str uri, fragment;

	if (!named)
		return true;
	if (!json_is(named, JSON_STRING))
		return schema_refuse(c, n, "$schema is not a string");
	uri = uri_resolve(c->a, STR_NONE, named->text, &fragment);
	n->resource->vocabularies = VOCAB_DEFAULT;
	if (fragment.n == 0 && str_eq(uri, S("https://json-schema.org/draft/2020-12/schema")))
		return true;
	for (size_t i = 0; i < c->options->document_count; i++) {
		const struct schema_document *d = &c->options->documents[i];

		if (!str_eq(d->uri, uri))
			continue;
		if (!str_eq(json_get_str(d->root, S("$schema")),
			    S("https://json-schema.org/draft/2020-12/schema")))
			break;
		declared = json_get(d->root, S("$vocabulary"));
		if (declared)
			n->resource->vocabularies = vocabulary_bits(c, n, declared);
		return n->resource->vocabularies != 0;
	}
	return schema_refuse(c, n, "another dialect: %.*s", STR_ARG(named->text));
}

static struct schema_resource *new_resource(struct compiler *c, struct schema_node *root,
	struct str uri, const struct schema_resource *around)
{
	struct schema_resource *r = arena_new(c->a, struct schema_resource);

	r->uri = uri;
	r->root = root;
	r->vocabularies = around ? around->vocabularies : VOCAB_DEFAULT;
	map_init(&r->dynamic_anchors);
	r->next = c->schema->resources;
	c->schema->resources = r;
	return r;
}

/* $id begins a resource.  A second one of the same name would make references ambiguous. */
static bool enter_id(struct compiler *c, struct schema_node *n)
{
	const struct json *id = json_get(n->source, S("$id"));
	struct str uri, fragment;

	if (!id)
		return true;
	if (!json_is(id, JSON_STRING) || id->text.n > SCHEMA_MAX_URI)
		return schema_refuse(c, n, "$id is not a string, or too long");
	uri = uri_resolve(c->a, n->resource->uri, id->text, &fragment);
	if (fragment.n)
		return schema_refuse(c, n, "$id has a fragment");
	if (!n->parent) {
		n->resource->uri = uri;
	} else {
		n->resource = new_resource(c, n, uri, n->resource);
	}
	if (uri.n && !map_add(&c->by_uri, uri, n->resource) &&
		map_get(&c->by_uri, uri) != n->resource)
		return schema_refuse(c, n, "two schemas are named %.*s", STR_ARG(uri));
	return true;
}

static bool enter_anchor(
	struct compiler *c, struct schema_node *n, struct str keyword, bool dynamic)
{
	const struct json *anchor = json_get(n->source, keyword);
	struct str key;

	if (!anchor)
		return true;
	if (!json_is(anchor, JSON_STRING) || !anchor_name(anchor->text) ||
		anchor->text.n > SCHEMA_MAX_URI)
		return schema_refuse(c, n, "%.*s is not a name", STR_ARG(keyword));
	key = arena_fmt(c->a, "%.*s#%.*s", STR_ARG(n->resource->uri), STR_ARG(anchor->text));
	if (!map_add(&c->by_anchor, key, n) && map_get(&c->by_anchor, key) != n)
		return schema_refuse(
			c, n, "the anchor %.*s is there already", STR_ARG(anchor->text));
	if (dynamic && !map_add(&n->resource->dynamic_anchors, anchor->text, n))
		return schema_refuse(
			c, n, "the anchor %.*s is there already", STR_ARG(anchor->text));
	return true;
}

static struct schema_node *new_node(
	struct compiler *c, const struct json *source, const struct schema_node *parent)
{
	struct schema_node *n = arena_new(c->a, struct schema_node);

	n->source = source;
	n->parent = parent;
	n->resource = parent ? parent->resource : NULL;
	if (++c->schema->node_count > SCHEMA_MAX_NODES) {
		schema_refuse(c, parent ? parent : n, "more than %d subschemas", SCHEMA_MAX_NODES);
		return NULL;
	}
	if (!map_add(&c->by_source, str_n(&n->source, sizeof n->source), n))
		bug_on(true);
	*c->schema->last_node = n;
	c->schema->last_node = &n->next;
	return n;
}

static bool scan_node(struct compiler *c, struct schema_node *n);

/* name: of the member or item, or NULL when the keyword is the schema itself. */
static bool scan_child(struct compiler *c, const struct schema_node *parent, struct str keyword,
	const struct str *name, const struct json *source)
{
	struct schema_node *n;

	if (schema_node_of(c, source))
		return true;
	n = new_node(c, source, parent);
	if (!n)
		return false;
	n->keyword = keyword;
	n->has_name = name != NULL;
	n->name = name ? *name : STR_NONE;
	return scan_node(c, n);
}

/* Values of the wrong shape are left to schema_compile_node, which names them. */
static bool scan_keyword(struct compiler *c, const struct schema_node *n, size_t k)
{
	struct str keyword = sub_keywords[k].keyword;
	const struct json *v = schema_keyword(n, keyword, sub_keywords[k].vocabulary);

	if (!v)
		return true;
	if (sub_keywords[k].shape == SUB_ONE)
		return scan_child(c, n, keyword, NULL, v);
	if (sub_keywords[k].shape == SUB_LIST && json_is(v, JSON_ARRAY)) {
		for (uint32_t i = 0; i < v->count; i++) {
			struct str index = arena_fmt(c->a, "%u", i);

			if (!scan_child(c, n, keyword, &index, &v->items[i]))
				return false;
		}
	} else if (sub_keywords[k].shape == SUB_MAP && json_is(v, JSON_OBJECT)) {
		for (uint32_t i = 0; i < v->count; i++) {
			const struct json_member *m = &v->members[i];

			if (json_is(&m->value, JSON_ARRAY)) /* dependencies: names */
				continue;
			if (!scan_child(c, n, keyword, &m->name, &m->value))
				return false;
		}
	}
	return true;
}

static bool scan_node(struct compiler *c, struct schema_node *n)
{
	if (json_is(n->source, JSON_BOOL)) {
		n->verdict = n->source->truth ? NODE_ALWAYS : NODE_NEVER;
		return true;
	}
	if (!json_is(n->source, JSON_OBJECT))
		return schema_refuse(c, n, "a schema is an object or a boolean");
	if (!enter_id(c, n))
		return false;
	if (n->resource->root == n && !schema_dialect(c, n))
		return false;
	if (!enter_anchor(c, n, S("$anchor"), false) ||
		!enter_anchor(c, n, S("$dynamicAnchor"), true))
		return false;
	for (size_t k = 0; k < ARRAY_LEN(sub_keywords); k++)
		if (!scan_keyword(c, n, k))
			return false;
	return true;
}

struct schema_node *schema_scan(struct compiler *c, const struct json *root, struct str uri)
{
	struct schema_node *n = schema_node_of(c, root);
	struct str fragment;

	if (n)
		return n;
	n = new_node(c, root, NULL);
	if (!n)
		return NULL;
	uri = uri_resolve(c->a, STR_NONE, uri, &fragment);
	n->resource = new_resource(c, n, uri, NULL);
	if (uri.n && !map_add(&c->by_uri, uri, n->resource)) {
		schema_refuse(c, n, "two schemas are named %.*s", STR_ARG(uri));
		return NULL;
	}
	return scan_node(c, n) ? n : NULL;
}

struct schema_node *schema_scan_inner(
	struct compiler *c, const struct json *source, const struct schema_node *around)
{
	struct schema_node *n = new_node(c, source, around);

	if (!n)
		return NULL;
	n->keyword = S("(reference)");
	return scan_node(c, n) ? n : NULL;
}
