/* approver - who decides on plans: by credentials that were made for it, and that are accepted
 * nowhere on the MCP wire, as those accepted there never decide anything.
 *
 * A key of `postern key issue --approver`, or a certificate or proxy of the configuration with
 * `approver: true`.  Not remembered between requests: a revoked one is over at once. */
#pragma once
#include "identity/identity.h"

/* As identity_verify, where plans are decided on.  IDENTITY_USE: good, and not for this. */
enum identity_verdict approver_verify(struct identity *i, struct arena *a,
	const struct credential_shown *shown, int64_t wall_us, uint64_t boot_ms,
	struct principal *out);

/* The holder of a key that was verified before, as the store has it now; id: principal.credential.
 * For what stays open between requests: whoever calls this knows that it was shown. */
enum identity_verdict approver_again(
	struct identity *i, struct arena *a, struct str id, int64_t wall_us, struct principal *out);

/* Whose yes it was. */
struct approver_given {
	struct str credential, subject, tenant; /* as principal has them */
	struct str grant; /* what it had to hold; empty: none */
};
/* Does that yes still count: was the credential not taken back, and do its roles hold the grant
 * now?  What cannot be known is no. */
bool approver_still_counts(struct identity *i, const struct approver_given *given);
