/* yaml_fuzz - a tree that was accepted is bounded, and its JSON text read again as YAML gives the
 * same text: nothing is lost on the way.  Members are found by their names, a node is called what
 * it is, and in the text of a template no brace opens a name.
 *
 * covers: src/config/yaml.c src/config/yaml_json.c */
#include "config/yaml.h"

#include <stdint.h>

#define INPUT_MAX ((size_t)64 << 10)

static unsigned depth_of(const struct yaml *y)
{
	unsigned deepest = 0;

	for (size_t i = 0; i < y->count; i++) {
		unsigned d = depth_of(y->kind == YAML_MAP ? &y->entries[i].value : &y->items[i]);

		deepest = MAX(deepest, d);
	}
	return deepest + 1;
}

static void check_node(const struct yaml *y)
{
	bug_on(!yaml_what(y)[0]);
	for (size_t i = 0; y->kind == YAML_LIST && i < y->count; i++)
		check_node(&y->items[i]);
	for (size_t i = 0; y->kind == YAML_MAP && i < y->count; i++) {
		bug_on(yaml_get(y, y->entries[i].name) != &y->entries[i].value);
		check_node(&y->entries[i].value);
	}
	bug_on(y->kind != YAML_MAP && yaml_get(y, S("a")));
}

/* In strings "{{" is escaped; outside of them it cannot stand in JSON. */
static void check_template(struct arena *a, const struct yaml *y)
{
	struct buf out;

	buf_in(&out, a, (size_t)8 * YAML_MAX_BYTES);
	yaml_to_template(y, &out);
	bug_on(buf_ok(&out) && str_find_str(buf_str(&out), 0, S("{{")) < out.n);
}

/* NEL, LS and PS are characters to JSON, and to libyaml breaks that a quoted text folds. */
static bool has_break(struct str json)
{
	return str_find_str(json, 0, S("\xc2\x85")) < json.n ||
	       str_find_str(json, 0, S("\xe2\x80\xa8")) < json.n ||
	       str_find_str(json, 0, S("\xe2\x80\xa9")) < json.n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct yaml *y, *again;
	struct findings f;
	struct buf one, two;
	struct arena a;

	if (size > INPUT_MAX)
		return 0;
	arena_init(&a, (size_t)512 << 20);
	findings_init(&f, &a);
	y = yaml_parse(&a, S("f"), str_n(data, size), &f);
	bug_on(!y != (f.errors > 0));
	bug_on(yaml_get(NULL, S("a")) != NULL);
	if (y) {
		bug_on(depth_of(y) > YAML_MAX_DEPTH + 1);
		check_node(y);
		check_template(&a, y);
		buf_in(&one, &a, YAML_MAX_BYTES);
		yaml_to_json(y, &one);
		again = buf_ok(&one) && !has_break(buf_str(&one))
				? yaml_parse(&a, S("f"), buf_str(&one), &f)
				: NULL;
		/* libyaml refuses keys of more than 1024 bytes in one line, which JSON text may
		 * have */
		if (again) {
			buf_in(&two, &a, YAML_MAX_BYTES);
			yaml_to_json(again, &two);
			bug_on(!str_eq(buf_str(&one), buf_str(&two)));
		}
	}
	arena_done(&a);
	return 0;
}
