/* digest - see digest.h. */
#include "base/digest.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <string.h>
#include <sys/random.h>

#define HMAC_BLOCK 64

static EVP_MD *sha256_md;
static uint32_t crc_table[256];
static bool crc_instruction; /* the processor has one */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void fetch_all(void)
{
	sha256_md = EVP_MD_fetch(NULL, "SHA256", NULL);
	bug_on(!sha256_md);
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (int k = 0; k < 8; k++)
			c = c & 1 ? (c >> 1) ^ 0x82f63b78u : c >> 1;
		crc_table[i] = c;
	}
#ifdef __x86_64__
	crc_instruction = __builtin_cpu_supports("sse4.2");
#endif
}

void sha256_of(struct str s, struct sha256 *out)
{
	unsigned n = SHA256_BYTES;

	pthread_once(&once, fetch_all);
	bug_on(EVP_Digest(s.p ? s.p : "", s.n, out->b, &n, sha256_md, NULL) != 1);
}

/* The key, filled up with zeros, each byte xor `with`; then s. */
static void padded_sha256(
	const uint8_t key[HMAC_BLOCK], uint8_t with, struct str s, struct sha256 *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t pad[HMAC_BLOCK];
	unsigned n = SHA256_BYTES;

	for (size_t i = 0; i < HMAC_BLOCK; i++)
		pad[i] = key[i] ^ with;
	bug_on(!ctx || EVP_DigestInit_ex(ctx, sha256_md, NULL) != 1 ||
		EVP_DigestUpdate(ctx, pad, sizeof pad) != 1 ||
		EVP_DigestUpdate(ctx, s.p ? s.p : "", s.n) != 1 ||
		EVP_DigestFinal_ex(ctx, out->b, &n) != 1);
	EVP_MD_CTX_free(ctx);
	wipe(pad, sizeof pad);
}

/* RFC 2104 section 2, by hand: OpenSSL's HMAC looks its algorithm up by name in every call, which
 * takes longer than the digest of a short text. */
void hmac_sha256(struct str key, struct str s, struct sha256 *out)
{
	uint8_t block[HMAC_BLOCK] = { 0 };
	struct sha256 short_key, inner;

	pthread_once(&once, fetch_all);
	if (key.n > HMAC_BLOCK) {
		sha256_of(key, &short_key);
		key = str_n(short_key.b, SHA256_BYTES);
	}
	if (key.n)
		memcpy(block, key.p, key.n);
	padded_sha256(block, 0x36, s, &inner);
	padded_sha256(block, 0x5c, str_n(inner.b, SHA256_BYTES), out);
	wipe(block, sizeof block);
}

