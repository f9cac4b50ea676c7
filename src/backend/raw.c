/* raw - a statement that its caller wrote: the one thing promise P2 exempts.
 *
 * Invariants: 1. it runs in environment development only, for the one subject that the entry names,
 * on a source whose own marker says development and synthetic; each is asked here again, in every
 * call, whatever was asked before.  2. it is one statement, and a read: the connection is read-only
 * and query_only, and the authorizer refuses ATTACH, PRAGMA and every write.  3. rows, bytes and
 * time have an end.  4. the database's words about it go to its author, without the file's name. */
#include "backend/inside.h"

#include "base/utf8.h"
#include "config/profile.h"
#include "json/write.h"
#include "sql/marker.h"

#define WORDS_MAX 512
#define DETAILS_MAX ((size_t)16 << 10)

struct raw {
	struct call *c;
	struct lite *lite;
	struct lite_stmt *s;
	size_t width;
	struct buf text;
	struct jw w;
};

static bool may_run(struct backends *b, struct call *c)
{
	if (!profile_permits(b->config->environment, PERMIT_RAW_SQL))
		return call_fault(c, PERMISSION_DENIED, "raw_sql",
			S("raw_sql outside development was refused"));
	if (!permission_serves(c->who, c->entry))
		return call_fault(
			c, PERMISSION_DENIED, "raw_sql", S("raw_sql serves another principal"));
	return true;
}

static bool source_agrees(struct raw *r)
{
	struct marker marker;
	struct err err;

	if (!marker_read(r->lite, r->c->arena, &marker, &err))
		return source_fault(r->c, &err);
	if (marker_is(&marker, ENV_DEVELOPMENT) && marker.synthetic)
		return true;
	return call_fault(r->c, UPSTREAM_UNAVAILABLE, "marker",
		S("the source is not marked as development and synthetic"));
}

/* What is wrong with the statement, for its author. */
static bool statement_fault(struct raw *r, const struct err *err)
{
	struct str words = str_sub(lite_words(r->lite), 0, WORDS_MAX);
	struct buf details;
	struct jw w;

	if (err->code == E_DENIED)
		words = S("one statement that only reads, neither attaches nor sets anything, and "
			  "calls neither printf nor format");
	else if (err->code == E_CONTRACT)
		words = S("exactly one statement");
	else if (err->code != E_INVALID)
		return source_fault(r->c, err);
	buf_in(&details, r->c->arena, DETAILS_MAX);
	jw_init(&w, &details);
	jw_object(&w);
	jw_name(&w, S("faults"));
	jw_array(&w);
	jw_object(&w);
	jw_put_str(&w, S("pointer"), S("/sql"));
	jw_put_str(&w, S("keyword"), S("sql"));
	jw_put_str(&w, S("expected"), words);
	jw_object_end(&w);
	jw_array_end(&w);
	jw_object_end(&w);
	r->c->fault.details_json = buf_str(&details);
	return call_fault(r->c, VALIDATION_ERROR, "sql", S("the statement was refused"));
}

static void write_text(struct jw *w, struct arena *a, struct str text, bool blob)
{
	struct buf base64;

	if (!blob && utf8_valid(text)) {
		jw_str(w, text);
		return;
	}
	buf_in(&base64, a, text.n * 2 + 16);
	base64_write(&base64, text);
	jw_str(w, buf_str(&base64));
}

/* Numbers as JSON where JSON can hold them, as strings where it cannot; bytes as base64. */
static void write_value(struct raw *r, unsigned column)
{
	struct str text;
	enum lite_type type = lite_column(r->s, column, r->c->arena, &text);
	int64_t n;

	switch (type) {
	case LITE_NULL:
		jw_null(&r->w);
		break;
	case LITE_INTEGER:
		if (str_to_i64(text, &n) && n <= INT64_C(9007199254740991) &&
			n >= -INT64_C(9007199254740991))
			jw_raw(&r->w, text);
		else
			jw_str(&r->w, text);
		break;
	case LITE_REAL:
		if (ascii_is_digit(text.p[text.n - 1]))
			jw_raw(&r->w, text);
		else
			jw_str(&r->w, text);
		break;
	case LITE_TEXT:
	case LITE_BLOB:
		write_text(&r->w, r->c->arena, text, type == LITE_BLOB);
		break;
	}
}

static void write_columns(struct raw *r, const struct lite_facts *facts)
{
	jw_name(&r->w, S("columns"));
	jw_array(&r->w);
	for (size_t i = 0; i < facts->column_count; i++)
		jw_str(&r->w, facts->columns[i]);
	jw_array_end(&r->w);
	r->width = facts->column_count;
}

/* False: the statement failed; err tells why. */
static bool write_rows(struct raw *r, bool *more_out, struct err *err)
{
	for (;;) {
		enum lite_step step = lite_step(r->s, err);

		if (step == LITE_FAILED)
			return false;
		*more_out = step == LITE_ROW;
		if (step == LITE_DONE || r->c->result_rows == r->c->entry->action.rows)
			return true;
		jw_array(&r->w);
		for (size_t i = 0; i < r->width; i++)
			write_value(r, (unsigned)i);
		jw_array_end(&r->w);
		if (!buf_ok(&r->text))
			return err_set(err, E_LIMIT, "the rows have more than the bytes allowed");
		r->c->result_rows++;
	}
}

static bool run_statement(struct raw *r)
{
	const struct json *sql = args_get(r->c, S("sql"));
	struct lite_facts facts;
	struct err err;
	bool more = false;

	bug_on(!json_is(sql, JSON_STRING));
	r->s = lite_prepare_once(r->lite, sql->text, &err);
	if (!r->s)
		return statement_fault(r, &err);
	buf_in(&r->text, r->c->arena, r->c->entry->bytes);
	jw_init(&r->w, &r->text);
	jw_object(&r->w);
	if (!lite_facts(r->s, r->c->arena, &facts, &err))
		return source_fault(r->c, &err);
	write_columns(r, &facts);
	jw_name(&r->w, S("rows"));
	jw_array(&r->w);
	if (!write_rows(r, &more, &err))
		return statement_fault(r, &err);
	jw_array_end(&r->w);
	jw_put_bool(&r->w, S("truncated"), more);
	jw_object_end(&r->w);
	if (!buf_ok(&r->text))
		return call_fault(r->c, RESULT_TOO_LARGE, "bytes", STR_NONE);
	r->c->content_json = buf_str(&r->text);
	return call_done(r->c, CONTENT_OBJECT);
}

static bool run_inside(struct raw *r)
{
	bool ok;

	lite_limits(r->lite, r->c->deadline_ms, r->c->port->cancelled, r->c->port->ctx);
	ok = source_agrees(r) && run_statement(r);
	if (r->s) /* a call that ended by a jump: when the connection goes back */
		lite_end_once(r->s);
	return ok;
}

bool run_raw(struct backends *b, struct source *s, struct call *c)
{
	struct raw *r = arena_new(c->arena, struct raw);
	struct visit *v;
	struct err err;
	bool ok;

	r->c = c;
	if (!may_run(b, c))
		return false;
	v = visit_begin(s, c->arena, wait_left_ms(c), &err);
	r->lite = v ? visit_lite(v, wait_left_ms(c), &err) : NULL;
	ok = r->lite ? run_inside(r) : source_fault(c, &err);
	if (v)
		visit_end(v);
	return ok;
}
