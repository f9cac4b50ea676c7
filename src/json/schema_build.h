/* schema_build - from a document to nodes: what the compiling files share; private to schema_*.c.
 *
 * Order: schema_scan registers every subschema of a document; schema_compile_node then fills each
 * node's checks, resolving references, which may scan more documents; schema_find_loops looks at
 * the outcome.  One thread. */
#pragma once
#include "json/schema_node.h"

#define SCHEMA_MAX_URI 2048
#define SCHEMA_MAX_CHAIN 256 /* references one behind the other, to the same value */

struct compiler {
	struct arena *a;
	struct schema *schema;
	const struct schema_options *options;
	struct err *err;
	struct map by_source; /* bytes of a `const struct json *` -> node */
	struct map by_uri; /* -> resource */
	struct map by_anchor; /* uri#name -> node */
	struct map scanned; /* uri of a document -> its root node */
};

/* Sets the reason with the node's JSON pointer before it; always returns false. */
bool schema_refuse(struct compiler *c, const struct schema_node *n, const char *fmt, ...)
	printf_like(3, 4);
/* A keyword's value under this node, when the node's dialect has it; else NULL. */
const struct json *schema_keyword(
	const struct schema_node *n, struct str name, unsigned vocabulary);
struct schema_node *schema_node_of(struct compiler *c, const struct json *source);

/* schema_scan.c: registers a document's subschemas, resources and anchors. */
struct schema_node *schema_scan(struct compiler *c, const struct json *root, struct str uri);
/* Registers a place outside of any known keyword, inside `around`'s resource. */
struct schema_node *schema_scan_inner(
	struct compiler *c, const struct json *source, const struct schema_node *around);
/* What $schema says of the resource's dialect. */
bool schema_dialect(struct compiler *c, struct schema_node *n) must_check;

/* schema_ref.c */
struct schema_node *schema_resolve(struct compiler *c, const struct schema_node *from,
	struct str reference, struct str *anchor_out);
bool schema_find_loops(struct compiler *c) must_check;

/* schema_build.c: fills checks. */
bool schema_compile_node(struct compiler *c, struct schema_node *n) must_check;

/* schema_build.c, schema_build_object.c: one node in the making. */
struct building {
	struct compiler *c;
	struct schema_node *n;
	struct str keyword; /* and its value: */
	const struct json *v;
	struct check check[CHECK_COUNT + 2]; /* `dependencies` may add two */
	uint32_t count;
};

struct check *build_check(struct building *b, enum check_op op, unsigned kinds);
/* "KEYWORD is not WANTED"; always false. */
bool build_wrong(struct building *b, const char *wanted);
bool build_child(
	struct building *b, const struct json *source, struct schema_node **out) must_check;
bool build_name_list(struct building *b, const struct json *v) must_check;
struct pattern *build_pattern(struct building *b, struct str source);

bool build_object(struct building *b) must_check;
bool build_dependent_required(struct building *b) must_check;
bool build_dependent_schemas(struct building *b) must_check;
bool build_dependencies(struct building *b) must_check;
