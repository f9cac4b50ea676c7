/* test/vectors/plan.json holds plans, the text under their digest, and the digest.  This test makes
 * the file from plans made by hand and compares; test/e2e/plan_vectors_test.mjs reads the file and
 * comes to the same digests by doc/plan-format.md alone.
 *
 * After a change that is meant: POSTERN_VECTORS=write, and look at the difference. */
#include "base/err.h"
#include "base/file.h"
#include "base/test.h"
#include "json/write.h"
#include "plan/plan_fixture.h"

#include <stdio.h>
#include <stdlib.h>

static struct arena arena;

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, (size_t)64 << 20);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

#define ADD(step, table, before, after)                                                            \
	fx_add(&p->steps[step].effects, &arena, table, before, after)
#define TABLE(name, columns) fx_table(&arena, name, columns)

static void one_update(struct plan *p)
{
	const struct effect_table *t = TABLE("contracts", "id! signatory_id status-");

	ADD(0, t, FX_ROW(FX_TEXT("ctr_1"), FX_TEXT("per_1"), FX_TEXT("active")),
		FX_ROW(FX_TEXT("ctr_1"), FX_TEXT("per_2"), FX_TEXT("active")));
}

static void nothing_changes(struct plan *p)
{
	p->deployment = p->environment = p->source = p->database = STR_NONE;
	p->who = (struct plan_who){ .kind = PRINCIPAL_AGENT };
	p->steps[0].tool = STR_NONE;
	p->steps[0].version = 0;
	p->steps[0].arguments = S("{}");
	p->role = S("t_support_write");
}

static void unicode(struct plan *p)
{
	const struct effect_table *t = TABLE("stra\xc3\x9f"
					     "en",
		"id! \xf0\x9f\x92\xa9 \xef\xbc\xa1");

	p->who.subject = S("j\xc3\xb6rg \xf0\x9f\x99\x82");
	p->steps[0].arguments =
		S("{\"\xf0\x9f\x92\xa9\":\"\xe2\x80\xa8\",\"\xef\xbc\xa1\":[\"\\u0001\"]}");
	ADD(0, t, NULL,
		FX_ROW(FX_TEXT("\xe2\x80\xa8\xe2\x80\xa9"), FX_TEXT("\"\\/\b\f\n\r\t\x01\x7f\0"),
			FX_TEXT("\xe2\x80\xae"
				"abc\xf3\xa0\x81\x81")));
	ADD(0, t, NULL,
		FX_ROW(FX_TEXT("\xff\xfe"), FX_TEXT("\xed\xa0\x80"), FX_BLOB("\xff\0\x01")));
	ADD(0, t, NULL, FX_ROW(FX_TEXT("\xf0\x9f\x92\xa9"), FX_NULL, FX_BLOB("")));
	ADD(0, t, NULL, FX_ROW(FX_TEXT("\xef\xbc\xa1"), FX_NULL, FX_TEXT("")));
}

static void types(struct plan *p)
{
	const struct effect_table *t = TABLE("t", "id! v");

	ADD(0, t, NULL, FX_ROW(FX_INT("1"), FX_NULL));
	ADD(0, t, NULL, FX_ROW(FX_INT("2"), FX_TEXT("")));
	ADD(0, t, NULL, FX_ROW(FX_INT("3"), FX_TEXT("1")));
	ADD(0, t, NULL, FX_ROW(FX_INT("4"), FX_INT("1")));
	ADD(0, t, NULL, FX_ROW(FX_INT("5"), FX_REAL("1.0")));
	ADD(0, t, NULL, FX_ROW(FX_INT("6"), FX_BLOB("1")));
	ADD(0, t, NULL, FX_ROW(FX_INT("7"), FX_REAL("0.1")));
	ADD(0, t, NULL, FX_ROW(FX_INT("8"), FX_REAL("-0.0")));
	ADD(0, t, NULL, FX_ROW(FX_INT("9"), FX_REAL("1e+300")));
	ADD(0, t, NULL, FX_ROW(FX_INT("10"), FX_INT("9223372036854775807")));
	ADD(0, t, NULL, FX_ROW(FX_INT("-10"), FX_INT("-9223372036854775808")));
	ADD(0, t, NULL, FX_ROW(FX_INT("100"), FX_TEXT("NULL")));
}

