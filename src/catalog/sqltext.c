/* sqltext - see sqltext.h.
 *
 * One pass over the tokens; struct reading is what is known of the text so far.  Invariants: 1.
 * every token but parameters and semicolons is copied as it stands.  2. a name keeps its first
 * number. */
#include "catalog/sqltext.h"

#include "base/utf8.h"

enum clause { CLAUSE_NONE, CLAUSE_SORT, CLAUSE_LIMIT, CLAUSE_LIMIT_DONE, CLAUSE_OFFSET };

struct reading {
	struct arena *a;
	struct sqltext *out;
	struct buf sql;
	struct str *names;
	struct sqltoken before; /* the last token that was no space */
	struct str word; /* the last word, if it was that token */
	unsigned depth; /* of parentheses */
	enum clause clause;
	unsigned clause_depth;
	bool in_statement;
	size_t *semicolons; /* where they stand in sql */
	size_t semicolon_count;
};

static bool is(struct str word, const char *upper)
{
	return str_eq_ci(word, str_c(upper));
}

static bool after_punct(const struct reading *r, char c)
{
	return r->before.kind == SQLTOKEN_PUNCT && r->before.text.n == 1 &&
	       r->before.text.p[0] == c;
}

/* What stands behind LIMIT: one number or parameter, and then the end, OFFSET or ')'. */
static void limit_saw(struct reading *r, enum sqltext_limit what)
{
	if (r->depth != r->clause_depth || r->clause != CLAUSE_LIMIT)
		what = SQLTEXT_LIMIT_OTHER;
	r->out->limit = what;
	r->clause = CLAUSE_LIMIT_DONE;
}

static void offset_saw(struct reading *r, size_t param)
{
	r->out->offset_param = param;
	r->clause = CLAUSE_NONE;
}

static struct str upper(struct arena *a, struct str word)
{
	char *p = arena_cstr(a, word);

	for (size_t i = 0; i < word.n; i++)
		if (p[i] >= 'a' && p[i] <= 'z')
			p[i] = (char)(p[i] - 'a' + 'A');
	return str_n(p, word.n);
}

static void saw_word(struct reading *r, struct str word)
{
	bool by = is(word, "BY") && (is(r->word, "ORDER") || is(r->word, "GROUP"));

	if (!r->in_statement && !r->out->first_word.n)
		r->out->first_word = upper(r->a, word);
	if (by) {
		if (r->depth == 0 && is(r->word, "ORDER"))
			r->out->order_by = true;
		r->clause = CLAUSE_SORT;
		r->clause_depth = r->depth;
	} else if (is(word, "LIMIT") && r->depth == 0) {
		r->clause = CLAUSE_LIMIT;
		r->clause_depth = 0;
		r->out->limit = SQLTEXT_LIMIT_OTHER;
	} else if (is(word, "OFFSET") && r->depth == 0) {
		r->clause = CLAUSE_OFFSET;
		r->out->offset = true;
	} else if (r->clause == CLAUSE_LIMIT || r->clause == CLAUSE_LIMIT_DONE) {
		limit_saw(r, SQLTEXT_LIMIT_OTHER);
	}
}

static void saw_number(struct reading *r, struct str text)
{
	uint64_t rows;

	if (r->clause == CLAUSE_LIMIT && str_to_u64(text, &rows)) {
		r->out->limit_rows = rows;
		limit_saw(r, SQLTEXT_LIMIT_NUMBER);
	} else if (r->clause == CLAUSE_LIMIT || r->clause == CLAUSE_LIMIT_DONE) {
		limit_saw(r, SQLTEXT_LIMIT_OTHER);
	}
}

static void saw_punct(struct reading *r, struct str text)
{
	char c = text.p[0];

	if (c == '(')
		r->depth++;
	if (c == '*') {
		static const char *const openers[] = { "SELECT", "DISTINCT", "ALL", "RETURNING" };

		r->out->star = r->out->star || after_punct(r, ',') || after_punct(r, '.');
		for (size_t i = 0; i < ARRAY_LEN(openers); i++)
			r->out->star = r->out->star || is(r->word, openers[i]);
	}
	if (c == ')' && r->depth)
		r->depth--;
	if (c == ';') {
		r->semicolons[r->semicolon_count++] = r->sql.n;
		r->in_statement = false;
		r->clause = CLAUSE_NONE;
		return;
	}
	if (r->clause == CLAUSE_SORT && r->depth < r->clause_depth)
		r->clause = CLAUSE_NONE;
	if (r->clause == CLAUSE_LIMIT || r->clause == CLAUSE_LIMIT_DONE)
		limit_saw(r, SQLTEXT_LIMIT_OTHER);
}

