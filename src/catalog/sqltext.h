/* sqltext - named parameters in SQL text found by a lexer, never by string search.
 *
 * Knows what is not SQL: '…' "…" `…` […] strings and names, -- and nested block comments,
 * $tag$…$tag$ quotes, :: casts, array slices.  Rewrites :name and :a.b to ?1, ?2 … (the same name,
 * the same number).  Says what a grammar-free reader can: statements in the string, a bare `*` in a
 * result list, LIMIT, the first keyword.  Refuses every other kind of parameter (? $x @x #x) and
 * template braces.  Fuzzed: output lexes to the same tokens as input but for parameters and
 * semicolons. */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "base/scan.h"

#define SQLTEXT_MAX_BYTES 65536
#define SQLTEXT_MAX_PARAMS 64

enum sqltext_limit {
	SQLTEXT_NO_LIMIT,
	SQLTEXT_LIMIT_NUMBER, /* limit_rows */
	SQLTEXT_LIMIT_PARAM, /* names[limit_param] */
	SQLTEXT_LIMIT_OTHER, /* an expression, or "LIMIT a, b" */
};

struct sqltext {
	struct str sql; /* rewritten, without semicolons when it is one statement */
	const struct str *names; /* names[i] is ?(i+1) */
	size_t name_count;
	unsigned statements; /* non-empty ones */
	bool star; /* SELECT * or t.* (count(*) is not) */
	bool order_by; /* at the outermost level */
	enum sqltext_limit limit; /* at the outermost level */
	uint64_t limit_rows;
	size_t limit_param;
	bool offset; /* OFFSET at the outermost level … */
	size_t offset_param; /* … of names[offset_param]; name_count when it is not a parameter */
	struct str first_word; /* upper-cased: SELECT, WITH, INSERT, … */
	struct str ordered_by; /* a parameter that stands alone in ORDER BY or GROUP BY */
	const char *dialect; /* NULL, or what SQLite reads otherwise: "a dollar quote" */
};

/* On failure err names what and the offset. */
bool sqltext_read(
	struct arena *a, struct str text, struct sqltext *out, struct err *err) must_check;

enum sqltoken_kind {
	SQLTOKEN_SPACE, /* white space and comments */
	SQLTOKEN_WORD,
	SQLTOKEN_NUMBER,
	SQLTOKEN_QUOTED, /* '…' "…" `…` […] $tag$…$tag$ */
	SQLTOKEN_PARAM, /* :name */
	SQLTOKEN_PUNCT, /* one byte, or :: */
};

struct sqltoken {
	enum sqltoken_kind kind;
	struct str text;
	const char *dialect; /* as in struct sqltext */
};

/* The next token; false at the end of the text (err->code E_NONE) or at what is not SQL.  Tokens
 * laid end to end are the text. */
bool sqltoken_next(struct scan *in, struct sqltoken *out, struct err *err) must_check;
