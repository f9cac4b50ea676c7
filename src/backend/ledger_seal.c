/* ledger_seal - see ledger_seal.h. */
#include "backend/ledger_seal.h"

#include "plan/call.h"

#include <stdlib.h>

#define PLAIN_MAX ((size_t)24 << 20)
#define SEALED_MAX ((size_t)48 << 20)

void ledger_hmac(const struct seal *s, const struct str *parts, size_t count, struct sha256 *out)
{
	struct buf text;

	buf_init(&text, PLAIN_MAX);
	for (size_t i = 0; i < count; i++) {
		buf_u64(&text, parts[i].n);
		buf_char(&text, ':');
		buf_add(&text, parts[i]);
	}
	bug_on(!buf_ok(&text));
	hmac_sha256(secret_bytes(&s->key), buf_str(&text), out);
	buf_done(&text);
}

void ledger_hmac_who(const struct seal *s, const struct principal *who, struct sha256 *out)
{
	const struct str parts[] = { S("ledger-who"), who->tenant, who->issuer, who->subject };

	ledger_hmac(s, parts, ARRAY_LEN(parts), out);
}

void ledger_hmac_tenant(const struct seal *s, struct str tenant, struct sha256 *out)
{
	const struct str parts[] = { S("ledger-tenant"), tenant };

	ledger_hmac(s, parts, ARRAY_LEN(parts), out);
}

/* --- records --- */

struct str ledger_table(struct arena *a, struct str table)
{
	struct buf out;

	buf_in(&out, a, table.n + 1);
	for (size_t i = 0; i < table.n; i++) {
		char c = table.p[i];

		buf_char(&out, c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
	}
	return buf_str(&out);
}

static int by_column(const void *a, const void *b)
{
	const struct ledger_key *x = a, *y = b;

	return str_cmp(x->column, y->column);
}

void ledger_hmac_record(const struct seal *s, struct arena *a, struct str table,
	struct ledger_key *key, size_t count, struct sha256 *out)
{
	struct str *parts = arena_array(a, struct str, count * 2 + 2);
	size_t n = 2;

	for (size_t i = 0; i < count; i++)
		key[i].column = ledger_table(a, key[i].column);
	qsort(key, count, sizeof *key, by_column);
	parts[0] = S("ledger-record");
	parts[1] = ledger_table(a, table);
	for (size_t i = 0; i < count; i++) {
		parts[n++] = key[i].column;
		parts[n++] = key[i].value;
	}
	ledger_hmac(s, parts, n, out);
}

void ledger_hmac_effect(const struct seal *s, struct arena *a, const struct effect *e,
	const struct cell *row, struct sha256 *out)
{
	struct ledger_key *key = arena_array(a, struct ledger_key, e->table->column_count + 1);
	size_t count = 0;

	for (size_t i = 0; i < e->table->column_count; i++)
		if (e->table->columns[i].key)
			key[count++] =
				(struct ledger_key){ e->table->columns[i].name, row[i].text };
	ledger_hmac_record(s, a, e->table->name, key, count, out);
}

/* --- sealing --- */

static struct str bound_of(struct arena *a, struct str id, const char *what)
{
	return arena_fmt(a, "%s:%.*s", what, STR_ARG(id));
}

struct str ledger_seal(
	const struct seal *s, struct arena *a, struct str id, const char *what, struct str plain)
{
	struct buf out;

	buf_in(&out, a, SEALED_MAX);
	seal_write(s, S("ledger"), bound_of(a, id, what), plain, &out);
	return buf_ok(&out) ? buf_str(&out) : STR_NONE;
}

bool ledger_unseal(const struct seal *s, struct arena *a, struct str id, const char *what,
	struct str text, struct str *out)
{
	struct buf plain;

	buf_in(&plain, a, PLAIN_MAX);
	if (!seal_read(s, S("ledger"), bound_of(a, id, what), text, &plain))
		return false;
	*out = buf_str(&plain);
	return true;
}
