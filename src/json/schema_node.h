/* schema_node - the compiled form of a schema, shared by the schema_*.c files and nobody else.
 *
 * A node is one subschema: an array of checks in the order of the keyword table, or a plain yes or
 * no.  A resource is what an $id names: the unit of the dynamic scope and of the dialect.  All of
 * it lives in the arena of schema_compile and is not written after it. */
#pragma once
#include "base/buf.h"
#include "base/map.h"
#include "json/decimal.h"
#include "json/format.h"
#include "json/pattern.h"
#include "json/schema.h"

/* Bits of a value's kind; JSON Schema's "integer" is a bit of its own above them. */
#define KIND_BIT(kind) (1u << (kind))
#define KIND_INTEGER (1u << 6)
#define KIND_ANY 0x3fu

enum vocabulary {
	VOCAB_CORE = 1,
	VOCAB_APPLICATOR = 2,
	VOCAB_UNEVALUATED = 4,
	VOCAB_VALIDATION = 8,
	VOCAB_FORMAT = 16, /* annotation */
	VOCAB_FORMAT_ASSERT = 32,
	VOCAB_CONTENT = 64,
	VOCAB_META_DATA = 128,
	VOCAB_DEFAULT = 255 & ~VOCAB_FORMAT_ASSERT,
};

enum check_op {
	CHECK_REF,
	CHECK_DYNAMIC_REF,
	CHECK_TYPE,
	CHECK_CONST,
	CHECK_ENUM,
	CHECK_MINIMUM, /* the four in the order of bound_texts in schema_value.c */
	CHECK_MAXIMUM,
	CHECK_ABOVE,
	CHECK_BELOW,
	CHECK_MULTIPLE,
	CHECK_MIN_LENGTH,
	CHECK_MAX_LENGTH,
	CHECK_PATTERN,
	CHECK_FORMAT,
	CHECK_MIN_ITEMS,
	CHECK_MAX_ITEMS,
	CHECK_UNIQUE,
	CHECK_MIN_PROPERTIES,
	CHECK_MAX_PROPERTIES,
	CHECK_DEPENDENT_REQUIRED,
	CHECK_OBJECT, /* properties, patternProperties, additionalProperties, required */
	CHECK_PROPERTY_NAMES,
	CHECK_ARRAY, /* prefixItems, items */
	CHECK_CONTAINS,
	CHECK_ALL_OF,
	CHECK_ANY_OF,
	CHECK_ONE_OF,
	CHECK_NOT,
	CHECK_IF,
	CHECK_DEPENDENT_SCHEMAS,
	CHECK_UNEVALUATED_ITEMS,
	CHECK_UNEVALUATED_PROPERTIES,
	CHECK_COUNT
};

struct schema_node;

struct schema_resource {
	struct str uri;
	struct schema_node *root;
	const struct json *document; /* whose part it is */
	unsigned vocabularies;
	struct map dynamic_anchors; /* name -> node; emptied, with the others, by schema_release */
	struct schema_resource *next;
};

struct node_list {
	struct schema_node **node;
	uint32_t count;
};

/* What is known of one property name. */
struct property_row {
	struct str name;
	struct schema_node *node; /* NULL: any value */
	bool required;
};

struct pattern_row {
	struct pattern *pattern;
	struct schema_node *node;
};

struct object_rules {
	struct property_row *rows; /* in the order of `properties`, then names only required */
	uint32_t row_count, required_count;
	uint32_t *slots; /* hash of name -> index + 1; NULL: few rows, searched in order */
	uint32_t slot_mask;
	struct pattern_row *patterns;
	uint32_t pattern_count;
	struct schema_node *additional; /* NULL: any value */
};

struct array_rules {
	struct node_list prefix;
	struct schema_node *rest; /* NULL: any value */
};

struct contains_rules {
	struct schema_node *node;
	uint64_t least, most;
	bool bounded, has_least; /* maxContains, minContains are written there */
};

struct enum_hash {
	uint64_t hash;
	uint32_t index; /* of the value */
};

struct enum_rules {
	const struct json *values; /* the array */
	struct enum_hash *hashes; /* sorted; NULL: few values, compared in order */
};

struct number_rules {
	struct str lexeme;
	int64_t small; /* its value, when is_small */
	bool is_small;
	struct decimal decimal; /* multipleOf */
};

struct dependent_row {
	struct str name;
	struct schema_node *node; /* dependentSchemas */
	const struct json *required; /* dependentRequired: the array of names */
};

struct dependent_rules {
	struct dependent_row *rows;
	uint32_t count;
};

struct branch_rules {
	struct schema_node *test, *yes, *no; /* if, then, else */
};

struct reference {
	struct schema_node *node;
	struct str dynamic_name; /* $dynamicRef onto a $dynamicAnchor: its name */
};

struct check {
	enum check_op op;
	unsigned kinds; /* KIND_BITs of the values it speaks of */
	struct str keyword; /* as it is told in faults */
	union {
		unsigned types;
		uint64_t count;
		const struct json *value; /* const */
		struct enum_rules *choice;
		struct number_rules *number;
		struct {
			struct pattern *pattern;
			struct str source;
		};
		struct {
			format_check *format;
			struct str format_name;
		};
		struct object_rules *object;
		struct array_rules *array;
		struct contains_rules *contains;
		struct dependent_rules *dependent;
		struct branch_rules *branch;
		struct reference *reference;
		struct node_list nodes;
		struct schema_node *node;
	};
};

enum node_verdict { NODE_CHECKED, NODE_ALWAYS, NODE_NEVER };

struct schema_node {
	const struct json *source;
	struct schema_resource *resource;
	enum node_verdict verdict;
	bool tracks; /* has an unevaluated keyword */
	uint8_t visit; /* while looking for loops */
	uint32_t check_count;
	struct check *checks;
	/* where it stands: parent/keyword[/name or index], for messages */
	const struct schema_node *parent;
	struct str keyword, name;
	bool has_name;
	struct schema_node *next; /* all nodes, in order of discovery */
};

struct owned_pattern {
	struct pattern *pattern;
	struct owned_pattern *next;
};

struct schema {
	struct schema_node *root;
	struct schema_node *nodes, **last_node;
	size_t node_count;
	struct schema_resource *resources;
	struct owned_pattern *patterns;
};

/* schema_fault.c: "/name" of a JSON pointer, escaped, cut when it is long. */
void schema_token(struct buf *out, struct str name);
