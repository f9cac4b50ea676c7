/* uri_template - see uri_template.h.
 *
 * Invariants: 1. a value never holds what its place in the URI did not show: decoded slashes and
 * dot segments are refused outside {+rest}.  2. matching looks at each byte of the URI a bounded
 * number of times. */
#include "catalog/uri_template.h"

#include "base/buf.h"
#include "base/scan.h"
#include "base/utf8.h"

static bool is_name(char c)
{
	return ascii_is_alnum(c) || c == '_';
}

bool uri_is_template(struct str text)
{
	return str_has(text, '{') || str_has(text, '}');
}

static bool literal_fits(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= 0x20 || s.p[i] == 0x7f || (unsigned char)s.p[i] >= 0x80 ||
			str_has(S("\"<>\\^`{|}#"), s.p[i]))
			return false;
	return true;
}

static bool has_scheme(struct str s)
{
	size_t n = 0;

	while (n < s.n && (ascii_is_alnum(s.p[n]) || (n && str_has(S("+.-"), s.p[n]))))
		n++;
	return n && ascii_is_alpha(s.p[0]) && n < s.n && s.p[n] == ':' && n + 1 < s.n;
}

bool uri_fits(struct str uri)
{
	return uri.n <= URI_MAX_BYTES && has_scheme(uri) && literal_fits(uri);
}

static bool add_var(
	struct uri_template *t, struct str name, enum uri_var_kind kind, struct err *err)
{
	if (!name.n || name.n > 64 || ascii_is_digit(name.p[0]))
		return err_set(err, E_INVALID, "a variable without a name");
	for (size_t i = 0; i < name.n; i++)
		if (!is_name(name.p[i]))
			return err_set(
				err, E_INVALID, "the variable '%.*s' is not a name", STR_ARG(name));
	for (size_t i = 0; i < t->var_count; i++)
		if (str_eq(t->vars[i].name, name))
			return err_set(
				err, E_INVALID, "the variable %.*s is there twice", STR_ARG(name));
	if (t->var_count == URI_TEMPLATE_MAX_VARS)
		return err_set(err, E_LIMIT, "more than %d variables", URI_TEMPLATE_MAX_VARS);
	t->vars[t->var_count++] = (struct uri_var){ name, kind };
	return true;
}

static bool add_query(struct uri_template *t, struct str names, struct err *err)
{
	struct str head, tail;

	while (str_cut(names, ',', &head, &tail)) {
		if (!add_var(t, head, URI_VAR_QUERY, err))
			return false;
		names = tail;
	}
	return add_var(t, names, URI_VAR_QUERY, err);
}

static bool add_expression(struct uri_template *t, struct str inner, struct str rest,
	bool *in_segment, struct err *err)
{
	if (str_starts(inner, S("?"))) {
		if (rest.n)
			return err_set(err, E_INVALID, "text behind {?…}");
		return add_query(t, str_from(inner, 1), err);
	}
	if (*in_segment)
		return err_set(err, E_INVALID, "two variables between slashes");
	*in_segment = true;
	if (!str_starts(inner, S("+")))
		return add_var(t, inner, URI_VAR_SEGMENT, err);
	if (rest.n && !str_starts(rest, S("{?")))
		return err_set(
			err, E_INVALID, "text behind {+…}, which takes the rest of the path");
	return add_var(t, str_from(inner, 1), URI_VAR_REST, err);
}

