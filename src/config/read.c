/* read - see read.h. */
#include "config/read.h"

#include "base/digest.h"
#include "base/file.h"
#include "base/scan.h"
#include "config/environ.h"

#include <stdlib.h>

#define NAME_MAX_BYTES 64
#define SECRET_MAX_BYTES 4096

static void wrong_type(
	struct reader *r, const char *name, const struct yaml *node, const char *wanted)
{
	bool quote = node->kind == YAML_SCALAR && str_eq(str_c(wanted), S("text"));

	finding_error(r->f, node->at, "config.type",
		arena_fmt(r->a, "%s: %s must be %s; found %s", r->what, name, wanted,
			yaml_what(node)),
		quote ? S("put it in quotes") : STR_NONE);
}

void reader_init(struct reader *r, struct arena *a, struct findings *f, const struct yaml *node,
	const char *what)
{
	*r = (struct reader){ .map = node, .f = f, .a = a, .what = what };
	if (!node)
		return;
	if (node->kind != YAML_MAP) {
		finding_error(f, node->at, "config.type",
			arena_fmt(a, "%s must be a map of keys; found %s", what, yaml_what(node)),
			STR_NONE);
		r->map = NULL;
		return;
	}
	r->seen = arena_array(a, bool, node->count + 1);
}

/* Edits from one short name to the other: insert, remove, change, swap two neighbours. */
static size_t distance(struct str a, struct str b)
{
	size_t d[3][NAME_MAX_BYTES + 1] = { 0 }; /* row i is d[i % 3] */

	if (a.n > NAME_MAX_BYTES || b.n > NAME_MAX_BYTES)
		return NAME_MAX_BYTES;
	for (size_t k = 0; k <= b.n; k++)
		d[0][k] = k;
	for (size_t i = 1; i <= a.n; i++) {
		size_t *row = d[i % 3], *above = d[(i + 2) % 3], *second = d[(i + 1) % 3];

		row[0] = i;
		for (size_t k = 1; k <= b.n; k++) {
			size_t change = above[k - 1] + (a.p[i - 1] != b.p[k - 1]);

			row[k] = MIN(MIN(above[k] + 1, row[k - 1] + 1), change);
			if (i > 1 && k > 1 && a.p[i - 1] == b.p[k - 2] && a.p[i - 2] == b.p[k - 1])
				row[k] = MIN(row[k], second[k - 2] + 1);
		}
	}
	return d[a.n % 3][b.n];
}

const char *read_nearest(struct str name, const char *const *names, size_t count)
{
	size_t best = MAX(name.n / 3, (size_t)1) + 1;
	const char *nearest = NULL;

	for (size_t i = 0; i < count; i++) {
		size_t d = distance(name, str_c(names[i]));

		if (d < best) {
			best = d;
			nearest = names[i];
		}
	}
	return nearest;
}

static struct str list_names(struct reader *r, const char *const *names, size_t count)
{
	struct buf out;

	buf_in(&out, r->a, 4096);
	for (size_t i = 0; i < count; i++) {
		if (i)
			buf_lit(&out, ", ");
		buf_add(&out, str_c(names[i]));
	}
	return buf_str(&out);
}

static void report_unknown(struct reader *r, const struct yaml_entry *e)
{
	const char *nearest = read_nearest(e->name, r->asked, r->asked_count);

	finding_error(r->f, e->at, "config.unknown_key",
		arena_fmt(r->a, "%s: unknown key '%.*s'", r->what, STR_ARG(e->name)),
		nearest ? arena_fmt(r->a, "did you mean '%s'?", nearest)
			: arena_fmt(r->a, "known keys: %.*s",
				  STR_ARG(list_names(r, r->asked, r->asked_count))));
}

void reader_done(struct reader *r)
{
	for (size_t i = 0; r->map && i < r->map->count; i++)
		if (!r->seen[i])
			report_unknown(r, &r->map->entries[i]);
}

static void note_asked(struct reader *r, const char *name)
{
	const char **more;

	if (r->asked_count == r->asked_cap) {
		r->asked_cap = r->asked_cap ? r->asked_cap * 2 : 16;
		more = arena_array(r->a, const char *, r->asked_cap);
		for (size_t i = 0; i < r->asked_count; i++)
			more[i] = r->asked[i];
		r->asked = more;
	}
	r->asked[r->asked_count++] = name;
}

const struct yaml *read_node(struct reader *r, const char *name)
{
	note_asked(r, name);
	for (size_t i = 0; r->map && i < r->map->count; i++) {
		if (!str_eq(r->map->entries[i].name, str_c(name)))
			continue;
		r->seen[i] = true;
		return &r->map->entries[i].value;
	}
	return NULL;
}

bool read_has(struct reader *r, const char *name)
{
	return r->map && yaml_get(r->map, str_c(name));
}

