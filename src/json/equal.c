/* equal - equality of values as JSON Schema defines it, and the hash that goes with it.
 *
 * Invariant: json_equal(a, b) implies json_hash(a) == json_hash(b); so numbers are hashed by value
 * and the members of an object without regard to their order. */
#include "base/map.h"
#include "json/json.h"
#include "json/number.h"

static bool equal_items(const struct json *a, const struct json *b)
{
	for (uint32_t i = 0; i < a->count; i++)
		if (!json_equal(&a->items[i], &b->items[i]))
			return false;
	return true;
}

/* Same count and names that differ: one way is enough.  The usual case is the same order. */
static bool equal_members(const struct json *a, const struct json *b)
{
	if (a->indexed && !b->indexed)
		return equal_members(b, a);
	for (uint32_t i = 0; i < a->count; i++) {
		const struct json_member *m = &a->members[i], *beside = &b->members[i];
		const struct json *other =
			str_eq(m->name, beside->name) ? &beside->value : json_get(b, m->name);

		if (!other || !json_equal(&m->value, other))
			return false;
	}
	return true;
}

bool json_equal(const struct json *a, const struct json *b)
{
	if (a->kind != b->kind || a->count != b->count)
		return false;
	switch (a->kind) {
	case JSON_NULL:
		return true;
	case JSON_BOOL:
		return a->truth == b->truth;
	case JSON_NUMBER:
		return json_number_cmp(a->text, b->text) == 0;
	case JSON_STRING:
		return str_eq(a->text, b->text);
	case JSON_ARRAY:
		return equal_items(a, b);
	case JSON_OBJECT:
		return equal_members(a, b);
	default:
		bug_on(true);
	}
}

static uint64_t mix(uint64_t a, uint64_t b)
{
	uint64_t both[2] = { a, b };

	return siphash_of(str_n(both, sizeof both));
}

static uint64_t hash_number(struct str lexeme)
{
	struct number n;

	number_of(lexeme, &n);
	return siphash_of(str_n(&n, sizeof n));
}

static uint64_t hash_inside(const struct json *v)
{
	uint64_t sum = 0;

	switch (v->kind) {
	case JSON_NULL:
		return 0;
	case JSON_BOOL:
		return v->truth;
	case JSON_NUMBER:
		return hash_number(v->text);
	case JSON_STRING:
		return siphash_of(v->text);
	case JSON_ARRAY:
		for (uint32_t i = 0; i < v->count; i++)
			sum = mix(sum, json_hash(&v->items[i]));
		return sum;
	case JSON_OBJECT:
		for (uint32_t i = 0; i < v->count; i++)
			sum += mix(siphash_of(v->members[i].name), json_hash(&v->members[i].value));
		return sum;
	default:
		bug_on(true);
	}
}

uint64_t json_hash(const struct json *v)
{
	return mix(v->kind, hash_inside(v));
}
