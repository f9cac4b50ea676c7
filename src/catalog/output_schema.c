/* output_schema - what a read's `returns` promises, as the JSON Schema that clients validate with.
 *
 * The root is an object in every case, so that one form serves all revisions:
 *   one    {"col": …}
 *   maybe  {"row": {…} | null}
 *   many   {"rows": [{…}, …], "truncated": bool, "next_cursor"?: "…"}     next_cursor: paged reads
 *   parts  {"PART": {…} (one) | {…} or null (maybe) | [{…}, …] (many), …,
 *           "empty": ["PART"…], "truncated": ["PART"…]}
 *   raw    {"columns": ["col"…], "rows": [[…], …], "truncated": bool}                   raw_sql
 *   write  see write_schema.c
 * A masked column is a string or of its own type: which, depends on who calls.
 * Or, for a failed call, {"error": {code, message, retryable, advice, retry_after_ms?, suggestion?,
 * details?, call_id}}: {"type":"object","anyOf":[SUCCESS, ERROR]}, both closed. */
#include "catalog/load.h"
#include "json/write.h"

struct type_form {
	struct str type; /* empty: any */
	struct str more; /* further members, behind a comma */
};

static const struct type_form forms[] = {
	[COLUMN_STRING] = { STR_INIT("string"), { 0 } },
	[COLUMN_INTEGER] = { STR_INIT("integer"), { 0 } },
	[COLUMN_INT64] = { STR_INIT("string"), STR_INIT("\"pattern\":\"^-?[0-9]{1,19}$\"") },
	[COLUMN_NUMBER] = { STR_INIT("number"), { 0 } },
	[COLUMN_DECIMAL] = { STR_INIT("string"),
		STR_INIT("\"pattern\":\"^-?[0-9]+(\\\\.[0-9]+)?$\"") },
	[COLUMN_BOOLEAN] = { STR_INIT("boolean"), { 0 } },
	[COLUMN_DATE] = { STR_INIT("string"), STR_INIT("\"format\":\"date\"") },
	[COLUMN_DATE_TIME] = { STR_INIT("string"), STR_INIT("\"format\":\"date-time\"") },
	[COLUMN_JSON] = { { 0 }, { 0 } },
	[COLUMN_BYTES] = { STR_INIT("string"), STR_INIT("\"contentEncoding\":\"base64\"") },
};

/* {"anyOf": [{…}, {"type": "null"}]} around what is written between: readers exist that do not know
 * a list of types. */
static void open_nullable(struct jw *w, bool nullable)
{
	if (!nullable)
		return;
	jw_object(w);
	jw_name(w, S("anyOf"));
	jw_array(w);
}

static void close_nullable(struct jw *w, bool nullable)
{
	if (!nullable)
		return;
	jw_object(w);
	jw_put_str(w, S("type"), S("null"));
	jw_object_end(w);
	jw_array_end(w);
	jw_object_end(w);
}

static void write_form(struct jw *w, struct arena *a, const struct column *c)
{
	const struct type_form *form = &forms[c->type];
	struct str name, value;

	jw_object(w);
	if (form->type.n)
		jw_put_str(w, S("type"), form->type);
	if (c->description.n)
		jw_put_str(w, S("description"), c->description);
	if (str_cut(form->more, ':', &name, &value)) {
		name = str_sub(name, 1, name.n - 2); /* without its quotes */
		jw_put_raw(w, arena_str(a, name), value);
	}
	jw_object_end(w);
}

/* So that a model does not take what a mask left for the value. */
static struct str masked_description(struct arena *a, const struct column *c)
{
	const char *space = c->description.n ? " " : "";

	if (c->unmask.n)
		return arena_fmt(a, "%.*s%s(masked for callers without the grant %.*s)",
			STR_ARG(c->description), space, STR_ARG(c->unmask));
	return arena_fmt(a, "%.*s%s(masked)", STR_ARG(c->description), space);
}

/* Text, whatever a mask leaves; or the column's own form, for those who see it. */
static void write_masked(struct jw *w, struct arena *a, const struct column *c)
{
	bool own_is_text = str_eq(forms[c->type].type, S("string"));
	struct column bare = *c;

	bare.description = STR_NONE;
	jw_object(w);
	jw_put_str(w, S("description"), masked_description(a, c));
	jw_name(w, S("anyOf"));
	jw_array(w);
	jw_object(w);
	jw_put_str(w, S("type"), S("string"));
	jw_object_end(w);
	if (!own_is_text)
		write_form(w, a, &bare);
	if (c->nullable || c->assigned) {
		jw_object(w);
		jw_put_str(w, S("type"), S("null"));
		jw_object_end(w);
	}
	jw_array_end(w);
	jw_object_end(w);
}

static void write_column(struct jw *w, struct arena *a, const struct column *c)
{
	/* a preview does not know what the database will assign */
	bool nullable = (c->nullable || c->assigned) && forms[c->type].type.n;

	if (c->mask.kind != MASK_NONE) {
		write_masked(w, a, c);
		return;
	}
	open_nullable(w, nullable);
	write_form(w, a, c);
	close_nullable(w, nullable);
}

static void write_row(struct jw *w, struct arena *a, const struct part *p, bool nullable)
{
	open_nullable(w, nullable);
	jw_object(w);
	jw_put_str(w, S("type"), S("object"));
	jw_name(w, S("properties"));
	jw_object(w);
	for (size_t i = 0; i < p->column_count; i++) {
		jw_name(w, p->columns[i].name);
		write_column(w, a, &p->columns[i]);
	}
	jw_object_end(w);
	jw_name(w, S("required"));
	jw_array(w);
	for (size_t i = 0; i < p->column_count; i++)
		jw_str(w, p->columns[i].name);
	jw_array_end(w);
	jw_put_bool(w, S("additionalProperties"), false);
	jw_object_end(w);
	close_nullable(w, nullable);
}

