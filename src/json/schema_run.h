/* schema_run - what the checking files share; private to schema_*.c.
 *
 * A run is one pass over one value by one thread: with a budget, the dynamic scope, and perhaps a
 * list of faults to fill. */
#pragma once
#include "json/schema_node.h"

#define SCHEMA_MAX_FRAMES 512 /* nodes open at once: at most 400 KiB of stack */

struct seen {
	uint64_t few; /* members or items 0..63 */
	uint64_t *bits; /* instead, when there are more */
};

/* A value being checked, and how it was reached. */
struct place {
	const struct json *value;
	const struct place *up; /* NULL at the root */
	const struct str *name; /* of the member, or NULL: */
	size_t index; /* of the item */
	struct seen *seen; /* marks of evaluated members and items; NULL: nobody asks */
	bool is_name; /* value is the member's name itself (propertyNames) */
};

struct scope {
	const struct scope *up;
	const struct schema_resource *resource;
};

struct run {
	struct arena *scratch;
	const struct scope *scope;
	struct schema_faults *faults; /* NULL: stop at the first */
	size_t steps, frames;
	bool exhausted; /* a limit was met: the outcome is "invalid", whatever encloses it */
};

/* schema_check.c */
bool schema_eval(struct run *r, const struct schema_node *n, const struct place *p);
/* Takes n steps; false (and exhausted) when there are none left. */
bool schema_step(struct run *r, size_t n);
bool schema_match(struct run *r, const struct pattern *p, struct str s);
/* Nobody wants to know more: the first fault decides, or the list is full. */
static inline bool schema_enough(const struct run *r)
{
	return r->exhausted || !r->faults || r->faults->count == SCHEMA_MAX_FAULTS;
}
/* Without faults, and without marks unless `seen` is given. */
bool schema_eval_quiet(
	struct run *r, const struct schema_node *n, const struct place *p, struct seen *seen);

void seen_init(struct run *r, struct seen *s, const struct json *value);
void seen_add(struct seen *s, size_t i);
bool seen_has(const struct seen *s, size_t i);
void seen_merge(struct seen *into, const struct seen *from, const struct json *value);

typedef bool check_fn(struct run *r, const struct check *c, const struct place *p);

/* schema_value.c */
check_fn check_type, check_const, check_enum, check_bound, check_multiple, check_length,
	check_pattern, check_format;
/* schema_array.c */
check_fn check_item_count, check_unique, check_array, check_contains, check_unevaluated_items;
/* schema_object.c */
check_fn check_member_count, check_dependent_required, check_object, check_property_names,
	check_unevaluated_properties;
/* schema_apply.c */
check_fn check_ref, check_dynamic_ref, check_all_of, check_any_of, check_one_of, check_not,
	check_if, check_dependent_schemas;

/* schema_fault.c: each returns false, so that `return fault_add(...)` reads well.  Nothing happens
 * when nobody collects. */
bool fault_add(struct run *r, const struct place *p, struct str keyword, const char *fmt, ...)
	printf_like(4, 5);
bool fault_str(struct run *r, const struct place *p, struct str keyword, struct str expected);
/* What a schema wants, in a few words: "string", "one of: a, b"; empty when that is hard to say. */
struct str schema_describe(struct arena *a, const struct schema_node *n);
struct str types_describe(struct arena *a, unsigned types);
struct str enum_describe(struct arena *a, const struct json *values);
struct str const_describe(struct arena *a, const struct json *value);
/* Of names, the first few, comma-separated. */
struct str rows_describe(struct arena *a, const struct object_rules *rules);