static uint32_t crc_by_table(uint32_t c, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		c = crc_table[(c ^ (uint8_t)s.p[i]) & 0xff] ^ (c >> 8);
	return c;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t crc_by_instruction(uint32_t c, struct str s)
{
	uint64_t wide = c, eight;

	for (; s.n >= sizeof eight; s = str_from(s, sizeof eight)) {
		memcpy(&eight, s.p, sizeof eight);
		wide = __builtin_ia32_crc32di(wide, eight);
	}
	return crc_by_table((uint32_t)wide, s);
}
#else
#define crc_by_instruction crc_by_table
#endif

uint32_t crc32c(struct str s)
{
	pthread_once(&once, fetch_all);
	return ~(crc_instruction ? crc_by_instruction(~0u, s) : crc_by_table(~0u, s));
}

bool sha256_eq(const struct sha256 *a, const struct sha256 *b)
{
	return CRYPTO_memcmp(a->b, b->b, SHA256_BYTES) == 0;
}

void hex_write(struct buf *out, struct str bytes)
{
	static const char digit[] = "0123456789abcdef";
	char *to = bytes.n ? buf_space(out, 2 * bytes.n) : NULL;

	if (!to)
		return;
	for (size_t i = 0; i < bytes.n; i++) {
		uint8_t b = (uint8_t)bytes.p[i];

		*to++ = digit[b >> 4];
		*to++ = digit[b & 15];
	}
	buf_used(out, 2 * bytes.n);
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool hex_read(struct str hex, struct buf *out)
{
	if (hex.n % 2)
		return false;
	for (size_t i = 0; i < hex.n; i += 2) {
		int high = hex_value(hex.p[i]), low = hex_value(hex.p[i + 1]);

		if (high < 0 || low < 0)
			return false;
		buf_char(out, (char)(high << 4 | low));
	}
	return buf_ok(out);
}

void sha256_write(struct buf *out, const struct sha256 *d)
{
	buf_lit(out, "sha256:");
	hex_write(out, str_n(d->b, SHA256_BYTES));
}

static const char plain_alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void write_64(struct buf *out, struct str in, const char *alphabet, bool pad)
{
	for (size_t i = 0; i < in.n; i += 3) {
		size_t left = in.n - i;
		uint32_t v = (uint32_t)(uint8_t)in.p[i] << 16;

		if (left > 1)
			v |= (uint32_t)(uint8_t)in.p[i + 1] << 8;
		if (left > 2)
			v |= (uint8_t)in.p[i + 2];
		buf_char(out, alphabet[v >> 18]);
		buf_char(out, alphabet[v >> 12 & 63]);
		if (left > 1)
			buf_char(out, alphabet[v >> 6 & 63]);
		else if (pad)
			buf_char(out, '=');
		if (left > 2)
			buf_char(out, alphabet[v & 63]);
		else if (pad)
			buf_char(out, '=');
	}
}

static bool read_64(struct str in, struct buf *out, const char *alphabet)
{
	if (in.n % 4 == 1)
		return false;
	for (size_t i = 0; i < in.n; i += 4) {
		size_t count = MIN(in.n - i, (size_t)4);
		uint32_t v = 0;

		for (size_t k = 0; k < 4; k++) {
			const char *hit = k < count ? memchr(alphabet, in.p[i + k], 64) : alphabet;

			if (!hit)
				return false;
			v = v << 6 | (uint32_t)(hit - alphabet);
		}
		if ((count == 2 && v & 0xffff) || (count == 3 && v & 0xff))
			return false;
		buf_char(out, (char)(v >> 16));
		if (count > 2)
			buf_char(out, (char)(v >> 8));
		if (count > 3)
			buf_char(out, (char)v);
	}
	return buf_ok(out);
}

void base64_write(struct buf *out, struct str bytes)
{
	write_64(out, bytes, plain_alphabet, true);
}

void base64url_write(struct buf *out, struct str bytes)
{
	write_64(out, bytes, url_alphabet, false);
}

bool base64_read(struct str text, struct buf *out)
{
	if (text.n % 4)
		return false;
	for (int i = 0; i < 2 && text.n && text.p[text.n - 1] == '='; i++)
		text.n--;
	return read_64(text, out, plain_alphabet);
}

bool base64url_read(struct str text, struct buf *out)
{
	return read_64(text, out, url_alphabet);
}

void random_bytes(void *out, size_t n)
{
	char *p = out;

	while (n) {
		ssize_t got = getrandom(p, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		bug_on(got <= 0);
		p += got;
		n -= (size_t)got;
	}
}

void wipe(void *p, size_t n)
{
	OPENSSL_cleanse(p, n);
}

bool secret_set(struct secret *s, struct str bytes)
{
	if (bytes.n > sizeof s->b)
		return false;
	secret_wipe(s);
	if (bytes.n)
		memcpy(s->b, bytes.p, bytes.n);
	s->n = bytes.n;
	return true;
}

struct str secret_bytes(const struct secret *s)
{
	return str_n(s->b, s->n);
}

void secret_wipe(struct secret *s)
{
	wipe(s, sizeof *s);
}
