/* yaml - a YAML file as a tree with places, read strictly (libyaml events, YAML 1.2 core scalars).
 *
 * Refused: duplicate keys, aliases, anchors, tags, several documents, nesting deeper than 64, files
 * over 1 MiB or of more than YAML_MAX_NODES values, keys that are not text.  A plain scalar keeps
 * its text; what type it is, the reader of the node says.  Nodes live in the arena. */
#pragma once
#include "config/findings.h"

#define YAML_MAX_BYTES ((size_t)1 << 20)
#define YAML_MAX_DEPTH 64
#define YAML_MAX_NODES 50000

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

/* What a plain scalar is by the YAML 1.2 core schema. */
enum yaml_core { YAML_NULL, YAML_BOOL, YAML_NUMBER, YAML_TEXT };

struct yaml {
	enum yaml_kind kind;
	struct place at;
	bool plain; /* YAML_SCALAR without quotes: may be a number, a boolean, null */
	struct str text; /* YAML_SCALAR */
	const struct yaml *items; /* YAML_LIST: count of them */
	const struct yaml_entry *entries; /* YAML_MAP: count of them, in their order */
	size_t count;
};

struct yaml_entry {
	struct str name;
	struct place at; /* of the key */
	struct yaml value;
};

/* NULL: at least one finding was added. */
const struct yaml *yaml_parse(
	struct arena *a, struct str file, struct str text, struct findings *f);
const struct yaml *yaml_get(const struct yaml *map, struct str name); /* NULL: absent */
/* YAML_TEXT for quoted scalars; node is a YAML_SCALAR. */
enum yaml_core yaml_core(const struct yaml *node);
/* "a map", "a list", "a number", "text", …: for messages. */
const char *yaml_what(const struct yaml *node);
/* The node as compact JSON text: plain scalars by the YAML 1.2 core schema.  Numbers keep their
 * lexemes where JSON allows them; 0x1f, 0o17, +1, .5 and 007 are rewritten; .inf and .nan are text.
 */
void yaml_to_json(const struct yaml *node, struct buf *out);
/* As yaml_to_json for a text that args are filled into later: in values "{{" and "}}" become
 * \u007b and \u007d, which no filling takes for a name, and so does every brace in the name of a
 * member: those are not filled. */
void yaml_to_template(const struct yaml *node, struct buf *out);
