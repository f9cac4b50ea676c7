/* What plans add up to, what their digest binds and what it does not, and that a kept plan comes
 * back as it was. */
#include "base/err.h"
#include "base/test.h"
#include "plan/plan_fixture.h"

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

/* --- sums --- */

static const struct impact_rule cents = { STR_INIT("cents"), STR_INIT("lines"), STR_INIT("cents") };
static const struct impact_rule hours = { STR_INIT("hours"), STR_INIT("jobs"), STR_INIT("hours") };
static const struct impact_rule both[] = {
	{ STR_INIT("hours"), STR_INIT("jobs"), STR_INIT("hours") },
	{ STR_INIT("cents"), STR_INIT("lines"), STR_INIT("cents") },
};

static void sums_are_after_minus_before(void **state)
{
	static const struct write w = { .impacts = both, .impact_count = 2 };
	const struct write *writes[] = { &w };
	const struct effect_table *lines = fx_table(&arena, "lines", "id! cents note"),
				  *jobs = fx_table(&arena, "jobs", "id! hours");
	struct plan *p = fx_plan(&arena, 1);
	struct effects *es = &p->steps[0].effects;
	struct err err = { 0 };

	(void)state;
	fx_add(es, &arena, lines, NULL, FX_ROW(FX_INT("1"), FX_INT("100"), FX_NULL));
	fx_add(es, &arena, lines, FX_ROW(FX_INT("2"), FX_INT("700"), FX_NULL), NULL);
	fx_add(es, &arena, lines, FX_ROW(FX_INT("3"), FX_INT("50000"), FX_NULL),
		FX_ROW(FX_INT("3"), FX_INT("2600"), FX_NULL));
	fx_add(es, &arena, lines, FX_ROW(FX_INT("4"), FX_INT("9"), FX_TEXT("a")),
		FX_ROW(FX_INT("4"), FX_INT("9"), FX_TEXT("b")));
	fx_add(es, &arena, jobs, FX_ROW(FX_INT("1"), FX_NULL),
		FX_ROW(FX_INT("1"), FX_TEXT("1.50")));
	fx_add(es, &arena, jobs, FX_ROW(FX_INT("2"), FX_TEXT("2.5")), FX_ROW(FX_INT("2"), FX_NULL));
	assert_true(plan_sum_up(p, &arena, writes, &err));
	assert_int_equal(p->rows, 6);
	assert_int_equal(p->sum_count, 2);
	assert_str(p->sums[0].name, "cents");
	assert_str(p->sums[0].net, "-48000");
	assert_str(p->sums[0].gross, "48200");
	assert_str(p->sums[1].name, "hours");
	assert_str(p->sums[1].net, "-1.00");
	assert_str(p->sums[1].gross, "4.00");
}

static void steps_have_one_set_of_sums(void **state)
{
	static const struct write w = { .impacts = &cents, .impact_count = 1 },
				  v = { .impacts = both, .impact_count = 2 }, none = { 0 };
	const struct write *writes[] = { &w, &v, &none };
	const struct effect_table *lines = fx_table(&arena, "lines", "id! cents");
	struct plan *p = fx_plan(&arena, 3);
	struct err err = { 0 };

	(void)state;
	fx_add(&p->steps[0].effects, &arena, lines, NULL, FX_ROW(FX_INT("1"), FX_INT("50000")));
	fx_add(&p->steps[1].effects, &arena, lines, FX_ROW(FX_INT("2"), FX_INT("50000")), NULL);
	/* its tool counts nothing */
	fx_add(&p->steps[2].effects, &arena, lines, FX_ROW(FX_INT("3"), FX_INT("7")), NULL);
	assert_true(plan_sum_up(p, &arena, writes, &err));
	assert_int_equal(p->rows, 3);
	assert_int_equal(p->sum_count, 2);
	assert_str(p->sums[0].net, "0");
	assert_str(p->sums[0].gross, "100000");
	assert_str(p->sums[1].name, "hours");
	assert_str(p->sums[1].net, "0");
	assert_str(p->sums[1].gross, "0");
}

