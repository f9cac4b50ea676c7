/* sources - the databases, directories and scripts that the catalog may name. */
#include "config/limits.h"
#include "config/load.h"
#include "config/profile.h"

static const char *const kinds[] = { "sqlite", "files", "scripted" };

static bool is_kind(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (str_eq(name, str_c(kinds[i])))
			return true;
	return false;
}

static bool is_common(struct str name)
{
	static const char *const common[] = { "owner", "purpose", "runbook", "limits", "events",
		"protect" };

	for (size_t i = 0; i < ARRAY_LEN(common); i++)
		if (str_eq(name, str_c(common[i])) || read_nearest(name, &common[i], 1))
			return true;
	return false;
}

/* Says which kinds exist, at the key that looks like a kind. */
static void refuse_kind(struct config_load *l, struct reader *r, struct str source)
{
	const struct yaml *map = r->map;

	for (size_t i = 0; i < map->count; i++) {
		const struct yaml_entry *e = &map->entries[i];
		const char *near = read_nearest(e->name, kinds, ARRAY_LEN(kinds));

		if (is_common(e->name))
			continue;
		r->seen[i] = true;
		finding_error(l->f, e->at, "config.source_kind",
			arena_fmt(l->a, "source %.*s: '%.*s' is not a kind of source",
				STR_ARG(source), STR_ARG(e->name)),
			near ? arena_fmt(l->a,
				       "did you mean '%s'? The kinds are sqlite, files, "
				       "scripted",
				       near)
			     : S("the kinds are sqlite, files, scripted"));
		return;
	}
	config_refuse(l, map, NULL, "config.source_kind",
		arena_fmt(l->a, "source %.*s has no kind", STR_ARG(source)),
		S("add 'sqlite: {file: …}', 'files: {root: …}' or 'scripted: true'"));
}

static unsigned count_kinds(const struct yaml *map)
{
	unsigned n = 0;

	for (size_t i = 0; i < map->count; i++)
		n += is_kind(map->entries[i].name);
	return n;
}

static void load_sqlite(struct config_load *l, struct reader *source, struct source_config *o)
{
	struct reader r;

	o->kind = SOURCE_SQLITE;
	reader_init(&r, l->a, l->f, read_node(source, "sqlite"), "sqlite");
	o->path = config_path(l, read_str_required(&r, "file"));
	o->pool = (unsigned)read_u64(&r, "pool", 4, 1, 64);
	reader_done(&r);
}

static void load_files(struct config_load *l, struct reader *source, struct source_config *o)
{
	struct reader r;

	o->kind = SOURCE_FILES;
	reader_init(&r, l->a, l->f, read_node(source, "files"), "files");
	o->path = config_path(l, read_str_required(&r, "root"));
	reader_done(&r);
}

static void load_scripted(struct config_load *l, struct reader *source, struct source_config *o)
{
	o->kind = SOURCE_SCRIPTED;
	if (!read_bool(source, "scripted", true))
		config_refuse(l, source->map, "scripted", "config.source_kind",
			S("scripted: false is no kind of source"), S("remove the key"));
	if (!profile_permits(l->c->environment, PERMIT_SCRIPT) || !l->c->listen.loopback)
		config_refuse(l, source->map, "scripted", "config.scripted",
			arena_fmt(l->a, "source %.*s is scripted", STR_ARG(o->name)),
			S("scripted sources exist for tests: only in environment development and "
			  "with a loopback listener"));
}

static void load_kind(struct config_load *l, struct reader *r, struct source_config *o)
{
	unsigned count = count_kinds(r->map);

	if (count > 1)
		config_refuse(l, r->map, NULL, "config.source_kind",
			arena_fmt(l->a, "source %.*s has more than one kind", STR_ARG(o->name)),
			S("keep one of sqlite, files, scripted"));
	if (read_has(r, "files"))
		load_files(l, r, o);
	if (read_has(r, "scripted"))
		load_scripted(l, r, o);
	if (read_has(r, "sqlite"))
		load_sqlite(l, r, o);
	if (!count)
		refuse_kind(l, r, o->name);
}

static void load_limits(struct config_load *l, struct reader *source, struct source_config *o)
{
	unsigned most = MAX(1u, l->c->limits.concurrency / 2);
	struct reader r;

	reader_init(&r, l->a, l->f, read_node(source, "limits"), "source limits");
	o->concurrency_shared = read_has(&r, "concurrency");
	o->concurrency = (unsigned)read_u64(&r, "concurrency", most, 1, most);
	o->calls = read_limit_rules(&r, "calls", &o->call_count);
	reader_done(&r);
}

static void check_owner(struct config_load *l, struct reader *r, const struct source_config *o)
{
	static const char *const keys[] = { "owner", "purpose" };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		struct str what = arena_fmt(
			l->a, "source %.*s does not state its %s", STR_ARG(o->name), keys[i]);
		struct str remedy = arena_fmt(l->a, "add '%s:'", keys[i]);

		bool inherited = i == 0 && l->c->owner.n && l->c->environment != ENV_PRODUCTION;

		if (read_has(r, keys[i]) || inherited || o->kind == SOURCE_SCRIPTED)
			continue;
		if (profile_permits(l->c->environment, PERMIT_NO_OWNER))
			finding_warn(l->f, o->at, "config.owner", what, remedy);
		else
			finding_error(l->f, o->at, "config.owner", what, remedy);
	}
}

static void load_source(struct config_load *l, const struct yaml_entry *e, struct source_config *o)
{
	struct reader r;

	o->name = e->name;
	o->at = e->at;
	reader_init(&r, l->a, l->f, &e->value,
		arena_cstr(l->a, arena_fmt(l->a, "source %.*s", STR_ARG(e->name))));
	if (!r.map)
		return;
	if (!config_name_fits(e->name, false))
		finding_error(l->f, e->at, "config.name",
			arena_fmt(l->a, "source '%.*s' is not a name", STR_ARG(e->name)),
			S("use 1 to 64 of A-Z a-z 0-9 _ . -"));
	load_kind(l, &r, o);
	o->owner = read_str(&r, "owner", l->c->owner);
	o->purpose = read_str(&r, "purpose", STR_NONE);
	o->runbook = read_str(&r, "runbook", STR_NONE);
	load_limits(l, &r, o);
	config_protect_load(l, &r, o);
	check_owner(l, &r, o);
	reader_done(&r);
}

void config_sources_load(struct config_load *l, const struct yaml *root)
{
	const struct yaml *map;
	struct source_config *sources;
	struct reader r;

	reader_init(&r, l->a, l->f, yaml_get(root, S("sources")), "sources");
	map = r.map;
	if (!map)
		return;
	sources = arena_array(l->a, struct source_config, map->count + 1);
	for (size_t i = 0; i < map->count; i++)
		load_source(l, &map->entries[i], &sources[i]);
	l->c->sources = sources;
	l->c->source_count = map->count;
}
