/* keys - API keys of the store: sent as a token, or signing.
 *
 * Invariants: 1. secrets and hashes are compared in constant time, also where there is no key: what
 * is done does not say whether it exists.  2. first of all that it is their key: nobody else learns
 * what became of it.  3. a signing key is never a token, nor a token's key a signer; an approver's
 * key is neither.  4. any doubt is not IDENTITY_OK. */
#include "identity/inside.h"
#include "identity/token.h"
#include "store/nonces.h"

#include <string.h>

#define ROW_BYTES ((size_t)64 << 10)
#define SECRET_BYTES 32
#define SEAL_PURPOSE "signing-key"

/* NULL: the row does not describe anybody. */
static struct known *known_of(const struct config *config, const struct key_row *row)
{
	struct known *k = known_new();

	if (principal_of_key(config, &k->arena, row, &k->principal))
		return k;
	known_drop(k);
	return NULL;
}

/* What became of a key whose secret was shown. */
static enum identity_verdict judge(
	const struct config *config, const struct key_row *row, int64_t wall_us)
{
	if (!str_eq(row->environment, str_c(environment_name(config->environment))))
		return IDENTITY_ENVIRONMENT;
	if (row->revoked_us)
		return IDENTITY_REVOKED;
	if (row->expires_us && wall_us >= row->expires_us)
		return IDENTITY_EXPIRED;
	return IDENTITY_OK;
}

static void note_use(struct identity *i, const struct key_row *row, int64_t wall_us)
{
	struct err err;

	if (wall_us - row->used_us < STORE_USED_EVERY_US)
		return;
	/* best effort: who may come in does not depend on it */
	(void)!store_key_used(i->store, row->id, wall_us, &err);
}

/* False: the store did not answer.  A key that is not there is a row of zeros. */
static bool read_row(struct identity *i, struct arena *a, struct str id, struct key_row *out)
{
	struct err err;

	if (store_key_get(i->store, a, id, out, &err))
		return true;
	*out = (struct key_row){ 0 };
	return err.code == E_NOT_FOUND;
}

static enum identity_verdict look_up(struct identity *i, struct arena *a, const struct token *t,
	int64_t wall_us, struct known **out)
{
	enum identity_verdict verdict;
	struct key_row row;

	if (!read_row(i, a, t->id, &row))
		return IDENTITY_UNAVAILABLE;
	if (!sha256_eq(&row.hash, &t->hash) || !row.id.n)
		return IDENTITY_UNKNOWN;
	if (row.sealed.n)
		return IDENTITY_USE;
	if (row.approver != (t->use == TOKEN_APPROVES))
		return row.approver ? IDENTITY_APPROVER : IDENTITY_USE;
	verdict = judge(i->config, &row, wall_us);
	if (verdict != IDENTITY_OK)
		return verdict;
	*out = known_of(i->config, &row);
	if (!*out)
		return IDENTITY_UNKNOWN;
	note_use(i, &row, wall_us);
	return IDENTITY_OK;
}

enum identity_verdict key_verify(
	struct identity *i, struct str token, struct moment at, struct known **out)
{
	enum identity_verdict verdict;
	struct sha256 digest;
	struct arena a;
	struct token t;

	if (!token_read(token, &t))
		return IDENTITY_MALFORMED;
	if (t.use != TOKEN_CALLS)
		return t.use == TOKEN_APPROVES ? IDENTITY_APPROVER : IDENTITY_USE;
	if (t.environment != i->config->environment)
		return IDENTITY_ENVIRONMENT;
	sha256_of(token, &digest);
	*out = known_get(i->cache, &digest, at.wall_us, at.boot_ms);
	if (*out)
		return IDENTITY_OK;
	arena_init(&a, ROW_BYTES);
	verdict = look_up(i, &a, &t, at.wall_us, out);
	arena_done(&a);
	if (verdict == IDENTITY_OK)
		known_put(i->cache, &digest, at.boot_ms, *out);
	return verdict;
}

enum identity_verdict key_verify_approver(
	struct identity *i, struct str token, struct moment at, struct known **out)
{
	enum identity_verdict verdict;
	struct arena a;
	struct token t;

	if (!token_read(token, &t))
		return IDENTITY_MALFORMED;
	if (t.use != TOKEN_APPROVES)
		return IDENTITY_USE;
	if (t.environment != i->config->environment)
		return IDENTITY_ENVIRONMENT;
	arena_init(&a, ROW_BYTES);
	verdict = look_up(i, &a, &t, at.wall_us, out);
	arena_done(&a);
	return verdict;
}

enum identity_verdict key_again_approver(
	struct identity *i, struct str id, struct moment at, struct known **out)
{
	enum identity_verdict verdict = IDENTITY_USE;
	struct key_row row;
	struct arena a;

