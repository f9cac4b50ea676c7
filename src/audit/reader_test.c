/* What is in the directory comes out, in order, and what is wrong is told; see reader.h. */
#include "audit/trouble.h"

#include "audit/line.h"
#include "base/digest.h"

#define BOOT_A "01M7Z33SBC222K4HW1S0NW1DFA"
#define BOOT_B "01M7Z33SBC222K4HW1S0NW1DFB"

/* A line as the journal writes it, at second `second`; with LF. */
static void add_line(struct buf *b, unsigned index, unsigned second, const char *more)
{
	size_t start = b->n;

	buf_fmt(b,
		"{\"v\":1,\"i\":%u,\"t\":\"2026-11-21T03:07:%02u.000000Z\",\"m\":1,\"o\":\"o\","
		"\"b\":\"b\",\"e\":\"GAP\"%s",
		index, second, more);
	buf_fmt(b, ",\"crc\":\"%08x\"}\n", (unsigned)crc32c(str_from(buf_str(b), start)));
}

static void write_segment(const struct ground *g, const char *boot, unsigned n, struct str text)
{
	char path[600];
	int fd;

	snprintf(path, sizeof path, "%s/audit-%s-%06u.log", g->path, boot, n);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_int_equal(write(fd, text.p, text.n), text.n);
	close(fd);
}

static void write_lines(const struct ground *g, const char *boot, unsigned n, unsigned first,
	const unsigned *seconds, size_t count)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	for (size_t i = 0; i < count; i++)
		add_line(&b, first + (unsigned)i, seconds[i], "");
	write_segment(g, boot, n, buf_str(&b));
	buf_done(&b);
}

static void expect_seconds(struct audit_reader *r, const char *expected)
{
	char got[200] = "";
	enum audit_read what;
	struct err err = { 0 };
	struct str s;

	while ((what = audit_read_next(r, &s, &err)) == AUDIT_RECORD) {
		struct line line;
		size_t n = strlen(got);

		assert_true(line_read(s, &line));
		snprintf(got + n, sizeof got - n, "%.2s ", line.time.p + 17);
	}
	assert_int_equal(what, AUDIT_END);
	assert_string_equal(got, expected);
}

static void segments_come_in_order_and_the_tail_by_time(void **state)
{
	static const struct {
		size_t count;
		const char *expected;
	} tails[] = {
		{ 1, "09 " },
		{ 3, "07 08 09 " },
		{ 6, "04 05 06 07 08 09 " },
		{ 100, "01 02 03 04 05 06 07 08 09 " },
		{ 0, "" },
	};
	struct ground *g = *state;
	struct audit_reader *r;
	struct err err;

	write_lines(g, BOOT_B, 1, 0, (const unsigned[]){ 2, 4, 7 }, 3);
	write_lines(g, BOOT_A, 2, 3, (const unsigned[]){ 6, 9 }, 2);
	write_lines(g, BOOT_A, 1, 0, (const unsigned[]){ 1, 3, 5 }, 3);
	write_lines(g, BOOT_A, 3, 5, NULL, 0);
	write_lines(g, BOOT_B, 2, 3, (const unsigned[]){ 8 }, 1);
	r = audit_reader_open(str_c(g->path), &err);
	assert_non_null(r);
	expect_seconds(r, "01 03 05 06 09 02 04 07 08 ");
	for (size_t i = 0; i < ARRAY_LEN(tails); i++) {
		assert_true(audit_reader_tail(r, tails[i].count, &err));
		expect_seconds(r, tails[i].expected);
	}
	audit_reader_free(&r);
	assert_null(r);
}

static void segments_above_a_million_come_after(void **state)
{
	struct ground *g = *state;
	struct audit_reader *r;
	struct err err;

	write_lines(g, BOOT_A, 999999, 0, (const unsigned[]){ 1 }, 1);
	write_lines(g, BOOT_A, 1000000, 1, (const unsigned[]){ 2 }, 1);
	r = audit_reader_open(str_c(g->path), &err);
	expect_seconds(r, "01 02 ");
	audit_reader_free(&r);
}

/* Reads all; how it went as letters: r record, x rotten. */
static void expect_course(const struct ground *g, struct str text, const char *expected)
{
	char got[64] = "";
	enum audit_read what;
	struct audit_reader *r;
	struct err err = { 0 };
	struct str line;

	write_segment(g, BOOT_A, 1, text);
	r = audit_reader_open(str_c(g->path), &err);
	while ((what = audit_read_next(r, &line, &err)) != AUDIT_END) {
		assert_int_not_equal(what, AUDIT_FAILED);
		strncat(got, what == AUDIT_RECORD ? "r" : "x", sizeof got - strlen(got) - 1);
	}
	audit_reader_free(&r);
	assert_string_equal(got, expected);
}

