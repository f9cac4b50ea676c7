/* session - legacy sessions without memory: the session is its id.
 *
 * Format: "v1." seal( revision 10 | capability bits 1 | issued_us 8 | nonce 32 hex digits |
 * length 1, client name | length 1, client version ), numbers big-endian.
 *
 * Invariants: 1. an id opens only under the binding of the principal it was made for; it is never
 * proof of who is asking.  2. an id is good for MCP_SESSION_DAYS from its issue. */
#include "mcp/session.h"

#include "base/digest.h"
#include "base/scan.h"
#include "base/utf8.h"
#include "mcp/refuse.h"

#define PREFIX "v1."
#define PURPOSE "mcp-session"
#define NAME_MAX ((size_t)64)
#define NONCE_BYTES 16
#define NONCE_DIGITS ((size_t)32)
#define ID_MAX ((size_t)512)
#define PLAIN_MAX ((size_t)256)
#define DAY_US ((int64_t)86400 * 1000000)

enum bit { BIT_FORM = 1, BIT_URL = 2, BIT_SAMPLING = 4, BIT_ROOTS = 8, BIT_UI = 16 };

void mcp_session_begin(struct arena *a, const struct mcp_context *m, enum mcp_revision revision,
	struct mcp_session *out)
{
	uint8_t noise[NONCE_BYTES];
	struct buf nonce;

	random_bytes(noise, sizeof noise);
	buf_in(&nonce, a, NONCE_DIGITS);
	hex_write(&nonce, str_n(noise, sizeof noise));
	*out = (struct mcp_session){
		.on = true, .revision = revision, .issued_us = m->wall_us, .nonce = buf_str(&nonce)
	};
}

static uint8_t bits_of(const struct mcp_capabilities *can)
{
	unsigned bits = 0;

	bits |= can->elicitation_form ? BIT_FORM : 0;
	bits |= can->elicitation_url ? BIT_URL : 0;
	bits |= can->sampling ? BIT_SAMPLING : 0;
	bits |= can->roots ? BIT_ROOTS : 0;
	bits |= can->extensions_ui ? BIT_UI : 0;
	return (uint8_t)bits;
}

static void write_name(struct buf *out, struct str name)
{
	struct str kept = utf8_prefix(name, NAME_MAX);

	buf_char(out, (char)kept.n);
	buf_add(out, kept);
}

struct str mcp_session_make(
	struct arena *a, const struct mcp_context *m, struct mcp_session *session)
{
	struct buf plain, id;

	bug_on(!session->on || session->nonce.n != NONCE_DIGITS);
	buf_in(&plain, a, PLAIN_MAX);
	buf_add(&plain, mcp_revision_info(session->revision)->name);
	buf_char(&plain, (char)bits_of(&session->can));
	for (int shift = 56; shift >= 0; shift -= 8)
		buf_char(&plain, (char)((uint64_t)session->issued_us >> shift));
	buf_add(&plain, session->nonce);
	write_name(&plain, session->client_name);
	write_name(&plain, session->client_version);
	buf_in(&id, a, ID_MAX);
	buf_lit(&id, PREFIX);
	seal_write(m->seal, S(PURPOSE), m->binding, buf_str(&plain), &id);
	bug_on(!buf_ok(&plain) || !buf_ok(&id));
	return buf_str(&id);
}

static bool take(struct scan *s, size_t n, struct str *out)
{
	if (scan_left(s) < n)
		return false;
	*out = str_n(s->at, n);
	scan_skip(s, n);
	return true;
}

static bool take_name(struct scan *s, struct str *out)
{
	struct str length;

	return take(s, 1, &length) && take(s, (unsigned char)length.p[0], out);
}

static uint64_t number_of(struct str bytes)
{
	uint64_t n = 0;

	for (size_t i = 0; i < bytes.n; i++)
		n = n << 8 | (unsigned char)bytes.p[i];
	return n;
}

static bool read_plain(struct str plain, struct mcp_session *out)
{
	struct scan s = scan_of(plain);
	struct str revision, bits, issued;
	unsigned can;

	if (!take(&s, 10, &revision) || !mcp_revision_find(revision, &out->revision) ||
		mcp_revision_info(out->revision)->modern || !take(&s, 1, &bits) ||
		!take(&s, 8, &issued) || !take(&s, NONCE_DIGITS, &out->nonce) ||
		!take_name(&s, &out->client_name) || !take_name(&s, &out->client_version) ||
		!scan_end(&s))
		return false;
	can = (unsigned char)bits.p[0];
	out->can = (struct mcp_capabilities){ .elicitation_form = can & BIT_FORM,
		.elicitation_url = can & BIT_URL,
		.sampling = can & BIT_SAMPLING,
		.roots = can & BIT_ROOTS,
		.extensions_ui = can & BIT_UI };
	out->issued_us = (int64_t)number_of(issued);
	out->on = true;
	return true;
}

bool mcp_session_open(
	struct arena *a, const struct mcp_context *m, struct str id, struct mcp_session *out)
{
	struct mcp_session session = { 0 };
	struct buf plain;

	buf_in(&plain, a, PLAIN_MAX);
	if (id.n > ID_MAX || !str_starts(id, S(PREFIX)) ||
		!seal_read(m->seal, S(PURPOSE), m->binding, str_from(id, S(PREFIX).n), &plain) ||
		!read_plain(buf_str(&plain), &session) ||
		m->wall_us - session.issued_us > MCP_SESSION_DAYS * DAY_US)
		return false;
	*out = session;
	return true;
}

bool mcp_session_of(struct arena *a, const struct mcp_context *m, const struct mcp_headers *h,
	struct mcp_session *out, struct mcp_refusal *why)
{
	struct mcp_session session;
	enum mcp_revision known;

	if (h->doubled)
		return mcp_refuse(why, 400, RPC_INVALID, "header_doubled",
			S("an MCP header was sent more than once"));
	/* any served version may be named: clients exist that name another than the one agreed on.
	 * What counts is what is sealed into the session. */
	if (h->version_given && !mcp_revision_find(str_trim(h->version), &known))
		return mcp_refuse(why, 400, RPC_INVALID, "protocol_version",
			S("MCP-Protocol-Version names no version that is served here"));
	if (!h->session_given)
		return mcp_refuse(why, 400, RPC_INVALID, "no_session",
			S("send initialize first, then Mcp-Session-Id with every message"));
	if (!mcp_session_open(a, m, str_trim(h->session), &session) ||
		(m->ended && m->ended(m->ctx, &session)))
		return mcp_refuse(why, 404, RPC_INVALID, "session",
			S("there is no such session, or it has ended; send initialize again"));
	*out = session;
	return true;
}
