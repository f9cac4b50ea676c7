/* limits_address - credentials that were refused, by the address they came from.  See limits.h. */
#include "guard/limits_inside.h"

#include <arpa/inet.h>
#include <string.h>

#define ADDRESS_MOST 46

/* One person has as many addresses of a /64 as they like. */
static struct window_key address_key(
	const struct limits *l, const struct limit_rule *rule, struct str address)
{
	char bytes[160], terminated[ADDRESS_MOST + 1] = "";
	struct buf text = { .p = bytes, .cap = sizeof bytes, .limit = sizeof bytes };
	struct in6_addr six;

	memcpy(terminated, address.p, MIN(address.n, (size_t)ADDRESS_MOST));
	buf_fmt(&text, "address %u ", rule->window_ms);
	buf_add(&text, str_n(l->salt, sizeof l->salt));
	if (inet_pton(AF_INET6, terminated, &six) != 1)
		limits_key_part(&text, str_c(terminated));
	else if (IN6_IS_ADDR_V4MAPPED(&six))
		buf_fmt(&text, "%u.%u.%u.%u", six.s6_addr[12], six.s6_addr[13], six.s6_addr[14],
			six.s6_addr[15]);
	else
		buf_add(&text, str_n(six.s6_addr, 8));
	return limits_key_end(&text);
}

/* Where there is no room for an address, nothing counts against it: nobody is kept out for what
 * others did. */
static enum windows_verdict ask_address(struct limits *l, const struct limit_rule *rule,
	struct str address, uint64_t boot_ms, bool look, uint32_t *wait_ms_out)
{
	struct window_ask one = { .key = address_key(l, rule, address),
		.most = rule->most,
		.window_ms = rule->window_ms,
		.cost = 1 };
	const struct windows_ask ask = { .windows = &one, .window_count = 1, .look = look };
	struct windows_answer answer = { 0 };
	enum windows_verdict v;
	struct err err;

	v = windows_take(l->addresses, &ask, boot_ms, &answer, &err);
	*wait_ms_out = v == WINDOWS_FULL ? MAX(answer.wait_ms, 1u) : LIMITS_RETRY_MS;
	return v;
}

bool limits_address_free(struct limits *l, const struct limit_rule *rule, struct str address,
	uint64_t boot_ms, uint32_t *wait_ms_out)
{
	return ask_address(l, rule, address, boot_ms, true, wait_ms_out) != WINDOWS_FULL;
}

void limits_address_failed(
	struct limits *l, const struct limit_rule *rule, struct str address, uint64_t boot_ms)
{
	uint32_t wait_ms;

	(void)ask_address(l, rule, address, boot_ms, false, &wait_ms);
}