static const struct yaml *read_kind(
	struct reader *r, const char *name, enum yaml_kind kind, const char *wanted)
{
	const struct yaml *node = read_node(r, name);

	if (!node || node->kind == kind)
		return node;
	wrong_type(r, name, node, wanted);
	return NULL;
}

const struct yaml *read_map(struct reader *r, const char *name)
{
	return read_kind(r, name, YAML_MAP, "a map");
}

const struct yaml *read_list(struct reader *r, const char *name)
{
	return read_kind(r, name, YAML_LIST, "a list");
}

struct str read_text(struct reader *r, const char *name, const struct yaml *node)
{
	if (node->kind != YAML_SCALAR || yaml_core(node) != YAML_TEXT) {
		wrong_type(r, name, node, "text");
		return STR_NONE;
	}
	if (!node->text.n)
		finding_error(r->f, node->at, "config.empty",
			arena_fmt(r->a, "%s: %s is empty", r->what, name),
			S("write a value or remove the key"));
	if (str_has(node->text, '\0')) {
		finding_error(r->f, node->at, "config.type",
			arena_fmt(r->a, "%s: %s holds a NUL character", r->what, name),
			S("remove it"));
		return STR_NONE;
	}
	return node->text;
}

struct str read_str(struct reader *r, const char *name, struct str absent)
{
	const struct yaml *node = read_node(r, name);
	struct str text;

	if (!node)
		return absent;
	text = read_text(r, name, node);
	return text.n ? text : absent;
}

struct str read_str_required(struct reader *r, const char *name)
{
	if (r->map && !read_has(r, name))
		finding_error(r->f, r->map->at, "config.missing",
			arena_fmt(r->a, "%s: %s is missing", r->what, name),
			arena_fmt(r->a, "add '%s:'", name));
	return read_str(r, name, STR_NONE);
}

bool read_bool(struct reader *r, const char *name, bool absent)
{
	const struct yaml *node = read_node(r, name);

	if (!node)
		return absent;
	if (node->kind == YAML_SCALAR && yaml_core(node) == YAML_BOOL)
		return ascii_lower(node->text.p[0]) == 't';
	wrong_type(r, name, node, "true or false");
	return absent;
}

static void out_of_range(
	struct reader *r, const char *name, const struct yaml *node, struct str range)
{
	finding_error(r->f, node->at, "config.range",
		arena_fmt(r->a, "%s: %s is %.*s", r->what, name, STR_ARG(node->text)),
		arena_fmt(r->a, "it must be between %.*s", STR_ARG(range)));
}

uint64_t read_u64(struct reader *r, const char *name, uint64_t absent, uint64_t min, uint64_t max)
{
	const struct yaml *node = read_node(r, name);
	uint64_t n;

	if (!node)
		return absent;
	if (node->kind != YAML_SCALAR || yaml_core(node) != YAML_NUMBER) {
		wrong_type(r, name, node, "a whole number");
		return absent;
	}
	if (str_to_u64(node->text, &n) && n >= min && n <= max)
		return n;
	out_of_range(r, name, node,
		arena_fmt(r->a, "%llu and %llu", (unsigned long long)min, (unsigned long long)max));
	return absent;
}

struct unit {
	struct str name;
	uint64_t size;
};

/* The largest unit first, so that range messages are short. */
static const struct unit times[] = { { STR_INIT("d"), 86400000 }, { STR_INIT("h"), 3600000 },
	{ STR_INIT("m"), 60000 }, { STR_INIT("s"), 1000 }, { STR_INIT("ms"), 1 }, { { 0 }, 0 } };
static const struct unit sizes[] = { { STR_INIT("GiB"), (uint64_t)1 << 30 },
	{ STR_INIT("MiB"), 1 << 20 }, { STR_INIT("KiB"), 1 << 10 }, { STR_INIT("B"), 1 },
	{ { 0 }, 0 } };

static struct str write_quantity(struct reader *r, uint64_t n, const struct unit *units)
{
	while (units[1].size && (n < units->size || n % units->size))
		units++;
	return arena_fmt(
		r->a, "%llu%.*s", (unsigned long long)(n / units->size), STR_ARG(units->name));
}

static bool parse_quantity(struct str s, const struct unit *units, uint64_t *out)
{
	struct scan in = scan_of(s);
	struct str digits = scan_while(&in, ascii_is_digit), unit = scan_rest(&in);
	uint64_t n;

	if (!str_to_u64(digits, &n))
		return false;
	for (; units->size; units++)
		if (str_eq(unit, units->name) && n <= UINT64_MAX / units->size) {
			*out = n * units->size;
			return true;
		}
	return false;
}

