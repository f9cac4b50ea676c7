/* matrix - postern matrix: what each role alone may use. */
#include "cli/cli.h"
#include "guard/survey.h"
#include "json/write.h"
#include "serve/world.h"

#include <stdio.h>
#include <sysexits.h>

#define JSON_MAX ((size_t)64 << 20)

struct matrix {
	const struct config *config;
	const struct catalog *catalog;
	struct principal *roles; /* by config->roles */
	struct arena *a;
};

static void for_each(struct matrix *m,
	void (*visit)(struct matrix *m, void *ctx, const char *kind, const struct entry *e),
	void *ctx)
{
	const struct catalog *c = m->catalog;
	const struct {
		const char *kind;
		const struct entry *const *list;
		size_t count;
	} sets[] = { { "tool", c->tools, c->tool_count },
		{ "resource", c->resources, c->resource_count },
		{ "resource", c->templates, c->template_count },
		{ "prompt", c->prompts, c->prompt_count } };

	for (size_t s = 0; s < ARRAY_LEN(sets); s++)
		for (size_t i = 0; i < sets[s].count; i++)
			visit(m, ctx, sets[s].kind, sets[s].list[i]);
}

static const char *cell(const struct principal *role, const struct entry *e)
{
	static const char *const words[] = {
		[PERMISSION_TOOLSET] = "hidden",
		[PERMISSION_TENANT] = "tenant",
		[PERMISSION_READ_ONLY] = "read-only",
		[PERMISSION_GRANT] = "-",
		[PERMISSION_SCOPE] = "scope",
		[PERMISSION_GIVEN] = "yes",
	};

	return words[permission_judge(role, e)];
}

static int width_of(const struct role_config *role)
{
	return (int)MAX(role->name.n, sizeof "read-only" - 1);
}

static void print_line(struct matrix *m, void *ctx, const char *kind, const struct entry *e)
{
	struct str name = arena_fmt(m->a, "%.*s@%u", STR_ARG(e->name), e->version);

	(void)ctx;
	printf("%-9s %-32.*s %-22.*s", kind, STR_ARG(name),
		STR_ARG(e->requires.n ? e->requires : S("-")));
	for (size_t i = 0; i < m->config->role_count; i++)
		printf("  %-*s", width_of(&m->config->roles[i]), cell(&m->roles[i], e));
	printf("\n");
}

static void print_table(struct matrix *m)
{
	printf("%-9s %-32s %-22s", "KIND", "NAME", "REQUIRES");
	for (size_t i = 0; i < m->config->role_count; i++)
		printf("  %-*.*s", width_of(&m->config->roles[i]),
			STR_ARG(m->config->roles[i].name));
	printf("\n");
	for_each(m, print_line, NULL);
}

static void write_entry(struct matrix *m, void *ctx, const char *kind, const struct entry *e)
{
	struct jw *w = ctx;

	jw_object(w);
	jw_put_str(w, S("kind"), str_c(kind));
	jw_put_str(w, S("name"), e->name);
	jw_put_u64(w, S("version"), e->version);
	jw_put_str(w, S("requires"), e->requires);
	jw_put_bool(w, S("mutates"), e->mutates);
	jw_name(w, S("roles"));
	jw_object(w);
	for (size_t i = 0; i < m->config->role_count; i++)
		jw_put_str(w, m->config->roles[i].name,
			str_c(permission_name(permission_judge(&m->roles[i], e))));
	jw_object_end(w);
	jw_object_end(w);
}

static void print_json(struct matrix *m)
{
	struct buf out;
	struct jw w;

	buf_in(&out, m->a, JSON_MAX);
	jw_init(&w, &out);
	jw_array(&w);
	for_each(m, write_entry, &w);
	jw_array_end(&w);
	printf("%.*s\n", (int)out.n, out.p);
}

int cli_matrix(struct cli *c)
{
	bool json = false;
	const struct cli_option options[] = { { .name = "json", .flag = &json } };
	struct generation *g;
	const char *words[1];
	struct matrix m;
	struct world *w;
	struct arena a;

	if (!cli_parse(c, options, ARRAY_LEN(options), words, 1, 1))
		return EX_USAGE;
	w = cli_open(words[0]);
	if (!w)
		return EX_CONFIG;
	arena_init(&a, (size_t)256 << 20);
	g = world_hold(w);
	m = (struct matrix){ .config = g->config, .catalog = g->catalog, .a = &a };
	m.roles = arena_array(&a, struct principal, g->config->role_count + 1);
	for (size_t i = 0; i < g->config->role_count; i++)
		m.roles[i] = survey_role(g->config, &a, &g->config->roles[i]);
	if (json)
		print_json(&m);
	else
		print_table(&m);
	world_drop(w, g);
	arena_done(&a);
	world_close(&w);
	return 0;
}
