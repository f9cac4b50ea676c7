/* seal - see seal.h.
 *
 * Format: base64url( nonce 12 | ciphertext | tag 16 ).  Additional data: u32 length of purpose,
 * purpose, bound: the length keeps two different pairs from having the same bytes. */
#include "base/seal.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define NONCE_BYTES 12
#define TAG_BYTES 16
#define PLAIN_MAX ((size_t)1 << 20)

static EVP_CIPHER *gcm;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void fetch(void)
{
	gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	bug_on(!gcm);
}

bool seal_init(struct seal *s, struct str key)
{
	pthread_once(&once, fetch);
	return key.n == 32 && secret_set(&s->key, key);
}

void seal_done(struct seal *s)
{
	secret_wipe(&s->key);
}

static void add_context(EVP_CIPHER_CTX *c, bool sealing, struct str purpose, struct str bound)
{
	uint8_t length[4] = { (uint8_t)(purpose.n >> 24), (uint8_t)(purpose.n >> 16),
		(uint8_t)(purpose.n >> 8), (uint8_t)purpose.n };
	struct str part[] = { str_n(length, sizeof length), purpose, bound };
	int n;

	for (size_t i = 0; i < ARRAY_LEN(part); i++) {
		const unsigned char *p = (const unsigned char *)part[i].p;

		if (!part[i].n)
			continue;
		if (sealing)
			bug_on(EVP_EncryptUpdate(c, NULL, &n, p, (int)part[i].n) != 1);
		else
			bug_on(EVP_DecryptUpdate(c, NULL, &n, p, (int)part[i].n) != 1);
	}
}

void seal_write(const struct seal *s, struct str purpose, struct str bound, struct str plain,
	struct buf *out)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	size_t size = NONCE_BYTES + plain.n + TAG_BYTES;
	uint8_t *box = heap_alloc(size);
	int n = 0, last = 0;

	bug_on(!c || s->key.n != 32 || plain.n > PLAIN_MAX);
	random_bytes(box, NONCE_BYTES);
	bug_on(EVP_EncryptInit_ex2(c, gcm, s->key.b, box, NULL) != 1);
	add_context(c, true, purpose, bound);
	if (plain.n)
		bug_on(EVP_EncryptUpdate(c, box + NONCE_BYTES, &n, (const unsigned char *)plain.p,
			       (int)plain.n) != 1);
	bug_on(EVP_EncryptFinal_ex(c, box + NONCE_BYTES + n, &last) != 1);
	bug_on(EVP_CIPHER_CTX_ctrl(
		       c, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, box + NONCE_BYTES + plain.n) != 1);
	base64url_write(out, str_n(box, size));
	heap_free(box);
	EVP_CIPHER_CTX_free(c);
}

static bool open_box(
	const struct seal *s, struct str purpose, struct str bound, struct str box, uint8_t *plain)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	size_t size = box.n - NONCE_BYTES - TAG_BYTES;
	const uint8_t *b = (const uint8_t *)box.p;
	uint8_t tag[TAG_BYTES];
	int n = 0, last = 0;
	bool ok;

	bug_on(!c || s->key.n != 32);
	memcpy(tag, b + NONCE_BYTES + size, TAG_BYTES);
	bug_on(EVP_DecryptInit_ex2(c, gcm, s->key.b, b, NULL) != 1);
	add_context(c, false, purpose, bound);
	ok = !size || EVP_DecryptUpdate(c, plain, &n, b + NONCE_BYTES, (int)size) == 1;
	ok = ok && EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, tag) == 1 &&
	     EVP_DecryptFinal_ex(c, plain + n, &last) == 1;
	EVP_CIPHER_CTX_free(c);
	return ok;
}

bool seal_read(const struct seal *s, struct str purpose, struct str bound, struct str text,
	struct buf *out)
{
	struct buf box;
	uint8_t *plain;
	bool ok = false;

	buf_init(&box, PLAIN_MAX + NONCE_BYTES + TAG_BYTES);
	if (base64url_read(text, &box) && box.n >= NONCE_BYTES + TAG_BYTES) {
		size_t size = box.n - NONCE_BYTES - TAG_BYTES;

		plain = heap_alloc(size);
		ok = open_box(s, purpose, bound, buf_str(&box), plain);
		if (ok)
			buf_add(out, str_n(plain, size));
		wipe(plain, size);
		heap_free(plain);
	}
	buf_done(&box);
	return ok && buf_ok(out);
}
