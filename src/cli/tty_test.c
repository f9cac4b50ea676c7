/* The person at the terminal: what is secret is not echoed, what is not yes is no. */
#include "base/test.h"
#include "cli/terminal_fixture.h"
#include "cli/tty.h"

#include <signal.h>

static int ask_secret(const char *path)
{
	struct secret secret = { 0 };
	struct tty t;
	struct err err;
	bool ok;

	if (!tty_open(&t, path, &err))
		return 3;
	ok = tty_secret(&t, "key: ", &secret, &err) &&
	     str_eq(secret_bytes(&secret), S("the secret"));
	tty_close(&t);
	return ok ? 0 : err.code == E_LIMIT ? 2 : 1;
}

static int ask_to_agree(const char *path)
{
	struct tty t;
	struct err err;
	bool ok;

	if (!tty_open(&t, path, &err))
		return 3;
	ok = tty_agrees(&t, "really? ", "yes");
	tty_close(&t);
	return ok ? 0 : 1;
}

static void a_secret_is_not_echoed(void **state)
{
	struct terminal t;

	(void)state;
	terminal_run(&t, ask_secret);
	terminal_expect(&t, "key: ");
	terminal_type(&t, "  the secret \n");
	assert_int_equal(terminal_end(&t), 0);
	assert_null(strstr(t.seen, "secret"));
	assert_true(terminal_echoes(&t));
	terminal_close(&t);
}

static void what_is_too_long_or_nothing_is_no_secret(void **state)
{
	char long_line[200];
	struct terminal t;

	(void)state;
	memset(long_line, 'x', sizeof long_line);
	memcpy(long_line + sizeof long_line - 2, "\n", 2);
	terminal_run(&t, ask_secret);
	terminal_expect(&t, "key: ");
	terminal_type(&t, long_line);
	assert_int_equal(terminal_end(&t), 2);
	terminal_close(&t);
	terminal_run(&t, ask_secret);
	terminal_expect(&t, "key: ");
	terminal_type(&t, "\x04"); /* the end of what is typed */
	assert_int_equal(terminal_end(&t), 1);
	assert_true(terminal_echoes(&t));
	terminal_close(&t);
}

static void a_signal_leaves_the_terminal_as_it_was(void **state)
{
	struct terminal t;

	(void)state;
	terminal_run(&t, ask_secret);
	terminal_expect(&t, "key: ");
	assert_int_equal(kill(t.child, SIGTERM), 0);
	assert_int_equal(terminal_end(&t), -SIGTERM);
	assert_true(terminal_echoes(&t));
	terminal_close(&t);
}

static void only_the_word_is_yes(void **state)
{
	static const struct {
		const char *typed;
		int status;
	} table[] = { { "yes\n", 0 }, { " yes \n", 0 }, { "y\n", 1 }, { "Yes\n", 1 }, { "\n", 1 },
		{ "yes yes\n", 1 }, { "\x04", 1 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct terminal t;

		terminal_run(&t, ask_to_agree);
		terminal_expect(&t, "really? ");
		terminal_type(&t, table[i].typed);
		if (terminal_end(&t) != table[i].status)
			fail_msg("%s", table[i].typed);
		terminal_close(&t);
	}
}

static void a_file_is_no_terminal(void **state)
{
	struct tty t;
	struct err err;

	(void)state;
	assert_false(tty_open(&t, "/dev/null", &err));
	assert_int_equal(err.code, E_UNAVAILABLE);
	assert_false(tty_open(&t, "/nowhere/tty", &err));
	assert_int_equal(err.code, E_UNAVAILABLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_secret_is_not_echoed),
		cmocka_unit_test(what_is_too_long_or_nothing_is_no_secret),
		cmocka_unit_test(a_signal_leaves_the_terminal_as_it_was),
		cmocka_unit_test(only_the_word_is_yes),
		cmocka_unit_test(a_file_is_no_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