static uint64_t read_quantity(struct reader *r, const char *name, const struct unit *units,
	const char *example, uint64_t absent, uint64_t min, uint64_t max)
{
	const struct yaml *node = read_node(r, name);
	uint64_t n;

	if (!node)
		return absent;
	if (node->kind != YAML_SCALAR) {
		wrong_type(r, name, node, "a number with a unit");
		return absent;
	}
	if (!parse_quantity(node->text, units, &n)) {
		finding_error(r->f, node->at, "config.unit",
			arena_fmt(r->a, "%s: %s is '%.*s', which is not a number with a unit",
				r->what, name, STR_ARG(node->text)),
			arena_fmt(r->a, "write it as in %s", example));
		return absent;
	}
	if (n >= min && n <= max)
		return n;
	out_of_range(r, name, node,
		arena_fmt(r->a, "%.*s and %.*s", STR_ARG(write_quantity(r, min, units)),
			STR_ARG(write_quantity(r, max, units))));
	return absent;
}

uint32_t read_duration_ms(
	struct reader *r, const char *name, uint32_t absent, uint32_t min, uint32_t max)
{
	return (uint32_t)read_quantity(
		r, name, times, "500ms, 10s, 5m, 2h or 90d", absent, min, max);
}

uint64_t read_bytes(struct reader *r, const char *name, uint64_t absent, uint64_t min, uint64_t max)
{
	return read_quantity(r, name, sizes, "512B, 4KiB or 1MiB", absent, min, max);
}

static size_t count_names(const char *const *names)
{
	size_t n = 0;

	while (names[n])
		n++;
	return n;
}

int read_choice(struct reader *r, const char *name, const char *const *names, int absent)
{
	const struct yaml *node = read_node(r, name);
	size_t count = count_names(names);

	if (!node)
		return absent;
	if (node->kind == YAML_SCALAR)
		for (size_t i = 0; i < count; i++)
			if (str_eq(node->text, str_c(names[i])))
				return (int)i;
	finding_error(r->f, node->at, "config.choice",
		arena_fmt(r->a, "%s: %s is %.*s", r->what, name,
			STR_ARG(node->kind == YAML_SCALAR
					? arena_fmt(r->a, "'%.*s'", STR_ARG(node->text))
					: str_c(yaml_what(node)))),
		arena_fmt(r->a, "it must be one of: %.*s", STR_ARG(list_names(r, names, count))));
	return absent;
}

const struct str *read_strs(struct reader *r, const char *name, size_t *count_out)
{
	const struct yaml *list = read_list(r, name);
	struct str *strs;
	size_t count = 0;

	*count_out = 0;
	if (!list)
		return NULL;
	strs = arena_array(r->a, struct str, list->count + 1);
	for (size_t i = 0; i < list->count; i++) {
		struct str text = read_text(r, name, &list->items[i]);

		if (text.n)
			strs[count++] = text;
	}
	*count_out = count;
	return strs;
}

static struct str resolve(struct reader *r, struct str path, struct str directory)
{
	if (path.n && path.p[0] != '/')
		return arena_fmt(r->a, "%.*s/%.*s", STR_ARG(directory), STR_ARG(path));
	return path;
}

static struct str secret_in_file(
	struct reader *r, const struct yaml *node, struct str path, struct str directory)
{
	struct str text = STR_NONE;
	struct err err;

	path = resolve(r, path, directory);
	if (file_read_secret(r->a, path, SECRET_MAX_BYTES, &text, &err) && text.n)
		return text;
	finding_error(r->f, node->at, "config.secret_file",
		text.p ? arena_fmt(r->a, "%.*s is empty", STR_ARG(path)) : str_c(err.text),
		STR_NONE);
	return STR_NONE;
}

struct str read_secret(struct reader *r, const char *name, struct str directory, bool plain_ok)
{
	struct str text = read_str(r, name, STR_NONE), inner;
	const struct yaml *node = r->map ? yaml_get(r->map, str_c(name)) : NULL;

	if (!text.n || !node)
		return STR_NONE;
	inner = str_sub(text, 2, text.n - 3);
	if (text.n > 3 && str_starts(text, S("${")) && str_ends(text, S("}"))) {
		if (str_starts(inner, S("file:")))
			return secret_in_file(r, node, str_from(inner, 5), directory);
		if (str_starts(inner, S("env:")))
			return environ_secret(r->a, arena_cstr(r->a, str_from(inner, 4)));
	}
	if (plain_ok && !str_starts(text, S("${")))
		return arena_str(r->a, text);
	finding_error(r->f, node->at, "config.secret",
		arena_fmt(r->a, "%s: %s holds a plain secret, or an unknown ${…}", r->what, name),
		S("write ${env:NAME} or ${file:PATH}"));
	return STR_NONE;
}

struct str read_secret_file(struct reader *r, const char *name, struct str directory)
{
	const struct yaml *node = r->map ? yaml_get(r->map, str_c(name)) : NULL;
	struct str text = node && node->kind == YAML_SCALAR ? node->text : STR_NONE;

	if (!str_starts(text, S("${file:")) || !str_ends(text, S("}")))
		return STR_NONE;
	return resolve(r, str_sub(text, 7, text.n - 8), directory);
}