static void new_keys_and_references(struct plan *p)
{
	const struct effect_table *invoices = TABLE("invoices", "id!? customer cents"),
				  *lines = TABLE("lines", "id!? invoice>invoices cents"),
				  *latest = TABLE("latest", "customer! invoice>invoices");

	ADD(0, invoices, NULL, FX_ROW(FX_INT("41"), FX_TEXT("cus_2"), FX_INT("300")));
	ADD(0, invoices, NULL, FX_ROW(FX_INT("42"), FX_TEXT("cus_1"), FX_INT("41")));
	ADD(0, lines, NULL, FX_ROW(FX_INT("9"), FX_INT("41"), FX_INT("100")));
	ADD(0, lines, NULL, FX_ROW(FX_INT("10"), FX_INT("41"), FX_INT("200")));
	ADD(0, lines, NULL, FX_ROW(FX_INT("11"), FX_INT("42"), FX_INT("41")));
	ADD(0, lines, NULL, FX_ROW(FX_INT("12"), FX_INT("7"), FX_INT("41")));
	ADD(0, latest, FX_ROW(FX_TEXT("cus_2"), FX_INT("7")),
		FX_ROW(FX_TEXT("cus_2"), FX_INT("41")));
}

static void a_reference_inside_the_table(struct plan *p)
{
	const struct effect_table *t = TABLE("folders", "id!? parent>folders name");

	ADD(0, t, NULL, FX_ROW(FX_TEXT("u-3"), FX_TEXT("u-0"), FX_TEXT("root")));
	ADD(0, t, NULL, FX_ROW(FX_TEXT("u-1"), FX_TEXT("u-3"), FX_TEXT("a")));
	ADD(0, t, NULL, FX_ROW(FX_TEXT("u-2"), FX_TEXT("u-1"), FX_TEXT("b")));
}

static void columns_that_vary(struct plan *p)
{
	const struct effect_table *t = TABLE("contracts", "id! status updated_at?"),
				  *e = TABLE("events", "id!? at? kind");

	ADD(0, t, FX_ROW(FX_TEXT("ctr_1"), FX_TEXT("draft"), FX_NULL),
		FX_ROW(FX_TEXT("ctr_1"), FX_TEXT("active"), FX_TEXT("2026-11-21T10:00:00Z")));
	ADD(0, t, FX_ROW(FX_TEXT("ctr_2"), FX_TEXT("draft"), FX_TEXT("2026-11-20T10:00:00Z")),
		NULL);
	ADD(0, e, NULL, FX_ROW(FX_INT("7"), FX_TEXT("2026-11-21T10:00:00Z"), FX_TEXT("signed")));
}

static void rows_that_were_there(struct plan *p)
{
	const struct effect_table *t = TABLE("notes", "id!? text");

	ADD(0, t, FX_ROW(FX_INT("20"), FX_TEXT("a")), FX_ROW(FX_INT("20"), FX_TEXT("b")));
	ADD(0, t, FX_ROW(FX_INT("3"), FX_TEXT("z")), NULL);
	ADD(0, t, NULL, FX_ROW(FX_INT("21"), FX_TEXT("a")));
}

static void keys_of_several_columns(struct plan *p)
{
	const struct effect_table *t = TABLE("stock", "place! article! count");

	ADD(0, t, FX_ROW(FX_TEXT("b"), FX_INT("10"), FX_INT("1")),
		FX_ROW(FX_TEXT("b"), FX_INT("10"), FX_INT("0")));
	ADD(0, t, FX_ROW(FX_TEXT("b"), FX_INT("9"), FX_INT("1")), NULL);
	ADD(0, t, NULL, FX_ROW(FX_TEXT("B"), FX_INT("11"), FX_INT("1")));
	ADD(0, t, NULL, FX_ROW(FX_TEXT("b"), FX_INT("9"), FX_INT("2")));
}

static void keys_made_for_a_batch(struct plan *p)
{
	const struct effect_table *b = TABLE("batch", "batch!? n! text"),
				  *c = TABLE("cards", "batch>batch! n!");

	ADD(0, b, NULL, FX_ROW(FX_INT("7"), FX_INT("2"), FX_TEXT("b")));
	ADD(0, b, NULL, FX_ROW(FX_INT("7"), FX_INT("7"), FX_TEXT("a")));
	ADD(0, b, NULL, FX_ROW(FX_INT("8"), FX_INT("1"), FX_TEXT("b")));
	ADD(0, c, NULL, FX_ROW(FX_INT("8"), FX_INT("1")));
	ADD(0, c, NULL, FX_ROW(FX_INT("7"), FX_INT("2")));
}

