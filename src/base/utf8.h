/* utf8 - RFC 3629: shortest form, no surrogates, at most U+10FFFF. */
#pragma once
#include "base/buf.h"

bool utf8_valid(struct str s);
size_t utf8_count(struct str s); /* code points; s is valid */
/* Decodes one code point at the front of a valid, non-empty s; sets its length in bytes. */
uint32_t utf8_first(struct str s, size_t *bytes_out);
void utf8_write(struct buf *out, uint32_t code_point); /* a scalar value, not a surrogate */
/* The longest prefix of at most n bytes that does not cut a code point. */
struct str utf8_prefix(struct str s, size_t n);
