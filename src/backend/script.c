/* script - the steps of a scripted entry, in order.
 *
 * A call that was asked something comes back and starts from the first step again: steps before the
 * last round that has answers were performed already, and of those only content is written again.
 */
#include "backend/inside.h"

#include "base/clock.h"
#include "json/write.h"

#include <time.h>

#define CONTENT_MAX ((size_t)8 << 20)
#define LOOK_MS 10 /* between looks at cancellation */

struct script {
	struct call *c;
	struct answers answers;
	struct buf content;
	struct jw w;
	size_t resumed; /* steps before it had their effect in an earlier round */
};

static void nap(uint64_t ms)
{
	struct timespec t = { .tv_sec = (time_t)(ms / 1000),
		.tv_nsec = (long)(ms % 1000) * 1000000L };

	nanosleep(&t, NULL);
}

static bool sleep_until(struct call *c, uint64_t until_ms)
{
	for (;;) {
		uint64_t now = clock_mono_ms();

		if (call_cancelled(c))
			return call_fault(c, UPSTREAM_TIMEOUT, "cancelled", STR_NONE);
		if (now >= c->deadline_ms)
			return call_fault(c, UPSTREAM_TIMEOUT, "deadline", STR_NONE);
		if (now >= until_ms)
			return true;
		nap(MIN(MIN(until_ms, c->deadline_ms) - now, (uint64_t)LOOK_MS));
	}
}

/* Effects outside the reply.  False: the call ended. */
static bool perform(struct call *c, const struct step *step)
{
	const struct call_port *port = c->port;

	switch (step->kind) {
	case STEP_SLEEP:
		return sleep_until(c, clock_mono_ms() + step->ms);
	case STEP_PROGRESS:
		port->progress(port->ctx, step->n, step->total, step->text);
		return true;
	case STEP_LOG:
		port->log(port->ctx, step->level, args_fill(c, step->text, false));
		return true;
	case STEP_CHANGED:
		port->changed(port->ctx, step->text);
		return true;
	case STEP_DROP:
		port->drop(port->ctx);
		return true;
	case STEP_UPDATED:
		port->changed(port->ctx, arena_fmt(c->arena, "updated %.*s", STR_ARG(step->text)));
		return true;
	case STEP_REQUIRE:
		return port->has_capability(port->ctx, step->text) ||
		       lacks_capability(c, step->text);
	case STEP_ASK:
	case STEP_CONTENT:
	case STEP_ERROR:
		break;
	}
	return true;
}

static void write_error(struct script *s, struct str text)
{
	jw_object(&s->w);
	jw_put_str(&s->w, S("type"), S("text"));
	jw_put_str(&s->w, S("text"), args_fill(s->c, text, false));
	jw_object_end(&s->w);
	s->c->content_is_error = true;
}

static size_t round_end(const struct action *action, size_t from)
{
	while (from < action->step_count && action->steps[from].kind == STEP_ASK)
		from++;
	return from;
}

static size_t find_resumed(const struct action *action, const struct answers *as)
{
	size_t resumed = 0;

	for (size_t i = 0; i < action->step_count; i++)
		if (action->steps[i].kind == STEP_ASK && answers_get(as, action->steps[i].key))
			resumed = i;
	return resumed;
}

static bool run_steps(struct script *s)
{
	const struct action *action = &s->c->entry->action;

	for (size_t i = 0; i < action->step_count; i++) {
		const struct step *step = &action->steps[i];

		if (step->kind == STEP_ASK) {
			size_t end = round_end(action, i);

			if (!ask_round(s->c, &s->answers, i, end))
				return s->c->end == CALL_ASKS;
			i = end - 1;
		} else if (step->kind == STEP_CONTENT) {
			jw_raw(&s->w, answers_fill(s->c, &s->answers, step->json));
		} else if (step->kind == STEP_ERROR) {
			write_error(s, step->text);
			return true;
		} else if (i >= s->resumed && !perform(s->c, step)) {
			return false;
		}
	}
	return true;
}

static bool run_inside(struct call *c)
{
	struct script *s = arena_new(c->arena, struct script);

	s->c = c;
	if (!answers_read(c, &s->answers))
		return false;
	s->resumed = find_resumed(&c->entry->action, &s->answers);
	buf_in(&s->content, c->arena, CONTENT_MAX);
	jw_init(&s->w, &s->content);
	jw_array(&s->w);
	if (!run_steps(s))
		return false;
	if (c->end == CALL_ASKS)
		return true;
	jw_array_end(&s->w);
	if (!buf_ok(&s->content) || s->content.n > c->entry->bytes)
		return call_fault(c, RESULT_TOO_LARGE, "bytes", STR_NONE);
	c->content_json = buf_str(&s->content);
	return call_done(c, c->entry->kind == ENTRY_PROMPT ? CONTENT_MESSAGES : CONTENT_BLOCKS);
}

bool run_script(struct source *source, struct call *c)
{
	struct visit *v;
	struct err err;
	bool ok;

	v = visit_begin(source, c->arena, wait_left_ms(c), &err);
	if (!v)
		return source_fault(c, &err);
	ok = run_inside(c);
	visit_end(v);
	return ok;
}
