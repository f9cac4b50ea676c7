#include "base/hostport.h"
#include "base/test.h"

static void a_host_and_its_port_are_told_apart(void **state)
{
	static const struct {
		const char *text, *name, *host, *port;
	} table[] = {
		{ "127.0.0.1:8477", "127.0.0.1", "127.0.0.1", "8477" },
		{ "[::1]:0", "[::1]", "::1", "0" },
		{ "localhost:65535", "localhost", "localhost", "65535" },
		{ "a:00080", "a", "a", "00080" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct hostport h = { 0 };

		assert_true(hostport_read(str_c(table[i].text), &h));
		assert_str(h.name, table[i].name);
		assert_str(h.host, table[i].host);
		assert_str(h.port, table[i].port);
	}
}

static void what_is_not_a_host_and_a_port_is_refused(void **state)
{
	static const struct str table[] = { STR_INIT(""), STR_INIT(":"), STR_INIT(":80"),
		STR_INIT("a"), STR_INIT("a:"), STR_INIT("a:65536"), STR_INIT("a:000080"),
		STR_INIT("a:+1"), STR_INIT("a:-1"), STR_INIT("a:8 "), STR_INIT("::1:80"),
		STR_INIT("[]:80"), STR_INIT("[:80"), STR_INIT("]:80"), STR_INIT("[::1:80"),
		STR_INIT("::1]:80"), STR_INIT("[::1]"), STR_INIT("a b:80"), STR_INIT("a\0b:80"),
		STR_INIT("a\n:80") };
	struct hostport h = { .port = STR_INIT("untouched") };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (hostport_read(table[i], &h))
			fail_msg("'%.*s' was taken", STR_ARG(table[i]));
	assert_str(h.port, "untouched");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_and_its_port_are_told_apart),
		cmocka_unit_test(what_is_not_a_host_and_a_port_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
