/* token - see token.h.
 *
 *	p s t n _ d e v _ i i i i i i i i i i i i _ s … (43)
 *	0         5     9                         22
 *
 * Invariants: 1. nothing depends on what the secret is but whether it decodes.
 * 2. decoded bytes are wiped before the function returns.
 * 3. what is read, written again, is the same text. */
#include "identity/token.h"

#include <string.h>

#define ENVIRONMENT_AT 5
#define ID_AT 9
#define SECRET_AT 22
#define SECRET_BYTES 32

static const struct str names[] = {
	[ENV_DEVELOPMENT] = STR_INIT("dev"),
	[ENV_STAGING] = STR_INIT("stg"),
	[ENV_PRODUCTION] = STR_INIT("prd"),
};

static const struct str prefixes[] = {
	[TOKEN_CALLS] = STR_INIT("pstn_"),
	[TOKEN_SIGNS] = STR_INIT("psgn_"),
	[TOKEN_APPROVES] = STR_INIT("psap_"),
};

static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

static bool read_environment(struct str name, enum environment *out)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_eq(name, names[i])) {
			*out = (enum environment)i;
			return true;
		}
	return false;
}

static bool read_use(struct str text, enum token_use *out)
{
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
		if (str_starts(text, prefixes[i])) {
			*out = (enum token_use)i;
			return true;
		}
	return false;
}

static bool read_secret(struct str text, struct sha256 *hash_out)
{
	char space[SECRET_BYTES + 1];
	struct buf secret = { .p = space, .cap = sizeof space, .limit = sizeof space };
	bool ok = base64url_read(text, &secret) && secret.n == SECRET_BYTES;

	if (ok)
		sha256_of(buf_str(&secret), hash_out);
	wipe(space, sizeof space);
	return ok;
}

bool token_read(struct str text, struct token *out)
{
	struct token t;

	if (text.n != TOKEN_BYTES || !read_use(text, &t.use) || text.p[ID_AT - 1] != '_' ||
		text.p[SECRET_AT - 1] != '_')
		return false;
	t.id = str_sub(text, ID_AT, TOKEN_ID_BYTES);
	for (size_t i = 0; i < t.id.n; i++)
		if (!memchr(alphabet, t.id.p[i], sizeof alphabet - 1))
			return false;
	if (!read_environment(str_sub(text, ENVIRONMENT_AT, 3), &t.environment) ||
		!read_secret(str_from(text, SECRET_AT), &t.hash))
		return false;
	*out = t;
	return true;
}

void token_write(struct buf *out, const struct token *t, struct str secret)
{
	bug_on(t->id.n != TOKEN_ID_BYTES || secret.n != SECRET_BYTES);
	buf_add(out, prefixes[t->use]);
	buf_add(out, names[t->environment]);
	buf_char(out, '_');
	buf_add(out, t->id);
	buf_char(out, '_');
	base64url_write(out, secret);
}

void token_make_id(struct buf *out)
{
	uint8_t noise[TOKEN_ID_BYTES];

	random_bytes(noise, sizeof noise);
	for (size_t i = 0; i < sizeof noise; i++)
		buf_char(out, alphabet[noise[i] & 31]);
}
