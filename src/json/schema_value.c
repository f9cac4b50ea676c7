/* schema_value - the checks of a value for itself: type, equality, numbers, text. */
#include "json/schema_run.h"

#include "base/utf8.h"

bool check_type(struct run *r, const struct check *c, const struct place *p)
{
	unsigned kind = KIND_BIT(p->value->kind);

	if (c->types & kind)
		return true;
	if ((c->types & KIND_INTEGER) && p->value->kind == JSON_NUMBER &&
		lexeme_is_integer(p->value->text))
		return true;
	if (!r->faults)
		return false;
	return fault_str(r, p, c->keyword, types_describe(r->scratch, c->types));
}

/* Comparing and hashing walk the value: they cost by its size. */
static bool step_for(struct run *r, const struct json *v)
{
	return schema_step(r, 1 + v->raw.n / 32);
}

bool check_const(struct run *r, const struct check *c, const struct place *p)
{
	if (!step_for(r, p->value))
		return false;
	if (json_equal(c->value, p->value))
		return true;
	if (!r->faults)
		return false;
	return fault_str(r, p, c->keyword, const_describe(r->scratch, c->value));
}

/* Among equal hashes, which are next to one another; the first is found by halving. */
static bool in_hashes(const struct enum_rules *e, const struct json *v)
{
	uint64_t hash = json_hash(v);
	size_t low = 0, high = e->values->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (e->hashes[middle].hash < hash)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < e->values->count && e->hashes[low].hash == hash; low++)
		if (json_equal(&e->values->items[e->hashes[low].index], v))
			return true;
	return false;
}

static bool in_enum(struct run *r, const struct enum_rules *e, const struct json *v)
{
	if (!step_for(r, v))
		return false;
	if (e->hashes)
		return in_hashes(e, v);
	for (uint32_t i = 0; i < e->values->count; i++)
		if (e->values->items[i].kind == v->kind && json_equal(&e->values->items[i], v))
			return true;
	return false;
}

bool check_enum(struct run *r, const struct check *c, const struct place *p)
{
	if (in_enum(r, c->choice, p->value))
		return true;
	if (!r->faults)
		return false;
	return fault_str(r, p, c->keyword, enum_describe(r->scratch, c->choice->values));
}

static int compare_number(struct str lexeme, const struct number_rules *n)
{
	int64_t small;

	if (n->is_small && lexeme_small(lexeme, &small))
		return (small > n->small) - (small < n->small);
	return json_number_cmp(lexeme, n->lexeme);
}

bool check_bound(struct run *r, const struct check *c, const struct place *p)
{
	static const char *const bound_texts[] = { "at least", "at most", "more than",
		"less than" };
	int order = compare_number(p->value->text, c->number);
	bool fits = c->op == CHECK_MINIMUM   ? order >= 0
		    : c->op == CHECK_MAXIMUM ? order <= 0
		    : c->op == CHECK_ABOVE   ? order > 0
					     : order < 0;

	return fits || fault_add(r, p, c->keyword, "%s %.*s", bound_texts[c->op - CHECK_MINIMUM],
			       STR_ARG(c->number->lexeme));
}

bool check_multiple(struct run *r, const struct check *c, const struct place *p)
{
	struct decimal value;
	int64_t small;

	if (c->number->is_small && lexeme_small(p->value->text, &small)) {
		if (small % c->number->small == 0)
			return true;
	} else {
		decimal_of(p->value->text, &value);
		if (schema_step(r, 4) && decimal_is_multiple(&value, &c->number->decimal))
			return true;
	}
	return fault_add(r, p, c->keyword, "a multiple of %.*s", STR_ARG(c->number->lexeme));
}

/* In code points, as the specification says; the byte count often decides already. */
static bool fits_length(struct run *r, const struct check *c, struct str s)
{
	bool least = c->op == CHECK_MIN_LENGTH;

	if (least ? s.n / 4 >= c->count : s.n <= c->count)
		return true;
	if (least ? s.n < c->count : s.n / 4 > c->count)
		return false;
	if (!schema_step(r, s.n / 64))
		return false;
	return least ? utf8_count(s) >= c->count : utf8_count(s) <= c->count;
}

bool check_length(struct run *r, const struct check *c, const struct place *p)
{
	if (fits_length(r, c, p->value->text))
		return true;
	return fault_add(r, p, c->keyword, "at %s %llu character%s",
		c->op == CHECK_MIN_LENGTH ? "least" : "most", (unsigned long long)c->count,
		c->count == 1 ? "" : "s");
}

bool check_pattern(struct run *r, const struct check *c, const struct place *p)
{
	return schema_match(r, c->pattern, p->value->text) ||
	       fault_add(r, p, c->keyword, "matches %.*s", STR_ARG(utf8_prefix(c->source, 200)));
}

bool check_format(struct run *r, const struct check *c, const struct place *p)
{
	struct str hint;

	if (schema_step(r, p->value->text.n / 64) && c->format(p->value->text))
		return true;
	hint = format_hint(c->format_name);
	return fault_add(r, p, c->keyword, "%.*s", STR_ARG(hint));
}