static void every_flipped_bit_is_rotten(void **state)
{
	struct ground *g = *state;
	struct line line;
	struct buf b;

	buf_init(&b, 65536);
	add_line(&b, 7, 1, ",\"reason\":\"x\"");
	expect_course(g, buf_str(&b), "r");
	for (size_t i = 0; i < b.n - 1; i++)
		for (int bit = 0; bit < 8; bit++) {
			b.p[i] ^= (char)(1 << bit);
			if (line_read(str_sub(buf_str(&b), 0, b.n - 1), &line))
				fail_msg("bit %d of byte %zu", bit, i);
			b.p[i] ^= (char)(1 << bit);
		}
	buf_done(&b);
}

static void add_bytes(struct buf *b, char c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_char(b, c);
}

static void what_is_wrong_is_told_and_reading_goes_on(void **state)
{
	static const struct {
		char fill;
		size_t before, after; /* bytes of it between and behind two lines */
		const char *expected;
	} cases[] = {
		{ 0, 0, 0, "rr" },
		{ 0, 0, 300000, "rr" }, /* unused space */
		{ 0, 300000, 0, "rxr" }, /* a hole */
		{ 'x', 0, 20, "rr" }, /* a torn tail */
		{ 'x', 0, 65534, "rr" },
		{ 'x', 0, 65535, "rrx" }, /* longer than a line can be */
		{ 'x', 20, 0, "rx" }, /* joined to the line behind it */
		{ 'x', 200000, 0, "rxxxx" },
	};
	struct ground *g = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b;

		buf_init(&b, 1 << 20);
		add_line(&b, 0, 1, "");
		add_bytes(&b, cases[i].fill, cases[i].before);
		add_line(&b, 1, 2, "");
		add_bytes(&b, cases[i].fill, cases[i].after);
		expect_course(g, buf_str(&b), cases[i].expected);
		buf_done(&b);
	}
}

static void a_torn_tail_and_unused_space_are_the_end(void **state)
{
	struct ground *g = *state;
	struct buf b;

	buf_init(&b, 1 << 20);
	add_line(&b, 0, 1, "");
	buf_lit(&b, "{\"v\":1,\"i\":1,\"t\":");
	add_bytes(&b, 0, 200000);
	expect_course(g, buf_str(&b), "r");
	add_line(&b, 2, 1, "");
	expect_course(g, buf_str(&b), "rxr");
	buf_done(&b);
}

static void the_longest_line_is_a_record(void **state)
{
	struct ground *g = *state;

	for (unsigned over = 0; over < 2; over++) {
		char *more = calloc(1, 70000);
		struct buf b, frame;

		buf_init(&frame, 1 << 20);
		add_line(&frame, 0, 1, ",\"x\":\"\"");
		snprintf(more, 70000, ",\"x\":\"%0*d\"", (int)(LINE_MAX_BYTES - frame.n + over), 0);
		buf_init(&b, 1 << 20);
		add_line(&b, 0, 1, more);
		assert_int_equal(b.n, LINE_MAX_BYTES + over);
		expect_course(g, buf_str(&b), over ? "xx" : "r");
		buf_done(&b);
		buf_done(&frame);
		free(more);
	}
}

static void what_is_not_a_segment_is_passed_by(void **state)
{
	struct ground *g = *state;
	char path[600];

	snprintf(path, sizeof path, "%s/notes.txt", g->path);
	close(open(path, O_WRONLY | O_CREAT, 0600));
	expect_course(g, STR_NONE, "");
}

static void a_link_instead_of_a_segment_fails(void **state)
{
	struct ground *g = *state;
	struct audit_reader *r;
	struct err err = { 0 };
	struct str line;
	char path[600];

	snprintf(path, sizeof path, "%s/audit-%s-000001.log", g->path, BOOT_A);
	assert_int_equal(symlink("/dev/zero", path), 0);
	r = audit_reader_open(str_c(g->path), &err);
	assert_int_equal(audit_read_next(r, &line, &err), AUDIT_FAILED);
	assert_int_equal(audit_read_next(r, &line, &err), AUDIT_END);
	assert_false(audit_reader_tail(r, 5, &err));
	audit_reader_free(&r);
}

static void a_directory_that_is_not_there_is_said_to_be_so(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_null(audit_reader_open(S("nowhere/at/all"), &err));
	assert_int_equal(err.code, E_NOT_FOUND);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, ground_setup, ground_teardown)
	const struct CMUnitTest tests[] = {
		TEST(segments_come_in_order_and_the_tail_by_time),
		TEST(segments_above_a_million_come_after),
		TEST(every_flipped_bit_is_rotten),
		TEST(what_is_wrong_is_told_and_reading_goes_on),
		TEST(a_torn_tail_and_unused_space_are_the_end),
		TEST(the_longest_line_is_a_record),
		TEST(what_is_not_a_segment_is_passed_by),
		TEST(a_link_instead_of_a_segment_fails),
		TEST(a_directory_that_is_not_there_is_said_to_be_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
