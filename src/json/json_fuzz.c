/* json_fuzz - input: any text.
 *
 * Properties: what is refused has a reason and an offset inside the text.  What is read comes back
 * equal, with equal hash and equal canonical text, from what jw_json writes of it; that text is a
 * fixed point; members are found by their names; canonical text is JSON.  A string of the input's
 * bytes is always written as JSON, and read back the same when it is UTF-8. */
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
		bug_on(error.fault == JSON_OK || error.offset > size);
	check_string(&a, text);
	arena_done(&a);
	return 0;
}
