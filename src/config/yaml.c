/* yaml - see yaml.h.
 *
 * Invariants: 1. recursion is no deeper than YAML_MAX_DEPTH and stops at the event that would
 * exceed it, so the parser's own cost for deep input is never paid.  2. an event is deleted by
 * whoever took it, on every path.  3. one finding per file: after the first mistake of form nothing
 * is believed. */
#include "config/yaml.h"

#include "base/map.h"

#include <yaml.h>

struct parse {
	yaml_parser_t parser;
	struct arena *a;
	struct str file;
	struct findings *f;
	size_t nodes;
	unsigned depth;
	/* What is open at each depth: of the heap, and closed with the arena when that jumps. */
	yaml_event_t events[YAML_MAX_DEPTH + 1];
	struct map names[YAML_MAX_DEPTH + 1];
};

static struct place place_of(const struct parse *p, yaml_mark_t mark)
{
	return (struct place){ p->file, (unsigned)mark.line + 1, (unsigned)mark.column + 1 };
}

static bool refuse(
	struct parse *p, struct place at, const char *code, const char *what, const char *remedy)
{
	finding_error(p->f, at, code, str_c(what), str_c(remedy));
	return false;
}

static bool refuse_syntax(struct parse *p)
{
	const yaml_parser_t *y = &p->parser;
	struct place at = place_of(p, y->problem_mark);
	const char *problem = y->problem ? y->problem : "out of memory";

	if (y->error == YAML_READER_ERROR) {
		at.line = at.column = 0;
		finding_error(p->f, at, "yaml.encoding",
			arena_fmt(p->a, "byte %zu: %s", y->problem_offset, problem),
			S("save the file as UTF-8 without control characters"));
		return false;
	}
	finding_error(p->f, at, "yaml.syntax",
		y->context ? arena_fmt(p->a, "%s, %s", y->context, problem)
			   : arena_fmt(p->a, "%s", problem),
		S("correct the YAML here, or in the line above"));
	return false;
}

static yaml_event_t *event_here(struct parse *p)
{
	return &p->events[p->depth];
}

static bool next(struct parse *p, yaml_event_t *e)
{
	return yaml_parser_parse(&p->parser, e) ? true : refuse_syntax(p);
}

static bool read_value(struct parse *p, const yaml_event_t *e, struct yaml *out);

/* Grows an array of the arena by doubling; returns the array to use. */
static void *grown(struct parse *p, void *list, size_t count, size_t *cap, size_t size)
{
	char *more;

	if (count < *cap)
		return list;
	*cap = *cap ? *cap * 2 : 4;
	more = arena_alloc_array(p->a, *cap, size);
	for (size_t i = 0; i < count * size; i++)
		more[i] = ((char *)list)[i];
	return more;
}

static bool read_list(struct parse *p, struct yaml *out)
{
	struct yaml *items = NULL;
	size_t count = 0, cap = 0;
	yaml_event_t *e = event_here(p);
	bool ok;

	for (;;) {
		if (!next(p, e))
			return false;
		if (e->type == YAML_SEQUENCE_END_EVENT)
			break;
		items = grown(p, items, count, &cap, sizeof *items);
		ok = read_value(p, e, &items[count]);
		yaml_event_delete(e);
		if (!ok)
			return false;
		count++;
	}
	yaml_event_delete(e);
	out->items = items;
	out->count = count;
	return true;
}

static bool read_key(
	struct parse *p, const yaml_event_t *e, struct map *names, struct yaml_entry *out)
{
	struct place at = place_of(p, e->start_mark);

	if (e->type != YAML_SCALAR_EVENT)
		return refuse(
			p, at, "yaml.key", "a key that is not text", "write keys as plain words");
	if (e->data.scalar.anchor || e->data.scalar.tag)
		return refuse(p, at, "yaml.tag", "an anchor or tag on a key", "remove it");
	out->at = at;
	out->name = arena_str(p->a, str_n(e->data.scalar.value, e->data.scalar.length));
	if (map_add(names, out->name, p))
		return true;
	finding_error(p->f, at, "yaml.duplicate_key",
		arena_fmt(p->a, "the key %.*s is here twice", STR_ARG(out->name)),
		S("keep one of them"));
	return false;
}

static bool read_entries(struct parse *p, struct map *names, struct yaml *out)
{
	struct yaml_entry *entries = NULL;
	size_t count = 0, cap = 0;
	yaml_event_t *e = event_here(p);
	bool ok;

	for (;;) {
		if (!next(p, e))
			return false;
		if (e->type == YAML_MAPPING_END_EVENT)
			break;
		entries = grown(p, entries, count, &cap, sizeof *entries);
		ok = read_key(p, e, names, &entries[count]);
		yaml_event_delete(e);
		if (!ok || !next(p, e))
			return false;
		ok = read_value(p, e, &entries[count].value);
		yaml_event_delete(e);
		if (!ok)
			return false;
		count++;
	}
	yaml_event_delete(e);
	out->entries = entries;
	out->count = count;
	return true;
}

