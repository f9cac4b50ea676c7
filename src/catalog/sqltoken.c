/* sqltoken - cuts SQL text into tokens; see sqltext.h.
 *
 * Invariants: 1. tokens laid end to end are the text.  2. where SQLite and PostgreSQL would
 * disagree about where a quote or comment ends, the token says so (dialect).  3. nothing but :name
 * is a parameter: what SQLite takes for one (?, $x, @x, #x, :1) is refused outside quotes. */
#include "catalog/sqltext.h"

static bool is_word_start(char c)
{
	return ascii_is_alpha(c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_word(char c)
{
	return is_word_start(c) || ascii_is_digit(c) || c == '$';
}

static bool is_param(char c)
{
	return ascii_is_alnum(c) || c == '_';
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static bool is_line(char c)
{
	return c != '\n';
}

static int peek_at(const struct scan *in, size_t n)
{
	return n < scan_left(in) ? (unsigned char)in->at[n] : -1;
}

static bool refuse(const struct scan *in, struct err *err, const char *what)
{
	return err_set(err, E_INVALID, "%s at byte %zu", what, scan_offset(in));
}

/* '…' and its like: the closing quote doubled is one of the text. */
static bool take_quoted(struct scan *in, struct err *err)
{
	struct scan from = *in;
	char quote = *in->at;

	scan_skip(in, 1);
	while (!scan_end(in)) {
		if (!scan_char(in, quote)) {
			scan_skip(in, 1);
			continue;
		}
		if (!scan_char(in, quote))
			return true;
	}
	return refuse(&from, err, "a quote that does not end");
}

static bool take_bracketed(struct scan *in, struct err *err)
{
	struct scan from = *in;
	struct str inner;

	return scan_until(in, ']', &inner) || refuse(&from, err, "a '[' that does not end");
}

static bool take_comment(struct scan *in, const char **dialect, struct err *err)
{
	struct scan from = *in;
	unsigned depth = 0;

	while (!scan_end(in)) {
		if (scan_lit(in, S("/*"))) {
			if (++depth > 1)
				*dialect = "a comment in a comment";
		} else if (scan_lit(in, S("*/"))) {
			if (--depth == 0)
				return true;
		} else {
			scan_skip(in, 1);
		}
	}
	return refuse(&from, err, "a comment that does not end");
}

/* $tag$ … $tag$ */
static bool take_dollar(struct scan *in, struct err *err)
{
	struct scan from = *in;
	struct str tag, rest;
	size_t n = 1, end;

	while (n < scan_left(in) && is_param(in->at[n]) && !(n == 1 && ascii_is_digit(in->at[n])))
		n++;
	if (peek_at(in, n) != '$')
		return refuse(&from, err, "'$': only :name is a parameter,");
	tag = str_n(in->at, n + 1);
	scan_skip(in, tag.n);
	rest = str_n(in->at, scan_left(in));
	end = str_find_str(rest, 0, tag);
	if (end == rest.n)
		return refuse(&from, err, "a dollar quote that does not end");
	scan_skip(in, end + tag.n);
	return true;
}

static bool take_colon(struct scan *in, enum sqltoken_kind *kind, struct err *err)
{
	struct scan from = *in;

	if (scan_lit(in, S("::"))) {
		*kind = SQLTOKEN_PUNCT;
		return true;
	}
	if (peek_at(in, 1) < 0 || !is_param((char)peek_at(in, 1)) ||
		ascii_is_digit((char)peek_at(in, 1)))
		return refuse(&from, err, "':' without a parameter's name");
	*kind = SQLTOKEN_PARAM;
	do {
		scan_skip(in, 1);
		(void)scan_while(in, is_param);
	} while (scan_peek(in) == '.' && peek_at(in, 1) >= 0 && is_param((char)peek_at(in, 1)) &&
		 !ascii_is_digit((char)peek_at(in, 1)));
	if (scan_peek(in) >= 0x80 || scan_peek(in) == '$')
		return refuse(&from, err, "a parameter's name that is not plain ASCII");
	return true;
}

static bool take(struct scan *in, struct sqltoken *t, struct err *err)
{
	char c = *in->at;
	int after = peek_at(in, 1);

	t->kind = SQLTOKEN_SPACE;
	if (is_space(c))
		return scan_while(in, is_space).n > 0;
	if (c == '-' && after == '-')
		return scan_while(in, is_line).n > 0;
	if (c == '/' && after == '*')
		return take_comment(in, &t->dialect, err);
	t->kind = SQLTOKEN_WORD;
	if (is_word_start(c))
		return scan_while(in, is_word).n > 0;
	t->kind = SQLTOKEN_NUMBER;
	if (ascii_is_digit(c))
		return scan_while(in, is_word).n > 0;
	t->kind = SQLTOKEN_QUOTED;
	if (c == '\'' || c == '"' || c == '`')
		return take_quoted(in, err);
	if (c == '[')
		return take_bracketed(in, err);
	if (c == '$') {
		t->dialect = "a dollar quote";
		return take_dollar(in, err);
	}
	if (c == ':')
		return take_colon(in, &t->kind, err);
	if (c == '?' || c == '@' || c == '#')
		return refuse(in, err, "'?', '@' or '#': only :name is a parameter,");
	if (c == '{' || c == '}')
		return refuse(in, err, "a brace: SQL is not a template, bind values with :name,");
	if ((unsigned char)c < 0x20 || c == 0x7f || c == '\\')
		return refuse(in, err, "a control character or backslash");
	t->kind = SQLTOKEN_PUNCT;
	scan_skip(in, 1);
	return true;
}

bool sqltoken_next(struct scan *in, struct sqltoken *out, struct err *err)
{
	struct sqltoken t = { 0 };
	const char *from = in->at;

	err->code = E_NONE;
	if (scan_end(in) || !take(in, &t, err))
		return false;
	t.text = str_n(from, (size_t)(in->at - from));
	*out = t;
	return true;
}
