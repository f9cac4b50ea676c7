/* read - the parts of a read, on one connection.
 *
 * Several parts run in one transaction, so that they show one state of the database, and share the
 * entry's bytes in their declared order: a part's rows that no longer fit are dropped from its end
 * and `more` says so.  A read of one part is never cut by bytes: RESULT_TOO_LARGE.  At most rows +
 * 1 rows are fetched; the one more tells that there is more and is not kept.
 *
 * Invariants: 1. the connection goes back before the call is recorded, whatever happened.  2. the
 * same database state and arguments give the same rows, kept and cut at the same place.
 * 3. an error of the database goes to the operator only. */
#include "backend/inside.h"

#include "base/clock.h"
#include "json/write.h"

#include <stdatomic.h>

#define VALUES_TEXT_MAX ((size_t)64 << 10)
/* What a masked value counts, whatever its length: where a list is cut must not tell it. */
#define MASKED_BYTES 32

static const enum cell_kind kinds[] = {
	[LITE_NULL] = CELL_NULL,
	[LITE_INTEGER] = CELL_INTEGER,
	[LITE_REAL] = CELL_REAL,
	[LITE_TEXT] = CELL_TEXT,
	[LITE_BLOB] = CELL_BLOB,
};

struct reading {
	struct backends *b;
	struct call *c;
	struct lite *lite;
	uint64_t bytes_left;
	bool may_cut; /* several parts */
	bool rule; /* `visible` is asked first, in the same state of the database */
	bool refused; /* the database could not compute with these values */
};

/* A completion is its statement's one column, whatever that is called. */
static bool find_places(const struct call *c, const struct lite_facts *facts,
	const struct part *part, unsigned *places, struct err *err)
{
	if (facts->column_count != part->column_count)
		return err_set(err, E_CONTRACT, "the statement has %zu columns, declared are %zu",
			facts->column_count, part->column_count);
	if (c->entry->kind == ENTRY_COMPLETION)
		return true; /* places[0] is 0 */
	for (size_t i = 0; i < part->column_count; i++) {
		unsigned k = 0;

		while (k < facts->column_count && !str_eq(facts->columns[k], part->columns[i].name))
			k++;
		if (k == facts->column_count)
			return err_set(err, E_CONTRACT, "the statement has no column %.*s",
				STR_ARG(part->columns[i].name));
		places[i] = k;
	}
	return true;
}

/* Worked out once for each statement; whoever comes second keeps the first's. */
static const unsigned *places_of(struct reading *r, const struct part *part, unsigned serial,
	struct lite_stmt *s, struct err *err)
{
	const unsigned *places = atomic_load(&r->b->places[serial]), *none = NULL;
	struct lite_facts facts;
	unsigned *mine;

	if (places)
		return places;
	if (!lite_facts(s, r->c->arena, &facts, err))
		return NULL;
	mine = heap_alloc(MAX(part->column_count, (size_t)1) * sizeof *mine);
	if (!find_places(r->c, &facts, part, mine, err)) {
		heap_free(mine);
		return NULL;
	}
	if (atomic_compare_exchange_strong(&r->b->places[serial], &none, mine))
		return mine;
	heap_free(mine);
	return none;
}

/* Adds the current row.  False: its bytes do not fit, and it is not there. */
static bool keep_row(
	struct reading *r, struct rows *rows, struct lite_stmt *s, const unsigned *places)
{
	struct cell *cells = rows_add(rows, r->c->arena);
	uint64_t bytes = 0;

	for (size_t i = 0; i < rows->part->column_count; i++) {
		cells[i].kind = kinds[lite_column(s, places[i], r->c->arena, &cells[i].text)];
		bytes += call_masks(r->c, &rows->part->columns[i]) ? MASKED_BYTES : cells[i].text.n;
	}
	if (bytes > r->bytes_left) {
		rows->count--;
		rows->more = true;
		return false;
	}
	rows->bytes += bytes;
	r->bytes_left -= bytes;
	return true;
}

static uint32_t rows_wanted(const struct call *c, const struct part *part)
{
	if (part->shape != SHAPE_MANY)
		return 1;
	return part->page.on && c->page_rows ? c->page_rows : part->rows;
}

static bool cut(struct reading *r, const struct rows *rows, struct err *err)
{
	if (r->may_cut && rows->part->shape == SHAPE_MANY)
		return true;
	return err_set(err, E_LIMIT, "%s%.*s: the rows have more than the %llu bytes allowed",
		rows->part->name.n ? "part " : "read", STR_ARG(rows->part->name),
		(unsigned long long)r->c->entry->bytes);
}

static bool fetch(struct reading *r, struct rows *rows, struct lite_stmt *s, const unsigned *places,
	struct err *err)
{
	uint32_t wanted = rows_wanted(r->c, rows->part);

	for (;;) {
		switch (lite_step(s, err)) {
		case LITE_FAILED:
			return false;
		case LITE_DONE:
			return true;
		case LITE_ROW:
			break;
		}
		if (rows->count == wanted) {
			rows->more = true;
			return true;
		}
		if (!keep_row(r, rows, s, places))
			return cut(r, rows, err);
	}
}

