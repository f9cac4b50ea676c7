/* render - see render.h.
 *
 * Structured content has the form that output_schema publishes:
 *   one    {"col": …}
 *   maybe  {"row": {…} | null}
 *   many   {"rows": [{…}, …], "truncated": bool, "next_cursor"?: "…"}
 *   parts  {"PART": {…} | null | [{…}, …], …, "empty": ["PART"…], "truncated": ["PART"…]}
 * The text is the same JSON, but for a list of more than one row, where {"columns": […], "rows":
 * [[…]]} says the same in half the bytes.
 *
 * Truncation of a read with several parts is deterministic: parts keep their order and share the
 * byte budget; the first row that does not fit, and all behind it, are left out. */
#include "render/render.h"

#include "render/change.h"
#include "render/inside.h"
#include "render/mask.h"
#include "render/past.h"
#include "render/value.h"

#define RESULT_MAX ((size_t)64 << 20)
#define MOCK_NOTE "This is a mock: the values were written down by a developer and are not data."

static bool contract_fault(
	struct call *c, const struct part *part, const struct column *column, const char *why)
{
	return call_fault(c, INTERNAL, "output_contract",
		arena_fmt(c->arena, "%.*s%s%.*s: column %.*s %s", STR_ARG(c->entry->name),
			part->name.n ? " part " : "", STR_ARG(part->name), STR_ARG(column->name),
			why));
}

static bool write_row(struct call *c, struct jw *w, const struct rows *rows, size_t row, bool names)
{
	const struct part *part = rows->part;

	if (names)
		jw_object(w);
	else
		jw_array(w);
	for (size_t i = 0; i < part->column_count; i++) {
		const struct cell *cell = &rows->cells[row * part->column_count + i];
		const char *why = "does not fit";

		if (names)
			jw_name(w, part->columns[i].name);
		if (part->columns[i].assigned && c->change && !c->change->committing)
			jw_null(w); /* not this one, but what the database makes then */
		else if (!value_write(w, c->arena, &part->columns[i], cell, &why))
			return contract_fault(c, part, &part->columns[i], why);
	}
	if (names)
		jw_object_end(w);
	else
		jw_array_end(w);
	return true;
}

static bool too_large(struct call *c)
{
	return call_fault(c, RESULT_TOO_LARGE, "bytes",
		arena_fmt(c->arena, "%.*s: the result is over limits.bytes (%llu)",
			STR_ARG(c->entry->name), (unsigned long long)c->entry->bytes));
}

/* Rows in order while they fit the budget; *kept_out of them did. */
static bool write_rows(
	struct call *c, struct jw *w, const struct rows *rows, bool names, size_t *kept_out)
{
	size_t kept = 0;

	jw_array(w);
	for (; kept < rows->count; kept++) {
		struct jw before = *w;
		size_t n = w->out->n;

		if (!write_row(c, w, rows, kept, names))
			return false;
		if (w->out->n > c->entry->bytes) {
			*w = before;
			w->out->n = n;
			break;
		}
	}
	jw_array_end(w);
	*kept_out = kept;
	return true;
}

bool write_single_part(struct call *c, struct jw *w, struct str next_cursor)
{
	const struct rows *rows = &c->rows[0];
	size_t kept;

	c->result_rows = rows->count;
	switch (rows->part->shape) {
	case SHAPE_ONE:
		return write_row(c, w, rows, 0, true);
	case SHAPE_MAYBE:
		jw_object(w);
		jw_name(w, S("row"));
		if (!rows->count)
			jw_null(w);
		else if (!write_row(c, w, rows, 0, true))
			return false;
		jw_object_end(w);
		return true;
	case SHAPE_MANY:
		break;
	}
	jw_object(w);
	jw_name(w, S("rows"));
	if (!write_rows(c, w, rows, true, &kept))
		return false;
	if (kept < rows->count)
		return too_large(c);
	jw_put_bool(w, S("truncated"), rows->more && !next_cursor.n);
	if (next_cursor.n)
		jw_put_str(w, S("next_cursor"), next_cursor);
	jw_object_end(w);
	return true;
}

static bool write_part(struct call *c, struct jw *w, struct rows *rows)
{
	size_t kept;

	jw_name(w, rows->part->name);
	if (rows->part->shape == SHAPE_MANY) {
		if (!write_rows(c, w, rows, true, &kept))
			return false;
		rows->more = rows->more || kept < rows->count;
		c->result_rows += kept;
		return true;
	}
	c->result_rows += rows->count;
	if (rows->count)
		return write_row(c, w, rows, 0, true);
	jw_null(w);
	return true;
}

static bool write_parts(struct call *c, struct jw *w)
{
	size_t count = c->entry->action.part_count;

	jw_object(w);
	for (size_t i = 0; i < count; i++)
		if (!write_part(c, w, &c->rows[i]))
			return false;
	jw_name(w, S("empty"));
	jw_array(w);
	for (size_t i = 0; i < count; i++)
		if (!c->rows[i].count)
			jw_str(w, c->rows[i].part->name);
	jw_array_end(w);
	jw_name(w, S("truncated"));
	jw_array(w);
	for (size_t i = 0; i < count; i++)
		if (c->rows[i].more)
			jw_str(w, c->rows[i].part->name);
	jw_array_end(w);
	jw_object_end(w);
	return true;
}

