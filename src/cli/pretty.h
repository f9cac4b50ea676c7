/* pretty - what a person at a terminal sees: JSON with line breaks, and nothing the terminal obeys.
 */
#pragma once
#include "json/json.h"

struct str json_pretty(struct arena *a, const struct json *v);

/* Text with what a terminal would act on, or would not show, as \uXXXX: control characters but line
 * feed and tab, DEL, C1 controls (U+009B begins a control sequence as ESC [ does), bidirectional
 * and zero-width characters, line separators.  Inside the strings of JSON that is the same JSON.
 * What is not UTF-8 keeps its ASCII only. */
struct str text_for_terminal(struct arena *a, struct str text);