bool uri_template_read(struct arena *a, struct str text, struct uri_template *out, struct err *err)
{
	struct uri_template t = { .text = arena_str(a, text) };
	struct str rest = t.text, literal, inner, tail;
	bool in_segment = false;

	if (text.n > URI_TEMPLATE_MAX_BYTES)
		return err_set(err, E_LIMIT, "a URI of more than %d bytes", URI_TEMPLATE_MAX_BYTES);
	if (!has_scheme(text))
		return err_set(err, E_INVALID, "no scheme in front, as in \"records://\"");
	while (str_cut(rest, '{', &literal, &tail)) {
		if (!literal_fits(literal))
			return err_set(err, E_INVALID, "a character that no URI has");
		if (str_has(literal, '/'))
			in_segment = false;
		if (str_has(literal, '?'))
			return err_set(err, E_INVALID, "a '?' outside {?…}");
		if (!str_cut(tail, '}', &inner, &rest))
			return err_set(err, E_INVALID, "a '{' that does not end");
		if (!add_expression(&t, inner, rest, &in_segment, err))
			return false;
	}
	if (!literal_fits(rest))
		return err_set(err, E_INVALID, "a character that no URI has");
	if (t.var_count && str_has(rest, '?'))
		return err_set(err, E_INVALID, "a '?' outside {?…}");
	*out = t;
	return true;
}

