/* schema - JSON Schema 2020-12, compiled once, then checked against many values.
 *
 * Supported: the whole of core, applicator, validation, unevaluated, meta-data, content (as
 * annotations) and format vocabularies; `format` is asserted for the formats of format.h when
 * `assert_formats` is set or the dialect has the format-assertion vocabulary.  `definitions` and
 * `dependencies` mean what they meant before 2019-09.  Unknown keywords mean nothing.
 *
 * A `$ref` resolves only inside the documents handed in: nothing is ever fetched, and the
 * metaschema is a document like any other.  Refused at compile time: a `$schema` that is neither
 * 2020-12 nor a document handed in (whose $vocabulary then counts), an unresolved `$ref`, one that
 * leads back to itself for the same value, a keyword of the wrong shape, more than SCHEMA_MAX_NODES
 * subschemas, a pattern that does not compile under the rules of pattern.h.
 *
 * A schema is immutable after schema_compile and shared between threads; each check brings its
 * arena.  Checking costs at most SCHEMA_MAX_STEPS steps and 400 KiB of stack; over it, or over the
 * steps of a pattern, the value counts as invalid with one fault of the keyword "limit". */
#pragma once
#include "base/err.h"
#include "json/json.h"

#define SCHEMA_MAX_NODES 10000
#define SCHEMA_MAX_STEPS 1000000
#define SCHEMA_MAX_FAULTS 16

struct schema;

/* A document that `$ref` may name by its absolute URI. */
struct schema_document {
	struct str uri;
	const struct json *root;
};

struct schema_options {
	bool assert_formats;
	bool linear_patterns; /* refuse look-around and back-references (catalog schemas) */
	const struct schema_document *documents;
	size_t document_count;
	struct str base_uri; /* of the root, when it has no $id */
};

/* root and everything below it must outlive the schema (keep it in an arena beside it).  On failure
 * the text names the JSON pointer inside the schema.  `a` holds the compiled form: heap-like
 * lifetime, shared by the catalog. */
struct schema *schema_compile(struct arena *a, const struct json *root,
	const struct schema_options *options, struct err *err);
/* Releases compiled patterns before the arena goes, which does it too; twice does no harm. */
void schema_done(struct schema *s);

struct schema_fault {
	struct str pointer; /* RFC 6901, into the value */
	struct str keyword; /* "type", "pattern", "additionalProperties", … */
	struct str expected; /* short text fit for an agent: "integer", "at most 20 characters" */
};

struct schema_faults {
	struct schema_fault list[SCHEMA_MAX_FAULTS];
	size_t count; /* at most SCHEMA_MAX_FAULTS are kept */
};

/* True: v fits.  Otherwise faults (may be NULL) tell why, at most SCHEMA_MAX_FAULTS of them. */
bool schema_check(const struct schema *s, struct arena *scratch, const struct json *v,
	struct schema_faults *faults) must_check;