	arena_init(&a, ROW_BYTES);
	if (!read_row(i, &a, id, &row))
		verdict = IDENTITY_UNAVAILABLE;
	else if (!row.id.n)
		verdict = IDENTITY_UNKNOWN;
	else if (row.approver && !row.sealed.n)
		verdict = judge(i->config, &row, at.wall_us);
	if (verdict == IDENTITY_OK) {
		*out = known_of(i->config, &row);
		verdict = *out ? IDENTITY_OK : IDENTITY_UNKNOWN;
	}
	arena_done(&a);
	return verdict;
}

/* --- signing keys --- */

/* The secret of the row, or zeros in its place.  Where there is nothing to open, something of the
 * same length is tried: that takes as long. */
static bool open_secret(
	const struct identity *i, struct arena *a, const struct key_row *row, struct buf *secret)
{
	static const char zeros[SECRET_BYTES];
	static const struct str nothing = STR_INIT("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
						   "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
	struct str sealed = row->sealed.n ? row->sealed : nothing;

	buf_in(secret, a, SECRET_BYTES);
	if (seal_read(i->seal, S(SEAL_PURPOSE), row->id, sealed, secret) &&
		secret->n == SECRET_BYTES)
		return true;
	buf_clear(secret);
	buf_add(secret, str_n(zeros, sizeof zeros));
	return false;
}

static enum identity_verdict check_signature(const struct identity *i, struct arena *a,
	const struct key_row *row, const struct signature *s, const struct credential_shown *shown)
{
	struct buf secret;
	bool there = open_secret(i, a, row, &secret);
	bool fits = signature_fits(buf_str(&secret), s, shown);

	wipe(secret.p, secret.n);
	if (!row->id.n)
		return IDENTITY_UNKNOWN;
	if (!row->sealed.n)
		return IDENTITY_USE;
	if (!there)
		return IDENTITY_UNAVAILABLE; /* another deployment's seal key */
	return fits ? IDENTITY_OK : IDENTITY_SIGNATURE;
}

enum identity_verdict signature_take(struct identity *i, struct str signer,
	const struct signature *s, uint32_t max_ms, int64_t wall_us)
{
	int64_t until_us = s->time_s * 1000000 + (int64_t)max_ms * 1000;
	struct err err;

	if (!signature_fresh(s, wall_us, max_ms))
		return IDENTITY_TIME;
	if (store_nonce_take(i->store, signer, s->nonce, until_us, wall_us, &err))
		return IDENTITY_OK;
	return err.code == E_EXISTS  ? IDENTITY_REPLAY
	       : err.code == E_LIMIT ? IDENTITY_CROWDED
				     : IDENTITY_UNAVAILABLE;
}

static enum identity_verdict look_up_signed(struct identity *i, struct arena *a,
	const struct signature *s, const struct credential_shown *shown, int64_t wall_us,
	struct known **out)
{
	enum identity_verdict verdict;
	struct key_row row;

	if (!i->seal || !i->seal->key.n || !read_row(i, a, s->key, &row))
		return IDENTITY_UNAVAILABLE;
	verdict = check_signature(i, a, &row, s, shown);
	if (verdict == IDENTITY_OK)
		verdict = judge(i->config, &row, wall_us);
	if (verdict == IDENTITY_OK)
		verdict = signature_take(i, row.id, s, IDENTITY_SIGNED_MS, wall_us);
	if (verdict != IDENTITY_OK)
		return verdict;
	*out = known_of(i->config, &row);
	if (!*out)
		return IDENTITY_UNKNOWN;
	note_use(i, &row, wall_us);
	return IDENTITY_OK;
}

enum identity_verdict key_verify_signed(struct identity *i, const struct credential_shown *shown,
	struct moment at, struct known **out)
{
	enum identity_verdict verdict;
	struct signature s;
	struct arena a;

	if (!signature_read(shown->signature, &s))
		return IDENTITY_MALFORMED;
	arena_init(&a, ROW_BYTES);
	verdict = look_up_signed(i, &a, &s, shown, at.wall_us, out);
	arena_done(&a);
	return verdict;
}

/* --- making --- */

struct str identity_make_key(struct arena *a, enum environment environment, const struct seal *seal,
	struct key_row *row_out)
{
	struct token t = { .environment = environment,
		.use = seal                ? TOKEN_SIGNS
		       : row_out->approver ? TOKEN_APPROVES
					   : TOKEN_CALLS };
	uint8_t secret[SECRET_BYTES];
	struct buf id, text, sealed;

	buf_in(&id, a, TOKEN_ID_BYTES);
	token_make_id(&id);
	t.id = buf_str(&id);
	random_bytes(secret, sizeof secret);
	buf_in(&text, a, TOKEN_BYTES);
	token_write(&text, &t, str_n(secret, sizeof secret));
	if (seal) {
		buf_in(&sealed, a, 256);
		seal_write(seal, S(SEAL_PURPOSE), t.id, str_n(secret, sizeof secret), &sealed);
		row_out->sealed = buf_str(&sealed);
	}
	row_out->id = t.id;
	row_out->environment = str_c(environment_name(environment));
	sha256_of(str_n(secret, sizeof secret), &row_out->hash);
	wipe(secret, sizeof secret);
	return buf_str(&text);
}