static int hex_value(char c)
{
	c = ascii_lower(c);
	if (ascii_is_digit(c))
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool decode(struct arena *a, struct str s, struct str *out)
{
	struct buf b;

	buf_in(&b, a, URI_MAX_BYTES);
	for (size_t i = 0; i < s.n; i++) {
		int high, low;

		if (s.p[i] != '%') {
			buf_char(&b, s.p[i]);
			continue;
		}
		if (s.n - i < 3)
			return false;
		high = hex_value(s.p[i + 1]);
		low = hex_value(s.p[i + 2]);
		if (high < 0 || low < 0)
			return false;
		buf_char(&b, (char)(high << 4 | low));
		i += 2;
	}
	*out = arena_str(a, buf_str(&b));
	return utf8_valid(*out) && !str_has(*out, '\0');
}

static bool take_value(const struct uri_var *var, struct arena *a, struct str raw, struct str *out)
{
	if (!decode(a, raw, out))
		return false;
	if (var->kind == URI_VAR_QUERY)
		return true;
	if (!out->n)
		return false;
	if (var->kind == URI_VAR_REST)
		return true;
	return !str_has(*out, '/') && !str_eq(*out, S(".")) && !str_eq(*out, S(".."));
}

static bool match_query(
	const struct uri_template *t, struct arena *a, struct str query, struct str *values)
{
	struct str pair, name, value;

	while (query.n) {
		size_t i = 0;

		if (!str_cut(query, '&', &pair, &query)) {
			pair = query;
			query = STR_NONE;
		}
		if (!str_cut(pair, '=', &name, &value))
			return false;
		while (i < t->var_count &&
			!(t->vars[i].kind == URI_VAR_QUERY && str_eq(t->vars[i].name, name)))
			i++;
		if (i == t->var_count || values[i].p ||
			!take_value(&t->vars[i], a, value, &values[i]))
			return false;
	}
	return true;
}

/* The path of the template against the path of the URI.  A variable ends where the literal text
 * behind it, up to its slash, ends the segment: there is only one such place. */
static bool match_path(
	const struct uri_template *t, struct arena *a, struct str path, struct str *values)
{
	struct str rest = t->text, literal, inner, tail;

	for (size_t i = 0; str_cut(rest, '{', &literal, &tail); i++) {
		const struct uri_var *var = &t->vars[i];
		size_t end, after;

		if (!str_starts(path, literal))
			return false;
		path = str_from(path, literal.n);
		(void)str_cut(tail, '}', &inner, &rest);
		if (str_starts(inner, S("?")))
			return !path.n;
		if (var->kind == URI_VAR_REST)
			return take_value(var, a, path, &values[i]);
		end = str_find(path, 0, '/');
		after = MIN(str_find(rest, 0, '/'), str_find(rest, 0, '{'));
		if (after >= end || !str_ends(str_sub(path, 0, end), str_sub(rest, 0, after)) ||
			!take_value(var, a, str_sub(path, 0, end - after), &values[i]))
			return false;
		path = str_from(path, end - after);
	}
	return str_eq(path, rest);
}

bool uri_template_match(
	const struct uri_template *t, struct arena *a, struct str uri, struct str *values)
{
	struct str path = uri, query = STR_NONE;
	bool has_query;

	for (size_t i = 0; i < t->var_count; i++)
		values[i] = STR_NONE;
	if (!uri_fits(uri))
		return false;
	if (!t->var_count)
		return str_eq(uri, t->text);
	has_query = str_cut(uri, '?', &path, &query);
	if (!uri_fits(path))
		return false; /* what is left of the URI must be one itself */
	if (has_query && t->vars[t->var_count - 1].kind != URI_VAR_QUERY)
		return false;
	return match_path(t, a, path, values) && match_query(t, a, query, values);
}

/* A template's path as a row of elements: a byte, or any run of one kind. */
struct element {
	char byte; /* 0: a run */
	bool slashes; /* the run may hold '/' */
	bool repeats; /* the run goes on (the first element of a run is one byte of it) */
};

static size_t elements_of(const struct uri_template *t, struct element *out)
{
	struct str rest = t->text, literal, inner, tail;
	size_t n = 0;

	while (str_cut(rest, '{', &literal, &tail)) {
		for (size_t i = 0; i < literal.n; i++)
			out[n++].byte = literal.p[i];
		(void)str_cut(tail, '}', &inner, &rest);
		if (str_starts(inner, S("?")))
			return n;
		out[n++] = (struct element){ .slashes = inner.p[0] == '+' };
		out[n++] = (struct element){ .slashes = inner.p[0] == '+', .repeats = true };
	}
	/* a URI without variables may have a query, which is not its path */
	for (size_t i = 0; i < rest.n && rest.p[i] != '?'; i++)
		out[n++].byte = rest.p[i];
	return n;
}

/* Is there a byte that both take? */
static bool meet(const struct element *x, const struct element *y)
{
	if (x->byte && y->byte)
		return x->byte == y->byte;
	if (x->byte)
		return x->byte != '/' || y->slashes;
	if (y->byte)
		return y->byte != '/' || x->slashes;
	return true;
}

struct meeting {
	const struct element *x, *y;
	size_t x_count, y_count;
	bool *reached; /* (x_count + 1) × (y_count + 1) */
};

static void reach(struct meeting *m, size_t i, size_t k)
{
	m->reached[i * (m->y_count + 1) + k] = true;
}

/* From (i, k): a repeating run may end, or both take a byte that they share. */
static void step(struct meeting *m, size_t i, size_t k)
{
	bool x_runs = i < m->x_count && m->x[i].repeats;
	bool y_runs = k < m->y_count && m->y[k].repeats;

	if (x_runs)
		reach(m, i + 1, k);
	if (y_runs)
		reach(m, i, k + 1);
	if (i == m->x_count || k == m->y_count || !meet(&m->x[i], &m->y[k]))
		return;
	if (!x_runs || !y_runs) /* both running on the spot reaches nothing new */
		reach(m, x_runs ? i : i + 1, y_runs ? k : k + 1);
}

bool uri_template_overlap(
	const struct uri_template *x, const struct uri_template *y, struct arena *scratch)
{
	struct element *xs = arena_array(scratch, struct element, x->text.n + 1);
	struct element *ys = arena_array(scratch, struct element, y->text.n + 1);
	struct meeting m = { .x = xs, .y = ys };

	m.x_count = elements_of(x, xs);
	m.y_count = elements_of(y, ys);
	m.reached = arena_array(scratch, bool, (m.x_count + 1) * (m.y_count + 1));
	reach(&m, 0, 0);
	/* every step goes right or down, so one pass in this order sees all */
	for (size_t i = 0; i <= m.x_count; i++)
		for (size_t k = 0; k <= m.y_count; k++)
			if (m.reached[i * (m.y_count + 1) + k])
				step(&m, i, k);
	return m.reached[(m.x_count + 1) * (m.y_count + 1) - 1];
}
