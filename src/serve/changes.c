/* changes - see changes.h. */
#include "serve/changes.h"

#include "json/write.h"

#define DETAILS_MAX ((size_t)64 << 10)

/* The sets of entries of a catalog, in one order. */
struct sets {
	struct {
		const struct entry *const *list;
		size_t count;
	} of[4];
};

static struct sets sets_of(const struct catalog *c)
{
	return (struct sets){ { { c->tools, c->tool_count }, { c->resources, c->resource_count },
		{ c->templates, c->template_count }, { c->prompts, c->prompt_count } } };
}

static const struct entry *find(const struct sets *in, size_t set, struct str name)
{
	for (size_t i = 0; i < in->of[set].count; i++)
		if (str_eq(in->of[set].list[i]->name, name))
			return in->of[set].list[i];
	return NULL;
}

static const struct entry_change *change_of(const struct changes *changes, const struct entry *e)
{
	for (size_t i = 0; i < changes->count; i++)
		if (changes->list[i].entry == e)
			return &changes->list[i];
	return NULL;
}

static bool is_fresh(const struct entry_change *change, uint64_t mono_ms)
{
	return change && mono_ms - change->at_ms < CHANGES_MS;
}

void changes_find(struct changes *out, struct arena *a, const struct catalog *before,
	const struct changes *earlier, const struct catalog *now, uint64_t mono_ms)
{
	struct sets was = sets_of(before), is = sets_of(now);
	struct entry_change *list;
	size_t most = 0;

	for (size_t s = 0; s < ARRAY_LEN(is.of); s++)
		most += is.of[s].count;
	list = arena_array(a, struct entry_change, most + 1);
	*out = (struct changes){ .list = list };
	for (size_t s = 0; s < ARRAY_LEN(is.of); s++)
		for (size_t i = 0; i < is.of[s].count; i++) {
			const struct entry *e = is.of[s].list[i], *old = find(&was, s, e->name);
			const struct entry_change *change = old ? change_of(earlier, old) : NULL;

			if (old && !sha256_eq(&old->digest, &e->digest))
				list[out->count++] = (struct entry_change){ e, mono_ms };
			else if (is_fresh(change, mono_ms))
				list[out->count++] = (struct entry_change){ e, change->at_ms };
		}
}

/* details = {"version": …, and what was there}. */
static struct str with_version(struct call *c)
{
	struct json_error error;
	struct json was;
	struct buf out;
	struct jw w;

	buf_in(&out, c->arena, DETAILS_MAX);
	jw_init(&w, &out);
	jw_object(&w);
	jw_put_u64(&w, S("version"), c->entry->version);
	if (c->fault.details_json.n && json_parse(c->arena, c->fault.details_json, &was, &error))
		for (uint32_t i = 0; was.kind == JSON_OBJECT && i < was.count; i++)
			jw_put_raw(&w, was.members[i].name, was.members[i].value.raw);
	jw_object_end(&w);
	return buf_ok(&out) ? buf_str(&out) : c->fault.details_json;
}

void changes_explain(const struct changes *changes, struct call *c, uint64_t mono_ms)
{
	if (c->fault.code != VALIDATION_ERROR || !is_fresh(change_of(changes, c->entry), mono_ms))
		return;
	c->fault.reason = S("tool_changed");
	c->fault.details_json = with_version(c);
}