static void no_key_at_all(struct plan *p)
{
	const struct effect_table *t = TABLE("log", "a b?");

	ADD(0, t, NULL, FX_ROW(FX_INT("2"), FX_INT("1")));
	ADD(0, t, FX_ROW(FX_INT("1"), FX_INT("9")), NULL);
	ADD(0, t, NULL, FX_ROW(FX_INT("1"), FX_INT("2")));
	ADD(0, t, NULL, FX_ROW(FX_INT("1"), FX_INT("3")));
}

static void two_steps(struct plan *p)
{
	const struct effect_table *t = TABLE("notes", "id!? text"),
				  *u = TABLE("notes", "id!? text"),
				  *l = TABLE("links", "from>notes! to>notes!");

	p->steps[1].tool = S("link_note");
	p->steps[1].version = 1;
	p->steps[1].arguments = S("{}");
	ADD(0, t, NULL, FX_ROW(FX_INT("8"), FX_TEXT("b")));
	ADD(0, t, NULL, FX_ROW(FX_INT("9"), FX_TEXT("a")));
	ADD(1, u, NULL, FX_ROW(FX_INT("10"), FX_TEXT("c")));
	ADD(1, u, FX_ROW(FX_INT("8"), FX_TEXT("b")), FX_ROW(FX_INT("8"), FX_TEXT("bb")));
	ADD(1, l, NULL, FX_ROW(FX_INT("9"), FX_INT("10")));
	ADD(1, l, NULL, FX_ROW(FX_INT("8"), FX_INT("2")));
}

static void a_key_made_twice(struct plan *p)
{
	const struct effect_table *t = TABLE("notes", "id!? text");

	ADD(0, t, NULL, FX_ROW(FX_INT("8"), FX_TEXT("a")));
	ADD(1, t, FX_ROW(FX_INT("8"), FX_TEXT("a")), NULL);
	ADD(2, t, NULL, FX_ROW(FX_INT("8"), FX_TEXT("c")));
}

static const struct impact_rule impacts[] = {
	{ STR_INIT("amount_cents"), STR_INIT("lines"), STR_INIT("cents") },
	{ STR_INIT("hours"), STR_INIT("jobs"), STR_INIT("hours") },
};
static const struct write counting = { .impacts = impacts, .impact_count = 2 };

static void sums(struct plan *p)
{
	const struct write *writes[] = { &counting, &counting };
	const struct effect_table *lines = TABLE("lines", "id! cents"),
				  *jobs = TABLE("jobs", "id! hours");
	struct err err = { 0 };

	ADD(0, lines, FX_ROW(FX_INT("1"), FX_INT("50000")), FX_ROW(FX_INT("1"), FX_INT("1000")));
	ADD(0, lines, NULL, FX_ROW(FX_INT("2"), FX_INT("1000")));
	ADD(1, lines, FX_ROW(FX_INT("3"), FX_NULL), FX_ROW(FX_INT("3"), FX_INT("0")));
	ADD(1, jobs, FX_ROW(FX_INT("1"), FX_TEXT("0.1")), FX_ROW(FX_INT("1"), FX_TEXT("0.30")));
	ADD(1, jobs, FX_ROW(FX_INT("2"), FX_TEXT("9007199254740993.25")), NULL);
	assert_true(plan_sum_up(p, &arena, writes, &err));
}

static const struct {
	const char *name, *about;
	size_t steps;
	void (*fill)(struct plan *p);
	bool counts;
} vectors[] = {
	{ "one update", "a column that is not shown is under the digest, too", 1, one_update,
		false },
	{ "nothing changes", "no effects, empty texts, a database role", 1, nothing_changes,
		false },
	{ "no steps", "an empty plan has a digest like any other", 0, NULL, false },
	{ "unicode", "escapes of RFC 8785; what is not UTF-8 is base64; order is by bytes", 1,
		unicode, false },
	{ "types", "values that look alike are different; integers are ordered by value", 1, types,
		false },
	{ "new keys and references",
		"a fresh key is a number where it names a row or is referred to; an amount of 41 "
		"is "
		"41, and so is a reference to a row that was there",
		1, new_keys_and_references, false },
	{ "a reference inside the table", "rows that refer to rows of their own table", 1,
		a_reference_inside_the_table, false },
	{ "columns that vary", "their values are not under the digest, before or after", 1,
		columns_that_vary, false },
	{ "rows that were there", "keep their keys, though the column varies", 1,
		rows_that_were_there, false },
	{ "keys of several columns", "one after the other", 1, keys_of_several_columns, false },
	{ "keys made for a batch",
		"one fresh key in several rows is one number; a key column that does not vary is "
		"itself",
		1, keys_made_for_a_batch, false },
	{ "no key at all", "rows are ordered by all that does not vary", 1, no_key_at_all, false },
	{ "two steps", "later steps know what earlier ones made", 2, two_steps, false },
	{ "a key made twice", "made, deleted and made again: two rows", 3, a_key_made_twice,
		false },
	{ "sums", "after minus before, exactly", 2, sums, true },
};

