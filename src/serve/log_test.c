/* One line for each event, whatever the values hold. */
#include "base/test.h"
#include "serve/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void values_are_quoted_and_cannot_end_their_line(void **state)
{
	static const struct {
		struct str value;
		const char *written;
	} cases[] = {
		{ STR_INIT("plain-1.2_x:/@+,[]"), "plain-1.2_x:/@+,[]" },
		{ STR_INIT(""), "\"\"" },
		{ STR_INIT("two words"), "\"two words\"" },
		{ STR_INIT("a=b"), "\"a=b\"" },
		{ STR_INIT("say \"hi\" \\ "), "\"say \\\"hi\\\" \\\\ \"" },
		{ STR_INIT("a\nlevel=error\r\t"), "\"a\\x0alevel=error\\x0d\\x09\"" },
		{ STR_INIT("\x1b[2J\x7f"), "\"\\x1b[2J\\x7f\"" },
		{ STR_INIT("a\0b"), "\"a\\x00b\"" },
		{ STR_INIT("\xc3\xa9\xe2\x82\xac"), "\"\xc3\xa9\xe2\x82\xac\"" },
		{ STR_INIT("\xc2\x9b"
			   "2J"),
			"\"\\xc2\\x9b2J\"" }, /* CSI in one character */
		{ STR_INIT("\xc2\xa0"), "\"\xc2\xa0\"" },
		{ STR_INIT("\x9b"
			   "2J"),
			"\"\\x9b2J\"" }, /* not UTF-8 */
		{ STR_INIT("%s%n"), "\"%s%n\"" },
	};
	struct log_text room;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(log_value(&room, cases[i].value), cases[i].written);
}

static void a_long_value_is_clipped_inside_its_quotes(void **state)
{
	static const char *const units[] = { "x", "\n", "\"", "\xe2\x82\xac", "\xff", " " };
	char text[4096];
	struct log_text room;

	(void)state;
	for (size_t u = 0; u < ARRAY_LEN(units); u++)
		for (size_t n = 400; n < 1200; n++) {
			size_t unit = strlen(units[u]);
			const char *written;

			for (size_t i = 0; i < n; i++)
				memcpy(text + i * unit, units[u], unit);
			written = log_value(&room, str_n(text, n * unit));
			assert_ptr_equal(written, room.c);
			assert_true(strlen(written) < sizeof room.c);
			assert_null(strchr(written, '\n'));
			if (written[0] == '"')
				assert_int_equal(written[strlen(written) - 1], '"');
		}
}

/* What goes to standard error while `say` runs. */
static struct str caught(void (*say)(void))
{
	static char text[8192];
	int ends[2], before = dup(STDERR_FILENO);
	ssize_t n;

	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	say();
	dup2(before, STDERR_FILENO);
	close(before);
	close(ends[1]);
	n = read(ends[0], text, sizeof text);
	close(ends[0]);
	return str_n(text, n > 0 ? (size_t)n : 0);
}

static void say_one(void)
{
	log_warn("call_failed", "call=%s n=%d", "01X", 5);
}

static void say_much(void)
{
	static char text[5000];

	memset(text, 'x', sizeof text - 1);
	log_error("event", "text=%s", text);
}

static void an_event_is_one_line_with_time_level_and_name(void **state)
{
	struct str line = caught(say_one);

	(void)state;
	assert_true(line.n > 28 && line.p[26] == 'Z');
	assert_str(str_from(line, 28), "warn call_failed call=01X n=5\n");
}

static void a_line_that_is_too_long_still_ends(void **state)
{
	struct str line = caught(say_much);

	(void)state;
	assert_true(line.n > 1000 && line.n <= 2048);
	assert_int_equal(str_find(line, 0, '\n'), line.n - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_quoted_and_cannot_end_their_line),
		cmocka_unit_test(a_long_value_is_clipped_inside_its_quotes),
		cmocka_unit_test(an_event_is_one_line_with_time_level_and_name),
		cmocka_unit_test(a_line_that_is_too_long_still_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
