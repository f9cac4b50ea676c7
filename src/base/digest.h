/* digest - SHA-256, HMAC-SHA-256, CRC-32C, hex, base64, random bytes, constant-time comparison.
 *
 * OpenSSL's algorithms are fetched once, on first use (thread-safe).  RFC 6234, RFC 2104, RFC 3720
 * (CRC-32C), RFC 4648. */
#pragma once
#include "base/buf.h"

#define SHA256_BYTES 32

struct sha256 {
	uint8_t b[SHA256_BYTES];
};

void sha256_of(struct str s, struct sha256 *out);
void hmac_sha256(struct str key, struct str s, struct sha256 *out);
uint32_t crc32c(struct str s);

bool sha256_eq(const struct sha256 *a, const struct sha256 *b); /* constant time */

void hex_write(struct buf *out, struct str bytes); /* lower case */
bool hex_read(struct str hex, struct buf *out) must_check;
void sha256_write(struct buf *out, const struct sha256 *d); /* "sha256:" + 64 hex digits */

void base64_write(struct buf *out, struct str bytes); /* section 4, padded */
void base64url_write(struct buf *out, struct str bytes); /* section 5, unpadded */
/* Strict: alphabet, padding (base64) or none (base64url), and zero trailing bits. */
bool base64_read(struct str text, struct buf *out) must_check;
bool base64url_read(struct str text, struct buf *out) must_check;

void random_bytes(void *out, size_t n); /* never fails: the process ends if the kernel has none */
void wipe(void *p, size_t n); /* not optimised away */

/* secret - bytes that are compared in constant time, wiped, and have no writer. */
struct secret {
	size_t n;
	uint8_t b[128];
};
bool secret_set(struct secret *s, struct str bytes) must_check; /* false: longer than 128 */
struct str secret_bytes(const struct secret *s); /* for crypto calls only */
void secret_wipe(struct secret *s);
