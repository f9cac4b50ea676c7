/* page - keyset pages: the author's statement is wrapped twice, once for the first page and once
 * for the pages behind a cursor.
 *
 *   SELECT columns FROM (statement) [WHERE (by) > (cursor)] ORDER BY by LIMIT rows + 1
 *
 * The author's parameters keep their numbers; the cursor's and the limit's come behind them.  The
 * statement stands on lines of its own, so that a comment at its end closes. */
#include "catalog/load.h"
#include "json/write.h"

static void write_name(struct buf *out, struct str name)
{
	buf_char(out, '"');
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] == '"')
			buf_char(out, '"');
		buf_char(out, name.p[i]);
	}
	buf_char(out, '"');
}

static void write_by(struct buf *out, const struct page *page)
{
	for (size_t i = 0; i < page->by_count; i++) {
		if (i)
			buf_lit(out, ", ");
		write_name(out, page->by[i]);
	}
}

static void write_after(struct buf *out, const struct page *page, size_t first)
{
	buf_lit(out, " WHERE (");
	write_by(out, page);
	buf_lit(out, ") > (");
	for (size_t i = 0; i < page->by_count; i++)
		buf_fmt(out, i ? ", ?%zu" : "?%zu", first + i);
	buf_lit(out, ")");
}

static void wrap(struct entry_load *el, const struct part *part, const struct statement *inner,
	bool after, struct statement *out)
{
	size_t count = inner->param_count, extra = after ? part->page.by_count : 0;
	struct param *params = arena_array(el->a, struct param, count + extra + 1);
	struct buf sql;

	for (size_t i = 0; i < count; i++)
		params[i] = inner->params[i];
	for (size_t i = 0; i < extra; i++)
		params[count + i] = (struct param){ .kind = PARAM_CURSOR, .index = (unsigned)i };
	params[count + extra] = (struct param){ .kind = PARAM_LIMIT };
	buf_in(&sql, el->a, (size_t)SQLTEXT_MAX_BYTES * 4);
	buf_lit(&sql, "SELECT ");
	for (size_t i = 0; i < part->column_count; i++) {
		if (i)
			buf_lit(&sql, ", ");
		write_name(&sql, part->columns[i].name);
		buf_lit(&sql, " AS ");
		write_name(&sql, part->columns[i].name);
	}
	buf_lit(&sql, " FROM (\n");
	buf_add(&sql, inner->sql);
	buf_lit(&sql, "\n)");
	if (after)
		write_after(&sql, &part->page, count + 1);
	buf_lit(&sql, " ORDER BY ");
	write_by(&sql, &part->page);
	buf_fmt(&sql, " LIMIT ?%zu", count + extra + 1);
	*out = (struct statement){ .sql = buf_str(&sql),
		.params = params,
		.param_count = count + extra + 1,
		.at = inner->at,
		.serial = after ? el->l->c->statement_count++ : inner->serial };
}

static const struct column *column_of(const struct part *part, struct str name)
{
	for (size_t i = 0; i < part->column_count; i++)
		if (str_eq(part->columns[i].name, name))
			return &part->columns[i];
	return NULL;
}

static bool check_by(struct entry_load *el, const struct yaml *node, const struct part *part)
{
	bool ok = part->page.by_count > 0;

	if (!ok)
		entry_refuse(el, node, "page.by", S("page names no column to go by"),
			S("add 'by: [name, id]': columns of the result that together are unique"));
	for (size_t i = 0; i < part->page.by_count; i++) {
		const struct column *c = column_of(part, part->page.by[i]);

		if (c && !c->nullable && c->type != COLUMN_JSON && c->type != COLUMN_BYTES) {
			mask_check_page(el, node, c);
			continue;
		}
		ok = false;
		entry_refuse(el, node, "page.by",
			arena_fmt(el->a, "page cannot go by '%.*s'", STR_ARG(part->page.by[i])),
			c ? S("the column must not be nullable, json or bytes")
			  : S("it must be one of the declared columns"));
	}
	return ok;
}

static bool check_statement(struct entry_load *el, const struct yaml *node, const struct part *part,
	const struct sqltext *text)
{
	if (part->shape != SHAPE_MANY)
		entry_refuse(el, node, "page.shape", S("page without 'shape: many'"),
			S("remove page, or return many"));
	if (text->limit != SQLTEXT_NO_LIMIT || text->order_by || text->offset)
		entry_refuse(el, node, "page.order",
			S("the statement of a paged read has ORDER BY, LIMIT or OFFSET"),
			S("remove them: page.by orders, page.size and page.max limit"));
	if (el->rows)
		entry_refuse(el, node, "page.rows", S("limits.rows beside page"),
			S("page.max says how many rows there may be"));
	if (el->whole_schema)
		entry_refuse(el, node, "page.input", S("page beside input_schema"),
			S("declare the arguments under 'input': page adds cursor and limit"));
	if (input_find(el, S("cursor")) >= 0 || input_find(el, S("limit")) >= 0)
		entry_refuse(el, node, "page.input", S("an input is called cursor or limit"),
			S("rename it: page adds both"));
	return part->shape == SHAPE_MANY && !el->whole_schema && part->column_count;
}

static void add_inputs(struct entry_load *el, const struct page *page)
{
	struct input *cursor = input_add(el, S("cursor"),
		S("{\"type\":\"string\",\"maxLength\":4096,\"description\":\"next_cursor of the "
		  "page before; leave it out for the first page\"}"));
	struct input *limit = input_add(el, S("limit"),
		arena_fmt(el->a,
			"{\"type\":\"integer\",\"minimum\":1,\"maximum\":%u,\"default\":%u,"
			"\"description\":\"rows of a page\"}",
			page->max, page->size));

	if (!cursor || !limit)
		return;
	cursor->required = limit->required = false;
	cursor->added = limit->added = true;
	cursor->protect = PROTECT_DROP;
	limit->protect = PROTECT_CLEAR;
	limit->integer = true;
	limit->default_json = arena_fmt(el->a, "%u", page->size);
	el->used[cursor - el->inputs] = el->used[limit - el->inputs] = true;
}

void page_load(struct entry_load *el, struct part *part, const struct sqltext *text)
{
	const struct yaml *node = read_node(&el->r, "page");
	struct statement inner = part->statement;
	struct page *page = &part->page;
	struct reader r;
	bool ok;

	reader_init(
		&r, el->a, el->f, node, arena_cstr(el->a, arena_fmt(el->a, "%s page", el->r.what)));
	page->by = read_strs(&r, "by", &page->by_count);
	page->size = (uint32_t)read_u64(&r, "size", 20, 1, ROWS_MAX);
	page->max = (uint32_t)read_u64(&r, "max", MAX(page->size, 100), 1, ROWS_MAX);
	reader_done(&r);
	if (page->size > page->max)
		entry_refuse(el, node, "page.size", S("page.size is larger than page.max"),
			S("make it smaller"));
	ok = check_statement(el, node, part, text);
	if (!check_by(el, node, part) || !ok)
		return;
	page->on = true;
	part->rows = page->max;
	wrap(el, part, &inner, false, &part->statement);
	wrap(el, part, &inner, true, &page->next);
	add_inputs(el, page);
}
