/* builtin - the server's own tools: who the caller is, and what it may do, as rows of the columns
 * that catalog/builtin.c declares.
 *
 * Invariant: of what does not exist for the caller (permission.h) no row says anything. */
#include "backend/inside.h"

#include "base/clock.h"
#include "json/write.h"

#define ROLES_MAX ((size_t)64 << 10)
#define TIME_MAX 64

static struct cell text_cell(struct str text)
{
	return (struct cell){ .kind = CELL_TEXT, .text = text };
}

/* What is empty is null. */
static struct cell maybe_cell(struct str text)
{
	return text.n ? text_cell(text) : (struct cell){ 0 };
}

static struct cell bool_cell(bool b)
{
	return (struct cell){ .kind = CELL_INTEGER, .text = b ? S("1") : S("0") };
}

static struct cell roles_cell(struct call *c)
{
	struct buf text;
	struct jw w;

	buf_in(&text, c->arena, ROLES_MAX);
	jw_init(&w, &text);
	jw_array(&w);
	for (size_t i = 0; i < c->who->role_count; i++)
		jw_str(&w, c->who->roles[i]);
	jw_array_end(&w);
	return text_cell(buf_ok(&text) ? buf_str(&text) : S("[]"));
}

static struct cell time_cell(struct call *c, int64_t us)
{
	struct buf text;

	if (!us)
		return (struct cell){ 0 };
	buf_in(&text, c->arena, TIME_MAX);
	clock_write_rfc3339(&text, us);
	return text_cell(buf_str(&text));
}

/* In the order of whoami's columns. */
static void add_whoami(struct call *c)
{
	const struct principal *who = c->who;
	const struct cell values[] = {
		text_cell(who->subject),
		text_cell(str_c(principal_kind_name(who->kind))),
		maybe_cell(who->tenant),
		maybe_cell(who->agent),
		roles_cell(c),
		text_cell(who->credential),
		text_cell(str_c(credential_kind_name(who->credential_kind))),
		maybe_cell(who->issuer),
		text_cell(who->environment),
		time_cell(c, who->expires_us),
		bool_cell(who->read_only),
	};
	struct cell *row = rows_add(&c->rows[0], c->arena);

	bug_on(c->rows[0].part->column_count != ARRAY_LEN(values));
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		row[i] = values[i];
}

static void add_grants(struct call *c, struct rows *rows)
{
	for (size_t i = 0; i < c->who->grant_count && rows->count < rows->part->rows; i++)
		rows_add(rows, c->arena)[0] = text_cell(c->who->grants[i]);
}

static void add_entry(struct call *c, struct rows *rows, const char *kind, const struct entry *e)
{
	enum permission p = permission_judge(c->who, e);
	struct cell *row;

	if (!permission_exists(c->who, e))
		return;
	rows->more = rows->count == rows->part->rows;
	if (rows->more)
		return;
	row = rows_add(rows, c->arena);
	row[0] = text_cell(str_c(kind));
	row[1] = text_cell(e->name);
	row[2] = maybe_cell(e->requires);
	row[3] = bool_cell(p == PERMISSION_GIVEN);
	row[4] = maybe_cell(p == PERMISSION_GIVEN ? STR_NONE : str_c(permission_name(p)));
}

static void add_surface(struct call *c, const struct catalog *catalog, struct rows *rows)
{
	const struct {
		const char *kind;
		const struct entry *const *entries;
		size_t count;
	} sets[] = {
		{ "tool", catalog->tools, catalog->tool_count },
		{ "resource", catalog->resources, catalog->resource_count },
		{ "resource", catalog->templates, catalog->template_count },
		{ "prompt", catalog->prompts, catalog->prompt_count },
	};

	for (size_t s = 0; s < ARRAY_LEN(sets); s++)
		for (size_t i = 0; i < sets[s].count; i++)
			add_entry(c, rows, sets[s].kind, sets[s].entries[i]);
}

bool run_builtin(struct backends *b, struct call *c)
{
	const struct action *action = &c->entry->action;

	c->rows = arena_array(c->arena, struct rows, action->part_count);
	for (size_t i = 0; i < action->part_count; i++)
		rows_init(&c->rows[i], &action->parts[i]);
	switch (action->builtin) {
	case BUILTIN_WHOAMI:
		add_whoami(c);
		break;
	case BUILTIN_LIST_SCOPES:
		add_grants(c, &c->rows[0]);
		add_surface(c, b->catalog, &c->rows[1]);
		break;
	}
	return call_done(c, CONTENT_ROWS);
}
