/* load_script - `script` (the steps of a scripted source) and `messages` (of prompts).
 *
 * A step is a map of one key, its kind: `- sleep: 50ms`. */
#include "catalog/load.h"
#include "json/write.h"

static const char *const levels[] = { "debug", "info", "notice", "warning", "error", "critical",
	"alert", "emergency", NULL };
static const char *const capabilities[] = { "sampling", "elicitation", "elicitation.url", "roots",
	NULL };
static const char *const lists[] = { "tools", "prompts", "resources", NULL };

static struct str template_of(struct entry_load *el, const struct yaml *node)
{
	struct buf out;

	buf_in(&out, el->a, JSON_MAX_BYTES);
	yaml_to_template(node, &out);
	text_check(el, node);
	return buf_str(&out);
}

static void step_sleep(struct entry_load *el, struct reader *r, struct step *s)
{
	(void)el;
	s->ms = read_duration_ms(r, "sleep", 0, 0, 59999);
}

static void step_progress(struct entry_load *el, struct reader *r, struct step *s)
{
	struct reader in;

	reader_init(&in, el->a, el->f, read_node(r, "progress"), "progress");
	s->n = read_u64(&in, "at", 0, 0, UINT64_MAX);
	s->total = read_u64(&in, "of", 0, 0, UINT64_MAX);
	s->text = read_str(&in, "text", STR_NONE);
	reader_done(&in);
}

static void step_log(struct entry_load *el, struct reader *r, struct step *s)
{
	const struct yaml *node = read_node(r, "log");
	struct reader in;

	reader_init(&in, el->a, el->f, node, "log");
	s->level = str_c(levels[read_choice(&in, "level", levels, 1)]);
	s->text = read_str_required(&in, "text");
	reader_done(&in);
	text_check(el, node);
}

/* {message, schema} → the params of elicitation/create in form mode. */
static struct str elicit_params(struct entry_load *el, const struct yaml *node)
{
	struct reader in;
	const struct yaml *message, *schema;
	struct buf out;
	struct jw w;

	reader_init(&in, el->a, el->f, node, "elicit");
	(void)read_str_required(&in, "message");
	message = read_node(&in, "message");
	schema = read_map(&in, "schema");
	reader_done(&in);
	if (in.map && !schema)
		entry_refuse(el, node, "script.ask", S("an elicit step without a schema"),
			S("add 'schema:' with type object and flat properties"));
	if (!message || !schema)
		return STR_NONE;
	buf_in(&out, el->a, JSON_MAX_BYTES);
	jw_init(&w, &out);
	jw_object(&w);
	jw_put_str(&w, S("mode"), S("form"));
	jw_put_raw(&w, S("message"), template_of(el, message));
	jw_put_raw(&w, S("requestedSchema"), template_of(el, schema));
	jw_object_end(&w);
	return buf_str(&out);
}

static void step_ask(struct entry_load *el, struct reader *r, struct step *s)
{
	const struct yaml *elicit, *sample;
	struct reader in;
	bool roots;

	reader_init(&in, el->a, el->f, read_node(r, "ask"), "ask");
	s->key = read_str_required(&in, "key");
	elicit = read_node(&in, "elicit");
	sample = read_map(&in, "sample");
	roots = read_bool(&in, "roots", false);
	reader_done(&in);
	if (!elicit + !sample + !roots != 2)
		entry_refuse(el, in.map, "script.ask", S("an ask step asks exactly one thing"),
			S("write one of elicit, sample, roots"));
	if (elicit) {
		s->method = S("elicitation/create");
		s->json = elicit_params(el, elicit);
	} else if (sample) {
		s->method = S("sampling/createMessage");
		s->json = template_of(el, sample);
		if (!yaml_get(sample, S("messages")) || !yaml_get(sample, S("maxTokens")))
			entry_refuse(el, sample, "script.ask",
				S("a sample step without messages or maxTokens"),
				S("write the params of sampling/createMessage"));
	} else {
		s->method = S("roots/list");
		s->json = S("{}");
	}
}

static void step_content(struct entry_load *el, struct reader *r, struct step *s)
{
	const struct yaml *node = read_map(r, "content");

	if (!node)
		return;
	if (!yaml_get(node, S("type")))
		entry_refuse(el, node, "script.content", S("a content block without a type"),
			S("write one content block of MCP, as in {type: text, text: …}"));
	s->json = template_of(el, node);
}

static void step_error(struct entry_load *el, struct reader *r, struct step *s)
{
	s->text = read_str_required(r, "error");
	if (s->text.n)
		text_check(el, read_node(r, "error"));
}

static void step_require(struct entry_load *el, struct reader *r, struct step *s)
{
	(void)el;
	s->text = str_c(capabilities[read_choice(r, "require", capabilities, 0)]);
}

static void step_changed(struct entry_load *el, struct reader *r, struct step *s)
{
	(void)el;
	s->text = str_c(lists[read_choice(r, "changed", lists, 0)]);
}