static void what_is_no_exact_number_is_not_summed(void **state)
{
	static const struct write w = { .impacts = &hours, .impact_count = 1 };
	const struct write *writes[] = { &w };
	const struct cell cells[] = { FX_REAL("1.5"), FX_BLOB("1"), FX_TEXT("one"), FX_TEXT(""),
		FX_TEXT("1e3"), FX_TEXT(" 1") };
	static const char *const columns[] = { "id! hours?", "id! minutes" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cells) + ARRAY_LEN(columns); i++) {
		bool cell = i < ARRAY_LEN(cells);
		const struct effect_table *jobs = fx_table(
			&arena, "jobs", cell ? "id! hours" : columns[i - ARRAY_LEN(cells)]);
		struct plan *p = fx_plan(&arena, 1);
		struct err err = { 0 };

		fx_add(&p->steps[0].effects, &arena, jobs, NULL,
			FX_ROW(FX_INT("1"), cell ? cells[i] : FX_INT("1")));
		if (plan_sum_up(p, &arena, writes, &err))
			fail_msg("case %zu was summed", i);
		assert_int_equal(err.code, E_CONTRACT);
		assert_non_null(strstr(err.text, "hours"));
		assert_null(strstr(err.text, "one"));
		assert_int_equal(p->sum_count, 0);
	}
}

static void a_sum_of_too_many_digits_is_refused(void **state)
{
	static const struct write w = { .impacts = &hours, .impact_count = 1 };
	const struct write *writes[] = { &w };
	const struct effect_table *jobs = fx_table(&arena, "jobs", "id! hours");
	struct plan *p = fx_plan(&arena, 1);
	struct err err = { 0 };

	(void)state;
	for (int i = 0; i < 2; i++)
		fx_add(&p->steps[0].effects, &arena, jobs, NULL,
			FX_ROW(FX_INT("1"), FX_TEXT("9999999999999999999999999999999999999999999999"
						    "99999999999999"
						    "9999")));
	assert_false(plan_sum_up(p, &arena, writes, &err));
	assert_int_equal(err.code, E_LIMIT);
}

/* --- digest --- */

/* A plan with something of everything; ids as a database might give them. */
static struct plan *usual_plan(const char *first_id, const char *second_id, const char *at)
{
	const struct effect_table *contracts = fx_table(&arena, "contracts", "id! signatory at?"),
				  *notes = fx_table(&arena, "notes", "id!? amount text"),
				  *links = fx_table(&arena, "links", "note>notes! kind!");
	struct plan *p = fx_plan(&arena, 1);
	struct effects *es = &p->steps[0].effects;
	struct cell one = { CELL_INTEGER, str_c(first_id) },
		    two = { CELL_INTEGER, str_c(second_id) }, now = { CELL_TEXT, str_c(at) };

	fx_add(es, &arena, contracts, FX_ROW(FX_TEXT("ctr_1"), FX_TEXT("per_1"), FX_TEXT("old")),
		FX_ROW(FX_TEXT("ctr_1"), FX_TEXT("per_2"), now));
	fx_add(es, &arena, notes, NULL, FX_ROW(one, FX_INT("10"), FX_TEXT("first")));
	fx_add(es, &arena, notes, NULL, FX_ROW(two, FX_INT("10"), FX_TEXT("second")));
	fx_add(es, &arena, links, NULL, FX_ROW(one, FX_TEXT("note")));
	fx_add(es, &arena, links, NULL, FX_ROW(two, FX_TEXT("note")));
	p->sums = arena_array(&arena, struct plan_sum, 1);
	p->sums[0] = (struct plan_sum){ S("cents"), S("-48000"), S("48000") };
	p->sum_count = 1;
	fx_finish(p, &arena);
	return p;
}

