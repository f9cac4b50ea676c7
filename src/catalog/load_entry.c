/* load_entry - the keys that tools, resources and prompts share. */
#include "catalog/load.h"
#include "config/limits.h"
#include "config/profile.h"

#include <string.h>

static const char *const kind_names[] = { "tool", "resource", "prompt", "completion" };

void entry_refuse(struct entry_load *el, const struct yaml *at, const char *code, struct str what,
	struct str remedy)
{
	finding_error(el->f, at ? at->at : el->yaml->at, code,
		arena_fmt(el->a, "%s: %.*s", el->r.what, STR_ARG(what)), remedy);
}

void entry_warn(struct entry_load *el, const struct yaml *at, const char *code, struct str what,
	struct str remedy)
{
	finding_warn(el->f, at ? at->at : el->yaml->at, code,
		arena_fmt(el->a, "%s: %.*s", el->r.what, STR_ARG(what)), remedy);
}

const struct yaml *entry_node(const struct entry_load *el, const char *key)
{
	return yaml_get(el->r.map, str_c(key));
}

static bool name_fits(struct str name)
{
	if (!name.n || name.n > 64)
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (!ascii_is_alnum(name.p[i]) && !str_has(S("_.-"), name.p[i]))
			return false;
	return true;
}

bool grant_is_held(const struct config *c, struct str grant)
{
	for (size_t i = 0; i < c->role_count; i++)
		for (size_t k = 0; k < c->roles[i].grant_count; k++)
			if (str_eq(c->roles[i].grants[k], grant))
				return true;
	return false;
}

void entry_grant(struct entry_load *el)
{
	if (el->e->requires.n && !grant_is_held(el->l->config, el->e->requires))
		entry_refuse(el, entry_node(el, "requires"), "grant.nobody",
			arena_fmt(el->a, "nobody holds the grant '%.*s'", STR_ARG(el->e->requires)),
			S("list it under a role of postern.yaml, or correct it"));
}

static void load_requires(struct entry_load *el)
{
	el->e->requires = read_str(&el->r, "requires", STR_NONE);
	if (!read_has(&el->r, "requires"))
		entry_refuse(el, NULL, "grant.missing", S("requires is missing"),
			S("name the grant a caller needs, as in 'requires: customers.read'; there "
			  "is no default"));
	entry_grant(el);
}

static void load_owner(struct entry_load *el)
{
	static const char *const keys[] = { "owner", "purpose" };
	static const char *const codes[] = { "entry.owner", "entry.purpose" };
	bool production = !profile_permits(el->l->config->environment, PERMIT_NO_OWNER);
	bool scripted = el->e->source && el->e->source->kind == SOURCE_SCRIPTED;

	el->e->owner = read_str(
		&el->r, "owner", el->e->source ? el->e->source->owner : el->l->config->owner);
	el->e->purpose = read_str(&el->r, "purpose", STR_NONE);
	el->e->runbook = read_str(&el->r, "runbook", STR_NONE);
	for (size_t i = 0; el->e->kind == ENTRY_TOOL && !scripted && i < 2; i++) {
		struct str what = arena_fmt(el->a, "%s is missing", keys[i]);
		struct str remedy = arena_fmt(el->a,
			"add '%s:'; production refuses a tool "
			"without it",
			keys[i]);

		bool inherited = i == 0 && el->e->owner.n && !production;

		if (read_has(&el->r, keys[i]) || inherited)
			continue;
		if (production)
			entry_refuse(el, NULL, codes[i], what, remedy);
		else
			entry_warn(el, NULL, codes[i], what, remedy);
	}
}

void entry_source(struct entry_load *el)
{
	struct str name = read_str(&el->r, "source", STR_NONE);
	const struct config *c = el->l->config;
	const char **names;
	const char *near;

	if (!name.n)
		return;
	el->e->source = config_source(c, name);
	if (el->e->source)
		return;
	names = arena_array(el->a, const char *, c->source_count + 1);
	for (size_t i = 0; i < c->source_count; i++)
		names[i] = arena_cstr(el->a, c->sources[i].name);
	near = read_nearest(name, names, c->source_count);
	entry_refuse(el, entry_node(el, "source"), "source.unknown",
		arena_fmt(el->a, "no source is called '%.*s'", STR_ARG(name)),
		near ? arena_fmt(el->a, "did you mean '%s'?", near)
		     : S("define it under 'sources' of postern.yaml"));
}

/* A call that costs more than a window holds could never be made. */
static void check_cost(struct entry_load *el, const struct limit_rule *rules, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (el->e->cost > rules[i].most)
			entry_refuse(el, entry_node(el, "limits"), "limits.cost",
				arena_fmt(el->a, "a call costs %u, more than '%.*s' ever allows",
					el->e->cost, STR_ARG(rules[i].text)),
				S("lower the cost, or raise the limit"));
}

static void load_rates(struct entry_load *el, struct reader *r)
{
	const struct limits_config *all = &el->l->config->limits;
	struct entry *e = el->e;

	e->limits = read_limit_rules(r, "calls", &e->limit_count);
	e->cost = (uint32_t)read_u64(r, "cost", 1, 1, 1000000);
	e->concurrency = (unsigned)read_u64(r, "concurrency", 0, 1, 1024);
	check_cost(el, e->limits, e->limit_count);
	check_cost(el, all->calls, all->call_count);
	if (e->source)
		check_cost(el, e->source->calls, e->source->call_count);
}

