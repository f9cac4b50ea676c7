/* mask_use - see mask_use.h. */
#include "catalog/mask_use.h"

#include "catalog/sqltext.h"

struct sorting {
	const struct column *columns;
	size_t column_count;
	unsigned depth;
	bool inside; /* behind ORDER BY */
	unsigned inside_depth;
	bool first; /* of a term: here a number is a column's number */
	struct str word; /* the word before */
};

static bool ends_clause(struct str word)
{
	static const char *const words[] = { "LIMIT", "UNION", "INTERSECT", "EXCEPT", "ROWS",
		"RANGE", "GROUPS" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_eq_ci(word, str_c(words[i])))
			return true;
	return false;
}

static const struct column *by_name(const struct sorting *s, struct str name)
{
	for (size_t i = 0; i < s->column_count; i++)
		if (s->columns[i].mask.kind != MASK_NONE && str_eq_ci(s->columns[i].name, name))
			return &s->columns[i];
	return NULL;
}

static const struct column *by_number(const struct sorting *s, struct str digits)
{
	uint64_t n;

	if (!s->first || s->depth != s->inside_depth || !str_to_u64(digits, &n) || !n ||
		n > s->column_count || s->columns[n - 1].mask.kind == MASK_NONE)
		return NULL;
	return &s->columns[n - 1];
}

static void saw_punct(struct sorting *s, char c)
{
	if (c == '(')
		s->depth++;
	if (c == ')' && s->depth && --s->depth < s->inside_depth)
		s->inside = false;
}

static const struct column *saw(struct sorting *s, const struct sqltoken *t)
{
	const struct column *found = NULL;
	bool by = t->kind == SQLTOKEN_WORD && str_eq_ci(t->text, S("BY")) &&
		  str_eq_ci(s->word, S("ORDER"));

	if (t->kind == SQLTOKEN_PUNCT)
		saw_punct(s, t->text.p[0]);
	else if (t->kind == SQLTOKEN_WORD && s->inside && ends_clause(t->text))
		s->inside = false;
	else if (t->kind == SQLTOKEN_WORD && s->inside)
		found = by_name(s, t->text);
	else if (t->kind == SQLTOKEN_QUOTED && s->inside && t->text.n > 2)
		found = by_name(s, str_sub(t->text, 1, t->text.n - 2));
	else if (t->kind == SQLTOKEN_NUMBER && s->inside)
		found = by_number(s, t->text);
	if (by) {
		s->inside = true;
		s->inside_depth = s->depth;
	}
	s->first = by || (t->kind == SQLTOKEN_PUNCT && t->text.p[0] == ',');
	s->word = t->kind == SQLTOKEN_WORD ? t->text : STR_NONE;
	return found;
}

const struct column *mask_ordered_by(
	struct str sql, const struct column *columns, size_t column_count)
{
	struct sorting s = { .columns = columns, .column_count = column_count };
	struct scan in = scan_of(sql);
	struct err err = { 0 };
	struct sqltoken t;

	while (sqltoken_next(&in, &t, &err)) {
		const struct column *found = t.kind == SQLTOKEN_SPACE ? NULL : saw(&s, &t);

		if (found)
			return found;
	}
	return NULL;
}