static void what_the_database_makes_is_not_in_the_digest(void **state)
{
	struct plan *a = usual_plan("9", "10", "2026-01-01"),
		    *b = usual_plan("10", "11", "2026-01-02"),
		    *c = usual_plan("99", "7", "2026-01-02");

	(void)state;
	assert_true(sha256_eq(&a->digest, &b->digest));
	assert_true(sha256_eq(&a->digest, &c->digest));
}

enum spot {
	DEPLOYMENT,
	ENVIRONMENT,
	SOURCE,
	DATABASE,
	ROLE,
	ISSUER,
	SUBJECT,
	TENANT,
	AGENT,
	TOOL,
	VERSION,
	DEFINITION,
	ARGUMENTS,
	SUM_NAME,
	SUM_NET,
	SUM_GROSS,
	SUMS,
	ROWS,
	CELL_TEXT_OF,
	CELL_KIND_OF,
	CELL_TO_NULL,
	BEFORE,
	AMOUNT_OF_NEW,
	LINK_TO_OTHER,
	LINK_TO_OLD,
	COLUMN_NAME,
	TABLE_NAME,
	DROP_EFFECT,
	STEPS,
	PLACES
};

static struct cell *cell_at(struct plan *p, size_t effect, bool after, size_t column)
{
	const struct effect *e = &p->steps[0].effects.list[effect];

	/* the fixture's own arrays: made writable there */
	union {
		const struct cell *in;
		struct cell *out;
	} cells = { .in = after ? e->after : e->before };

	return &cells.out[column];
}

static struct effect_column *column_at(struct plan *p, size_t effect, size_t column)
{
	union {
		const struct effect_column *in;
		struct effect_column *out;
	} columns = { .in = p->steps[0].effects.list[effect].table->columns };

	return &columns.out[column];
}

static void change(struct plan *p, enum spot place)
{
	struct plan_step *s = &p->steps[0];

	switch (place) {
	case DEPLOYMENT:
		p->deployment = S("acme/other");
		break;
	case ENVIRONMENT:
		p->environment = S("production");
		break;
	case SOURCE:
		p->source = S("other");
		break;
	case DATABASE:
		p->database = S("1");
		break;
	case ROLE:
		p->role = S("t_write");
		break;
	case ISSUER:
		p->who.issuer = STR_NONE;
		break;
	case SUBJECT:
		p->who.subject = S("bob");
		break;
	case TENANT:
		p->who.tenant = S("evil");
		break;
	case AGENT:
		p->who.agent = S("other");
		break;
	case TOOL:
		s->tool = S("x");
		break;
	case VERSION:
		s->version++;
		break;
	case DEFINITION:
		s->definition.b[31] ^= 1;
		break;
	case ARGUMENTS:
		s->arguments = S("{\"contract_id\":\"ctr_1\",\"max\":\"6\"}");
		break;
	case SUM_NAME:
		p->sums[0].name = S("euros");
		break;
	case SUM_NET:
		p->sums[0].net = S("48000");
		break;
	case SUM_GROSS:
		p->sums[0].gross = S("48001");
		break;
	case SUMS:
		p->sum_count = 0;
		break;
	case ROWS:
		p->rows++;
		break;
	case CELL_TEXT_OF:
		cell_at(p, 0, true, 1)->text = S("per_3");
		break;
	case CELL_KIND_OF:
		cell_at(p, 0, true, 1)->kind = CELL_BLOB;
		break;
	case CELL_TO_NULL:
		*cell_at(p, 0, true, 1) = FX_NULL;
		break;
	case BEFORE:
		cell_at(p, 0, false, 1)->text = S("per_0");
		break;
	case AMOUNT_OF_NEW:
		cell_at(p, 3, true, 1)->text = S("9"); /* the id it got */
		break;
	case LINK_TO_OTHER:
		cell_at(p, 1, true, 0)->text = S("10");
		break;
	case LINK_TO_OLD:
		cell_at(p, 1, true, 0)->text = S("1");
		break;
	case COLUMN_NAME:
		column_at(p, 0, 1)->name = S("x");
		break;
	case TABLE_NAME:
		s->effects.list[0].table = fx_table(&arena, "other", "id! signatory at?");
		break;
	case DROP_EFFECT:
		s->effects.count--;
		break;
	case STEPS:
		p->step_count++;
		break;
	case PLACES:
		break;
	}
}