void entry_limits(struct entry_load *el)
{
	uint32_t most = el->l->config->limits.tool_ms;
	struct reader r;

	reader_init(&r, el->a, el->f, read_node(&el->r, "limits"),
		arena_cstr(el->a, arena_fmt(el->a, "%s limits", el->r.what)));
	el->rows = (uint32_t)read_u64(&r, "rows", 0, 1, ROWS_MAX);
	el->e->bytes = read_bytes(&r, "bytes", BYTES_DEFAULT, 1, BYTES_MAX);
	el->e->timeout_ms = read_duration_ms(&r, "timeout", most, 1, most);
	load_rates(el, &r);
	reader_done(&r);
}

bool entry_begin(struct entry_load *el, struct catalog_load *l, const struct yaml_entry *yaml,
	enum entry_kind kind)
{
	struct entry *e = arena_new(l->a, struct entry);

	*el = (struct entry_load){
		.l = l, .a = l->a, .f = l->f, .e = e, .yaml = yaml, .findings_before = l->f->count
	};
	el->inputs = arena_array(l->a, struct input, INPUTS_MAX);
	el->used = arena_array(l->a, bool, INPUTS_MAX);
	e->kind = kind;
	e->name = yaml->name;
	e->at = yaml->at;
	e->inputs = el->inputs;
	reader_init(&el->r, l->a, l->f, &yaml->value,
		arena_cstr(
			l->a, arena_fmt(l->a, "%s %.*s", kind_names[kind], STR_ARG(yaml->name))));
	if (!el->r.map)
		return false;
	if (!name_fits(e->name))
		entry_refuse(el, NULL, "entry.name",
			arena_fmt(l->a, "'%.*s' is not a name", STR_ARG(e->name)),
			S("use 1 to 64 of A-Z a-z 0-9 _ . -"));
	e->version = (unsigned)read_u64(&el->r, "version", 1, 1, 1000000);
	e->title = read_str(&el->r, "title", STR_NONE);
	e->description = read_str(&el->r, "description", STR_NONE);
	if (!read_has(&el->r, "description"))
		entry_refuse(el, NULL, "entry.description", S("description is missing"),
			S("say what it gives and when to use it: the model chooses by it"));
	l->description_bytes += e->description.n;
	e->toolsets = toolsets_of(l->config, e);
	entry_source(el);
	load_requires(el);
	load_owner(el);
	entry_limits(el);
	return true;
}

void entry_unused(struct entry_load *el)
{
	if (el->e->action.kind == ACTION_SCRIPT || el->e->mock)
		return;
	for (size_t i = 0; i < el->e->input_count; i++)
		if (!el->used[i])
			entry_warn(el, NULL, "input.unused",
				arena_fmt(el->a, "nothing uses the argument %.*s",
					STR_ARG(el->inputs[i].name)),
				S("use it or remove it"));
}

/* Findings about style and size; those of form and safety of types cannot be waived. */
static const char *const waivable[] = { "entry.owner", "entry.purpose", "grant.nobody", "input.any",
	"input.open_object", "input.sql", "input.unbounded", "input.unused", "read.no_limit",
	"sql.select_star", "write.predicate", "write.reason" };

static void waive_one(struct entry_load *el, const struct yaml *node)
{
	const char *near;
	struct reader r;
	struct str code, reason, approved_by;

	reader_init(&r, el->a, el->f, node,
		arena_cstr(el->a, arena_fmt(el->a, "%s waive", el->r.what)));
	code = read_str_required(&r, "finding");
	reason = read_str_required(&r, "reason");
	approved_by = read_str(&r, "approved_by", STR_NONE);
	reader_done(&r);
	if (!code.n || !reason.n)
		return;
	if (!approved_by.n && !profile_permits(el->l->config->environment, PERMIT_BARE_WAIVER)) {
		entry_refuse(el, node, "waive.approval",
			arena_fmt(el->a, "nobody approved the waiver of %.*s", STR_ARG(code)),
			S("add 'approved_by:' with the name of who did"));
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(waivable); i++) {
		if (!str_eq(code, str_c(waivable[i])))
			continue;
		if (!findings_waive(el->f, el->findings_before, code, reason))
			entry_warn(el, node, "waive.unused",
				arena_fmt(
					el->a, "there is no finding %.*s to waive", STR_ARG(code)),
				S("remove the waiver"));
		return;
	}
	near = read_nearest(code, waivable, ARRAY_LEN(waivable));
	entry_refuse(el, node, "waive.finding",
		arena_fmt(el->a, "'%.*s' is not a finding that can be waived", STR_ARG(code)),
		near ? arena_fmt(el->a, "did you mean '%s'?", near) : S("correct the cause"));
}

/* The definition as compact JSON, its order kept, with what else decides its meaning. */
static void digest_entry(struct entry_load *el)
{
	const struct source_config *source = el->e->source;
	struct buf text;

	buf_in(&text, el->a, (size_t)8 << 20);
	buf_fmt(&text, "%s\n%.*s\n", kind_names[el->e->kind], STR_ARG(el->e->name));
	if (source)
		buf_fmt(&text, "%.*s\n%d", STR_ARG(source->name), (int)source->kind);
	buf_char(&text, '\n');
	yaml_to_json(&el->yaml->value, &text);
	sha256_of(buf_str(&text), &el->e->digest);
}

void entry_end(struct entry_load *el)
{
	const struct yaml *list = read_list(&el->r, "waive");

	reader_done(&el->r);
	tenant_lint(el);
	for (size_t i = 0; list && i < list->count; i++)
		waive_one(el, &list->items[i]);
	digest_entry(el);
}
