/* Property: what is read as a signature, written again from its parts and read, has the same parts;
 * and it fits only what it was made for. */
#include "identity/signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write(struct buf *out, const struct signature *s)
{
	buf_fmt(out, "key=%.*s, time=%.*s, nonce=%.*s, signature=", STR_ARG(s->key),
		STR_ARG(s->time), STR_ARG(s->nonce));
	base64url_write(out, str_n(s->mac.b, SHA256_BYTES));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct credential_shown shown = { .request = {
							S("POST"), S("/mcp"), STR_NONE, S("{}") } };
	struct signature s, again;
	struct buf text;

	if (!signature_read(str_n(data, size), &s))
		return 0;
	buf_init(&text, 512);
	write(&text, &s);
	bug_on(!buf_ok(&text) || !signature_read(buf_str(&text), &again));
	bug_on(!str_eq(s.key, again.key) || !str_eq(s.nonce, again.nonce) ||
		!str_eq(s.time, again.time) || s.time_s != again.time_s ||
		!sha256_eq(&s.mac, &again.mac));
	signature_of(S("secret"), &again, &shown, &again.mac);
	bug_on(!signature_fits(S("secret"), &again, &shown));
	bug_on(signature_fits(S("secreT"), &again, &shown));
	buf_done(&text);
	return 0;
}
