/* signature - see signature.h.
 *
 * Invariants: 1. what is read, written again, is the same text but for blanks behind commas.
 * 2. the MAC is computed over what was received, whether or not the key exists, and compared in
 * constant time.  3. time is compared without overflow: it has at most TIME_DIGITS digits. */
#include "identity/signature.h"

#define NAME_MAX_BYTES 64
#define NONCE_MIN_BYTES 16
#define NONCE_MAX_BYTES 64
#define TIME_DIGITS 12
#define MAC_CHARACTERS 43
#define LINES_MAX_BYTES ((size_t)64 << 10) /* far above the longest request line and header */

static bool is_nonce(char c)
{
	return ascii_is_alnum(c) || c == '_' || c == '-';
}

static bool is_name(char c)
{
	return is_nonce(c) || c == '.';
}

/* "NAME=" and what follows of the kind, up to a comma or the end. */
static bool read_field(struct str *rest, struct str name, bool (*fits)(char c), struct str *out)
{
	struct str head = *rest, tail = STR_NONE;

	if (str_cut(*rest, ',', &head, &tail))
		tail = str_trim(tail);
	if (!str_starts(head, name))
		return false;
	*out = str_from(head, name.n);
	*rest = tail;
	for (size_t i = 0; i < out->n; i++)
		if (!fits(out->p[i]))
			return false;
	return out->n > 0;
}

static bool read_time(struct str text, int64_t *out)
{
	/* one written form: no zeros in front */
	return text.n <= TIME_DIGITS && text.p[0] != '0' && str_to_i64(text, out);
}

static bool read_mac(struct str text, struct sha256 *out)
{
	struct buf mac = { .p = (char *)out->b, .cap = SHA256_BYTES, .limit = SHA256_BYTES };

	return text.n == MAC_CHARACTERS && base64url_read(text, &mac) && mac.n == SHA256_BYTES;
}

bool signature_read(struct str text, struct signature *out)
{
	struct signature s = { 0 };
	struct str mac = STR_NONE, rest = text;
	size_t commas = 0;

	for (size_t i = 0; i < text.n; i++)
		commas += text.p[i] == ',';
	if (commas != 3 || !read_field(&rest, S("key="), is_name, &s.key) ||
		!read_field(&rest, S("time="), ascii_is_digit, &s.time) ||
		!read_field(&rest, S("nonce="), is_nonce, &s.nonce) ||
		!read_field(&rest, S("signature="), is_nonce, &mac))
		return false;
	if (s.key.n > NAME_MAX_BYTES || s.nonce.n < NONCE_MIN_BYTES ||
		s.nonce.n > NONCE_MAX_BYTES || !read_time(s.time, &s.time_s) ||
		!read_mac(mac, &s.mac))
		return false;
	*out = s;
	return true;
}

static void write_lines(
	struct buf *out, const struct signature *s, const struct credential_shown *shown)
{
	const struct request_shown *r = &shown->request;
	struct sha256 body;

	sha256_of(r->body, &body);
	buf_lit(out, "postern-hmac-sha256-v1\n");
	buf_add(out, s->key);
	buf_char(out, '\n');
	buf_add(out, r->method);
	buf_char(out, '\n');
	buf_add(out, r->path);
	if (r->query.n) {
		buf_char(out, '?');
		buf_add(out, r->query);
	}
	buf_char(out, '\n');
	hex_write(out, str_n(body.b, SHA256_BYTES));
	buf_char(out, '\n');
	buf_add(out, s->time);
	buf_char(out, '\n');
	buf_add(out, s->nonce);
	buf_char(out, '\n');
	buf_add(out, shown->identity);
}

void signature_of(struct str secret, const struct signature *s,
	const struct credential_shown *shown, struct sha256 *out)
{
	struct buf lines;

	buf_init(&lines, LINES_MAX_BYTES);
	write_lines(&lines, s, shown);
	bug_on(!buf_ok(&lines)); /* http_parse bounds what they are made of */
	hmac_sha256(secret, buf_str(&lines), out);
	buf_done(&lines);
}

bool signature_fits(
	struct str secret, const struct signature *s, const struct credential_shown *shown)
{
	struct sha256 mac;

	signature_of(secret, s, shown, &mac);
	return sha256_eq(&mac, &s->mac);
}

bool signature_fresh(const struct signature *s, int64_t wall_us, uint32_t max_ms)
{
	int64_t apart_ms = wall_us / 1000 - s->time_s * 1000;

	return apart_ms <= (int64_t)max_ms && apart_ms >= -(int64_t)max_ms;
}
