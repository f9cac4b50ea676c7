/* html - a page written from the front, escaped by construction.
 *
 * Elements and attributes are names in our own code; text and values can only be added through
 * functions that escape them and make them inert (render/inert.h): there is no function that adds
 * markup.  An element that is open is closed by html_close, innermost first.  One thread. */
#pragma once
#include "base/buf.h"

#define HTML_DEPTH 32

struct html {
	struct buf *out;
	const char *open[HTML_DEPTH]; /* elements that are open */
	unsigned depth;
	bool in_tag; /* attributes may be added still */
};

/* "<!doctype html>" and nothing else. */
void html_begin(struct html *h, struct buf *out);
/* True: every element was closed, and everything fitted. */
bool html_end(struct html *h) must_check;

/* A place between elements, and what was written since. */
size_t html_here(struct html *h);
struct str html_since(const struct html *h, size_t here);

void html_open(struct html *h, const char *element);
/* Straight behind html_open or html_void, before any content. */
void html_attr(struct html *h, const char *name, struct str value);
void html_flag(struct html *h, const char *name); /* an attribute without a value */
void html_text(struct html *h, struct str text); /* from anywhere */
void html_inert(struct html *h, struct str text); /* INERT_TEXT: it was made so */
/* Our own words: a literal. */
#define html_say(h, lit) html_words((h), S(lit))
void html_words(struct html *h, struct str literal);
void html_close(struct html *h);
void html_void(struct html *h, const char *element); /* one that has no content: input, link */

/* An element with text and nothing else; with a class. */
void html_put(struct html *h, const char *element, struct str text);
void html_put_class(struct html *h, const char *element, const char *class, struct str text);
void html_open_class(struct html *h, const char *element, const char *class);
/* path: one of ours, made of constants and ids: begins with a single '/'. */
void html_link(struct html *h, struct str path, struct str text);
void html_hidden(struct html *h, const char *name, struct str value); /* an input of a form */
