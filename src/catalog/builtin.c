/* builtin - the tools that every deployment has: who the server takes the caller for, and what the
 * caller may do.
 *
 * They are entries like any other: listed, called, limited, recorded.  Their rows come from the
 * server itself (backend/builtin.c), in the order of the columns here.  Their names are taken in
 * every catalog, also where `builtins: false` leaves them out. */
#include "catalog/load.h"

#define BUILTIN_BYTES ((uint64_t)1 << 20)

static const struct column whoami_columns[] = {
	{ .name = STR_INIT("subject"),
		.description = STR_INIT("whom the call is made for"),
		.type = COLUMN_STRING },
	{ .name = STR_INIT("kind"),
		.description = STR_INIT("human, agent or service"),
		.type = COLUMN_STRING },
	{ .name = STR_INIT("tenant"),
		.description = STR_INIT("whose data the call sees"),
		.type = COLUMN_STRING,
		.nullable = true },
	{ .name = STR_INIT("agent"),
		.description = STR_INIT("the software, as its credential names it"),
		.type = COLUMN_STRING,
		.nullable = true },
	{ .name = STR_INIT("roles"),
		.description = STR_INIT("names of roles"),
		.type = COLUMN_JSON },
	{ .name = STR_INIT("credential"),
		.description = STR_INIT("id of the credential, as in the audit log"),
		.type = COLUMN_STRING },
	{ .name = STR_INIT("credential_kind"),
		.description = STR_INIT("how it was shown who is asking"),
		.type = COLUMN_STRING },
	{ .name = STR_INIT("issuer"),
		.description = STR_INIT("who issued the token"),
		.type = COLUMN_STRING,
		.nullable = true },
	{ .name = STR_INIT("environment"),
		.description = STR_INIT("development, staging or production"),
		.type = COLUMN_STRING },
	{ .name = STR_INIT("expires"),
		.description = STR_INIT("when the credential ends, if that is known"),
		.type = COLUMN_DATE_TIME,
		.nullable = true },
	{ .name = STR_INIT("read_only"),
		.description = STR_INIT("true: every tool that changes something is refused"),
		.type = COLUMN_BOOLEAN },
};
static const struct part whoami_parts[] = {
	{ .shape = SHAPE_ONE,
		.columns = whoami_columns,
		.column_count = ARRAY_LEN(whoami_columns),
		.rows = 1 },
};

static const struct column grant_columns[] = {
	{ .name = STR_INIT("grant"),
		.description = STR_INIT("held by a role of the caller"),
		.type = COLUMN_STRING },
};
static const struct column surface_columns[] = {
	{ .name = STR_INIT("kind"),
		.description = STR_INIT("tool, resource or prompt"),
		.type = COLUMN_STRING },
	{ .name = STR_INIT("name"),
		.description = STR_INIT("its name in the list, or in the catalog"),
		.type = COLUMN_STRING },
	{ .name = STR_INIT("requires"),
		.description = STR_INIT("the grant it needs; null: none"),
		.type = COLUMN_STRING,
		.nullable = true },
	{ .name = STR_INIT("allowed"),
		.description = STR_INIT("the caller may use it"),
		.type = COLUMN_BOOLEAN },
	{ .name = STR_INIT("reason"),
		.description = STR_INIT("why not; null when it is allowed"),
		.type = COLUMN_STRING,
		.nullable = true },
};
static const struct part list_scopes_parts[] = {
	{ .name = STR_INIT("grants"),
		.shape = SHAPE_MANY,
		.columns = grant_columns,
		.column_count = ARRAY_LEN(grant_columns),
		.rows = ROWS_MAX },
	{ .name = STR_INIT("tools"),
		.shape = SHAPE_MANY,
		.columns = surface_columns,
		.column_count = ARRAY_LEN(surface_columns),
		.rows = ROWS_MAX },
};

static const struct {
	struct str name, title, description;
	const struct part *parts;
	size_t part_count;
} builtins[] = {
	[BUILTIN_WHOAMI] = { STR_INIT("whoami"), STR_INIT("Who am I"),
		STR_INIT("Says for whom calls are made here, as the server knows it: subject, "
			 "tenant, agent, roles, credential, environment."),
		whoami_parts, ARRAY_LEN(whoami_parts) },
	[BUILTIN_LIST_SCOPES] = { STR_INIT("list_scopes"), STR_INIT("What may I do"),
		STR_INIT("Lists the caller's grants, and for each tool, resource and prompt what "
			 "it needs and whether the caller may use it. Use it when a call was "
			 "denied."),
		list_scopes_parts, ARRAY_LEN(list_scopes_parts) },
};

/* Made from the list entry, which says all there is. */
static void digest(struct entry *e)
{
	sha256_of(e->list_json, &e->digest);
}

static void add(struct catalog_load *l, enum builtin which)
{
	struct entry *e = arena_new(l->a, struct entry);
	struct yaml_entry *yaml = arena_new(l->a, struct yaml_entry);
	struct entry_load el = { .l = l, .a = l->a, .f = l->f, .e = e, .yaml = yaml };

	yaml->name = builtins[which].name;
	yaml->at.file = l->config->file;
	reader_init(&el.r, l->a, l->f, NULL, "a tool of the server");
	*e = (struct entry){ .kind = ENTRY_TOOL,
		.name = builtins[which].name,
		.version = 1,
		.title = builtins[which].title,
		.description = builtins[which].description,
		.owner = l->config->owner,
		.purpose = S("identity and permission"),
		.action = { .kind = ACTION_BUILTIN,
			.builtin = which,
			.parts = builtins[which].parts,
			.part_count = builtins[which].part_count },
		.timeout_ms = l->config->limits.tool_ms,
		.bytes = BUILTIN_BYTES,
		.at = yaml->at };
	input_schema_finish(&el);
	output_schema_make(&el);
	annotations_make(&el);
	list_json_make(&el);
	digest(e);
	entries_add(l, &l->tools, e);
}

static void refuse_name(struct catalog_load *l, const struct entry *e)
{
	finding_error(l->f, e->at, "entry.builtin",
		arena_fmt(l->a, "tool %.*s has the name of a tool of the server", STR_ARG(e->name)),
		S("rename it"));
}

static void check_name(struct catalog_load *l, const struct entry *e)
{
	if (str_eq(e->name, S(TOGETHER_NAME)))
		refuse_name(l, e);
	for (size_t i = 0; i < ARRAY_LEN(builtins); i++)
		if (str_eq(e->name, builtins[i].name))
			refuse_name(l, e);
}

void builtins_load(struct catalog_load *l)
{
	size_t own = l->tools.count, errors = l->f->errors;

	for (size_t i = 0; i < own; i++)
		check_name(l, l->tools.list[i]);
	if (!l->config->builtins || l->f->errors > errors)
		return;
	add(l, BUILTIN_WHOAMI);
	add(l, BUILTIN_LIST_SCOPES);
	together_load(l);
	l->builtin_count = l->tools.count - own;
}
