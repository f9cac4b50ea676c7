/* What is remembered of effects, and that nothing hidden is among it; see kept.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "audit/change_fixture.h"

struct ground {
	struct arena arena;
	struct protector protector;
	struct plan plan;
	struct change change;
	struct call call;
};

static int setup(void **state)
{
	struct ground *g = calloc(1, sizeof *g);

	arena_init(&g->arena, (size_t)64 << 20);
	g->plan = fixture_plan();
	g->change = (struct change){ .plan = &g->plan };
	g->call = (struct call){ .arena = &g->arena, .change = &g->change };
	memset(g->call.id.c, 'A', sizeof g->call.id.c);
	*state = g;
	return secret_set(&g->protector.key, S("key")) ? 0 : -1;
}

static int teardown(void **state)
{
	struct ground *g = *state;

	arena_done(&g->arena);
	free(g);
	return 0;
}

/* The whole text of what is kept, inline or not, NUL-terminated. */
static char *text_of(struct ground *g)
{
	struct kept kept;
	char *text;

	kept_init(&kept, &g->call, &g->protector);
	assert_false(kept.lost);
	text = arena_cstr(&g->arena, kept.blob ? buf_str(&kept.blob->text) : buf_str(&kept.text));
	kept_done(&kept);
	return text;
}

static const struct json *row_of(struct ground *g, uint32_t row, const char *part)
{
	struct json *v = arena_new(&g->arena, struct json);
	struct json_error error;

	assert_true(json_parse(&g->arena, str_c(text_of(g)), v, &error));
	v = (struct json *)(uintptr_t)json_get(&json_get(v, S("steps"))->items[0], S("rows"));
	assert_true(row < v->count);
	return json_get(&v->items[row], str_c(part));
}

static void assert_raw(const struct json *v, const char *name, const char *raw)
{
	const struct json *member = json_get(v, str_c(name));

	if (!member)
		fail_msg("no %s", name);
	if (!str_eq(member->raw, str_c(raw)))
		fail_msg("%s is %.*s", name, STR_ARG(member->raw));
}

static void assert_hidden(const struct json *v, const char *name)
{
	assert_true(str_starts(json_get_str(v, str_c(name)), S("hmac:k1:")));
}

static void declared_values_stand_as_they_were(void **state)
{
	struct ground *g = *state;
	const struct json *before = row_of(g, 0, "before"), *after = row_of(g, 0, "after"),
			  *made = row_of(g, 1, "after");

	assert_raw(row_of(g, 0, "key"), "id", "7");
	assert_raw(before, "signatory", "\"Acme\\nInc\"");
	assert_raw(before, "amount", "12.5");
	assert_raw(before, "photo", "{\"base64\":\"AQID\"}");
	assert_raw(after, "signatory", "\"Acme \\\"GmbH\\\"\"");
	assert_raw(after, "amount", "\"Inf\"");
	assert_raw(after, "photo", "{\"base64\":\"//4=\"}");
	assert_raw(made, "amount", "9007199254740993");
	assert_raw(made, "signatory", "null");
	assert_null(row_of(g, 1, "before"));
	assert_null(row_of(g, 2, "after"));
}

static void an_update_has_the_columns_that_changed_behind_it(void **state)
{
	struct ground *g = *state;
	const struct json *after = row_of(g, 0, "after");

	assert_null(json_get(after, S("id")));
	assert_null(json_get(after, S("born")));
	assert_non_null(json_get(after, S("mail")));
	assert_int_equal(row_of(g, 0, "before")->count, FIXTURE_COLUMNS);
}

static void hidden_values_leave_as_hmac_whatever_they_are(void **state)
{
	struct ground *g = *state;

	for (uint32_t row = 0; row < 3; row++) {
		const struct json *v = row_of(g, row, row == 1 ? "after" : "before");

		assert_hidden(v, "mail");
		assert_hidden(v, "born");
		assert_hidden(v, "notes");
	}
	assert_null(strstr(text_of(g), CANARY));
	assert_null(strstr(text_of(g), "47110815"));
	assert_null(strstr(text_of(g), "Y2FuYXJ5")); /* in base 64 */
}

/* A column and an argument with the same value have the same HMAC: one finds the other. */
static void a_column_and_an_argument_match(void **state)
{
	static const struct input inputs[] = { { .name = STR_INIT("mail") } };
	static const struct entry entry = { .inputs = inputs, .input_count = 1 };
	struct ground *g = *state;
	struct json_error error;
	struct json args;
	struct buf out;
	struct jw w;

	assert_true(json_parse(&g->arena, S("{\"mail\":\"" CANARY "@acme.com\"}"), &args, &error));
	g->call.entry = &entry;
	g->call.arguments_sent = &args;
	buf_in(&out, &g->arena, 4096);
	jw_init(&w, &out);
	jw_object(&w);
	protect_arguments(&g->protector, &g->call, false, &w);
	jw_object_end(&w);
	assert_non_null(strstr(arena_cstr(&g->arena, buf_str(&out)),
		arena_cstr(&g->arena, json_get_str(row_of(g, 0, "before"), S("mail")))));
}