static void write_rows(struct jw *w, struct arena *a, const struct part *p)
{
	jw_object(w);
	jw_put_str(w, S("type"), S("array"));
	jw_name(w, S("items"));
	write_row(w, a, p, false);
	jw_object_end(w);
}

static void open_object(struct jw *w)
{
	jw_object(w);
	jw_put_str(w, S("type"), S("object"));
	jw_name(w, S("properties"));
	jw_object(w);
}

/* required: JSON array text. */
static void close_object(struct jw *w, struct str required)
{
	jw_object_end(w);
	jw_put_raw(w, S("required"), required);
	jw_put_bool(w, S("additionalProperties"), false);
	jw_object_end(w);
}

void output_single_write(struct jw *w, struct arena *a, const struct part *p)
{
	if (p->shape == SHAPE_ONE) {
		write_row(w, a, p, false);
		return;
	}
	open_object(w);
	if (p->shape == SHAPE_MAYBE) {
		jw_name(w, S("row"));
		write_row(w, a, p, true);
		close_object(w, S("[\"row\"]"));
		return;
	}
	jw_name(w, S("rows"));
	write_rows(w, a, p);
	jw_put_raw(w, S("truncated"),
		S("{\"type\":\"boolean\",\"description\":\"true: there are more rows than the tool "
		  "returns\"}"));
	if (p->page.on)
		jw_put_raw(w, S("next_cursor"),
			S("{\"type\":\"string\",\"description\":\"pass it as cursor for the next "
			  "page; absent on the last\"}"));
	close_object(w, S("[\"rows\",\"truncated\"]"));
}

static void write_names(struct jw *w, struct str name, struct str description)
{
	jw_name(w, name);
	jw_object(w);
	jw_put_str(w, S("type"), S("array"));
	jw_put_raw(w, S("items"), S("{\"type\":\"string\"}"));
	jw_put_str(w, S("description"), description);
	jw_object_end(w);
}

static void write_parts(struct jw *w, struct arena *a, const struct action *action)
{
	struct buf required;
	struct jw r;

	buf_in(&required, a, 65536);
	jw_init(&r, &required);
	jw_array(&r);
	open_object(w);
	for (size_t i = 0; i < action->part_count; i++) {
		const struct part *p = &action->parts[i];

		jw_str(&r, p->name);
		jw_name(w, p->name);
		if (p->shape == SHAPE_MANY)
			write_rows(w, a, p);
		else
			write_row(w, a, p, p->shape == SHAPE_MAYBE);
	}
	write_names(w, S("empty"), S("parts without a row"));
	write_names(w, S("truncated"), S("parts that have more rows than are here"));
	jw_str(&r, S("empty"));
	jw_str(&r, S("truncated"));
	jw_array_end(&r);
	close_object(w, buf_str(&required));
}

/* What raw_sql gives: columns are known when the statement is. */
static const struct str raw_schema = STR_INIT(
	"{\"type\":\"object\",\"properties\":{"
	"\"columns\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},"
	"\"rows\":{\"type\":\"array\",\"items\":{\"type\":\"array\"}},"
	"\"truncated\":{\"type\":\"boolean\"}},"
	"\"required\":[\"columns\",\"rows\",\"truncated\"],\"additionalProperties\":false}");

static const struct str error_schema = STR_INIT(
	"{\"type\":\"object\",\"properties\":{\"error\":{\"type\":\"object\",\"properties\":{"
	"\"code\":{\"type\":\"string\"},\"message\":{\"type\":\"string\"},"
	"\"retryable\":{\"type\":\"boolean\"},\"advice\":{\"type\":\"string\"},"
	"\"retry_after_ms\":{\"type\":\"integer\"},\"suggestion\":{\"type\":\"string\"},"
	"\"details\":{\"type\":\"object\"},\"call_id\":{\"type\":\"string\"}},"
	"\"required\":[\"code\",\"message\",\"retryable\",\"advice\",\"call_id\"]}},"
	"\"required\":[\"error\"],\"additionalProperties\":false}");

void output_schema_make(struct entry_load *el)
{
	const struct action *action = &el->e->action;
	struct buf out;
	struct jw w;

	bool parts = action->kind == ACTION_READ || action->kind == ACTION_BUILTIN ||
		     action->kind == ACTION_LEDGER;

	if (action->kind != ACTION_RAW && action->kind != ACTION_WRITE &&
		action->kind != ACTION_TOGETHER && (!parts || !action->part_count))
		return;
	buf_in(&out, el->a, JSON_MAX_BYTES);
	jw_init(&w, &out);
	jw_object(&w);
	jw_put_str(&w, S("type"), S("object"));
	jw_name(&w, S("anyOf"));
	jw_array(&w);
	if (action->kind == ACTION_RAW)
		jw_raw(&w, raw_schema);
	else if (action->kind == ACTION_WRITE || action->kind == ACTION_TOGETHER)
		write_schema_write(&w, el->a, el->e);
	else if (action->part_count == 1 && !action->parts[0].name.n)
		output_single_write(&w, el->a, &action->parts[0]);
	else
		write_parts(&w, el->a, action);
	jw_raw(&w, error_schema);
	jw_array_end(&w);
	jw_object_end(&w);
	el->e->output_schema = buf_str(&out);
	if (!buf_ok(&out))
		entry_refuse(el, NULL, "schema.size", S("the output schema is over 1 MiB"),
			S("declare fewer columns"));
}
