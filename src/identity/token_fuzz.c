/* Properties: a text is read as a key only when writing it again from its parts gives the same
 * text; a new id is one that is read. */
#include "identity/token.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_new_id(struct str secret)
{
	char id_space[TOKEN_ID_BYTES], text_space[TOKEN_BYTES];
	struct buf id = { .p = id_space, .cap = sizeof id_space, .limit = sizeof id_space };
	struct buf text = { .p = text_space, .cap = sizeof text_space, .limit = sizeof text_space };
	struct token made = { .environment = ENV_STAGING, .use = TOKEN_APPROVES }, t;

	token_make_id(&id);
	made.id = buf_str(&id);
	token_write(&text, &made, secret);
	bug_on(!token_read(buf_str(&text), &t) || !str_eq(t.id, made.id));
	bug_on(t.environment != ENV_STAGING || t.use != TOKEN_APPROVES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char again_space[TOKEN_BYTES + 8], secret_space[40];
	struct buf again = {
		.p = again_space, .cap = sizeof again_space, .limit = sizeof again_space
	};
	struct buf secret = {
		.p = secret_space, .cap = sizeof secret_space, .limit = sizeof secret_space
	};
	struct str text = str_n(data, size);
	struct sha256 hash;
	struct token t;

	if (!token_read(text, &t))
		return 0;
	bug_on(!base64url_read(str_from(text, 22), &secret));
	sha256_of(buf_str(&secret), &hash);
	bug_on(!sha256_eq(&hash, &t.hash));
	token_write(&again, &t, buf_str(&secret));
	bug_on(!str_eq(buf_str(&again), text));
	check_new_id(buf_str(&secret));
	return 0;
}
