/* value - questions about a value that was read: kinds, members, names that fold, NULs. */
#include "json/json.h"

const char *json_kind_name(enum json_kind kind)
{
	static const char *const names[] = {
		[JSON_NULL] = "null",
		[JSON_BOOL] = "boolean",
		[JSON_NUMBER] = "number",
		[JSON_STRING] = "string",
		[JSON_ARRAY] = "array",
		[JSON_OBJECT] = "object",
	};

	bug_on((size_t)kind >= ARRAY_LEN(names));
	return names[kind];
}

bool json_is(const struct json *v, enum json_kind kind)
{
	return v && v->kind == kind;
}

struct str json_get_str(const struct json *o, struct str name)
{
	const struct json *v = json_get(o, name);

	return json_is(v, JSON_STRING) ? v->text : STR_NONE;
}

static bool folds(struct str name, const struct str *known, size_t count)
{
	bool close = false;

	for (size_t i = 0; i < count; i++) {
		if (str_eq(name, known[i]))
			return false;
		close |= str_eq_ci(name, known[i]);
	}
	return close;
}

bool json_folds(const struct json *o, const struct str *known, size_t count, struct str *out)
{
	if (!json_is(o, JSON_OBJECT))
		return false;
	for (uint32_t i = 0; i < o->count; i++)
		if (folds(o->members[i].name, known, count)) {
			*out = o->members[i].name;
			return true;
		}
	return false;
}

bool json_has_nul(const struct json *v)
{
	if (v->kind == JSON_STRING)
		return str_has(v->text, '\0');
	if (v->kind == JSON_ARRAY)
		for (uint32_t i = 0; i < v->count; i++)
			if (json_has_nul(&v->items[i]))
				return true;
	if (v->kind == JSON_OBJECT)
		for (uint32_t i = 0; i < v->count; i++)
			if (json_has_nul(&v->members[i].value))
				return true;
	return false;
}