static void show_mail(
	void *ctx, const struct effect_column *column, const struct cell *cell, struct buf *out)
{
	(void)ctx;
	assert_int_equal(column->mask.kind, MASK_EMAIL);
	assert_true(cell->text.n);
	buf_lit(out, "c***@acme.com");
}

static void what_a_mask_shows_is_kept_beside(void **state)
{
	struct ground *g = *state;
	const struct json *mail;

	g->protector.mask = show_mail;
	mail = json_get(row_of(g, 0, "before"), S("mail"));
	assert_raw(mail, "shown", "\"c***@acme.com\"");
	assert_hidden(mail, "hmac");
	assert_hidden(row_of(g, 1, "after"), "mail"); /* NULL */
	assert_null(strstr(text_of(g), CANARY));
}

static void what_varies_and_what_is_hidden_is_named(void **state)
{
	struct ground *g = *state;
	char *text = text_of(g);

	assert_non_null(strstr(text,
		"\"tables\":[{\"t\":\"contracts\",\"insert\":1,\"update\":1,\"delete\":1,"
		"\"volatile\":[\"changed_at\"],\"protected\":[\"mail\",\"born\",\"notes\"]}]"));
	assert_non_null(strstr(text, "\"tool\":\"correct_signatory@3\""));
	assert_non_null(strstr(text, "\"need\":\"other\",\"grant\":\"contracts.approve\""));
}

static void several_steps_have_their_own_arguments(void **state)
{
	static const struct input inputs[] = { { .name = STR_INIT("id"), .protect = PROTECT_CLEAR },
		{ .name = STR_INIT("mail") } };
	static const struct entry entry = { .inputs = inputs, .input_count = 2 };
	struct ground *g = *state;
	struct change_step steps[2] = { { .entry = &entry }, { .entry = &entry } };
	struct plan_step planned[2] = { fixture_steps[0], fixture_steps[0] };
	struct json_error error;
	char *text;

	for (size_t i = 0; i < 2; i++) {
		steps[i].canonical = S("{\"id\":\"7\",\"mail\":\"" CANARY "\"}");
		assert_true(json_parse(&g->arena, steps[i].canonical, &steps[i].arguments, &error));
	}
	g->change.steps = steps;
	g->change.step_count = 2;
	g->plan.steps = planned;
	g->plan.step_count = 2;
	text = text_of(g);
	assert_non_null(strstr(text, "\"args\":{\"id\":\"7\",\"mail\":\"hmac:k1:"));
	assert_null(strstr(text, CANARY));
}

static void what_is_large_is_a_blob_and_what_is_too_large_is_lost(void **state)
{
	static const struct {
		size_t bytes;
		const char *is;
	} cases[] = {
		{ 100, "{\"steps\":" },
		{ KEPT_INLINE_BYTES, "{\"blob\":\"sha256:" },
		{ BLOB_MAX_BYTES, "{\"lost\":true}" },
	};
	struct ground *g = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct cell row[FIXTURE_COLUMNS];
		struct effect e = {
			.table = &fixture_table, .operation = EFFECT_INSERT, .after = row
		};
		struct plan_step step = { .effects = { .list = &e, .count = 1 } };
		char *large = malloc(cases[i].bytes);
		struct kept kept;
		struct buf out;
		struct jw w;

		memset(large, 'x', cases[i].bytes);
		memcpy(row, fixture_new, sizeof row);
		row[1] = (struct cell){ CELL_TEXT, str_n(large, cases[i].bytes) };
		g->plan.steps = &step;
		kept_init(&kept, &g->call, &g->protector);
		buf_init(&out, RECORD_MAX_BYTES);
		jw_init(&w, &out);
		jw_object(&w);
		kept_put(&kept, &w);
		jw_object_end(&w);
		buf_char(&out, 0);
		assert_non_null(strstr(out.p, cases[i].is));
		assert_int_equal(kept.lost, i == 2);
		assert_int_equal(kept.blob != NULL, i == 1);
		kept_done(&kept);
		buf_done(&out);
		free(large);
	}
}

static void a_call_that_found_nothing_keeps_nothing(void **state)
{
	struct ground *g = *state;
	struct kept kept;

	g->change.plan = NULL;
	kept_init(&kept, &g->call, &g->protector);
	assert_int_equal(kept.text.n, 0);
	assert_null(kept.blob);
	kept_done(&kept);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(declared_values_stand_as_they_were),
		TEST(an_update_has_the_columns_that_changed_behind_it),
		TEST(hidden_values_leave_as_hmac_whatever_they_are),
		TEST(a_column_and_an_argument_match),
		TEST(what_a_mask_shows_is_kept_beside),
		TEST(what_varies_and_what_is_hidden_is_named),
		TEST(several_steps_have_their_own_arguments),
		TEST(what_is_large_is_a_blob_and_what_is_too_large_is_lost),
		TEST(a_call_that_found_nothing_keeps_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
