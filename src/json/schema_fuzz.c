/* schema_fuzz - input: a schema, a newline, a value, and maybe a newline and a meta-schema, which
 * is known as "urn:fuzz:meta".
 *
 * Properties: the verdict is the same with and without collecting faults, and "invalid" has at
 * least one; a schema referred to decides as it does alone, and "not" turns it, unless a limit was
 * met. */
#include "base/buf.h"
#include "json/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum verdict { FITS, FITS_NOT, LIMIT, NO_SCHEMA };

static enum verdict decide(struct arena *a, const struct json *root, const struct json *v,
	const struct schema_options *options)
{
	struct err err = { 0 };
	struct schema *s = schema_compile(a, root, options, &err);
	struct schema_faults faults;
	bool fits;

	if (!s) {
		bug_on(err.code == E_NONE || !err.text[0]);
		return NO_SCHEMA;
	}
	fits = schema_check(s, a, v, &faults);
	bug_on(fits != schema_check(s, a, v, NULL));
	bug_on(fits != (faults.count == 0));
	bug_on(faults.count > SCHEMA_MAX_FAULTS);
	for (size_t i = 0; i < faults.count; i++)
		if (str_eq(faults.list[i].keyword, S("limit")))
			return LIMIT;
	return fits ? FITS : FITS_NOT;
}

static void check_all(
	struct arena *a, const struct json *root, const struct json *v, const struct json *meta)
{
	struct schema_document documents[] = { { .uri = S("urn:fuzz:meta"), .root = meta },
		{ .uri = S("urn:fuzz:schema"), .root = root } };
	struct schema_options alone = {
		.assert_formats = true, .documents = documents, .document_count = 1
	};
	struct schema_options referred = alone;
	struct json outer, turned;
	struct json_error error;
	enum verdict one, two;

	referred.document_count = 2;
	if (!json_parse(a, S("{\"$ref\":\"urn:fuzz:schema\"}"), &outer, &error) ||
		!json_parse(a, S("{\"not\":{\"$ref\":\"urn:fuzz:schema\"}}"), &turned, &error))
		bug_on(true);
	one = decide(a, root, v, &alone);
	two = decide(a, &outer, v, &referred);
	bug_on(one <= FITS_NOT && two <= FITS_NOT && one != two);
	two = decide(a, &turned, v, &referred);
	bug_on(one <= FITS_NOT && two <= FITS_NOT && one == two);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str input = str_n(data, size), schema, value, third = S("{}");
	struct json root, v, meta;
	struct json_error error;
	struct arena a;
	jmp_buf place;

	if (!str_cut(input, '\n', &schema, &value))
		return 0;
	if (!str_cut(value, '\n', &value, &third) || !third.n)
		third = S("{}");
	arena_init(&a, 256 << 20);
	if (!arena_catch(&a, &place) && json_parse(&a, schema, &root, &error) &&
		json_parse(&a, value, &v, &error) && json_parse(&a, third, &meta, &error))
		check_all(&a, &root, &v, &meta);
	arena_uncatch(&a);
	arena_done(&a);
	return 0;
}
