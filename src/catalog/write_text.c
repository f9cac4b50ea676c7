/* write_text - see write_text.h. */
#include "catalog/write_text.h"

#include "catalog/sqltext.h"

enum want { WANT_VERB, WANT_TABLE, WANT_WHERE, WANT_END };

struct reading {
	struct write_text *out;
	enum want want;
	unsigned depth; /* of parentheses */
	struct str word; /* the token before, where it was a word */
	bool named; /* the token before was the table's name */
	const char *predicate; /* where it begins */
};

static bool is_word(const struct sqltoken *t, const char *upper)
{
	return t->kind == SQLTOKEN_WORD && str_eq_ci(t->text, str_c(upper));
}

static bool is_punct(const struct sqltoken *t, char c)
{
	return t->kind == SQLTOKEN_PUNCT && t->text.n == 1 && t->text.p[0] == c;
}

/* The name a token may be; in single quotes, too, which SQLite takes for one where it needs one. */
static struct str name_of(const struct sqltoken *t)
{
	if (t->kind == SQLTOKEN_QUOTED && t->text.n > 2)
		return str_sub(t->text, 1, t->text.n - 2);
	return t->kind == SQLTOKEN_WORD ? t->text : STR_NONE;
}

static bool is_text(const struct sqltoken *t)
{
	return t->kind == SQLTOKEN_QUOTED && t->text.p[0] == '\'';
}

static bool is_own(struct str name)
{
	return str_eq_ci(str_sub(name, 0, 8), S("postern_"));
}

static void saw_verb(struct reading *r, const struct sqltoken *t)
{
	static const struct {
		const char *word;
		enum effect_operation verb;
	} verbs[] = { { "INSERT", EFFECT_INSERT }, { "REPLACE", EFFECT_INSERT },
		{ "UPDATE", EFFECT_UPDATE }, { "DELETE", EFFECT_DELETE } };

	if (is_word(t, "SELECT") || is_word(t, "VALUES"))
		r->want = WANT_END;
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (is_word(t, verbs[i].word)) {
			r->out->verb = verbs[i].verb;
			r->want = WANT_TABLE;
		}
}

static void saw_table(struct reading *r, const struct sqltoken *t)
{
	bool conflict = str_eq_ci(r->word, S("OR"));

	if (conflict)
		r->out->conflict = name_of(t);
	if (conflict || is_word(t, "OR") || is_word(t, "INTO") || is_word(t, "FROM"))
		return;
	r->out->table = name_of(t);
	r->out->own = r->out->own || is_own(r->out->table);
	r->named = true;
	r->want = WANT_WHERE;
}

static void saw_rest(struct reading *r, const struct sqltoken *t)
{
	if (r->named && is_punct(t, '.')) {
		r->out->schema = r->out->table;
		r->want = WANT_TABLE;
	} else if (is_word(t, "RETURNING")) {
		r->out->returning = true;
		r->want = WANT_END;
		if (r->predicate)
			r->out->predicate = str_n(r->predicate, (size_t)(t->text.p - r->predicate));
	} else if (is_word(t, "WHERE") && !r->predicate && r->out->verb != EFFECT_INSERT) {
		r->out->where = true;
		r->predicate = t->text.p + t->text.n;
	}
	r->named = false;
}

static void saw(struct reading *r, const struct sqltoken *t)
{
	if (is_punct(t, '('))
		r->depth++;
	if (is_punct(t, ')') && r->depth)
		r->depth--;
	if (!is_text(t) && is_own(name_of(t)))
		r->out->own = true;
	if (r->depth == 0 && r->want == WANT_VERB)
		saw_verb(r, t);
	else if (r->depth == 0 && r->want == WANT_TABLE)
		saw_table(r, t);
	else if (r->depth == 0 && r->want == WANT_WHERE)
		saw_rest(r, t);
	r->word = t->kind == SQLTOKEN_WORD ? t->text : STR_NONE;
}

struct write_text write_text_read(struct str sql)
{
	struct write_text out = { 0 };
	struct reading r = { .out = &out };
	struct scan in = scan_of(sql);
	struct sqltoken t;
	struct err err;

	while (sqltoken_next(&in, &t, &err))
		if (t.kind != SQLTOKEN_SPACE)
			saw(&r, &t);
	if (r.predicate && r.want != WANT_END)
		out.predicate = str_n(r.predicate, (size_t)(sql.p + sql.n - r.predicate));
	return out;
}

bool write_text_is_narrow(const struct write_text *w, struct names names)
{
	struct scan in = scan_of(w->predicate);
	struct sqltoken t;
	struct err err;

	while (sqltoken_next(&in, &t, &err)) {
		if (t.kind == SQLTOKEN_PARAM)
			return true;
		for (size_t i = 0; i < names.count; i++)
			if (!is_text(&t) && str_eq_ci(name_of(&t), names.list[i]))
				return true;
	}
	return false;
}

/* --- expressions --- */

static bool is_one_of(struct str word, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq_ci(word, str_c(list[i])))
			return true;
	return false;
}

static bool is_query(struct str word)
{
	static const char *const words[] = { "SELECT", "VALUES", "WITH", "EXISTS", "RAISE" };

	return is_one_of(word, words, ARRAY_LEN(words));
}

/* In front of a parenthesis; a column may be called so. */
static bool is_over_many(struct str word)
{
	static const char *const words[] = { "AVG", "COUNT", "GROUP_CONCAT", "MAX", "MIN", "SUM",
		"TOTAL", "JSON_GROUP_ARRAY", "JSON_GROUP_OBJECT", "OVER", "FILTER" };

	return is_one_of(word, words, ARRAY_LEN(words));
}

/* before: the token before; after_table: that one is the table's own name. */
static const char *wrong_here(
	const struct sqltoken *t, const struct sqltoken *before, bool before_is_table)
{
	if (is_punct(t, ';'))
		return "a semicolon";
	if (is_punct(t, '.') && !before_is_table && before->kind != SQLTOKEN_NUMBER)
		return "another table";
	if (is_word(before, "IN") && !is_punct(t, '('))
		return "IN without a list in parentheses";
	if (is_punct(t, '(') && is_over_many(name_of(before)))
		return "a function over many rows";
	return t->kind == SQLTOKEN_WORD && is_query(t->text) ? "a query" : NULL;
}

const char *write_text_expression(struct str text, struct str table)
{
	struct sqltoken t, before = { .kind = SQLTOKEN_SPACE };
	struct scan in = scan_of(text);
	unsigned depth = 0;
	struct err err;
	size_t count = 0;

	while (sqltoken_next(&in, &t, &err)) {
		const char *wrong;

		if (t.kind == SQLTOKEN_SPACE && (t.text.p[0] == '-' || t.text.p[0] == '/'))
			return "a comment";
		if (t.kind == SQLTOKEN_SPACE)
			continue;
		wrong = wrong_here(&t, &before, str_eq_ci(name_of(&before), table));
		if (wrong)
			return wrong;
		if (is_punct(&t, ')') && !depth)
			return "a parenthesis that nothing opened";
		depth = depth + is_punct(&t, '(') - is_punct(&t, ')');
		before = t;
		count++;
	}
	if (is_word(&before, "IN"))
		return "IN without a list in parentheses";
	if (depth)
		return "a parenthesis that does not close";
	return count ? NULL : "nothing";
}
