/* tenant_lint - a tenant comes from the credential: an argument that is compared with the column
 * which another comparison holds against :principal.tenant is a way around it.
 *
 * Which column that is the statements say themselves: COLUMN = :principal.tenant, either way round,
 * with = == IS or IN (.  An argument called as the column is refused too, whatever it is for. */
#include "catalog/load.h"

/* A column beside a parameter. */
struct compared {
	struct str column, param;
	const struct yaml *at;
	struct compared *next;
};

struct tokens {
	struct sqltoken *list;
	size_t count;
};

/* Without white space.  The text was read before, so that every token is one. */
static struct tokens tokens_of(struct arena *a, struct str sql)
{
	struct scan in = scan_of(sql);
	struct tokens t = { 0 };
	struct sqltoken token;
	struct err err;
	size_t all = 0;

	while (sqltoken_next(&in, &token, &err))
		all++;
	t.list = arena_array(a, struct sqltoken, all + 1);
	in = scan_of(sql);
	while (sqltoken_next(&in, &token, &err))
		if (token.kind != SQLTOKEN_SPACE)
			t.list[t.count++] = token;
	return t;
}

static bool is_punct(const struct tokens *t, size_t at, char c)
{
	return at < t->count && t->list[at].kind == SQLTOKEN_PUNCT && t->list[at].text.p[0] == c;
}

static bool is_word(const struct tokens *t, size_t at, struct str word)
{
	return at < t->count && t->list[at].kind == SQLTOKEN_WORD &&
	       str_eq_ci(t->list[at].text, word);
}

/* The name a token is, without quotes; empty: none. */
static struct str name_at(const struct tokens *t, size_t at)
{
	struct str text;

	if (at >= t->count)
		return STR_NONE;
	text = t->list[at].text;
	if (t->list[at].kind == SQLTOKEN_WORD)
		return text;
	if (t->list[at].kind == SQLTOKEN_QUOTED && text.n > 2 && text.p[0] != '\'')
		return str_sub(text, 1, text.n - 2);
	return STR_NONE;
}

/* COLUMN = :param */
static struct str column_before(const struct tokens *t, size_t param)
{
	size_t at = param;

	if (at && is_punct(t, at - 1, '(') && at > 1 && is_word(t, at - 2, S("IN")))
		at -= 2;
	else if (at && is_word(t, at - 1, S("IS")))
		at--;
	else
		while (at && is_punct(t, at - 1, '='))
			at--;
	return at && at < param ? name_at(t, at - 1) : STR_NONE;
}

/* :param = t.COLUMN */
static struct str column_behind(const struct tokens *t, size_t param)
{
	size_t at = param + 1;

	if (is_word(t, at, S("IS")))
		at++;
	else
		while (is_punct(t, at, '='))
			at++;
	if (at == param + 1)
		return STR_NONE;
	while (is_punct(t, at + 1, '.'))
		at += 2;
	return name_at(t, at);
}

static void note(struct entry_load *el, const struct yaml *at, struct str column, struct str param)
{
	struct compared *c;

	if (!column.n)
		return;
	c = arena_new(el->a, struct compared);
	*c = (struct compared){ column, param, at, el->compared };
	el->compared = c;
}

void tenant_note(struct entry_load *el, const struct yaml *at, struct str sql)
{
	struct tokens t = tokens_of(el->a, sql);

	for (size_t i = 0; i < t.count; i++) {
		struct str param;

		if (t.list[i].kind != SQLTOKEN_PARAM)
			continue;
		param = str_from(t.list[i].text, 1);
		note(el, at, column_before(&t, i), param);
		note(el, at, column_behind(&t, i), param);
	}
}

static void refuse(
	struct entry_load *el, const struct yaml *at, struct str input, struct str column)
{
	entry_refuse(el, at, "sql.tenant_input",
		arena_fmt(el->a, "the argument %.*s stands for %.*s, which holds the tenant",
			STR_ARG(input), STR_ARG(column)),
		S("remove it: the tenant comes from the credential, as :principal.tenant"));
}

static void refuse_inputs(struct entry_load *el, const struct compared *tenant)
{
	for (size_t i = 0; i < el->e->input_count; i++) {
		struct str input = el->inputs[i].name;
		bool called_so = str_eq_ci(input, tenant->column);

		if (called_so)
			refuse(el, tenant->at, input, tenant->column);
		for (const struct compared *c = el->compared; c && !called_so; c = c->next)
			if (str_eq(c->param, input) && str_eq_ci(c->column, tenant->column))
				refuse(el, c->at, input, c->column);
	}
}

void tenant_lint(struct entry_load *el)
{
	for (const struct compared *c = el->compared; c; c = c->next)
		if (str_eq(c->param, S("principal.tenant"))) {
			refuse_inputs(el, c);
			return;
		}
}
