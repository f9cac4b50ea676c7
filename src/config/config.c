/* config - see config.h.
 *
 * Invariants: 1. a config is returned only when not one error was found.  2. no default opens
 * access: what is absent or empty grants nobody and binds to loopback.  3. the file is read once;
 * the digest is of the bytes that were parsed. */
#include "config/config.h"

#include "base/file.h"
#include "config/load.h"

#include <glob.h>
#include <stdlib.h>

#define CATALOG_FILES_MAX 256

const char *environment_name(enum environment e)
{
	static const char *const names[] = { "development", "staging", "production" };

	return names[e];
}

void config_refuse(struct config_load *l, const struct yaml *map, const char *key, const char *code,
	struct str what, struct str remedy)
{
	const struct yaml *node = key ? yaml_get(map, str_c(key)) : NULL;

	struct place at = { .file = l->c->file };

	if (node || map)
		at = node ? node->at : map->at;
	finding_error(l->f, at, code, what, remedy);
}

struct str config_path(struct config_load *l, struct str path)
{
	if (!path.n || path.p[0] == '/')
		return path;
	return arena_fmt(l->a, "%.*s/%.*s", STR_ARG(l->c->directory), STR_ARG(path));
}

bool config_name_fits(struct str name, bool slash)
{
	if (!name.n || name.n > 64)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (!ascii_is_alnum(c) && c != '_' && c != '.' && c != '-' && !(slash && c == '/'))
			return false;
	}
	return true;
}

static struct str directory_of(struct str path)
{
	size_t n = path.n;

	while (n && path.p[n - 1] != '/')
		n--;
	if (!n)
		return S(".");
	return n == 1 ? S("/") : str_sub(path, 0, n - 1);
}

static void check_name(struct config_load *l, const struct yaml *root, const char *key,
	struct str name, bool slash)
{
	if (name.n && !config_name_fits(name, slash))
		config_refuse(l, root, key, "config.name",
			arena_fmt(l->a, "%s '%.*s' is not a name", key, STR_ARG(name)),
			slash ? S("use 1 to 64 of A-Z a-z 0-9 _ . - /")
			      : S("use 1 to 64 of A-Z a-z 0-9 _ . -"));
}

static void load_names(struct config_load *l, struct reader *r, struct str override_instance)
{
	static const char *const environments[] = { "development", "staging", "production", NULL };
	struct config *c = l->c;

	if (r->map && !read_has(r, "environment"))
		config_refuse(l, r->map, NULL, "config.missing", S("environment is missing"),
			S("add 'environment:' with development, staging or production"));
	/* absent: production, whose rules are the strictest */
	c->environment =
		(enum environment)read_choice(r, "environment", environments, ENV_PRODUCTION);
	c->name = read_str_required(r, "name");
	c->instance = read_str(r, "instance", S("a"));
	check_name(l, r->map, "name", c->name, true);
	check_name(l, r->map, "instance", c->instance, false);
	if (override_instance.n) {
		c->instance = override_instance;
		if (!config_name_fits(override_instance, false))
			config_refuse(l, r->map, NULL, "config.name",
				arena_fmt(l->a, "--instance '%.*s' is not a name",
					STR_ARG(override_instance)),
				S("use 1 to 64 of A-Z a-z 0-9 _ . -"));
	}
	c->owner = read_str(r, "owner", STR_NONE);
	c->instructions = read_str(r, "instructions", STR_NONE);
}

static void load_state(struct config_load *l, struct reader *root)
{
	struct config *c = l->c;
	struct reader r;

	reader_init(&r, l->a, l->f, read_node(root, "store"), "store");
	c->store_file = config_path(l, read_str(&r, "sqlite", S("state/postern.db")));
	reader_done(&r);
	reader_init(&r, l->a, l->f, read_node(root, "audit"), "audit");
	c->audit_directory = config_path(l, read_str(&r, "directory", S("state/audit")));
	c->audit_keys = config_path(l, read_str(&r, "keys", S("state/keys")));
	reader_done(&r);
}

/* The directory is a name, not a pattern. */
static char *glob_pattern(struct config_load *l, struct str pattern)
{
	struct buf out;

	buf_in(&out, l->a, 65536);
	for (size_t i = 0; pattern.p[0] != '/' && i < l->c->directory.n; i++) {
		if (str_has(S("*?[]\\"), l->c->directory.p[i]))
			buf_char(&out, '\\');
		buf_char(&out, l->c->directory.p[i]);
	}
	if (pattern.p[0] != '/')
		buf_char(&out, '/');
	buf_add(&out, pattern);
	return arena_cstr(l->a, buf_str(&out));
}

