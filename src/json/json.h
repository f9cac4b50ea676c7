/* json - reads JSON text (RFC 8259) strictly into nodes of an arena.
 *
 * Refused, with reason and offset: anything after the value, a byte-order mark, bad UTF-8, lone
 * surrogates, duplicate member names, a NUL in a member name, nesting deeper than 64, a number of
 * more than 128 characters, any extension.  An escaped NUL in a string value parses; json_has_nul
 * finds it.  Numbers stay text: nothing here goes through a double.
 *
 * Nodes and decoded strings live in the arena; strings without escapes, numbers and `raw` point
 * into the text, which must live as long.  Usual text costs the arena less than 8 bytes a byte; the
 * worst, brackets alone, 24.  While it reads, json_parse may hold as much again on the heap; an
 * arena that gives up frees that on its reset.  Thread-safe (no shared state). */
#pragma once
#include "base/arena.h"

/* one byte, so that a node has 40 */
enum __attribute__((packed)) json_kind {
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT
};

struct json_member;

struct json {
	enum json_kind kind;
	bool truth; /* JSON_BOOL */
	bool indexed; /* of json_parse: a table of names lies behind the members; false by hand */
	uint32_t count; /* of items or members */
	struct str raw; /* the value as it stood in the text, without surrounding space */
	union {
		struct str text; /* JSON_NUMBER: the lexeme; JSON_STRING: decoded */
		const struct json *items; /* JSON_ARRAY: count of them */
		const struct json_member *members; /* JSON_OBJECT: count of them, in their order */
	};
};

struct json_member {
	struct str name; /* decoded */
	struct json value;
};

enum json_fault {
	JSON_OK,
	JSON_BAD_SYNTAX,
	JSON_BAD_UTF8,
	JSON_BAD_SURROGATE,
	JSON_BAD_DEPTH,
	JSON_BAD_NUMBER_LENGTH,
	JSON_BAD_DUPLICATE,
	JSON_BAD_NAME, /* a NUL in a member name */
	JSON_BAD_TRAILING,
	JSON_BAD_ITEMS, /* more than JSON_MAX_ITEMS items or members in one value */
};

#define JSON_MAX_DEPTH 64
#define JSON_MAX_NUMBER 128
#define JSON_MAX_ITEMS 100000

struct json_error {
	enum json_fault fault;
	size_t offset; /* bytes from the start of the text; of a duplicate: its value's */
};

/* *out is written only on success, *error only on failure. */
bool json_parse(
	struct arena *a, struct str text, struct json *out, struct json_error *error) must_check;
/* "json" (syntax, trailing bytes), "utf8", "surrogate", "depth", "number_length", "duplicate",
 * "nul" (in a member name), "items" */
const char *json_fault_name(enum json_fault fault);
const char *json_kind_name(enum json_kind kind); /* "null", "boolean", "number", … */

/* NULL when o is not an object or has no such member. */
const struct json *json_get(const struct json *o, struct str name);
/* The text of a string member; STR_NONE when absent or not a string. */
struct str json_get_str(const struct json *o, struct str name);
bool json_is(const struct json *v, enum json_kind kind); /* v may be NULL */

/* True when the name of some member folds (ASCII) to a name in `known` but is identical to none of
 * them: such a document says one thing to us and another to a laxer reader.  The first such name
 * goes to *out. */
bool json_folds(const struct json *o, const struct str *known, size_t count, struct str *out);

bool json_has_nul(const struct json *v); /* in any string value below v */

/* Lexemes below are what json_parse takes: at most JSON_MAX_NUMBER characters.
 *
 * True when the number lexeme's value is an integer (5, 5.0, 50e-1, -0): its canonical digits go to
 * out ("5", "0"), which may point into the lexeme.  False for 5.5, and for values or lexemes of
 * more than 128 digits. */
bool json_integer(struct arena *a, struct str lexeme, struct str *out) must_check;
/* Compares two number lexemes by value, exactly (decimal arithmetic): -1, 0, 1. */
int json_number_cmp(struct str a, struct str b);
/* Equality as JSON Schema defines it: numbers by value, objects without regard to order. */
bool json_equal(const struct json *a, const struct json *b);
/* A hash for which json_equal values are equal; keyed per process. */
uint64_t json_hash(const struct json *v);