static bool structured_rows(struct call *c, struct str next_cursor, struct str *out)
{
	bool single = c->entry->action.part_count == 1 && !c->entry->action.parts[0].name.n;
	struct buf text;
	struct jw w;

	buf_in(&text, c->arena, RESULT_MAX);
	jw_init(&w, &text);
	if (!(single ? write_single_part(c, &w, next_cursor) : write_parts(c, &w)))
		return false;
	/* a single part may not be cut; several parts were, but for what one:-parts and names take
	 */
	if (!buf_ok(&text) || (single && text.n > c->entry->bytes) ||
		text.n > c->entry->bytes + 4096)
		return too_large(c);
	*out = buf_str(&text);
	return true;
}

/* {"columns": […], "rows": [[…]], …}: what the model reads of a list. */
static bool table_text(struct call *c, struct str next_cursor, struct str *out)
{
	const struct rows *rows = &c->rows[0];
	struct buf text;
	struct jw w;

	buf_in(&text, c->arena, RESULT_MAX);
	jw_init(&w, &text);
	jw_object(&w);
	jw_name(&w, S("columns"));
	jw_array(&w);
	for (size_t i = 0; i < rows->part->column_count; i++)
		jw_str(&w, rows->part->columns[i].name);
	jw_array_end(&w);
	jw_name(&w, S("rows"));
	jw_array(&w);
	for (size_t i = 0; i < rows->count; i++)
		if (!write_row(c, &w, rows, i, false))
			return false;
	jw_array_end(&w);
	jw_put_bool(&w, S("truncated"), rows->more && !next_cursor.n);
	if (next_cursor.n)
		jw_put_str(&w, S("next_cursor"), next_cursor);
	jw_object_end(&w);
	*out = buf_str(&text);
	return buf_ok(&text) || too_large(c);
}

static void write_text_block(struct jw *w, struct str text)
{
	jw_object(w);
	jw_put_str(w, S("type"), S("text"));
	jw_put_str(w, S("text"), text);
	jw_object_end(w);
}

/* note: for the model, behind the text; or empty. */
static void write_text_content(struct jw *w, struct str text, struct str note)
{
	jw_name(w, S("content"));
	jw_array(w);
	write_text_block(w, text);
	if (note.n)
		write_text_block(w, note);
	jw_array_end(w);
}

static bool render_tool(struct call *c, struct jw *w, bool structured, struct str next_cursor)
{
	bool table = c->content == CONTENT_ROWS && c->entry->action.part_count == 1 &&
		     c->rows[0].part->shape == SHAPE_MANY && c->rows[0].count > 1;
	struct str content = STR_NONE, text;

	if (c->content == CONTENT_BLOCKS) {
		jw_put_raw(w, S("content"), c->content_json);
		if (c->content_is_error)
			jw_put_bool(w, S("isError"), true);
		return true;
	}
	bug_on(c->content != CONTENT_ROWS && c->content != CONTENT_OBJECT);
	if (c->content == CONTENT_OBJECT)
		content = c->content_json;
	else if (!structured_rows(c, next_cursor, &content))
		return false;
	text = content;
	if (table && !table_text(c, next_cursor, &text))
		return false;
	write_text_content(w, text, c->entry->mock ? S(MOCK_NOTE) : STR_NONE);
	if (structured)
		jw_put_raw(w, S("structuredContent"), content);
	jw_put_bool(w, S("isError"), false);
	return true;
}

static bool resource_text(struct call *c, struct str *text_out)
{
	const struct rows *rows = c->rows;

	if (c->content == CONTENT_TEXT) {
		*text_out = c->text;
		return true;
	}
	bug_on(c->content != CONTENT_ROWS);
	if (!c->entry->content_column.n)
		return structured_rows(c, STR_NONE, text_out);
	for (size_t i = 0; i < rows->part->column_count; i++) {
		const struct column *column = &rows->part->columns[i];
		const char *why;

		if (!str_eq(column->name, c->entry->content_column))
			continue;
		if (!value_content(column, &rows->cells[i], text_out, &why))
			return contract_fault(c, rows->part, column, why);
		c->text_is_blob = rows->cells[i].kind == CELL_BLOB;
		c->result_rows = 1;
		return true;
	}
	bug("the catalog checks content_column");
}

static bool render_resource(struct call *c, struct jw *w)
{
	struct buf blob;
	struct str text = STR_NONE;

	if (!resource_text(c, &text))
		return false;
	jw_name(w, S("contents"));
	jw_array(w);
	jw_object(w);
	jw_put_str(w, S("uri"), c->uri);
	if (c->entry->mime_type.n)
		jw_put_str(w, S("mimeType"), c->entry->mime_type);
	if (c->text_is_blob) {
		buf_in(&blob, c->arena, RESULT_MAX);
		base64_write(&blob, text);
		jw_put_str(w, S("blob"), buf_str(&blob));
	} else {
		jw_put_str(w, S("text"), text);
	}
	jw_object_end(w);
	jw_array_end(w);
	return true;
}