static bool read_map(struct parse *p, struct yaml *out)
{
	struct map *names = &p->names[p->depth];
	bool ok;

	map_init(names);
	ok = read_entries(p, names, out);
	map_done(names);
	return ok;
}

static bool check_marks(struct parse *p, struct place at, const void *anchor, const void *tag)
{
	if (anchor)
		return refuse(p, at, "yaml.alias", "an anchor (&name)",
			"write the value out where it is needed");
	if (tag)
		return refuse(p, at, "yaml.tag", "a tag (!name)", "remove it");
	return true;
}

static bool read_value(struct parse *p, const yaml_event_t *e, struct yaml *out)
{
	bool ok;

	out->at = place_of(p, e->start_mark);
	if (++p->nodes > YAML_MAX_NODES)
		return refuse(p, out->at, "yaml.size", "more than 50000 values in one file",
			"split the file");
	if (e->type == YAML_ALIAS_EVENT)
		return refuse(p, out->at, "yaml.alias", "an alias (*name)",
			"write the value out where it is needed");
	if (e->type == YAML_SCALAR_EVENT) {
		out->kind = YAML_SCALAR;
		out->plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
		out->text = arena_str(p->a, str_n(e->data.scalar.value, e->data.scalar.length));
		return check_marks(p, out->at, e->data.scalar.anchor, e->data.scalar.tag);
	}
	if (p->depth == YAML_MAX_DEPTH)
		return refuse(p, out->at, "yaml.depth", "nesting deeper than 64",
			"flatten the structure");
	p->depth++;
	if (e->type == YAML_SEQUENCE_START_EVENT) {
		out->kind = YAML_LIST;
		ok = check_marks(p, out->at, e->data.sequence_start.anchor,
			     e->data.sequence_start.tag) &&
		     read_list(p, out);
	} else {
		out->kind = YAML_MAP;
		ok = check_marks(
			     p, out->at, e->data.mapping_start.anchor, e->data.mapping_start.tag) &&
		     read_map(p, out);
	}
	p->depth--;
	return ok;
}

/* Takes one event; true when it is of the type wanted. */
static bool expect(struct parse *p, yaml_event_type_t type, const char *code, const char *what,
	const char *remedy)
{
	yaml_event_t *e = event_here(p);
	bool fits;

	if (!next(p, e))
		return false;
	fits = e->type == type;
	if (fits && type == YAML_DOCUMENT_START_EVENT)
		fits = e->data.document_start.tag_directives.start ==
		       e->data.document_start.tag_directives.end;
	if (!fits)
		refuse(p, place_of(p, e->start_mark), code, what, remedy);
	yaml_event_delete(e);
	return fits;
}

static bool read_file(struct parse *p, struct yaml *out)
{
	yaml_event_t *e = event_here(p);
	bool ok;

	if (!expect(p, YAML_STREAM_START_EVENT, "yaml.syntax", "no YAML stream", "") ||
		!expect(p, YAML_DOCUMENT_START_EVENT, "yaml.empty",
			"the file is empty, or declares tags", "write a map of keys"))
		return false;
	if (!next(p, e))
		return false;
	ok = read_value(p, e, out);
	yaml_event_delete(e);
	return ok &&
	       expect(p, YAML_DOCUMENT_END_EVENT, "yaml.syntax", "text behind the document",
		       "remove it") &&
	       expect(p, YAML_STREAM_END_EVENT, "yaml.documents",
		       "a second document in the same file", "use one file for each");
}

/* A second time it does nothing: an arena that is used up jumps out of the reading. */
static void close_parse(void *what)
{
	struct parse *p = what;

	yaml_parser_delete(&p->parser);
	for (size_t i = 0; i <= YAML_MAX_DEPTH; i++) {
		yaml_event_delete(&p->events[i]);
		map_done(&p->names[i]);
	}
}

const struct yaml *yaml_parse(struct arena *a, struct str file, struct str text, struct findings *f)
{
	struct parse *p = arena_new(a, struct parse);
	struct yaml *root = arena_new(a, struct yaml);
	bool ok;

	*p = (struct parse){ .a = a, .file = file, .f = f };
	if (text.n > YAML_MAX_BYTES) {
		refuse(p, (struct place){ .file = file }, "yaml.size",
			"the file is larger than 1 MiB", "split the file");
		return NULL;
	}
	bug_on(!yaml_parser_initialize(&p->parser));
	arena_defer(a, close_parse, p);
	yaml_parser_set_encoding(&p->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(
		&p->parser, (const unsigned char *)(text.p ? text.p : ""), text.n);
	ok = read_file(p, root);
	close_parse(p);
	return ok ? root : NULL;
}

const struct yaml *yaml_get(const struct yaml *map, struct str name)
{
	if (!map || map->kind != YAML_MAP)
		return NULL;
	for (size_t i = 0; i < map->count; i++)
		if (str_eq(map->entries[i].name, name))
			return &map->entries[i].value;
	return NULL;
}
