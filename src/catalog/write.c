/* write - see write.h. */
#include "catalog/write.h"

static const char *const level_names[] = { "none", "client", "requester", "other" };

const char *approval_level_name(enum approval_level l)
{
	bug_on((size_t)l >= ARRAY_LEN(level_names));
	return level_names[l];
}

bool approval_level_read(struct str name, enum approval_level *out)
{
	for (size_t i = 0; i < ARRAY_LEN(level_names); i++)
		if (str_eq(name, str_c(level_names[i]))) {
			*out = (enum approval_level)i;
			return true;
		}
	return false;
}

const struct effect_rule *write_rule(const struct write *w, struct str table)
{
	for (size_t i = 0; i < w->rule_count; i++)
		if (str_eq(w->rules[i].table, table))
			return &w->rules[i];
	return NULL;
}

const char *entry_class(const struct entry *e)
{
	if (!e->write)
		return e->mutates ? "write" : "read";
	return e->write->class == WRITE_APPEND ? "append" : "write";
}
