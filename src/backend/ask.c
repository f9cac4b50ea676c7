/* ask - rounds of questions in a script, and the state that carries their answers.
 *
 * State, before it is sealed: {"round": N, "answers": {KEY: ANSWER, …}}.  It holds every answer
 * that was given before this round, so a client need not repeat them, and N makes the text of each
 * round another one.
 *
 * {answer.KEY} in content stands for what the person gave: the answer's `content` when it has one
 * (elicitation, sampling), else the answer whole; {answer.KEY.NAME} for a member of it, and so on.
 */
#include "backend/inside.h"

#include "json/write.h"

#define STATE_MAX ((size_t)64 << 10) /* sealed, it must fit a request again */
#define FILLED_MAX ((size_t)24 << 20) /* above the largest limits.bytes, as in plan/call.c */
#define ROUNDS_MAX 100

/* The state was sealed by us; one that does not read is a defect, not an attack. */
static bool read_state(struct call *c, struct answers *as, const struct json **carried_out)
{
	struct json *state = arena_new(c->arena, struct json);
	const struct json *round;
	struct json_error error;

	*carried_out = NULL;
	if (!c->state_plain_in.n)
		return true;
	if (!json_parse(c->arena, c->state_plain_in, state, &error))
		return call_fault(c, INTERNAL, "state", S("the opened state is not JSON"));
	*carried_out = json_get(state, S("answers"));
	round = json_get(state, S("round"));
	if (!json_is(*carried_out, JSON_OBJECT) || !json_is(round, JSON_NUMBER) ||
		!str_to_u64(round->text, &as->round))
		return call_fault(c, INTERNAL, "state", S("the opened state is not ours"));
	return true;
}

static const struct json *fitting(struct call *c, const struct step *step)
{
	const struct json *answer = c->answers ? json_get(c->answers, step->key) : NULL;

	if (!answer || !c->port->answer_fits(
			       c->port->ctx, step->method, args_fill(c, step->json, true), answer))
		return NULL;
	return answer;
}

bool answers_read(struct call *c, struct answers *out)
{
	const struct action *action = &c->entry->action;
	struct json_member *members = arena_array(c->arena, struct json_member, action->step_count);
	const struct json *carried;

	*out = (struct answers){ .all = { .kind = JSON_OBJECT, .members = members } };
	if (!read_state(c, out, &carried))
		return false;
	for (size_t i = 0; i < action->step_count; i++) {
		const struct step *step = &action->steps[i];
		const struct json *answer = NULL;

		if (step->kind != STEP_ASK || answers_get(out, step->key))
			continue;
		if (carried)
			answer = json_get(carried, step->key);
		if (!answer)
			answer = fitting(c, step);
		if (answer)
			members[out->all.count++] = (struct json_member){ step->key, *answer };
	}
	return true;
}

const struct json *answers_get(const struct answers *as, struct str key)
{
	return json_get(&as->all, key);
}

static bool write_state(struct call *c, const struct answers *as)
{
	const struct action *action = &c->entry->action;
	struct buf text;
	struct jw w;

	if (action->state != STATE_SEALED)
		return true;
	buf_in(&text, c->arena, STATE_MAX);
	jw_init(&w, &text);
	jw_object(&w);
	jw_put_u64(&w, S("round"), as->round + 1);
	jw_name(&w, S("answers"));
	jw_object(&w);
	for (uint32_t i = 0; i < as->all.count; i++) {
		jw_name(&w, as->all.members[i].name);
		jw_json(&w, &as->all.members[i].value);
	}
	jw_object_end(&w);
	jw_object_end(&w);
	c->state_plain_out = buf_str(&text);
	if (buf_ok(&text) && as->round < ROUNDS_MAX)
		return true;
	return call_fault(c, RESULT_TOO_LARGE, "state", STR_NONE);
}

bool lacks_capability(struct call *c, struct str name)
{
	struct buf text;
	struct jw w;

	buf_in(&text, c->arena, 4096);
	jw_init(&w, &text);
	jw_object(&w);
	jw_name(&w, S("requiredCapabilities"));
	jw_object(&w);
	jw_put_raw(&w, name, S("{}"));
	jw_object_end(&w);
	jw_object_end(&w);
	c->fault.details_json = buf_str(&text);
	return call_fault(c, PRECONDITION_FAILED, "capability", STR_NONE);
}

/* The capability a client declares to be asked so: "elicitation/create" is elicitation. */
static struct str capability_of(struct str method)
{
	return str_sub(method, 0, str_find(method, 0, '/'));
}

bool ask_round(struct call *c, const struct answers *as, size_t from, size_t to)
{
	const struct step *steps = c->entry->action.steps;
	struct ask *asks = arena_array(c->arena, struct ask, to - from);
	size_t count = 0, answered = 0;

	for (size_t i = from; i < to; i++) {
		struct str params;

		if (answers_get(as, steps[i].key)) {
			answered++;
			continue;
		}
		params = args_fill(c, steps[i].json, true);
		if (c->port->may_ask(c->port->ctx, steps[i].method, params))
			asks[count++] = (struct ask){ steps[i].key, steps[i].method, params };
	}
	if (!count && answered)
		return true;
	if (!count)
		return lacks_capability(c, capability_of(steps[from].method));
	if (!write_state(c, as))
		return false;
	c->asks = asks;
	c->ask_count = count;
	c->end = CALL_ASKS;
	return false;
}

static const struct json *walk(const struct answers *as, struct str path)
{
	const struct json *v, *content;
	struct str head, tail;

	if (!str_cut(path, '.', &head, &tail)) {
		head = path;
		tail = STR_NONE;
	}
	v = answers_get(as, head);
	content = v ? json_get(v, S("content")) : NULL;
	v = content ? content : v;
	while (v && tail.n) {
		if (!str_cut(tail, '.', &head, &tail)) {
			head = tail;
			tail = STR_NONE;
		}
		v = json_get(v, head);
	}
	return v;
}

static void add_answer(struct call *c, struct buf *out, const struct json *v)
{
	struct buf plain;
	struct jw w;

	if (!v)
		return;
	if (v->kind == JSON_STRING) {
		json_escape(out, v->text);
		return;
	}
	buf_in(&plain, c->arena, FILLED_MAX);
	jw_init(&w, &plain);
	jw_json(&w, v);
	json_escape(out, buf_str(&plain));
}

struct str answers_fill(struct call *c, const struct answers *as, struct str json)
{
	static const struct str mark = STR_INIT("{answer.");
	struct buf out;
	size_t at = 0;

	buf_in(&out, c->arena, FILLED_MAX);
	for (;;) {
		size_t open = str_find_str(json, at, mark);
		size_t close = str_find(json, MIN(open + mark.n, json.n), '}');

		/* what stands between is filled apart: an answer's own braces mean nothing */
		buf_add(&out, args_fill(c, str_sub(json, at, open - at), true));
		if (close >= json.n)
			break;
		add_answer(c, &out, walk(as, str_sub(json, open + mark.n, close - open - mark.n)));
		at = close + 1;
	}
	return buf_str(&out);
}
