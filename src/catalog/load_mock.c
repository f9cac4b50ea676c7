/* load_mock - `mock`: rows written down in the entry, given in place of the database's.
 *
 *   shape one, maybe    mock: { COLUMN: VALUE, … }      maybe: or null
 *   shape many          mock: [ { … }, … ]
 *   several parts       mock: { PART: as above, … }
 *
 * Checked against `returns` here, so that a mock cannot promise what the read will not keep. */
#include "base/digest.h"
#include "catalog/load.h"
#include "config/profile.h"
#include "json/format.h"
#include "json/json.h"

struct mocking {
	struct entry_load *el;
	const struct part *part;
	const struct yaml *at;
	struct mock_value *values;
	size_t row;
};

static void refuse(const struct mocking *m, struct str what, struct str remedy)
{
	entry_refuse(m->el, m->at, "mock.value", what, remedy);
}

/* A number as JSON writes it; whole: of 64 bits. */
static bool is_number(struct entry_load *el, const struct yaml *v, bool whole)
{
	struct json_error error;
	struct json parsed;
	int64_t n;

	return v->kind == YAML_SCALAR && yaml_core(v) == YAML_NUMBER &&
	       json_parse(el->a, v->text, &parsed, &error) && (!whole || str_to_i64(v->text, &n));
}

static bool is_decimal(struct entry_load *el, const struct yaml *v)
{
	struct yaml plain = *v;

	plain.plain = true; /* in quotes, so that no zero at its end is lost */
	return is_number(el, &plain, false) && !str_has(v->text, 'e') && !str_has(v->text, 'E');
}

/* The value as the database would give it; false: it does not fit the column's type. */
static bool take_value(
	struct entry_load *el, const struct column *c, const struct yaml *v, struct mock_value *out)
{
	bool scalar = v->kind == YAML_SCALAR;
	struct buf text;

	*out = (struct mock_value){ .kind = MOCK_TEXT, .text = v->text };
	switch (c->type) {
	case COLUMN_STRING:
		return scalar && yaml_core(v) == YAML_TEXT;
	case COLUMN_INT64:
	case COLUMN_INTEGER:
		out->kind = MOCK_INTEGER;
		return is_number(el, v, true);
	case COLUMN_NUMBER:
		out->kind = is_number(el, v, true) ? MOCK_INTEGER : MOCK_REAL;
		return is_number(el, v, false);
	case COLUMN_DECIMAL:
		return scalar && is_decimal(el, v);
	case COLUMN_BOOLEAN:
		out->kind = MOCK_INTEGER;
		out->text = ascii_lower(v->text.n ? v->text.p[0] : 'f') == 't' ? S("1") : S("0");
		return scalar && yaml_core(v) == YAML_BOOL;
	case COLUMN_DATE:
		return scalar && format_find(S("date"))(v->text);
	case COLUMN_DATE_TIME:
		return scalar && format_find(S("date-time"))(v->text);
	case COLUMN_JSON:
		buf_in(&text, el->a, JSON_MAX_BYTES);
		yaml_to_json(v, &text);
		out->text = buf_str(&text);
		return buf_ok(&text);
	case COLUMN_BYTES:
		buf_in(&text, el->a, JSON_MAX_BYTES);
		out->kind = MOCK_BYTES;
		if (!scalar || !base64_read(v->text, &text))
			return false;
		out->text = buf_str(&text);
		return true;
	}
	return false;
}

static void load_value(struct mocking *m, const struct column *c, const struct yaml *v)
{
	struct mock_value *out =
		&m->values[m->row * m->part->column_count + (size_t)(c - m->part->columns)];

	if (v && v->kind == YAML_SCALAR && yaml_core(v) == YAML_NULL && c->nullable)
		return;
	if (!v)
		refuse(m, arena_fmt(m->el->a, "the mock gives no column '%.*s'", STR_ARG(c->name)),
			S("give every declared column a value"));
	else if (!take_value(m->el, c, v, out))
		entry_refuse(m->el, v, "mock.value",
			arena_fmt(m->el->a, "the mock's value of column '%.*s' is not of its type",
				STR_ARG(c->name)),
			S("correct the value, or the type under 'columns'; null only where the "
			  "column is nullable"));
}

static void load_row(struct mocking *m, const struct yaml *row)
{
	m->at = row;
	if (row->kind != YAML_MAP) {
		refuse(m, S("a row of a mock is a map of columns"), S("write {column: value, …}"));
		return;
	}
	for (size_t i = 0; i < m->part->column_count; i++)
		load_value(m, &m->part->columns[i], yaml_get(row, m->part->columns[i].name));
	for (size_t i = 0; i < row->count; i++) {
		bool known = false;

		for (size_t k = 0; k < m->part->column_count; k++)
			known = known || str_eq(m->part->columns[k].name, row->entries[i].name);
		if (!known)
			refuse(m,
				arena_fmt(m->el->a,
					"the mock gives a column '%.*s' that is not "
					"declared",
					STR_ARG(row->entries[i].name)),
				S("declare it under 'columns', or remove it"));
	}
	m->row++;
}

static void load_rows(struct entry_load *el, const struct yaml *node, struct part *part)
{
	bool list = part->shape == SHAPE_MANY;
	bool none = part->shape == SHAPE_MAYBE && node->kind == YAML_SCALAR &&
		    yaml_core(node) == YAML_NULL;
	struct mocking m = { .el = el, .part = part, .at = node };
	size_t count = list ? node->count : 1;

	if (none || !part->column_count)
		return;
	if (list != (node->kind == YAML_LIST) || count > ROWS_MAX) {
		refuse(&m, S("the mock is not of the declared shape"),
			S("one and maybe are a map of columns, many is a list of such maps"));
		return;
	}
	m.values = arena_array(el->a, struct mock_value, count * part->column_count + 1);
	for (size_t i = 0; i < count; i++)
		load_row(&m, list ? &node->items[i] : node);
	part->mock = m.values;
	part->mock_rows = m.row;
}

static void load_parts(struct entry_load *el, const struct yaml *node, struct part *parts)
{
	struct reader r;

	reader_init(
		&r, el->a, el->f, node, arena_cstr(el->a, arena_fmt(el->a, "%s mock", el->r.what)));
	for (size_t i = 0; i < el->e->action.part_count; i++) {
		const struct yaml *part = read_node(&r, arena_cstr(el->a, parts[i].name));

		if (part)
			load_rows(el, part, &parts[i]);
		else
			entry_refuse(el, node, "mock.value",
				arena_fmt(el->a, "the mock has no part '%.*s'",
					STR_ARG(parts[i].name)),
				S("give every part of the read its rows"));
	}
	reader_done(&r);
}

void mock_load(struct entry_load *el)
{
	const struct yaml *node = read_node(&el->r, "mock");
	struct part *parts = (struct part *)(uintptr_t)el->e->action.parts;
	enum environment environment = el->l->config->environment;

	if (!node)
		return;
	el->e->mock = true;
	if (!profile_permits(environment, PERMIT_MOCK))
		entry_refuse(el, node, "mock.environment",
			arena_fmt(el->a, "a mock in environment %s", environment_name(environment)),
			S("mocks exist in development: remove it, so that the source answers"));
	if (el->e->action.kind != ACTION_READ) {
		entry_refuse(el, node, "mock.action", S("a mock without read or returns"),
			S("a mock stands in for rows: declare 'returns'"));
		return;
	}
	if (el->e->action.part_count == 1 && !parts[0].name.n)
		load_rows(el, node, &parts[0]);
	else
		load_parts(el, node, parts);
}