static void step_drop(struct entry_load *el, struct reader *r, struct step *s)
{
	(void)s;
	if (!read_bool(r, "drop", false))
		entry_refuse(el, read_node(r, "drop"), "script.drop", S("drop takes only true"),
			S("write '- drop: true', or leave the step out"));
}

static void step_updated(struct entry_load *el, struct reader *r, struct step *s)
{
	(void)el;
	s->text = read_str_required(r, "updated");
}

static const struct {
	const char *name;
	enum step_kind kind;
	void (*load)(struct entry_load *el, struct reader *r, struct step *s);
} kinds[] = {
	{ "sleep", STEP_SLEEP, step_sleep },
	{ "progress", STEP_PROGRESS, step_progress },
	{ "log", STEP_LOG, step_log },
	{ "ask", STEP_ASK, step_ask },
	{ "content", STEP_CONTENT, step_content },
	{ "error", STEP_ERROR, step_error },
	{ "require", STEP_REQUIRE, step_require },
	{ "changed", STEP_CHANGED, step_changed },
	{ "drop", STEP_DROP, step_drop },
	{ "updated", STEP_UPDATED, step_updated },
};

static void load_step(struct entry_load *el, const struct yaml *node, struct step *out)
{
	struct reader r;
	size_t found = 0;

	reader_init(
		&r, el->a, el->f, node, arena_cstr(el->a, arena_fmt(el->a, "%s step", el->r.what)));
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (!read_has(&r, kinds[i].name)) {
			(void)read_node(&r, kinds[i].name);
			continue;
		}
		found++;
		out->kind = kinds[i].kind;
		kinds[i].load(el, &r, out);
	}
	if (r.map && r.map->count != 1 && found)
		entry_refuse(el, node, "script.step", S("a step of several keys"),
			S("write one key for each step"));
	reader_done(&r);
}

/* {role, text} or {role, content}: one message of MCP. */
static struct str load_message(struct entry_load *el, const struct yaml *node)
{
	static const char *const roles[] = { "user", "assistant", NULL };
	const struct yaml *text, *content;
	struct reader r;
	struct buf out;
	struct jw w;
	int role;

	reader_init(&r, el->a, el->f, node,
		arena_cstr(el->a, arena_fmt(el->a, "%s message", el->r.what)));
	role = read_choice(&r, "role", roles, 0);
	text = read_has(&r, "text") && read_str(&r, "text", STR_NONE).n ? read_node(&r, "text")
									: NULL;
	(void)read_node(&r, "text");
	content = read_map(&r, "content");
	reader_done(&r);
	if (!text + !content != 1) {
		if (r.map)
			entry_refuse(el, node, "prompt.message",
				S("a message is either text or content"),
				S("write {role: user, text: …}"));
		return STR_NONE;
	}
	buf_in(&out, el->a, JSON_MAX_BYTES);
	jw_init(&w, &out);
	jw_object(&w);
	jw_put_str(&w, S("role"), str_c(roles[role]));
	jw_name(&w, S("content"));
	if (content) {
		jw_raw(&w, template_of(el, content));
	} else {
		jw_object(&w);
		jw_put_str(&w, S("type"), S("text"));
		jw_put_raw(&w, S("text"), template_of(el, text));
		jw_object_end(&w);
	}
	jw_object_end(&w);
	return buf_str(&out);
}

const struct str *messages_load(
	struct entry_load *el, const struct yaml *messages, size_t *count_out)
{
	struct str *list = arena_array(el->a, struct str, messages->count + 1);

	for (size_t i = 0; i < messages->count; i++)
		list[i] = load_message(el, &messages->items[i]);
	if (!messages->count)
		entry_refuse(el, messages, "prompt.message", S("messages is empty"),
			S("write at least one message"));
	*count_out = messages->count;
	return list;
}

void script_load(struct entry_load *el, const struct yaml *messages)
{
	static const char *const states[] = { "none", "sealed", NULL };
	const struct yaml *list = read_list(&el->r, "script");
	struct action *action = &el->e->action;
	size_t steps = list ? list->count : 0, more = 0;
	const struct str *texts = messages ? messages_load(el, messages, &more) : NULL;
	struct step *out = arena_array(el->a, struct step, steps + more + 1);

	action->kind = ACTION_SCRIPT;
	action->state = (enum script_state)read_choice(&el->r, "state", states, STATE_NONE);
	if (!el->e->source || el->e->source->kind != SOURCE_SCRIPTED)
		entry_refuse(el, list, "source.kind", S("a script without a scripted source"),
			S("name a source that is 'scripted: true'"));
	for (size_t i = 0; i < steps; i++)
		load_step(el, &list->items[i], &out[i]);
	for (size_t i = 0; i < more; i++)
		out[steps + i] = (struct step){ .kind = STEP_CONTENT, .json = texts[i] };
	action->steps = out;
	action->step_count = steps + more;
	el->l->c->scripted = true;
}
