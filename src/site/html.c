/* html - see html.h.
 *
 * Invariants: 1. '<' that is not part of a tag of ours never leaves; neither do '&', '"', '\'' and
 * '>' of a value.  2. every attribute has its quotes.  3. what no person can see, or what makes
 * text run the other way, leaves as a visible escape. */
#include "site/html.h"

#include "render/inert.h"

static void end_tag(struct html *h)
{
	if (h->in_tag)
		buf_char(h->out, '>');
	h->in_tag = false;
}

void html_begin(struct html *h, struct buf *out)
{
	*h = (struct html){ .out = out };
	buf_lit(out, "<!doctype html>\n");
}

bool html_end(struct html *h)
{
	bug_on(h->depth > 0);
	end_tag(h);
	buf_char(h->out, '\n');
	return buf_ok(h->out);
}

size_t html_here(struct html *h)
{
	end_tag(h);
	return h->out->n;
}

struct str html_since(const struct html *h, size_t here)
{
	return str_from(buf_str(h->out), here);
}

static void begin_tag(struct html *h, const char *element)
{
	end_tag(h);
	buf_char(h->out, '<');
	buf_add(h->out, str_c(element));
	h->in_tag = true;
}

void html_open(struct html *h, const char *element)
{
	bug_on(h->depth == HTML_DEPTH);
	begin_tag(h, element);
	h->open[h->depth++] = element;
}

void html_void(struct html *h, const char *element)
{
	begin_tag(h, element);
}

void html_flag(struct html *h, const char *name)
{
	bug_on(!h->in_tag);
	buf_char(h->out, ' ');
	buf_add(h->out, str_c(name));
}

void html_attr(struct html *h, const char *name, struct str value)
{
	html_flag(h, name);
	buf_lit(h->out, "=\"");
	inert_write(h->out, value, INERT_HTML);
	buf_char(h->out, '"');
}

void html_text(struct html *h, struct str text)
{
	end_tag(h);
	inert_write(h->out, text, INERT_HTML);
}

void html_inert(struct html *h, struct str text)
{
	end_tag(h);
	inert_dress(h->out, text, INERT_HTML);
}

void html_words(struct html *h, struct str literal)
{
	end_tag(h);
	inert_dress(h->out, literal, INERT_HTML);
}

void html_close(struct html *h)
{
	bug_on(h->depth == 0);
	end_tag(h);
	buf_lit(h->out, "</");
	buf_add(h->out, str_c(h->open[--h->depth]));
	buf_char(h->out, '>');
}

void html_open_class(struct html *h, const char *element, const char *class)
{
	html_open(h, element);
	html_attr(h, "class", str_c(class));
}

void html_put(struct html *h, const char *element, struct str text)
{
	html_open(h, element);
	html_text(h, text);
	html_close(h);
}

void html_put_class(struct html *h, const char *element, const char *class, struct str text)
{
	html_open_class(h, element, class);
	html_text(h, text);
	html_close(h);
}

void html_link(struct html *h, struct str path, struct str text)
{
	bug_on(!str_starts(path, S("/")) || str_starts(path, S("//")));
	html_open(h, "a");
	html_attr(h, "href", path);
	html_text(h, text);
	html_close(h);
}

void html_hidden(struct html *h, const char *name, struct str value)
{
	html_void(h, "input");
	html_attr(h, "type", S("hidden"));
	html_attr(h, "name", str_c(name));
	html_attr(h, "value", value);
}
