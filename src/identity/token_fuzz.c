/* Property: a text is read as a key only when writing it again from its parts gives the same text.
 */
#include "identity/token.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
	token_write(&again, t.environment, t.id, buf_str(&secret));
	bug_on(!str_eq(buf_str(&again), text));
	return 0;
}
