/* inert - text from anywhere, made so that a person can read it and it can do nothing else.
 *
 * What is not seen, or changes how the rest is seen, stands as ⟨U+202E⟩: control, bidirectional,
 * zero-width and TAG characters, variation selectors, spaces other than U+0020, private use and
 * non-characters; spaces at either end or behind another; marks without a letter, or more than two
 * on one.  Bytes that are not UTF-8 stand as ⟨xFF⟩.  The bracket ⟨ itself is escaped, so different
 * texts never look alike, but for letters that do.  One line, always.
 *
 * Everything that shows values to a person goes through here: terminal, markdown, HTML.  Pure. */
#pragma once
#include "base/buf.h"

enum inert_form {
	INERT_TEXT, /* for a terminal, or where another form comes later */
	INERT_CODE, /* for the inside of a markdown code span, also in a table: no ` | \ < */
	INERT_HTML, /* for HTML text and quoted attributes */
};

/* raw: any bytes. */
void inert_write(struct buf *out, struct str raw, enum inert_form form);
struct str inert_text(struct arena *a, struct str raw); /* INERT_TEXT */
/* From INERT_TEXT to another form. */
void inert_dress(struct buf *out, struct str text, enum inert_form form);

/* How many characters raw has, and the bytes of the first so many; a byte that belongs to none
 * counts as one. */
size_t inert_count(struct str raw);
size_t inert_front(struct str raw, size_t count);

/* Columns that INERT_TEXT takes in a terminal. */
size_t inert_width(struct str text);
/* Bytes of the front of INERT_TEXT that fits `width` columns: it ends behind a space where one is
 * near, never inside an escape, and is not empty unless the text is. */
size_t inert_fit(struct str text, size_t width);
