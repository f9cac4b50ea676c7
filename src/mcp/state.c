/* state - requestState: what a question carries to the next round (write.h).
 *
 * Format: seal( expiry in microseconds, decimal | ":" | plain ).
 *
 * Invariants: 1. a state opens only for the principal, method, target and arguments it was made
 * for, and before its expiry.  2. it may come back more than once: whoever needs it once must
 * remember. */
#include "mcp/reply.h"

#define PURPOSE "mcp-state"
#define STATE_MAX ((size_t)1 << 20)
#define PLAIN_MAX ((size_t)512 << 10)

/* Length before each text: two different lists never have the same bytes. */
static struct str bound_of(struct arena *a, struct str binding, const struct mcp_request *r,
	struct str target, const struct sha256 *arguments)
{
	struct str parts[] = { binding, r->method_name, target,
		str_n(arguments->b, sizeof arguments->b) };
	struct buf b;

	buf_in(&b, a, STATE_MAX);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		buf_u64(&b, parts[i].n);
		buf_char(&b, ' ');
		buf_add(&b, parts[i]);
	}
	return buf_ok(&b) ? buf_str(&b) : STR_NONE;
}

struct str mcp_state_seal(struct arena *a, const struct seal *seal, struct str binding,
	const struct mcp_request *r, struct str target, const struct sha256 *arguments,
	struct str plain, int64_t expires_us)
{
	struct str bound = bound_of(a, binding, r, target, arguments);
	struct buf box, out;

	bug_on(!bound.n || plain.n > PLAIN_MAX);
	buf_in(&box, a, plain.n + 32);
	buf_i64(&box, expires_us);
	buf_char(&box, ':');
	buf_add(&box, plain);
	buf_in(&out, a, 2 * STATE_MAX);
	seal_write(seal, S(PURPOSE), bound, buf_str(&box), &out);
	return buf_str(&out);
}

bool mcp_state_open(struct arena *a, const struct seal *seal, struct str binding,
	const struct mcp_request *r, struct str target, const struct sha256 *arguments,
	int64_t wall_us, struct str *plain_out)
{
	struct str bound = bound_of(a, binding, r, target, arguments);
	struct str expiry, plain;
	int64_t expires_us;
	struct buf box;

	buf_in(&box, a, STATE_MAX);
	if (!bound.n || !seal_read(seal, S(PURPOSE), bound, r->request_state, &box) ||
		!str_cut(buf_str(&box), ':', &expiry, &plain) || !str_to_i64(expiry, &expires_us) ||
		wall_us >= expires_us)
		return false;
	*plain_out = plain;
	return true;
}