static void everything_else_is(void **state)
{
	(void)state;
	for (enum spot i = DEPLOYMENT; i < PLACES; i++) {
		struct plan *p = usual_plan("9", "10", "2026-01-01");
		struct sha256 before = p->digest, after;

		assert_true(plan_intact(p, &arena));
		change(p, i);
		plan_digest(p, &arena, &after);
		if (sha256_eq(&before, &after))
			fail_msg("place %d is not in the digest", (int)i);
		assert_false(plan_intact(p, &arena));
	}
}

static void times_names_of_plans_and_words_told_are_not(void **state)
{
	struct plan *p = usual_plan("9", "10", "2026-01-01");

	(void)state;
	p->id = STR_NONE;
	p->who.credential = S("key_8");
	p->need = APPROVAL_OTHER;
	p->grant = S("approve.all");
	p->because = S("x");
	p->request = S("x");
	p->reason = S("x");
	p->made_us = p->expires_us = 0;
	assert_true(plan_intact(p, &arena));
}

/* A plan for one row is never one for another, though the column may vary. */
static void a_row_that_was_there_is_bound_by_its_key(void **state)
{
	struct sha256 digests[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		const struct effect_table *notes = fx_table(&arena, "notes", "id!? text");
		struct plan *p = fx_plan(&arena, 1);
		struct cell id = i ? FX_INT("5") : FX_INT("6");

		fx_add(&p->steps[0].effects, &arena, notes, FX_ROW(id, FX_TEXT("a")),
			FX_ROW(id, FX_TEXT("b")));
		fx_finish(p, &arena);
		digests[i] = p->digest;
	}
	assert_false(sha256_eq(&digests[0], &digests[1]));
}

/* --- kept plans --- */

static struct str written(const struct plan *p)
{
	struct buf out;

	buf_in(&out, &arena, (size_t)8 << 20);
	plan_write(p, &out);
	assert_true(buf_ok(&out));
	return buf_str(&out);
}

static struct plan *hard_plan(void)
{
	struct plan *p = usual_plan("9", "10", "2026-01-01");
	struct effect_column *c = column_at(p, 0, 1);

	c->mask = (struct mask){ MASK_BUCKET, BUCKET_SIZE, 1000 };
	c->unmask = S("see.all");
	c->data_class = CLASS_PHI;
	c->shown = false;
	c->name = S("sign\xff");
	column_at(p, 0, 0)->mask = (struct mask){ .kind = MASK_BUCKET, .bucket = BUCKET_MONTH };
	column_at(p, 0, 2)->mask = (struct mask){ .kind = MASK_LAST4 };
	*cell_at(p, 0, true, 1) = FX_TEXT("nul\0 \xe2\x80\xa8 \xf0\x9f\x92\xa9 \" \\");
	*cell_at(p, 0, false, 1) = FX_TEXT("\xff\xfe");
	*cell_at(p, 0, false, 0) = FX_BLOB("\0\1\2\3");
	*cell_at(p, 0, true, 0) = FX_REAL("-1.5e-7");
	*cell_at(p, 1, true, 1) = FX_NULL;
	*cell_at(p, 2, true, 1) = FX_INT("-9223372036854775808");
	p->reason = S("\xc0");
	p->who.kind = PRINCIPAL_SERVICE;
	p->need = APPROVAL_OTHER;
	p->grant = S("approve.all");
	p->because = S("cents: above");
	p->made_us = -1;
	p->expires_us = INT64_MAX;
	plan_digest(p, &arena, &p->digest);
	return p;
}