static int by_name(const void *x, const void *y)
{
	return str_cmp(*(const struct str *)x, *(const struct str *)y);
}

static void add_files(struct config_load *l, const glob_t *found, struct str *files, size_t *count)
{
	for (size_t i = 0; i < found->gl_pathc && *count < CATALOG_FILES_MAX; i++) {
		struct str file = arena_str(l->a, str_c(found->gl_pathv[i]));
		bool twice = false;

		for (size_t k = 0; k < *count && !twice; k++)
			twice = str_eq(files[k], file);
		if (!twice)
			files[(*count)++] = file;
	}
}

static void load_catalog_files(struct config_load *l, struct reader *root)
{
	struct str *files = arena_array(l->a, struct str, CATALOG_FILES_MAX);
	size_t pattern_count, count = 0;
	const struct str *patterns = read_strs(root, "catalog", &pattern_count);

	if (root->map && !pattern_count)
		config_refuse(l, root->map, "catalog", "config.missing",
			S("no catalog file is named: nothing could be called"),
			S("add 'catalog: [catalog/*.yaml]'"));
	for (size_t i = 0; i < pattern_count; i++) {
		glob_t found;

		if (glob(glob_pattern(l, patterns[i]), 0, NULL, &found) == 0) {
			add_files(l, &found, files, &count);
			globfree(&found);
			continue;
		}
		config_refuse(l, root->map, "catalog", "config.catalog_none",
			arena_fmt(l->a, "no file matches '%.*s'", STR_ARG(patterns[i])),
			arena_fmt(
				l->a, "relative patterns start at %.*s", STR_ARG(l->c->directory)));
	}
	if (count == CATALOG_FILES_MAX)
		config_refuse(l, root->map, "catalog", "config.range",
			S("more than 255 catalog files"), S("join some of them"));
	qsort(files, count, sizeof *files, by_name);
	l->c->catalog_files = files;
	l->c->catalog_file_count = count;
}

static void load_all(struct config_load *l, const struct yaml *root, struct str override_listen,
	struct str override_instance)
{
	static const char *const elsewhere[] = { "listen", "log", "limits", "sources", "identity",
		"roles", "toolsets", "tenants", "modes", "builtins", "approvals" };
	struct reader r;

	reader_init(&r, l->a, l->f, root, "postern.yaml");
	load_names(l, &r, override_instance);
	for (size_t i = 0; i < ARRAY_LEN(elsewhere); i++)
		(void)read_node(&r, elsewhere[i]);
	load_state(l, &r);
	load_catalog_files(l, &r);
	reader_done(&r);
	if (!r.map)
		return;
	config_listen_load(l, root, override_listen);
	config_log_load(l, root);
	config_limits_load(l, root);
	config_sources_load(l, root);
	config_roles_load(l, root);
	config_toolsets_load(l, root);
	config_approvals_load(l, root);
	config_identity_load(l, root);
}

const struct config *config_load(struct arena *a, struct str path, struct str override_listen,
	struct str override_instance, struct findings *f)
{
	struct config *c = arena_new(a, struct config);
	struct config_load l = { .a = a, .f = f, .c = c };
	size_t errors = f->errors;
	const struct yaml *root;
	struct str text;
	struct err err;

	c->file = arena_str(a, path);
	c->directory = arena_str(a, directory_of(path));
	if (!file_read(a, path, YAML_MAX_BYTES, &text, &err)) {
		finding_error(f, (struct place){ .file = c->file }, "config.file", str_c(err.text),
			STR_NONE);
		return NULL;
	}
	sha256_of(text, &c->digest);
	root = yaml_parse(a, c->file, text, f);
	if (root)
		load_all(&l, root, override_listen, override_instance);
	return f->errors == errors ? c : NULL;
}

const struct config *config_made_read_only(struct arena *a, const struct config *c)
{
	struct config *copy = arena_new(a, struct config);

	*copy = *c;
	copy->read_only.all = true;
	return copy;
}

bool names_hold(struct names names, struct str name)
{
	for (size_t i = 0; i < names.count; i++)
		if (str_eq(names.list[i], name))
			return true;
	return false;
}

bool grant_approves(struct str grant)
{
	return str_starts(grant, S("approve."));
}

const struct source_config *config_source(const struct config *c, struct str name)
{
	for (size_t i = 0; i < c->source_count; i++)
		if (str_eq(c->sources[i].name, name))
			return &c->sources[i];
	return NULL;
}

const struct role_config *config_role(const struct config *c, struct str name)
{
	for (size_t i = 0; i < c->role_count; i++)
		if (str_eq(c->roles[i].name, name))
			return &c->roles[i];
	return NULL;
}
