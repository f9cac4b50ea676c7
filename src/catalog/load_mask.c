/* load_mask - `mask`, `unmask` and `class` of a column, and what a masked column may not be used
 * for.
 *
 * Invariants: 1. a column that says that it is personal (class) is masked for somebody.  2. a mask
 * that cannot read its column's type is refused here, not found out by a caller.  3. rows are not
 * put in the order of a masked column: order tells values. */
#include "catalog/load.h"
#include "catalog/mask_use.h"

static const char *const kind_names[] = { "none", "email", "phone", "last4", "initials", "hash",
	"redact", NULL };
static const char *const period_names[] = { "size", "day", "month", "year", NULL };
static const char *const class_names[] = { "none", "pii", "phi", NULL };

struct str mask_written(struct arena *a, const struct mask *m)
{
	if (m->kind != MASK_BUCKET)
		return str_c(kind_names[m->kind]);
	if (m->bucket != BUCKET_SIZE)
		return arena_fmt(a, "{bucket: %s}", period_names[m->bucket]);
	return arena_fmt(a, "{bucket: %llu}", (unsigned long long)m->size);
}

const char *data_class_name(enum data_class c)
{
	return class_names[c];
}

#define T(type) (1u << (type))

/* The types of column that each mask can read. */
static unsigned types_of(const struct mask *m)
{
	unsigned text = T(COLUMN_STRING);
	unsigned integers = T(COLUMN_INTEGER) | T(COLUMN_INT64);
	unsigned numbers = integers | T(COLUMN_NUMBER) | T(COLUMN_DECIMAL);
	unsigned dates = T(COLUMN_DATE) | T(COLUMN_DATE_TIME);

	switch (m->kind) {
	case MASK_EMAIL:
	case MASK_INITIALS:
		return text;
	case MASK_PHONE:
	case MASK_LAST4:
		return text | integers;
	case MASK_HASH: /* a hash of two values hides neither */
		return text | numbers | dates | T(COLUMN_JSON) | T(COLUMN_BYTES);
	case MASK_BUCKET:
		if (m->bucket == BUCKET_SIZE)
			return numbers;
		return m->bucket == BUCKET_DAY ? T(COLUMN_DATE_TIME) : dates;
	case MASK_NONE:
	case MASK_REDACT:
		break;
	}
	return ~0u;
}

static void load_bucket(struct entry_load *el, const struct yaml *node, struct mask *m)
{
	const struct yaml *value;
	struct reader r;

	m->kind = MASK_BUCKET;
	reader_init(&r, el->a, el->f, node, "mask");
	value = read_node(&r, "bucket");
	m->size = 1;
	if (!value)
		entry_refuse(el, node, "mask.kind", S("a mask without a kind"),
			S("write a name, as in 'mask: email', or 'mask: {bucket: 1000}'"));
	else if (value->kind == YAML_SCALAR && yaml_core(value) == YAML_NUMBER)
		m->size = read_u64(&r, "bucket", 1, 1, UINT64_C(1000000000000000));
	else
		m->bucket = (enum bucket)read_choice(&r, "bucket", period_names, BUCKET_SIZE);
	if (value && m->bucket == BUCKET_SIZE && m->size == 1)
		entry_refuse(el, value, "mask.kind", S("a bucket of no size"),
			S("give a whole number from 2 on, or day, month or year"));
	reader_done(&r);
}

static void check_unmask(struct entry_load *el, const struct yaml *at, const struct column *c)
{
	if (c->unmask.n && !grant_is_held(el->l->config, c->unmask))
		entry_refuse(el, at, "grant.nobody",
			arena_fmt(el->a, "column %.*s: nobody holds the grant '%.*s'",
				STR_ARG(c->name), STR_ARG(c->unmask)),
			S("list it under a role of postern.yaml, or leave unmask out: then the "
			  "column is masked for everybody"));
}

void mask_load(struct entry_load *el, struct reader *r, struct column *c)
{
	const struct yaml *node = read_node(r, "mask");

	if (node && node->kind == YAML_MAP)
		load_bucket(el, node, &c->mask);
	else if (node)
		c->mask.kind = (enum mask_kind)read_choice(r, "mask", kind_names, MASK_REDACT);
	c->unmask = read_str(r, "unmask", STR_NONE);
	c->data_class = (enum data_class)read_choice(r, "class", class_names, CLASS_NONE);
	if (!node && c->unmask.n)
		c->mask.kind = MASK_REDACT;
	if (c->mask.kind == MASK_HASH)
		el->l->c->hashes = true;
	check_unmask(el, r->map, c);
	if (node && c->mask.kind == MASK_NONE && c->unmask.n)
		entry_refuse(el, node, "mask.kind",
			arena_fmt(
				el->a, "column %.*s has unmask and 'mask: none'", STR_ARG(c->name)),
			S("name a mask, or remove unmask"));
	if (c->data_class != CLASS_NONE && c->mask.kind == MASK_NONE)
		entry_refuse(el, r->map, "mask.class",
			arena_fmt(el->a, "column %.*s is of class %s and everybody sees it",
				STR_ARG(c->name), class_names[c->data_class]),
			S("add 'mask:' with email, phone, last4, initials, hash, redact or "
			  "{bucket: …}, or 'unmask:' with the grant that may see it"));
	if (!(types_of(&c->mask) & T(c->type)))
		entry_refuse(el, node ? node : r->map, "mask.type",
			arena_fmt(el->a, "column %.*s is of a type that this mask cannot read",
				STR_ARG(c->name)),
			S("use redact, which reads every type, or a mask of the type: email, "
			  "phone, last4, initials for text; {bucket: SIZE} for numbers; {bucket: "
			  "year} for dates"));
}

/* The statement as its author wrote it; see mask_use.h for what is seen. */
void mask_check_order(struct entry_load *el, const struct yaml *sql, const struct part *part)
{
	const struct column *c;

	if (!sql || sql->kind != YAML_SCALAR)
		return;
	c = mask_ordered_by(sql->text, part->columns, part->column_count);
	if (c)
		entry_refuse(el, sql, "mask.order",
			arena_fmt(el->a,
				"rows are put in the order of column %.*s, which is masked",
				STR_ARG(c->name)),
			S("order by another column: the order of masked values tells them"));
}

void mask_check_page(struct entry_load *el, const struct yaml *node, const struct column *c)
{
	if (c->mask.kind != MASK_NONE)
		entry_refuse(el, node, "mask.order",
			arena_fmt(el->a, "page goes by column %.*s, which is masked",
				STR_ARG(c->name)),
			S("go by another column: the order of masked values tells them"));
}

void mask_check_content(struct entry_load *el, const struct yaml *node, const struct column *c)
{
	if (c->mask.kind != MASK_NONE && c->mask.kind != MASK_REDACT)
		entry_refuse(el, node, "mask.content",
			arena_fmt(el->a, "column %.*s is the content and is masked in part",
				STR_ARG(c->name)),
			S("use 'mask: redact': a text is shown whole or not at all"));
}
