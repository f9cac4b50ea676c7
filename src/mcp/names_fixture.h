/* names_fixture - a small catalog by hand: a tool with mirrored arguments, a second tool, a prompt
 * whose second argument completes, a fixed resource and a template. */
#pragma once
#include "catalog/uri_template.h"
#include "mcp/names.h"

struct world {
	struct arena arena;
	struct catalog catalog;
	struct uri_template uri_template;
	const struct entry *hidden;
};

static const struct input tool_inputs[] = {
	{ .name = STR_INIT("region"), .header = STR_INIT("Region") },
	{ .name = STR_INIT("count"), .header = STR_INIT("Count") },
	{ .name = STR_INIT("dry"), .header = STR_INIT("Dry") },
	{ .name = STR_INIT("memo") },
};
static const struct input prompt_inputs[] = { { .name = STR_INIT("city") },
	{ .name = STR_INIT("street") } };
static const struct input completion_inputs[] = { { .name = STR_INIT("value") },
	{ .name = STR_INIT("city") } };
static struct entry tool = { .kind = ENTRY_TOOL,
	.name = STR_INIT("t"),
	.inputs = tool_inputs,
	.input_count = ARRAY_LEN(tool_inputs) };
static struct entry other_tool = { .kind = ENTRY_TOOL, .name = STR_INIT("secret") };
static struct entry fixed = { .kind = ENTRY_RESOURCE, .uri = STR_INIT("doc://a") };
static struct entry completion = { .kind = ENTRY_COMPLETION,
	.name = STR_INIT("p/street"),
	.inputs = completion_inputs,
	.input_count = ARRAY_LEN(completion_inputs) };
static const struct entry *const completions[] = { NULL, &completion };
static struct entry prompt = { .kind = ENTRY_PROMPT,
	.name = STR_INIT("p"),
	.inputs = prompt_inputs,
	.input_count = ARRAY_LEN(prompt_inputs),
	.completions = completions };
static struct entry template = { .kind = ENTRY_RESOURCE,
	.uri = STR_INIT("doc://{city}/{street}"),
	.uri_is_template = true,
	.inputs = prompt_inputs,
	.input_count = ARRAY_LEN(prompt_inputs),
	.completions = completions };
static const struct entry *const tools[] = { &tool, &other_tool };
static const struct entry *const prompts[] = { &prompt };
static const struct entry *const resources[] = { &fixed };
static const struct entry *const templates[] = { &template };

static inline void world_init(struct world *w)
{
	struct catalog *c = &w->catalog;
	struct err err;

	*w = (struct world){ 0 };
	arena_init(&w->arena, (size_t)64 << 20);
	bug_on(!uri_template_read(&w->arena, template.uri, &w->uri_template, &err));
	template.uri_template = &w->uri_template;
	*c = (struct catalog){ .tools = tools,
		.prompts = prompts,
		.resources = resources,
		.templates = templates,
		.tool_count = 2,
		.prompt_count = 1,
		.resource_count = 1,
		.template_count = 1 };
	map_init(&c->tools_by_name);
	map_init(&c->prompts_by_name);
	map_init(&c->resources_by_uri);
	bug_on(!map_add(&c->tools_by_name, tool.name, &tool));
	bug_on(!map_add(&c->tools_by_name, other_tool.name, &other_tool));
	bug_on(!map_add(&c->prompts_by_name, prompt.name, &prompt));
	bug_on(!map_add(&c->resources_by_uri, fixed.uri, &fixed));
}

static inline void world_done(struct world *w)
{
	map_done(&w->catalog.tools_by_name);
	map_done(&w->catalog.prompts_by_name);
	map_done(&w->catalog.resources_by_uri);
	arena_done(&w->arena);
}

/* For mcp_target: what is hidden cannot be seen. */
static inline bool visible(void *ctx, const struct entry *e)
{
	return ((const struct world *)ctx)->hidden != e;
}