static void a_kept_plan_comes_back_as_it_was(void **state)
{
	struct plan *plans[] = { fx_plan(&arena, 0), usual_plan("9", "10", "2026-01-01"),
		hard_plan() };

	(void)state;
	plan_digest(plans[0], &arena, &plans[0]->digest);
	for (size_t i = 0; i < ARRAY_LEN(plans); i++) {
		struct str text = written(plans[i]), again;
		struct plan p = { 0 };
		struct err err = { 0 };

		if (!plan_read(&arena, text, &p, &err))
			fail_msg("%s", err.text);
		again = written(&p);
		assert_int_equal(text.n, again.n);
		assert_memory_equal(text.p, again.p, text.n);
		assert_true(plan_intact(&p, &arena));
	}
}

static struct str with_one_change(struct str text, const char *from, const char *to)
{
	size_t at = str_find_str(text, 0, str_c(from));
	struct buf out;

	if (at == text.n)
		fail_msg("%s is not there", from);
	buf_in(&out, &arena, text.n + 4096);
	buf_add(&out, str_sub(text, 0, at));
	buf_add(&out, str_c(to));
	buf_add(&out, str_from(text, at + strlen(from)));
	return buf_str(&out);
}

static void what_was_not_kept_by_us_is_refused(void **state)
{
	static const struct {
		const char *from, *to, *named;
	} cases[] = {
		{ "{\"kept\"", "{\"more\":1,\"kept\"", "unknown" },
		{ "postern-kept-plan-1", "postern-kept-plan-2", "'kept'" },
		{ "\"id\":", "\"ID\":", "'id'" },
		{ "\"subject\":\"ada@acme.example\"", "\"subject\":7", "'subject'" },
		{ "\"kind\":\"human\"", "\"kind\":\"martian\"", "'kind'" },
		{ "\"credential\":", "\"more\":\"\",\"credential\":", "'who'" },
		{ "\"version\":2", "\"version\":-2", "'version'" },
		{ "\"version\":2", "\"version\":02", "JSON" },
		{ "\"version\":2", "\"version\":4294967296", "'version'" },
		{ "\"version\":2", "\"version\":\"2\"", "'version'" },
		{ "\"definition\":\"sha256:", "\"definition\":\"sha256:00", "'definition'" },
		{ "\"definition\":\"sha256:", "\"definition\":\"sha512:", "'definition'" },
		{ "\\\"ctr_1\\\"", "7", "'arguments'" },
		{ "{\\\"contract_id\\\"", "{ \\\"contract_id\\\"", "'arguments'" },
		{ "\"inserted\":0", "\"inserted\":1", "'tables'" },
		{ "\"updated\":1", "\"updated\":0", "'tables'" },
		{ "\"name\":\"links\"", "\"name\":\"contracts\"", "'tables'" },
		{ "\"name\":\"links\"", "\"name\":\"zlinks\"", "'tables'" },
		{ "\"key\":true", "\"key\":false", "'key'" },
		{ "\"shown\":true", "\"shown\":true,\"seen\":true", "'columns'" },
		{ "\"shown\":true", "\"shown\":true,\"mask\":\"none\"", "'mask'" },
		{ "\"shown\":true", "\"shown\":true,\"mask\":\"bucket\"", "'mask'" },
		{ "\"shown\":true", "\"shown\":true,\"mask\":\"\"", "'mask'" },
		{ "\"shown\":true", "\"shown\":true,\"mask\":0", "'mask'" },
		{ "\"shown\":true", "\"shown\":true,\"mask\":9223372036854775808", "'mask'" },
		{ "\"shown\":true", "\"shown\":true,\"unmask\":\"\"", "'unmask'" },
		{ "\"shown\":true", "\"shown\":true,\"class\":\"none\"", "'class'" },
		{ "\"table\":0", "\"table\":3", "'table'" },
		{ "\"operation\":\"update\"", "\"operation\":\"upsert\"", "'operation'" },
		{ "\"operation\":\"update\"", "\"operation\":\"insert\"", "'before'" },
		{ "\"operation\":\"update\"", "\"operation\":\"delete\"", "'after'" },
		{ "\"operation\":\"insert\"", "\"operation\":\"update\"", "'before'" },
		{ "[\"text\",\"per_1\"],", "", "'before'" },
		{ "[\"text\",\"per_1\"]", "[\"text\",\"per_1\",\"x\"]", "'before'" },
		{ "[\"text\",\"per_1\"]", "[\"bytes\",\"cGVyXzE=\"]", "'before'" },
		{ "[\"text\",\"per_1\"]", "[\"blob\",\"!\"]", "'before'" },
		{ "[\"text\",\"per_1\"]", "[\"masked\",\"x\"]", "'before'" },
		{ "[\"text\",\"per_1\"]", "\"per_1\"", "'before'" },
		{ "[\"integer\",\"10\"]", "[\"integer\",\"010\"]", "'after'" },
		{ "[\"integer\",\"10\"]", "[\"integer\",\"-0\"]", "'after'" },
		{ "[\"integer\",\"10\"]", "[\"integer\",\"9223372036854775808\"]", "'after'" },
		{ "[\"integer\",\"10\"]", "[\"integer\",10]", "'after'" },
		{ "[\"integer\",\"10\"]", "[\"real\",\"ten\"]", "'after'" },
		{ "[\"integer\",\"10\"]", "[\"real\",\"\"]", "'after'" },
		{ "\"net\":\"-48000\"", "\"net\":\"-4e4\"", "'net'" },
		{ "\"gross\":\"48000\"", "\"gross\":\"-48000\"", "'gross'" },
		{ "\"rows\":5", "\"rows\":6", "'rows'" },
		{ "\"need\":\"requester\"", "\"need\":\"anybody\"", "'need'" },
		{ "\"made_us\":1763750000000000", "\"made_us\":-0", "'made_us'" },
		{ "\"made_us\":1763750000000000", "\"made_us\":1e3", "'made_us'" },
		{ "\"expires_us\":1763750600000000}", "\"expires_us\":1763750600000000} ", NULL },
		{ "\"expires_us\":1763750600000000}", "\"expires_us\":1763750600000000}x", "JSON" },
	};
	struct str text = written(usual_plan("9", "10", "2026-01-01"));

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct plan p = { .id = S("untouched") };
		struct err err = { 0 };
		bool good = plan_read(
			&arena, with_one_change(text, cases[i].from, cases[i].to), &p, &err);

		if (good != !cases[i].named)
			fail_msg("case %zu: %s", i, cases[i].to);
		if (good)
			continue;
		assert_str(p.id, "untouched");
		assert_int_equal(err.code, E_INVALID);
		if (!strstr(err.text, cases[i].named))
			fail_msg("case %zu: %s", i, err.text);
	}
}

