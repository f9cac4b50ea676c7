/* table - tables that stay tables when a narrow screen stacks their cells (inside.h).
 *
 * Roles are said in words, because some browsers forget that a table is one as soon as a style
 * gives it another shape; each cell carries its column's name for that shape. */
#include "site/inside.h"

static void open_as(struct html *h, const char *element, const char *role)
{
	html_open(h, element);
	html_attr(h, "role", str_c(role));
}

void table_caption(struct look *l, const char *class)
{
	open_as(&l->h, "table", "table");
	html_attr(&l->h, "class", str_c(class));
	html_open(&l->h, "caption");
}

void table_begin(struct look *l, const char *class, struct str caption, const char *const *columns)
{
	table_caption(l, class);
	html_text(&l->h, caption);
	table_columns(l, columns);
}

void table_columns(struct look *l, const char *const *columns)
{
	struct html *h = &l->h;

	html_close(h);
	l->columns = columns;
	open_as(h, "thead", "rowgroup");
	open_as(h, "tr", "row");
	for (; *columns; columns++) {
		open_as(h, "th", "columnheader");
		html_attr(h, "scope", S("col"));
		html_text(h, str_c(*columns));
		html_close(h);
	}
	html_close(h);
	html_close(h);
	open_as(h, "tbody", "rowgroup");
}

void table_end(struct look *l)
{
	html_close(&l->h);
	html_close(&l->h);
}

void table_row(struct look *l)
{
	open_as(&l->h, "tr", "row");
	open_as(&l->h, "th", "rowheader");
	html_attr(&l->h, "scope", S("row"));
	l->column = 0;
}

void table_cell(struct look *l, const char *class)
{
	html_close(&l->h);
	l->column++;
	bug_on(!l->columns[l->column]);
	open_as(&l->h, "td", "cell");
	if (*class)
		html_attr(&l->h, "class", str_c(class));
	html_attr(&l->h, "data-label", str_c(l->columns[l->column]));
}

void table_put(struct look *l, const char *class, struct str text)
{
	table_cell(l, class);
	html_text(&l->h, text);
}

void table_row_end(struct look *l)
{
	html_close(&l->h);
	html_close(&l->h);
	bug_on(l->columns[l->column + 1]);
}
