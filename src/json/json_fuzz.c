/* json_fuzz - input: any text.
 *
 * Properties: what is refused has a reason and an offset inside the text.  What is read comes back
 * equal, with equal hash and equal canonical text, from what jw_json writes of it; that text is a
 * fixed point, and the other calls of jw write the same; members are found by their names, and by
 * no name that differs in case only; a number is an integer when its digits are the same number;
 * canonical text is JSON.  A string of the input's bytes is always written as JSON, and read back
 * the same when it is UTF-8.
 *
 * covers: src/json/json.c src/json/members.c src/json/number.c src/json/equal.c src/json/value.c
 * covers: src/json/canonical.c src/json/write.c */
#include "base/utf8.h"
#include "json/json.h"
#include "json/write.h"

#define BYTES ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct str written(struct arena *a, const struct json *v)
{
	struct buf out;
	struct jw w;

	buf_in(&out, a, BYTES);
	jw_init(&w, &out);
	jw_json(&w, v);
	bug_on(!buf_ok(&out));
	return buf_str(&out);
}

static struct str canonical(struct arena *a, const struct json *v)
{
	struct buf out;

	buf_in(&out, a, BYTES);
	json_canonical(&out, a, v);
	bug_on(!buf_ok(&out));
	return buf_str(&out);
}

static void check_names(const struct json *v)
{
	if (v->kind == JSON_ARRAY)
		for (uint32_t i = 0; i < v->count; i++)
			check_names(&v->items[i]);
	if (v->kind == JSON_OBJECT)
		for (uint32_t i = 0; i < v->count; i++) {
			bug_on(json_get(v, v->members[i].name) != &v->members[i].value);
			bug_on(str_has(v->members[i].name, '\0'));
			check_names(&v->members[i].value);
		}
}

static void check_number(struct arena *a, const struct json *v)
{
	struct str digits;

	bug_on(json_number_cmp(v->text, v->text) != 0);
	if (!json_integer(a, v->text, &digits))
		return;
	bug_on(json_number_cmp(v->text, digits) != 0);
	bug_on(str_has(digits, '.') || str_has(digits, 'e') || str_has(digits, 'E'));
}

/* The tree once more, by the calls that people use. */
static void build(struct arena *a, struct jw *w, const struct json *v)
{
	uint64_t plain;
	int64_t sign;

	bug_on(!json_kind_name(v->kind)[0]);
	if (v->kind == JSON_NULL) {
		jw_null(w);
	} else if (v->kind == JSON_BOOL) {
		jw_bool(w, v->truth);
	} else if (v->kind == JSON_STRING) {
		jw_str(w, v->text);
	} else if (v->kind == JSON_NUMBER) {
		check_number(a, v);
		if (str_to_u64(v->text, &plain) && (v->text.n == 1 || v->text.p[0] != '0'))
			jw_u64(w, plain);
		else if (str_to_i64(v->text, &sign) && sign < 0)
			jw_i64(w, sign);
		else
			jw_raw(w, v->text);
	} else if (v->kind == JSON_ARRAY) {
		jw_array(w);
		for (uint32_t i = 0; i < v->count; i++)
			build(a, w, &v->items[i]);
		jw_array_end(w);
	} else {
		jw_object(w);
		for (uint32_t i = 0; i < v->count; i++) {
			jw_name(w, v->members[i].name);
			build(a, w, &v->members[i].value);
		}
		jw_object_end(w);
	}
}

static struct str built(struct arena *a, const struct json *v)
{
	struct buf out;
	struct jw w;

	buf_in(&out, a, BYTES);
	jw_init(&w, &out);
	build(a, &w, v);
	bug_on(!buf_ok(&out));
	return buf_str(&out);
}

