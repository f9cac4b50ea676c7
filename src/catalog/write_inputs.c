/* write_inputs - what the server adds to every tool with a write, whatever its file says: five
 * arguments and the end of the description. */
#include "catalog/load_write.h"

static const struct {
	struct str name, schema;
	enum protect protect;
} added[] = {
	{ STR_INIT(WRITE_DRY_RUN),
		STR_INIT("{\"type\":\"boolean\",\"default\":true,\"description\":\"true: only show "
			 "what would change\"}"),
		PROTECT_CLEAR },
	{ STR_INIT(WRITE_PLAN_ID),
		STR_INIT("{\"type\":\"string\",\"pattern\":\"^pl_[0-9A-Z]{26}$\",\"description\":"
			 "\"the previewed plan to apply, with the same arguments\"}"),
		PROTECT_CLEAR },
	{ STR_INIT(WRITE_TOKEN),
		STR_INIT("{\"type\":\"string\",\"minLength\":1,\"maxLength\":64,\"description\":"
			 "\"what the person pasted from the approval page\"}"),
		PROTECT_DROP },
	{ STR_INIT(WRITE_IDEMPOTENCY_KEY),
		STR_INIT("{\"type\":\"string\",\"pattern\":\"^[!-~]([ -~]{0,253}[!-~])?$\","
			 "\"description\":\"the same key for a call that is sent again\"}"),
		PROTECT_HMAC },
	{ STR_INIT(WRITE_REQUEST),
		STR_INIT("{\"type\":\"string\",\"maxLength\":1000,\"description\":\"what the "
			 "person asked for, in their words\"}"),
		PROTECT_ENCRYPT },
};

static void add_input(struct write_load *wl, size_t i)
{
	struct entry_load *el = wl->el;
	struct input *in;

	if (input_find(el, added[i].name) >= 0) {
		entry_refuse(el, NULL, "write.input",
			arena_fmt(el->a, "an input is called %.*s, which the server adds",
				STR_ARG(added[i].name)),
			S("remove it, or rename it"));
		return;
	}
	in = input_add(el, added[i].name, added[i].schema);
	if (!in)
		return;
	in->required = false;
	in->added = true;
	in->protect = added[i].protect;
	el->used[in - el->inputs] = true;
}

static struct str with_closing(struct arena *a, struct str description)
{
	struct str text = str_trim(description);
	struct buf out;

	buf_in(&out, a, text.n + sizeof WRITE_CLOSING + 8);
	buf_add(&out, text);
	if (text.n && !str_has(S(".!?"), text.p[text.n - 1]))
		buf_char(&out, '.');
	buf_char(&out, ' ');
	buf_lit(&out, WRITE_CLOSING);
	return buf_str(&out);
}

void write_inputs_add(struct write_load *wl)
{
	struct entry *e = wl->el->e;
	int reason = input_find(wl->el, S("reason"));

	if (reason >= 0)
		wl->el->used[reason] = true; /* the plan shows it, whatever the statements do */
	for (size_t i = 0; i < ARRAY_LEN(added); i++)
		add_input(wl, i);
	if (e->description.n)
		e->description = with_closing(wl->el->a, e->description);
}
