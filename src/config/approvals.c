/* approvals - who is one person, and what approving gives.
 *
 * Invariants: 1. a name belongs to one person: two that share one would be each other's second
 * person, or none.  2. without the section nobody has two names. */
#include "config/load.h"

#define PERSONS_MAX 1024

static bool knows(const struct person_config *p, struct str name)
{
	return str_eq(p->name, name) || names_hold(p->known_as, name);
}

static void check_name(struct config_load *l, const struct yaml_entry *e, struct str name,
	const struct person_config *persons, size_t before)
{
	for (size_t i = 0; i < before; i++)
		if (knows(&persons[i], name))
			finding_error(l->f, e->at, "config.person",
				arena_fmt(l->a, "approvals.persons: '%.*s' is %.*s and %.*s",
					STR_ARG(name), STR_ARG(persons[i].name), STR_ARG(e->name)),
				S("a name is one person's: take it off one of the two"));
}

static void load_person(struct config_load *l, struct reader *r, const struct yaml_entry *e,
	struct person_config *persons, size_t at)
{
	struct person_config *o = &persons[at];

	o->name = e->name;
	o->known_as.list = read_strs(r, arena_cstr(l->a, e->name), &o->known_as.count);
	check_name(l, e, o->name, persons, at);
	for (size_t i = 0; i < o->known_as.count; i++)
		check_name(l, e, o->known_as.list[i], persons, at);
}

static void load_persons(struct config_load *l, const struct yaml *node)
{
	struct approvals_config *o = &l->c->approvals;
	struct person_config *persons;
	struct reader r;

	reader_init(&r, l->a, l->f, node, "approvals.persons");
	if (!r.map)
		return;
	if (r.map->count > PERSONS_MAX) {
		config_refuse(l, r.map, NULL, "config.range", S("more than 1024 persons"),
			S("list those alone that have several names"));
		return;
	}
	persons = arena_array(l->a, struct person_config, r.map->count + 1);
	for (size_t i = 0; i < r.map->count; i++)
		load_person(l, &r, &r.map->entries[i], persons, i);
	o->persons = persons;
	o->person_count = r.map->count;
	reader_done(&r);
}

void config_approvals_load(struct config_load *l, const struct yaml *root)
{
	struct reader r;

	reader_init(&r, l->a, l->f, yaml_get(root, S("approvals")), "approvals");
	l->c->approvals.token = read_bool(&r, "token", false);
	load_persons(l, read_node(&r, "persons"));
	config_approvals_page_load(l, &r);
	reader_done(&r);
}
