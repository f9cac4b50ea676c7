/* Names that may reach a listener, and pages that may speak to it. */
#include "base/test.h"
#include "serve/origin.h"

#define PORT 8477

static const struct str hosts[] = { STR_INIT("mcp.acme.example"), STR_INIT("b.example:9000") };
static const struct str origins[] = { STR_INIT("https://app.acme.example"), STR_INIT("null") };

static const struct listen_config loopback = { .loopback = true };
static const struct listen_config loopback_tls = { .loopback = true, .tls = true };
static const struct listen_config listed = { .allowed_hosts = hosts,
	.allowed_host_count = 2,
	.allowed_origins = origins,
	.allowed_origin_count = 2 };
static const struct listen_config closed = { 0 };

static void a_host_is_one_the_listener_answers_to(void **state)
{
	static const struct {
		const struct listen_config *listen;
		uint16_t port;
		const char *host;
		bool allowed;
	} cases[] = {
		{ &loopback, PORT, "127.0.0.1:8477", true },
		{ &loopback, PORT, "localhost:8477", true },
		{ &loopback, PORT, "LocalHost:8477", true },
		{ &loopback, PORT, "[::1]:8477", true },
		{ &loopback, PORT, "127.0.0.1", false },
		{ &loopback, 80, "127.0.0.1", true },
		{ &loopback, 80, "localhost", true },
		{ &loopback, 443, "localhost", false },
		{ &loopback_tls, 443, "localhost", true },
		{ &loopback_tls, 80, "localhost", false },
		{ &loopback, PORT, "127.0.0.1:8478", false },
		{ &loopback, PORT, "127.0.0.1:08477", false },
		{ &loopback, PORT, "127.0.0.1:8477 ", false },
		{ &loopback, PORT, "127.0.0.1:84770", false },
		{ &loopback, PORT, "127.0.0.1:", false },
		{ &loopback, PORT, "127.0.0.1.evil.example:8477", false },
		{ &loopback, PORT, "localhost.evil.example:8477", false },
		{ &loopback, PORT, "evil-localhost:8477", false },
		{ &loopback, PORT, "localhost.:8477", false },
		{ &loopback, PORT, "127.1:8477", false },
		{ &loopback, PORT, "0.0.0.0:8477", false },
		{ &loopback, PORT, "2130706433:8477", false },
		{ &loopback, PORT, "::1:8477", false },
		{ &loopback, PORT, "evil.example", false },
		{ &loopback, PORT, "", false },
		{ &loopback, PORT, ":8477", false },
		{ &listed, PORT, "mcp.acme.example", true },
		{ &listed, PORT, "MCP.acme.example:443", true },
		{ &listed, PORT, "mcp.acme.example:8477", true },
		{ &listed, PORT, "b.example:9000", true },
		{ &listed, PORT, "b.example:9001", false },
		{ &listed, PORT, "b.example", false },
		{ &listed, PORT, "x.mcp.acme.example", false },
		{ &listed, PORT, "mcp.acme.example.evil.example", false },
		{ &listed, PORT, "mcp.acme.example:80:80", false },
		{ &listed, PORT, "mcp.acme.example:8a", false },
		{ &listed, PORT, "127.0.0.1:8477", false },
		{ &listed, PORT, "", false },
		{ &closed, PORT, "127.0.0.1:8477", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (origin_host_allowed(cases[i].listen, cases[i].port, str_c(cases[i].host)) !=
			cases[i].allowed)
			fail_msg("case %zu: %s", i, cases[i].host);
}

static void a_page_is_trusted_by_name_and_scheme(void **state)
{
	static const struct {
		const struct listen_config *listen;
		uint16_t port;
		const char *origin;
		bool allowed, listed;
	} cases[] = {
		{ &loopback, PORT, "http://127.0.0.1:8477", true, false },
		{ &loopback, PORT, "http://localhost:8477", true, false },
		{ &loopback, PORT, "http://[::1]:8477", true, false },
		{ &loopback, 80, "http://localhost", true, false },
		{ &loopback, PORT, "http://localhost", false, false },
		{ &loopback, PORT, "http://localhost:3000", false, false },
		{ &loopback, PORT, "https://localhost:8477", false, false },
		{ &loopback_tls, PORT, "https://localhost:8477", true, false },
		{ &loopback_tls, PORT, "http://localhost:8477", false, false },
		{ &loopback, PORT, "http://localhost:8477/", false, false },
		{ &loopback, PORT, "http://user@localhost:8477", false, false },
		{ &loopback, PORT, "http://localhost:8477.evil.example", false, false },
		{ &loopback, PORT, "http://evil.example", false, false },
		{ &loopback, PORT, "file://", false, false },
		{ &loopback, PORT, "null", false, false },
		{ &loopback, PORT, "", false, false },
		{ &listed, PORT, "https://app.acme.example", true, true },
		{ &listed, PORT, "https://APP.acme.example", true, true },
		{ &listed, PORT, "http://app.acme.example", false, false },
		{ &listed, PORT, "https://app.acme.example:444", false, false },
		{ &listed, PORT, "https://app.acme.example.evil.example", false, false },
		{ &listed, PORT, "https://mcp.acme.example", false, false },
		{ &listed, PORT, "null", false, false }, /* not even when it is listed */
		{ &listed, PORT, "Null", false, false },
		{ &listed, PORT, "", false, false },
		{ &listed, PORT, "http://127.0.0.1:8477", false, false },
		{ &closed, PORT, "http://127.0.0.1:8477", false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str origin = str_c(cases[i].origin);

		if (origin_allowed(cases[i].listen, cases[i].port, origin) != cases[i].allowed ||
			origin_listed(cases[i].listen, origin) != cases[i].listed)
			fail_msg("case %zu: %s", i, cases[i].origin);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_is_one_the_listener_answers_to),
		cmocka_unit_test(a_page_is_trusted_by_name_and_scheme),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
