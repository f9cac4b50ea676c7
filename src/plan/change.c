/* change - see change.h. */
#include "plan/change.h"

#include "json/write.h"

#define CANONICAL_MAX ((size_t)8 << 20)

static struct str text_of(const struct call *c, const char *name)
{
	return json_get_str(&c->arguments, str_c(name));
}

/* A default of dry_run says nothing about what the caller wants. */
static bool says_dry_run(const struct call *c, bool *dry_run_out)
{
	const struct json *said =
		c->arguments_sent ? json_get(c->arguments_sent, S(WRITE_DRY_RUN)) : NULL;

	*dry_run_out = !said || said->truth;
	return said != NULL;
}

static bool refuse(struct call *c, const char *pointer, const char *expected)
{
	struct buf details;
	struct jw w;

	buf_in(&details, c->arena, 1024);
	jw_init(&w, &details);
	jw_object(&w);
	jw_name(&w, S("faults"));
	jw_array(&w);
	jw_object(&w);
	jw_put_str(&w, S("pointer"), str_c(pointer));
	jw_put_str(&w, S("keyword"), S("plan_id"));
	jw_put_str(&w, S("expected"), str_c(expected));
	jw_object_end(&w);
	jw_array_end(&w);
	jw_object_end(&w);
	c->fault.details_json = buf_str(&details);
	return call_fault(c, VALIDATION_ERROR, "plan_id", STR_NONE);
}

static bool find_wish(struct call *c, struct change *ch)
{
	bool dry_run, said = says_dry_run(c, &dry_run);

	ch->wish = ch->plan_id.n || ch->token.n ? WISH_APPLY : dry_run ? WISH_PREVIEW : WISH_RUN;
	if (ch->wish == WISH_APPLY && said && dry_run)
		return refuse(c, "/dry_run",
			"false, or nothing, with plan_id: a plan is what a preview found");
	return true;
}

/* The arguments that are the tool's own: what a person approves, and the digest is over. */
static struct json own_arguments(struct arena *a, const struct entry *e, const struct json *all)
{
	struct json own = { .kind = JSON_OBJECT };
	struct json_member *members = arena_array(a, struct json_member, (size_t)all->count + 1);

	for (uint32_t i = 0; i < all->count; i++) {
		const struct input *in = entry_input(e, all->members[i].name);

		if (!in || !in->added)
			members[own.count++] = all->members[i];
	}
	own.members = members;
	return own;
}

static bool one_step(struct call *c, struct change *ch)
{
	struct change_step *s = arena_new(c->arena, struct change_step);
	struct buf text;

	s->entry = c->entry;
	s->arguments = own_arguments(c->arena, c->entry, &c->arguments);
	buf_in(&text, c->arena, CANONICAL_MAX);
	json_canonical(&text, c->arena, &s->arguments);
	if (!buf_ok(&text))
		return call_fault(c, VALIDATION_ERROR, "size", STR_NONE);
	s->canonical = buf_str(&text);
	ch->steps = s;
	ch->step_count = 1;
	sha256_of(s->canonical, &ch->arguments);
	return true;
}

/* A step of apply_together before its own guards: its arguments are as they came. */
static bool read_step(struct call *c, struct change_step *s, const struct json *step,
	const struct catalog *catalog)
{
	struct str tool = json_get_str(step, S("tool"));

	s->entry = map_get(&catalog->tools_by_name, tool);
	s->arguments = *json_get(step, S("arguments"));
	if (!s->entry || !s->entry->write)
		return call_fault(c, VALIDATION_ERROR, "step",
			S("a step names no tool that changes something"));
	if (s->entry->source != c->change->steps[0].entry->source)
		return call_fault(
			c, VALIDATION_ERROR, "step", S("the steps change more than one source"));
	return true;
}

static bool several_steps(struct call *c, struct change *ch, const struct catalog *catalog)
{
	const struct json *steps = args_get(c, S("steps"));
	struct json own = own_arguments(c->arena, c->entry, &c->arguments);
	struct buf text;

	ch->step_count = steps->count;
	ch->steps = arena_array(c->arena, struct change_step, steps->count);
	buf_in(&text, c->arena, CANONICAL_MAX);
	json_canonical(&text, c->arena, &own);
	if (!buf_ok(&text))
		return call_fault(c, VALIDATION_ERROR, "size", STR_NONE);
	sha256_of(buf_str(&text), &ch->arguments);
	for (size_t i = 0; i < ch->step_count; i++)
		if (!read_step(c, &ch->steps[i], &steps->items[i], catalog))
			return false;
	return true;
}

bool change_split(struct call *c, const struct catalog *catalog)
{
	struct change *ch = arena_new(c->arena, struct change);

	c->change = ch;
	ch->plan_id = text_of(c, WRITE_PLAN_ID);
	ch->token = text_of(c, WRITE_TOKEN);
	ch->idempotency_key = text_of(c, WRITE_IDEMPOTENCY_KEY);
	ch->request = text_of(c, WRITE_REQUEST);
	ch->reason = text_of(c, "reason");
	if (!find_wish(c, ch))
		return false;
	return c->entry->write ? one_step(c, ch) : several_steps(c, ch, catalog);
}

struct call change_step_call(const struct call *c, const struct change_step *s)
{
	struct call step = *c;

	step.entry = s->entry;
	step.arguments = s->arguments;
	step.arguments_canonical = s->canonical;
	return step;
}
