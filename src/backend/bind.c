/* bind - from an argument to the value a statement is given.
 *
 *	string                   TEXT
 *	integer of 64 bits       INTEGER (5, 5.0 and 50e-1 are the integer 5)
 *	other number             REAL when the nearest double, written shortest, is the same number;
 *	                         else TEXT with the digits as they came, so that none is lost
 *	true, false              INTEGER 1, 0
 *	null, absent             NULL
 *	array, object            TEXT, JSON
 *
 * A REAL and a text column of decimals do not compare by digits: an amount that must keep its form
 * ("12.50") is declared as a string.
 *
 * Invariants: 1. values are bound, never written into SQL.  2. what is bound lives in the call's
 * arena, so longer than the statement runs. */
#include "backend/inside.h"

#include "base/clock.h"
#include "json/write.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define JSON_TEXT_MAX ((size_t)4 << 20)

/* Reads back as the same number: then the double says all that the lexeme says. */
static bool is_exact(struct arena *a, struct str lexeme, double v)
{
	char text[40];

	if (!isfinite(v))
		return false;
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, v);
		if (strtod(text, NULL) == v)
			break;
	}
	return json_number_cmp(arena_str(a, str_c(text)), lexeme) == 0;
}

static void bind_number(struct call *c, struct lite_stmt *s, unsigned index, struct str lexeme)
{
	struct str digits;
	int64_t n;
	double v;

	if (str_to_i64(lexeme, &n) ||
		(json_integer(c->arena, lexeme, &digits) && str_to_i64(digits, &n))) {
		lite_bind_i64(s, index, n);
		return;
	}
	v = strtod(arena_cstr(c->arena, lexeme), NULL);
	if (is_exact(c->arena, lexeme, v))
		lite_bind_real(s, index, v);
	else
		lite_bind_text(s, index, lexeme);
}

static void bind_json_text(
	struct call *c, struct lite_stmt *s, unsigned index, const struct json *v)
{
	struct buf text;
	struct jw w;

	buf_in(&text, c->arena, JSON_TEXT_MAX);
	jw_init(&w, &text);
	jw_json(&w, v);
	lite_bind_text(s, index, buf_str(&text));
}

static void bind_json(struct call *c, struct lite_stmt *s, unsigned index, const struct json *v)
{
	if (!v) {
		lite_bind_null(s, index);
		return;
	}
	switch (v->kind) {
	case JSON_NULL:
		lite_bind_null(s, index);
		break;
	case JSON_BOOL:
		lite_bind_i64(s, index, v->truth);
		break;
	case JSON_NUMBER:
		bind_number(c, s, index, v->text);
		break;
	case JSON_STRING:
		lite_bind_text(s, index, v->text);
		break;
	case JSON_ARRAY:
	case JSON_OBJECT:
		bind_json_text(c, s, index, v);
		break;
	}
}

/* A name nobody gave is NULL, so that a comparison with it holds for no row. */
static void bind_name(struct lite_stmt *s, unsigned index, struct str name)
{
	if (name.n)
		lite_bind_text(s, index, name);
	else
		lite_bind_null(s, index);
}

static void bind_time(struct call *c, struct lite_stmt *s, unsigned index)
{
	struct buf text;

	buf_in(&text, c->arena, 64);
	clock_write_rfc3339(&text, c->wall_us);
	lite_bind_text(s, index, buf_str(&text));
}

static void bind_limit(struct call *c, const struct part *part, struct lite_stmt *s, unsigned index)
{
	uint32_t rows = part->page.on && c->page_rows ? c->page_rows : part->rows;

	lite_bind_i64(s, index, (int64_t)rows + 1);
}

void bind_params(struct call *c, const struct part *part, const struct statement *statement,
	struct lite_stmt *s)
{
	for (unsigned i = 0; i < statement->param_count; i++) {
		const struct param *p = &statement->params[i];

		switch (p->kind) {
		case PARAM_INPUT:
			bind_json(c, s, i + 1, args_get(c, p->name));
			break;
		case PARAM_SUBJECT:
			bind_name(s, i + 1, c->who->subject);
			break;
		case PARAM_TENANT:
			bind_name(s, i + 1, c->who->tenant);
			break;
		case PARAM_AGENT:
			bind_name(s, i + 1, c->who->agent);
			break;
		case PARAM_CALL_ID:
			lite_bind_text(s, i + 1, id_str(&c->id));
			break;
		case PARAM_CALL_TIME:
			bind_time(c, s, i + 1);
			break;
		case PARAM_CURSOR:
			/* guard_cursor saw that there are as many values as columns */
			bug_on(!c->cursor || p->index >= c->cursor->count);
			bind_json(c, s, i + 1, &c->cursor->items[p->index]);
			break;
		case PARAM_LIMIT:
			bind_limit(c, part, s, i + 1);
			break;
		}
	}
}
