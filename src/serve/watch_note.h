/* watch_note - what the watch saw, as records and lines of the log. */
#pragma once
#include "serve/edition.h"
#include "serve/notes.h"

/* source: NULL, or where an order against everything came from. */
void note_text(struct notes *n, const char *event, const char *reason, const char *source,
	struct str detail);
/* Orders that were set, lifted or have ended between two editions.  An order that was over when it
 * was first seen is history, and not news.  rows: those the later edition was made from. */
void note_changes(struct notes *n, const struct edition *before, const struct edition *now,
	const struct kill_row *rows, size_t count, int64_t now_us);
/* The alert: whoever gained a grant, on every server that honours it. */
void note_glass(
	struct notes *n, const struct edition *before, const struct edition *now, uint64_t boot_ms);
