/* inside - what the files of this room share and nobody else sees. */
#pragma once
#include "base/secret_file.h"
#include "identity/identity.h"
#include "identity/known.h"
#include "identity/signature.h"

bool is_listed(const struct str *list, size_t count, struct str name);

/* Surface, read_only and tenant_foreign. */
void principal_place(const struct config *config, struct principal *p);

/* The keys of a proxy; NULL where they do not stand in a file. */
struct proxy_keys {
	struct secret_file *key, *next;
};

struct identity {
	const struct config *config;
	struct store *store;
	const struct seal *seal;
	struct jwt_verifier *jwt; /* NULL: no issuer is configured */
	struct known *fixed;
	struct known_cache *cache;
	struct proxy_keys *proxies; /* by config->proxies */
};

/* What a verifier needs to know besides what was shown. */
struct moment {
	int64_t wall_us;
	uint64_t boot_ms;
};

/* Each gives *out, which the caller holds, with IDENTITY_OK and nothing else. */
enum identity_verdict key_verify(
	struct identity *i, struct str token, struct moment at, struct known **out);
/* Of a key that decides on plans. */
enum identity_verdict key_verify_approver(
	struct identity *i, struct str token, struct moment at, struct known **out);
/* Of such a key that was shown before: by its id. */
enum identity_verdict key_again_approver(
	struct identity *i, struct str id, struct moment at, struct known **out);
enum identity_verdict key_verify_signed(struct identity *i, const struct credential_shown *shown,
	struct moment at, struct known **out);
enum identity_verdict proxy_verify(struct identity *i, const struct credential_shown *shown,
	struct moment at, struct known **out);
/* That it is not over was seen before. */
enum identity_verdict certificate_verify(
	struct identity *i, const struct certificate_shown *shown, struct known **out);

/* The signer's nonce, once. */
enum identity_verdict signature_take(struct identity *i, struct str signer,
	const struct signature *s, uint32_t max_ms, int64_t wall_us);

/* A complete principal: text copied, grants, binding.  NULL: p does not describe anybody. */
struct known *known_make(const struct config *config, const struct principal *p);
