/* token - the written form of an API key: "pstn_ENV_ID_SECRET", 65 characters; of a signing key
 * "psgn_ENV_ID_SECRET", of an approver's "psap_ENV_ID_SECRET", so that nobody takes the one for the
 * other.
 *
 * ENV is dev, stg or prd; ID 12 characters of a-z and 2-7 (60 random bits, public, found in
 * records); SECRET 43 characters, base64url of 32 random bytes.  Every part stands at a fixed
 * place, so '_' in the secret is no question, and a key has exactly one written form. */
#pragma once
#include "base/digest.h"
#include "config/config.h"

#define TOKEN_BYTES 65
#define TOKEN_ID_BYTES 12

enum token_use {
	TOKEN_CALLS,
	TOKEN_SIGNS, /* never to be sent */
	TOKEN_APPROVES, /* shown where plans are decided on, and nowhere else */
};

struct token {
	enum environment environment;
	enum token_use use;
	struct str id; /* points into the text */
	struct sha256 hash; /* of the 32 secret bytes */
};

/* False: not the form of a key.  Says nothing of whether it exists. */
bool token_read(struct str text, struct token *out) must_check;
/* t: environment, use and id (TOKEN_ID_BYTES); secret: 32 bytes. */
void token_write(struct buf *out, const struct token *t, struct str secret);
/* TOKEN_ID_BYTES characters of the id's alphabet from as many random bytes. */
void token_make_id(struct buf *out);