static const struct statement *statement_of(const struct call *c, const struct part *part)
{
	return part->page.on && c->cursor ? &part->page.next : &part->statement;
}

static bool read_part(struct reading *r, struct rows *rows, struct err *err)
{
	const struct part *part = rows->part;
	const struct statement *statement = statement_of(r->c, part);
	struct lite_stmt *s = lite_prepare(r->lite, statement->serial, statement->sql, err);
	const unsigned *places = s ? places_of(r, part, statement->serial, s, err) : NULL;
	bool ok;

	if (!places)
		return false;
	if (clock_mono_ms() >= r->c->deadline_ms)
		return err_set(err, E_TIMEOUT, "the deadline passed before the statement began");
	bind_params(r->c, part, statement, s);
	ok = fetch(r, rows, s, places, err);
	/* such as a search expression that does not parse */
	r->refused = !ok && err->code == E_INVALID && !lite_is_broken(r->lite);
	lite_end(s);
	return ok;
}

bool read_rows(
	struct backends *b, struct lite *l, struct call *c, struct rows *rows, struct err *err)
{
	struct reading r = { .b = b, .c = c, .lite = l, .bytes_left = c->entry->bytes };

	return read_part(&r, rows, err);
}

bool rows_fit_shape(struct call *c, const struct rows *rows)
{
	if (rows->part->shape == SHAPE_MANY)
		return true;
	if (rows->more)
		return call_fault(c, INTERNAL, "output_contract",
			S("more than one row where one is declared"));
	if (rows->part->shape == SHAPE_ONE && !rows->count)
		return call_fault(c, NOT_FOUND, "", STR_NONE);
	return true;
}

bool values_fault(struct call *c)
{
	c->fault.details_json = S(
		"{\"faults\":[{\"pointer\":\"\",\"keyword\":\"value\",\"expected\":"
		"\"values the source can work with, such as a search expression that parses\"}]}");
	/* not the database's own words: they quote the values */
	return call_fault(c, VALIDATION_ERROR, "value",
		S("the database could not compute with the values of this call"));
}

static bool part_fault(struct reading *r, const struct err *err)
{
	return r->refused ? values_fault(r->c) : source_fault(r->c, err);
}

static bool read_parts(struct reading *r)
{
	const struct action *action = &r->c->entry->action;
	struct err err;

	if ((r->may_cut || r->rule) && !lite_begin(r->lite, &err))
		return source_fault(r->c, &err);
	if (r->rule && !visible_on(r->lite, r->c))
		return false;
	for (size_t i = 0; i < action->part_count; i++) {
		struct rows *rows = &r->c->rows[i];

		rows_init(rows, &action->parts[i]);
		if (!read_part(r, rows, &err)) {
			if (action->parts[i].name.n)
				err_while(&err, "part %.*s", STR_ARG(action->parts[i].name));
			return part_fault(r, &err);
		}
		if (!rows_fit_shape(r->c, rows))
			return false;
	}
	return true;
}

/* A completion is the first column of the rows, as text. */
static bool done_with_values(struct call *c)
{
	const struct rows *rows = &c->rows[0];
	struct buf text;
	struct jw w;
	/* a value that is masked cannot be typed: it is not proposed at all */
	bool hidden = call_masks(c, &rows->part->columns[0]);
	size_t count = hidden ? 0 : MIN(rows->count, (size_t)VALUES_MAX);

	buf_in(&text, c->arena, VALUES_TEXT_MAX);
	jw_init(&w, &text);
	jw_array(&w);
	for (size_t i = 0; i < count; i++)
		jw_str(&w, rows->cells[i * rows->part->column_count].text);
	jw_array_end(&w);
	if (!buf_ok(&text))
		return call_fault(c, RESULT_TOO_LARGE, "bytes", STR_NONE);
	c->content_json = buf_str(&text);
	c->values_more = !hidden && (rows->more || rows->count > count);
	return call_done(c, CONTENT_VALUES);
}

bool run_read(struct backends *b, struct source *s, struct call *c)
{
	const struct action *action = &c->entry->action;
	struct reading r = {
		.b = b, .c = c, .bytes_left = c->entry->bytes, .may_cut = action->part_count > 1
	};
	struct visit *v;
	struct err err;
	bool ok;

	r.rule = c->entry->visible && c->entry->visible_source == c->entry->source;
	v = visit_begin(s, c->arena, wait_left_ms(c), &err);
	r.lite = v ? visit_lite(v, wait_left_ms(c), &err) : NULL;
	if (!r.lite) {
		if (v)
			visit_end(v);
		return source_fault(c, &err);
	}
	lite_limits(r.lite, c->deadline_ms, call_cancelled, c);
	c->rows = arena_array(c->arena, struct rows, action->part_count);
	ok = read_parts(&r);
	visit_end(v);
	if (!ok)
		return false;
	return c->entry->kind == ENTRY_COMPLETION ? done_with_values(c)
						  : call_done(c, CONTENT_ROWS);
}