/* Each prefix is refused: what was cut off is never a smaller plan. */
static void a_part_of_a_plan_is_none(void **state)
{
	struct str text = written(usual_plan("9", "10", "2026-01-01"));
	struct plan p;
	struct err err;

	(void)state;
	for (size_t n = 0; n < text.n; n += 7)
		assert_false(plan_read(&arena, str_sub(text, 0, n), &p, &err));
}

static void a_change_of_what_is_shown_is_seen(void **state)
{
	struct str text = written(usual_plan("9", "10", "2026-01-01"));
	struct plan p;
	struct err err;

	(void)state;
	assert_true(plan_read(&arena, with_one_change(text, "per_2", "per_3"), &p, &err));
	assert_false(plan_intact(&p, &arena));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sums_are_after_minus_before, set_up, tear_down),
		cmocka_unit_test_setup_teardown(steps_have_one_set_of_sums, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_is_no_exact_number_is_not_summed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_sum_of_too_many_digits_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_the_database_makes_is_not_in_the_digest, set_up, tear_down),
		cmocka_unit_test_setup_teardown(everything_else_is, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			times_names_of_plans_and_words_told_are_not, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_row_that_was_there_is_bound_by_its_key, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_kept_plan_comes_back_as_it_was, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_was_not_kept_by_us_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_part_of_a_plan_is_none, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_change_of_what_is_shown_is_seen, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
