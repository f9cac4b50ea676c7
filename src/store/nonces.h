/* nonces - which signed requests came already, for all processes that share the store. */
#pragma once
#include "store/store.h"

#define NONCES_MAX 4096 /* of one signer that are still to be remembered */

/* True: never seen, and remembered until until_us.  E_EXISTS: seen before.  E_LIMIT: the signer has
 * NONCES_MAX of them.  What ended a while ago is forgotten. */
bool store_nonce_take(struct store *s, struct str signer, struct str nonce, int64_t until_us,
	int64_t wall_us, struct err *err) must_check;