static void write_impacts(struct jw *w)
{
	jw_name(w, S("impacts"));
	jw_array(w);
	for (size_t i = 0; i < ARRAY_LEN(impacts); i++) {
		jw_object(w);
		jw_put_str(w, S("name"), impacts[i].name);
		jw_put_str(w, S("table"), impacts[i].table);
		jw_put_str(w, S("column"), impacts[i].column);
		jw_object_end(w);
	}
	jw_array_end(w);
}

static void write_vector(struct buf *out, size_t i)
{
	struct plan *p = fx_plan(&arena, vectors[i].steps), again;
	struct buf canonical;
	struct err err = { 0 };
	size_t start;
	struct jw w;

	if (vectors[i].fill)
		vectors[i].fill(p);
	fx_finish(p, &arena);
	jw_init(&w, out);
	jw_object(&w);
	jw_put_str(&w, S("name"), str_c(vectors[i].name));
	jw_put_str(&w, S("about"), str_c(vectors[i].about));
	if (vectors[i].counts)
		write_impacts(&w);
	jw_put_raw(&w, S("plan"), STR_NONE);
	start = out->n;
	plan_write(p, out);
	assert_true(
		plan_read(&arena, arena_str(&arena, str_from(buf_str(out), start)), &again, &err));
	assert_true(plan_intact(&again, &arena));
	buf_in(&canonical, &arena, (size_t)1 << 20);
	plan_canonical(&again, &arena, &canonical);
	jw_put_str(&w, S("canonical"), buf_str(&canonical));
	jw_put_raw(&w, S("digest"), S("\""));
	sha256_write(out, &p->digest);
	buf_lit(out, "\"");
	jw_object_end(&w);
}

static struct str make_file(void)
{
	struct buf out;

	buf_in(&out, &arena, (size_t)4 << 20);
	buf_lit(&out, "{\"format\":\"postern-plan-1\",\"vectors\":[\n");
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		write_vector(&out, i);
		buf_add(&out, i + 1 < ARRAY_LEN(vectors) ? S(",\n") : S("\n"));
	}
	buf_lit(&out, "]}\n");
	assert_true(buf_ok(&out));
	return buf_str(&out);
}

static void the_file_of_vectors_is_what_we_compute(void **state)
{
	const char *root = getenv("POSTERN_SOURCE"), *wish = getenv("POSTERN_VECTORS");
	struct str made = make_file(), path, kept;
	struct err err = { 0 };

	(void)state;
	assert_non_null(root);
	path = arena_fmt(&arena, "%s/test/vectors/plan.json", root);
	if (wish && strcmp(wish, "write") == 0) {
		FILE *f = fopen(arena_cstr(&arena, path), "w");

		assert_non_null(f);
		assert_int_equal(fwrite(made.p, 1, made.n, f), made.n);
		assert_int_equal(fclose(f), 0);
	}
	if (!file_read(&arena, path, (size_t)4 << 20, &kept, &err))
		fail_msg("%s", err.text);
	assert_int_equal(kept.n, made.n);
	assert_memory_equal(kept.p, made.p, made.n);
}

/* The same digests, whatever order the rows were touched in. */
static void the_order_of_touch_changes_no_vector(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		struct plan *p = fx_plan(&arena, vectors[i].steps);
		struct sha256 digest;

		if (vectors[i].fill)
			vectors[i].fill(p);
		fx_finish(p, &arena);
		for (size_t s = 0; s < p->step_count; s++) {
			struct effects turned = { 0 };

			for (size_t k = p->steps[s].effects.count; k-- > 0;)
				*effects_add(&turned, &arena) = p->steps[s].effects.list[k];
			effects_order(&turned, &arena);
			p->steps[s].effects = turned;
		}
		plan_digest(p, &arena, &digest);
		if (!sha256_eq(&digest, &p->digest))
			fail_msg("%s", vectors[i].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			the_file_of_vectors_is_what_we_compute, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			the_order_of_touch_changes_no_vector, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