/* Its first member's name, in capitals, folds to it; unless it is there, or has no letter. */
static void check_folds(struct arena *a, const struct json *v)
{
	struct str folded, name, known;
	char *upper;

	bug_on(json_folds(v, NULL, 0, &folded));
	if (v->kind != JSON_OBJECT || !v->count)
		return;
	name = v->members[0].name;
	upper = arena_alloc(a, name.n + 1);
	for (size_t i = 0; i < name.n; i++)
		upper[i] =
			name.p[i] >= 'a' && name.p[i] <= 'z' ? (char)(name.p[i] - 32) : name.p[i];
	known = str_n(upper, name.n);
	bug_on(json_folds(v, &name, 1, &folded) && str_eq(folded, name));
	bug_on(!str_eq(known, name) && !json_folds(v, &known, 1, &folded));
	bug_on(str_eq(json_get_str(v, name), STR_NONE) !=
		!(json_is(json_get(v, name), JSON_STRING) && json_get(v, name)->text.n));
}

static void put_members(struct jw *w, const struct json *v)
{
	for (uint32_t i = 0; i < v->count; i++) {
		const struct json *m = &v->members[i].value;
		struct str name = v->members[i].name;

		if (m->kind == JSON_STRING)
			jw_put_str(w, name, m->text);
		else if (m->kind == JSON_BOOL)
			jw_put_bool(w, name, m->truth);
		else
			jw_put_raw(w, name, m->raw);
	}
}

/* An object written by the calls that join name and value, with two members more. */
static void check_puts(struct arena *a, const struct json *v)
{
	struct str unsigned_name = S("unsigned"), signed_name = S("signed");
	struct json_error error;
	struct json again;
	struct buf out;
	struct jw w;

	if (v->kind != JSON_OBJECT || json_get(v, unsigned_name) || json_get(v, signed_name))
		return;
	buf_in(&out, a, BYTES);
	jw_init(&w, &out);
	jw_object(&w);
	put_members(&w, v);
	jw_put_u64(&w, unsigned_name, UINT64_MAX);
	jw_put_i64(&w, signed_name, INT64_MIN);
	jw_object_end(&w);
	if (!json_parse(a, buf_str(&out), &again, &error)) {
		bug_on(v->count < JSON_MAX_ITEMS / 2);
		return;
	}
	bug_on(again.count != v->count + 2);
	bug_on(!str_eq(json_get(&again, signed_name)->text, S("-9223372036854775808")));
	bug_on(!str_eq(json_get(&again, unsigned_name)->text, S("18446744073709551615")));
	for (uint32_t i = 0; i < v->count; i++)
		bug_on(!json_equal(&v->members[i].value, &again.members[i].value));
}

static void check_value(struct arena *a, const struct json *v)
{
	struct str text = written(a, v), plain = canonical(a, v);
	struct json again, free_form;
	struct json_error error;

	check_names(v);
	bug_on(!utf8_valid(text) || !utf8_valid(plain));
	bug_on(!json_parse(a, text, &again, &error));
	bug_on(!json_equal(v, &again) || json_hash(v) != json_hash(&again));
	bug_on(!str_eq(text, written(a, &again)));
	bug_on(!str_eq(text, built(a, v)));
	check_folds(a, v);
	check_puts(a, v);
	bug_on(!str_eq(plain, canonical(a, &again)));
	bug_on(json_has_nul(v) != json_has_nul(&again));
	bug_on(!json_parse(a, plain, &free_form, &error));
	bug_on(!str_eq(plain, canonical(a, &free_form)));
}

static void check_string(struct arena *a, struct str s)
{
	struct json v;
	struct json_error error;
	struct buf out;
	struct jw w;

	buf_in(&out, a, BYTES);
	jw_init(&w, &out);
	jw_str(&w, s);
	bug_on(!json_parse(a, buf_str(&out), &v, &error) || v.kind != JSON_STRING);
	bug_on(utf8_valid(s) != str_eq(v.text, s));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = str_n(data, size);
	struct json v;
	struct json_error error = { .fault = JSON_OK };
	struct arena a;

	arena_init(&a, 8 * BYTES);
	if (json_parse(&a, text, &v, &error))
		check_value(&a, &v);
	else
		bug_on(!json_fault_name(error.fault)[0] || error.fault == JSON_OK ||
			error.offset > size);
	check_string(&a, text);
	arena_done(&a);
	return 0;
}