static bool saw_param(struct reading *r, struct str name, struct err *err)
{
	struct sqltext *out = r->out;
	size_t i = 0;

	while (i < out->name_count && !str_eq(r->names[i], name))
		i++;
	if (i == SQLTEXT_MAX_PARAMS)
		return err_set(err, E_LIMIT, "more than %d parameters", SQLTEXT_MAX_PARAMS);
	if (i == out->name_count)
		r->names[out->name_count++] = arena_str(r->a, name);
	buf_fmt(&r->sql, "?%zu", i + 1);
	if (r->clause == CLAUSE_SORT && r->depth == r->clause_depth &&
		(is(r->word, "BY") || after_punct(r, ',')))
		out->ordered_by = r->names[i];
	if (r->clause == CLAUSE_LIMIT) {
		out->limit_param = i;
		limit_saw(r, SQLTEXT_LIMIT_PARAM);
	} else if (r->clause == CLAUSE_LIMIT_DONE) {
		limit_saw(r, SQLTEXT_LIMIT_OTHER);
	} else if (r->clause == CLAUSE_OFFSET) {
		offset_saw(r, i);
	}
	return true;
}

static bool saw(struct reading *r, const struct sqltoken *t, struct err *err)
{
	bool semicolon = t->kind == SQLTOKEN_PUNCT && t->text.p[0] == ';';

	if (t->kind == SQLTOKEN_WORD)
		saw_word(r, t->text);
	else if (t->kind == SQLTOKEN_NUMBER)
		saw_number(r, t->text);
	else if (t->kind == SQLTOKEN_PUNCT)
		saw_punct(r, t->text);
	else if (t->kind == SQLTOKEN_PARAM && !saw_param(r, str_from(t->text, 1), err))
		return false;
	else if (t->kind == SQLTOKEN_QUOTED &&
		 (r->clause == CLAUSE_LIMIT || r->clause == CLAUSE_LIMIT_DONE))
		limit_saw(r, SQLTEXT_LIMIT_OTHER);
	if (!semicolon && !r->in_statement) {
		r->in_statement = true;
		r->out->statements++;
	}
	if (t->kind != SQLTOKEN_PARAM)
		buf_add(&r->sql, t->text);
	r->before = *t;
	r->word = t->kind == SQLTOKEN_WORD ? t->text : STR_NONE;
	return true;
}

static struct str finish(struct reading *r)
{
	struct str sql = buf_str(&r->sql);
	size_t from = 0;

	for (size_t i = 0; r->out->statements <= 1 && i < r->semicolon_count; i++)
		r->sql.p[r->semicolons[i]] = ' ';
	while (from < sql.n && str_has(S(" \t\r\n\f"), sql.p[from]))
		from++;
	while (sql.n > from && str_has(S(" \t\r\n\f"), sql.p[sql.n - 1]))
		sql.n--;
	return arena_str(r->a, str_from(sql, from));
}

bool sqltext_read(struct arena *a, struct str text, struct sqltext *out, struct err *err)
{
	struct sqltext found = { 0 };
	struct reading r = { .a = a, .out = &found };
	struct scan in = scan_of(text);
	struct err stop = { 0 };
	struct sqltoken t;

	if (text.n > SQLTEXT_MAX_BYTES)
		return err_set(
			err, E_LIMIT, "a statement of more than %d bytes", SQLTEXT_MAX_BYTES);
	if (!utf8_valid(text) || str_has(text, '\0'))
		return err_set(err, E_INVALID, "bytes that are not UTF-8 text");
	buf_in(&r.sql, a, (size_t)SQLTEXT_MAX_BYTES * 2);
	r.names = arena_array(a, struct str, SQLTEXT_MAX_PARAMS);
	r.semicolons = arena_array(a, size_t, text.n + 1);
	found.offset_param = SIZE_MAX;
	while (sqltoken_next(&in, &t, &stop)) {
		if (t.dialect)
			found.dialect = t.dialect;
		if (t.kind == SQLTOKEN_SPACE)
			buf_add(&r.sql, t.text);
		else if (!saw(&r, &t, err))
			return false;
	}
	if (stop.code != E_NONE) {
		*err = stop;
		return false;
	}
	found.names = r.names;
	found.offset_param = MIN(found.offset_param, found.name_count);
	found.sql = finish(&r);
	*out = found;
	return true;
}
