/* text - actions that touch no source: fixed text, messages of a prompt, fixed values. */
#include "backend/inside.h"

#include "base/digest.h"
#include "json/write.h"

#define BLOB_MAX ((size_t)16 << 20)
#define VALUES_TEXT_MAX ((size_t)64 << 10)

bool run_text(struct call *c)
{
	const struct action *action = &c->entry->action;
	struct buf bytes;

	c->text_is_blob = action->blob;
	if (action->blob) {
		buf_in(&bytes, c->arena, BLOB_MAX);
		if (!base64_read(action->text, &bytes))
			return call_fault(c, INTERNAL, "", S("the blob is not base64"));
		c->text = buf_str(&bytes);
	} else {
		c->text = args_fill(c, action->text, false);
	}
	if (c->text.n > c->entry->bytes)
		return call_fault(c, RESULT_TOO_LARGE, "bytes", STR_NONE);
	return call_done(c, CONTENT_TEXT);
}

bool run_messages(struct call *c)
{
	c->content_json = args_fill(c, c->entry->action.text, true);
	if (c->content_json.n > c->entry->bytes)
		return call_fault(c, RESULT_TOO_LARGE, "bytes", STR_NONE);
	return call_done(c, CONTENT_MESSAGES);
}

static bool starts_ci(struct str s, struct str prefix)
{
	return str_eq_ci(str_sub(s, 0, prefix.n), prefix);
}

bool run_values(struct call *c)
{
	const struct action *action = &c->entry->action;
	const struct json *value = args_get(c, S("value"));
	struct str prefix = json_is(value, JSON_STRING) ? value->text : STR_NONE;
	uint32_t total = 0;
	struct buf text;
	struct jw w;

	buf_in(&text, c->arena, VALUES_TEXT_MAX);
	jw_init(&w, &text);
	jw_array(&w);
	for (size_t i = 0; i < action->value_count; i++) {
		if (!starts_ci(action->values[i], prefix))
			continue;
		if (total++ < VALUES_MAX)
			jw_str(&w, action->values[i]);
	}
	jw_array_end(&w);
	if (!buf_ok(&text))
		return call_fault(c, RESULT_TOO_LARGE, "bytes", STR_NONE);
	c->content_json = buf_str(&text);
	c->values_total = total;
	c->values_more = total > VALUES_MAX;
	return call_done(c, CONTENT_VALUES);
}