static bool render_prompt(struct call *c, struct jw *w)
{
	if (c->entry->description.n)
		jw_put_str(w, S("description"), c->entry->description);
	jw_put_raw(w, S("messages"), c->content_json);
	return true;
}

static bool render_completion(struct call *c, struct jw *w)
{
	jw_name(w, S("completion"));
	jw_object(w);
	jw_put_raw(w, S("values"), c->content_json.n ? c->content_json : S("[]"));
	if (c->values_total)
		jw_put_u64(w, S("total"), c->values_total);
	jw_put_bool(w, S("hasMore"), c->values_more);
	jw_object_end(w);
	return true;
}

static bool render_body(
	struct call *c, struct str mask_key, struct jw *w, bool structured, struct str next_cursor)
{
	if (c->content == CONTENT_CHANGE)
		return change_render(c, mask_key, w, structured);
	switch (c->entry->kind) {
	case ENTRY_TOOL:
		return render_tool(c, w, structured, next_cursor);
	case ENTRY_RESOURCE:
		return render_resource(c, w);
	case ENTRY_PROMPT:
		return render_prompt(c, w);
	case ENTRY_COMPLETION:
		return render_completion(c, w);
	}
	bug("an entry kind without a form");
}

static void keep(struct call *c, const struct buf *out)
{
	c->result_json = buf_str(out);
	sha256_of(c->result_json, &c->result_digest);
}

bool render_call(struct call *c, struct str mask_key, bool structured, struct str next_cursor)
{
	struct buf out;
	struct jw w;

	mask_rows(c, mask_key);
	if (c->past && c->content == CONTENT_ROWS)
		past_fill(c, mask_key);
	buf_in(&out, c->arena, RESULT_MAX);
	jw_init(&w, &out);
	jw_object(&w);
	if (!render_body(c, mask_key, &w, structured, next_cursor))
		return false;
	jw_object_end(&w);
	if (!buf_ok(&out))
		return too_large(c);
	keep(c, &out);
	return true;
}

static struct str suggestion_for(const struct call *c, const struct fault_info *info)
{
	for (size_t i = 0; c->entry && i < c->entry->suggestion_count; i++)
		if (str_eq(c->entry->suggestions[i].code, str_c(info->name)))
			return c->entry->suggestions[i].text;
	return STR_NONE;
}

/* details = {"reason": …, and the members of details_json}: one object. */
static void write_details(struct call *c, struct jw *w)
{
	struct json_error error;
	struct json more;

	if (!c->fault.reason.n && !c->fault.details_json.n)
		return;
	jw_name(w, S("details"));
	jw_object(w);
	if (c->fault.reason.n)
		jw_put_str(w, S("reason"), c->fault.reason);
	if (c->fault.details_json.n && json_parse(c->arena, c->fault.details_json, &more, &error))
		for (uint32_t i = 0; more.kind == JSON_OBJECT && i < more.count; i++)
			jw_put_raw(w, more.members[i].name, more.members[i].value.raw);
	jw_object_end(w);
}

static void write_error_object(struct call *c, struct jw *w)
{
	const struct fault_info *info = fault_info(c->fault.code);
	struct str suggestion = suggestion_for(c, info);

	jw_object(w);
	jw_put_str(w, S("code"), str_c(info->name));
	jw_put_str(w, S("message"), str_c(info->message));
	/* CONFLICT is both: then a time to wait says which */
	jw_put_bool(w, S("retryable"), info->retryable || c->fault.retry_after_ms);
	jw_put_str(w, S("advice"), str_c(fault_advice_name(info->advice)));
	if (c->fault.retry_after_ms)
		jw_put_u64(w, S("retry_after_ms"), c->fault.retry_after_ms);
	if (suggestion.n)
		jw_put_str(w, S("suggestion"), suggestion);
	write_details(c, w);
	jw_put_str(w, S("call_id"), id_str(&c->id));
	jw_object_end(w);
}

struct str render_error_object(struct call *c)
{
	struct buf out;
	struct jw w;

	buf_in(&out, c->arena, RESULT_MAX);
	jw_init(&w, &out);
	write_error_object(c, &w);
	return buf_str(&out);
}

void render_fault(struct call *c, bool structured)
{
	struct buf error, out;
	struct jw w;

	buf_in(&error, c->arena, RESULT_MAX);
	jw_init(&w, &error);
	jw_object(&w);
	jw_name(&w, S("error"));
	write_error_object(c, &w);
	jw_object_end(&w);

	buf_in(&out, c->arena, RESULT_MAX);
	jw_init(&w, &out);
	jw_object(&w);
	write_text_content(&w, buf_str(&error), STR_NONE);
	if (structured)
		jw_put_raw(&w, S("structuredContent"), buf_str(&error));
	jw_put_bool(&w, S("isError"), true);
	jw_object_end(&w);
	c->result_rows = 0;
	keep(c, &out);
}
