/* catalog - see catalog.h: reads the files, in the order of their names, into one catalog.
 *
 * Invariants: 1. a catalog is returned only when not one error was found.  2. order is that of the
 * files and of the keys in them, so lists never change between two loads of the same bytes. */
#include "catalog/catalog.h"

#include "base/file.h"
#include "catalog/load.h"
#include "catalog/uri_template.h"
#include "json/write.h"

#define CATALOG_MAX_BYTES ((size_t)8 << 20)

void entries_add(struct catalog_load *l, struct entries *to, const struct entry *e)
{
	const struct entry **grown;

	if (to->count == to->cap) {
		to->cap = to->cap ? to->cap * 2 : 16;
		grown = arena_array(l->a, const struct entry *, to->cap);
		for (size_t i = 0; i < to->count; i++)
			grown[i] = to->list[i];
		to->list = grown;
	}
	to->list[to->count++] = e;
}

static void load_section(struct catalog_load *l, struct reader *file, const char *name,
	void (*load)(struct catalog_load *l, const struct yaml_entry *yaml))
{
	const struct yaml *map = read_map(file, name);

	for (size_t i = 0; map && i < map->count; i++)
		load(l, &map->entries[i]);
}

static void load_file(struct catalog_load *l, struct str path, size_t *bytes)
{
	const struct yaml *root;
	struct reader r;
	struct str text;
	struct err err;

	if (!file_read(l->a, path, YAML_MAX_BYTES, &text, &err)) {
		finding_error(l->f, (struct place){ .file = path }, "config.file", str_c(err.text),
			STR_NONE);
		return;
	}
	*bytes += text.n;
	if (*bytes > CATALOG_MAX_BYTES) {
		finding_error(l->f, (struct place){ .file = path }, "yaml.size",
			S("the catalog's files are larger than 8 MiB together"),
			S("move what is not needed here to another deployment"));
		return;
	}
	root = yaml_parse(l->a, path, text, l->f);
	if (!root)
		return;
	reader_init(&r, l->a, l->f, root, "a catalog file");
	load_section(l, &r, "tools", tool_load);
	load_section(l, &r, "resources", resource_load);
	load_section(l, &r, "prompts", prompt_load);
	reader_done(&r);
}

static void index_by_name(struct catalog_load *l, struct map *index, const struct entries *all,
	const char *what, bool by_uri)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct entry *e = all->list[i], *first;
		struct str key = by_uri ? e->uri : e->name;

		if (map_add(index, key, (void *)(uintptr_t)e))
			continue;
		first = map_get(index, key);
		finding_error(l->f, e->at, "catalog.duplicate",
			arena_fmt(l->a, "a second %s '%.*s'", what, STR_ARG(key)),
			arena_fmt(l->a, "the first is at %.*s:%u; rename one",
				STR_ARG(first->at.file), first->at.line));
	}
}

/* Resources and templates share one space of names. */
static void check_resource_names(struct catalog_load *l)
{
	const struct entries *sets[] = { &l->resources, &l->templates };
	struct map names;

	map_init(&names);
	for (size_t s = 0; s < ARRAY_LEN(sets); s++)
		index_by_name(l, &names, sets[s], "resource named", false);
	map_done(&names);
}

static void digest_all(struct catalog_load *l)
{
	const struct entries *sets[] = { &l->tools, &l->resources, &l->templates, &l->prompts };
	struct buf all;

	buf_in(&all, l->a, (size_t)16 << 20);
	for (size_t s = 0; s < ARRAY_LEN(sets); s++)
		for (size_t i = 0; i < sets[s]->count; i++)
			buf_add(&all, str_n(sets[s]->list[i]->digest.b, SHA256_BYTES));
	sha256_of(buf_str(&all), &l->c->digest);
}

static void publish(struct catalog_load *l)
{
	struct catalog *c = l->c;

	c->tools = l->tools.list;
	c->tool_count = l->tools.count;
	c->resources = l->resources.list;
	c->resource_count = l->resources.count;
	c->templates = l->templates.list;
	c->template_count = l->templates.count;
	c->prompts = l->prompts.list;
	c->prompt_count = l->prompts.count;
	index_by_name(l, &c->tools_by_name, &l->tools, "tool", false);
	index_by_name(l, &c->prompts_by_name, &l->prompts, "prompt", false);
	index_by_name(l, &c->resources_by_uri, &l->resources, "resource with the URI", true);
	check_resource_names(l);
	digest_all(l);
}

/* A second time it does nothing: an arena that is used up jumps out of the loading. */
static void close_catalog(void *c)
{
	catalog_done(c);
}

struct catalog *catalog_load(struct arena *a, const struct config *config, struct findings *f)
{
	struct catalog_load l = { .a = a, .f = f, .config = config };
	size_t errors = f->errors, bytes = 0;

	l.c = arena_new(a, struct catalog);
	map_init(&l.c->tools_by_name);
	map_init(&l.c->prompts_by_name);
	map_init(&l.c->resources_by_uri);
	arena_defer(a, close_catalog, l.c);
	for (size_t i = 0; i < config->catalog_file_count; i++)
		load_file(&l, config->catalog_files[i], &bytes);
	builtins_load(&l);
	publish(&l);
	catalog_lint(&l);
	if (f->errors == errors)
		return l.c;
	catalog_done(l.c);
	return NULL;
}

void catalog_done(struct catalog *c)
{
	for (size_t i = 0; i < c->schema_count; i++)
		schema_done(c->schemas[i]);
	c->schema_count = 0;
	map_done(&c->tools_by_name);
	map_done(&c->prompts_by_name);
	map_done(&c->resources_by_uri);
}

const struct input *entry_input(const struct entry *e, struct str name)
{
	for (size_t i = 0; i < e->input_count; i++)
		if (str_eq(e->inputs[i].name, name))
			return &e->inputs[i];
	return NULL;
}

static bool is_integer(struct str s)
{
	struct str digits = s.n && s.p[0] == '-' ? str_from(s, 1) : s;
	int64_t n;

	return digits.n && (digits.n == 1 || digits.p[0] != '0') && str_to_i64(s, &n);
}

/* Variables are text; where the schema speaks of an integer, digits become one. */
static void arguments_of(
	const struct entry *e, struct arena *a, const struct str *values, struct json *out)
{
	const struct uri_template *t = e->uri_template;
	struct json_error error;
	struct buf text;
	struct jw w;

	buf_in(&text, a, (size_t)8 * URI_MAX_BYTES);
	jw_init(&w, &text);
	jw_object(&w);
	for (size_t i = 0; t && i < t->var_count; i++) {
		const struct input *in = entry_input(e, t->vars[i].name);

		if (!values[i].p)
			continue;
		jw_name(&w, t->vars[i].name);
		if (in && in->integer && is_integer(values[i]))
			jw_raw(&w, values[i]);
		else
			jw_str(&w, values[i]);
	}
	jw_object_end(&w);
	bug_on(!json_parse(a, buf_str(&text), out, &error));
}

const struct entry *catalog_resource(
	const struct catalog *c, struct arena *a, struct str uri, struct json *arguments_out)
{
	const struct entry *e = map_get(&c->resources_by_uri, uri);
	struct str values[URI_TEMPLATE_MAX_VARS] = { 0 };

	for (size_t i = 0; !e && i < c->template_count; i++)
		if (uri_template_match(c->templates[i]->uri_template, a, uri, values))
			e = c->templates[i];
	if (e)
		arguments_of(e, a, values, arguments_out);
	return e;
}
