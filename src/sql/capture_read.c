/* capture_read - what stood in the rows that were touched, before and after.
 *
 * Both images are read, not remembered: the one before on the connection beside the writing one,
 * which sees the database as it was, since nobody else may change it and nothing of ours is in the
 * file yet; the one after on the writing connection.  So generated columns, defaults of columns
 * that were added later and the affinity of numbers are the database's own business.
 *
 * Invariants: 1. a row that was told to be there is there, and one that was not is not, in both
 * images: else the capture refuses.  2. SQLite counts rows too: fewer told than counted is refused.
 * 3. no arena is asked while a statement of ours is open, or for what is not kept in the capture
 * already: running out of it is a jump. */
#include "sql/capture_inside.h"
#include "sql/real.h"

#include <stdlib.h>
#include <string.h>

static void drop(struct str *image)
{
	free((void *)(uintptr_t)image->p);
	*image = STR_NONE;
}

/* The next value of an image as it stands there, its type first. */
static struct str next_value(const struct str *image, size_t *at)
{
	size_t from = *at, n = 1;
	uint32_t length;

	if (image->p[from] == SQLITE_INTEGER || image->p[from] == SQLITE_FLOAT) {
		n += 8;
	} else if (image->p[from] != SQLITE_NULL) {
		memcpy(&length, image->p + from + 1, sizeof length);
		n += sizeof length + length;
	}
	*at += n;
	return str_sub(*image, from, n);
}

static void bind_value(sqlite3_stmt *s, int index, struct str value)
{
	const char *text = value.p + 1 + sizeof(uint32_t);
	int64_t integer;
	double real;

	switch (value.p[0]) {
	case SQLITE_INTEGER:
		memcpy(&integer, value.p + 1, sizeof integer);
		sqlite3_bind_int64(s, index, integer);
		return;
	case SQLITE_FLOAT:
		memcpy(&real, value.p + 1, sizeof real);
		sqlite3_bind_double(s, index, real);
		return;
	case SQLITE_TEXT:
		sqlite3_bind_text64(s, index, text, value.n - 5, SQLITE_STATIC, SQLITE_UTF8);
		return;
	case SQLITE_BLOB:
		sqlite3_bind_blob64(s, index, text, value.n - 5, SQLITE_STATIC);
		return;
	default:
		sqlite3_bind_null(s, index);
	}
}

/* The key of a table without rowid, as capture.c wrote it behind the table. */
static struct str key_of(const struct capture *c, const struct touch *t)
{
	return str_from(keyset_at(&c->keys, (size_t)(t - c->touches)), sizeof t->table);
}

static void bind_key(const struct capture *c, const struct touch *t, sqlite3_stmt *s)
{
	struct str key;
	size_t at = 0;

	if (!t->table->without_rowid) {
		sqlite3_bind_int64(s, 1, t->rowid);
		return;
	}
	key = key_of(c, t);
	for (int i = 1; at < key.n; i++)
		bind_value(s, i, next_value(&key, &at));
}

/* Collations find more than what was asked for: "A" for "a". */
static bool is_row(struct capture *c, const struct touch *t, sqlite3_stmt *s)
{
	const struct capture_table *table = &t->table->read->table;

	if (!t->table->without_rowid)
		return true;
	buf_clear(&c->scratch);
	for (size_t i = 0; i < table->key_count; i++)
		image_add(&c->scratch, sqlite3_column_value(s, (int)table->key[i]), true);
	return buf_ok(&c->scratch) && str_eq(buf_str(&c->scratch), key_of(c, t));
}

static bool write_image(sqlite3_stmt *s, size_t *bytes_left, struct str *out, struct err *err)
{
	struct buf image;

	buf_init(&image, *bytes_left);
	for (int i = 0; i < sqlite3_column_count(s); i++)
		image_add(&image, sqlite3_column_value(s, i), false);
	if (!buf_ok(&image)) {
		buf_done(&image);
		return err_set(err, E_LIMIT, "the rows that change are too large to be shown");
	}
	*bytes_left -= image.n;
	*out = buf_str(&image);
	return true;
}

/* The row as a connection sees it. */
static bool read_image(struct capture *c, const struct touch *t, bool was, size_t *bytes_left,
	struct str *out, struct err *err)
{
	sqlite3_stmt *s = was ? t->table->read->was : t->table->read->is;
	bool ok = true;
	int rc;

	bind_key(c, t, s);
	while ((rc = sqlite3_step(s)) == SQLITE_ROW && !is_row(c, t, s)) {
	}
	if (rc == SQLITE_ROW)
		ok = write_image(s, bytes_left, out, err);
	else if (rc != SQLITE_DONE)
		ok = lite_fail_on(c->l, was ? c->l->was : c->l->db, rc, err);
	sqlite3_reset(s);
	sqlite3_clear_bindings(s);
	return ok;
}

static bool copy_image(const struct str *from, struct str *to, struct err *err)
{
	char *p;

	*to = STR_NONE;
	if (!from->p)
		return true;
	p = malloc(MAX(from->n, (size_t)1));
	if (!p)
		return err_set(err, E_LIMIT, "there is no memory for the rows that change");
	memcpy(p, from->p, from->n);
	to->p = p;
	to->n = from->n;
	return true;
}

static bool read_touch(struct capture *c, struct touch *t, size_t *bytes_left, struct err *err)
{
	if (!table_read_make(c, t->table, err))
		return false;
	if (t->known ? !copy_image(&t->last, &t->before, err)
		     : !read_image(c, t, true, bytes_left, &t->before, err))
		return false;
	if (!read_image(c, t, false, bytes_left, &t->after, err))
		return false;
	if ((t->before.p != NULL) == t->was && (t->after.p != NULL) == t->is)
		return true;
	return err_set(err, E_CONTRACT, "table %s does not hold the rows that SQLite told of",
		t->table->name);
}

/* Full-text search keeps changes to itself until a savepoint asks for them. */
static bool flush(struct capture *c, struct err *err)
{
	return !tables_have_virtual(c->tables) ||
	       lite_run_own(c->l, "SAVEPOINT postern_capture; RELEASE postern_capture", err);
}

static bool is_whole(const struct capture *c, struct err *err)
{
	uint64_t counted = (uint64_t)(sqlite3_total_changes64(c->l->db) - c->counted);

	if (c->l->spoiled)
		return err_set(err, E_CONTRACT, "a statement of the transaction failed");
	if (c->lost[0])
		return err_set(err, E_DENIED, "the rows of table %s cannot be told apart", c->lost);
	if (c->over)
		return err_set(err, E_LIMIT, "more rows change than can be looked at");
	/* SQLite counts a row of a virtual table, and tells of those behind it */
	if (!c->shadows && counted > c->told)
		return err_set(err, E_CONTRACT, "SQLite changed %llu rows and told of %llu",
			(unsigned long long)counted, (unsigned long long)c->told);
	return true;
}

/* What names a row in the list: its key, and its rowid where that is not enough. */
static void write_key(struct buf *out, const struct touch *t, const struct str *image)
{
	const struct capture_table *table = &t->table->read->table;
	bool enough = table->key_count > 0;

	buf_clear(out);
	buf_add(out, str_n(&t->table, sizeof t->table));
	for (size_t k = 0; k < table->key_count; k++) {
		struct str value = STR_NONE;
		size_t at = 0;

		for (unsigned i = 0; i <= table->key[k]; i++)
			value = next_value(image, &at);
		enough &= value.p[0] != SQLITE_NULL;
		buf_add(out, value);
	}
	if (!enough)
		buf_add(out, str_n(&t->rowid, sizeof t->rowid));
}

static bool has_room(struct capture *c)
{
	struct change *changes;
	size_t cap = MAX(c->change_cap * 2, (size_t)64);

	if (c->rows.count < c->change_cap)
		return true;
	changes = realloc(c->changes, cap * sizeof *changes);
	if (!changes)
		return false;
	c->changes = changes;
	c->change_cap = cap;
	return true;
}

static bool match(struct capture *c, const struct touch *t, bool before, struct err *err)
{
	const struct str *image = before ? &t->before : &t->after;
	const struct touch **side;
	size_t number;
	bool added;

	if (!image->p)
		return true;
	write_key(&c->scratch, t, image);
	if (!buf_ok(&c->scratch) || !has_room(c) ||
		!keyset_add(&c->rows, buf_str(&c->scratch), &number, &added))
		return err_set(err, E_LIMIT, "more rows change than can be looked at");
	if (added)
		c->changes[number] = (struct change){ .statement = t->statement };
	side = before ? &c->changes[number].before : &c->changes[number].after;
	if (*side)
		return err_set(err, E_CONTRACT, "table %s has two rows of one key", t->table->name);
	*side = t;
	return true;
}

/* Everything that can be done without the arena. */
static bool look(struct capture *c, size_t max_bytes, struct err *err)
{
	size_t left = max_bytes;

	if (!flush(c, err) || !is_whole(c, err))
		return false;
	keyset_done(&c->rows);
	for (size_t i = 0; i < c->fresh_count; i++) {
		struct touch *t = &c->touches[c->fresh[i]];

		drop(&t->before);
		drop(&t->after);
		if (!read_touch(c, t, &left, err) || !match(c, t, true, err) ||
			!match(c, t, false, err))
			return false;
	}
	return true;
}

static bool is_change(const struct change *x)
{
	return !x->before || !x->after || !str_eq(x->before->before, x->after->after);
}

static enum lite_type value_of(struct arena *a, struct str value, struct str *out)
{
	int64_t integer;
	double real;

	switch (value.p[0]) {
	case SQLITE_INTEGER:
		memcpy(&integer, value.p + 1, sizeof integer);
		*out = lite_integer(a, integer);
		return LITE_INTEGER;
	case SQLITE_FLOAT:
		memcpy(&real, value.p + 1, sizeof real);
		*out = real_lexeme(a, real);
		return LITE_REAL;
	case SQLITE_TEXT:
		*out = arena_str(a, str_from(value, 5));
		return LITE_TEXT;
	case SQLITE_BLOB:
		*out = arena_str(a, str_from(value, 5));
		return LITE_BLOB;
	default:
		*out = STR_NONE;
		return LITE_NULL;
	}
}

static const struct lite_value *values_of(
	struct arena *a, const struct str *image, size_t column_count)
{
	struct lite_value *values = arena_array(a, struct lite_value, column_count);
	size_t at = 0;

	for (size_t i = 0; i < column_count; i++)
		values[i].type = value_of(a, next_value(image, &at), &values[i].text);
	return values;
}

static const struct capture_table *copy_table(struct arena *a, const struct capture_table *from)
{
	struct capture_table *to = arena_new(a, struct capture_table);
	struct capture_key_of *foreign = arena_array(a, struct capture_key_of, from->foreign_count);
	struct str *columns = arena_array(a, struct str, from->column_count);
	unsigned *key = arena_array(a, unsigned, from->key_count);

	*to = *from;
	to->name = arena_str(a, from->name);
	to->shadow_of = from->shadow_of.n ? arena_str(a, from->shadow_of) : STR_NONE;
	for (size_t i = 0; i < from->column_count; i++)
		columns[i] = arena_str(a, from->columns[i]);
	for (size_t i = 0; i < from->key_count; i++)
		key[i] = from->key[i];
	for (size_t i = 0; i < from->foreign_count; i++)
		foreign[i] = (struct capture_key_of){ arena_str(a, from->foreign[i].column),
			arena_str(a, from->foreign[i].table) };
	to->columns = columns;
	to->key = key;
	to->foreign = foreign;
	return to;
}

/* The copies made so far: few, so looked through. */
static const struct capture_table *table_of(
	struct arena *a, const struct capture_list *list, const struct capture_table *from)
{
	for (size_t i = list->count; i > 0; i--)
		if (str_eq(list->changes[i - 1].table->name, from->name))
			return list->changes[i - 1].table;
	return copy_table(a, from);
}

static void add_change(struct arena *a, struct capture_list *list, const struct change *x)
{
	const struct touch *t = x->before ? x->before : x->after;
	const struct capture_table *from = &t->table->read->table;
	struct capture_change *to = &list->changes[list->count];

	to->table = table_of(a, list, from);
	to->statement = x->statement;
	to->operation = !x->before ? CAPTURE_INSERT : !x->after ? CAPTURE_DELETE : CAPTURE_UPDATE;
	if (x->before)
		to->before = values_of(a, &x->before->before, from->column_count);
	if (x->after)
		to->after = values_of(a, &x->after->after, from->column_count);
	list->count++;
}

static size_t count_changes(const struct capture *c)
{
	size_t count = 0;

	for (size_t i = 0; i < c->rows.count; i++)
		count += is_change(&c->changes[i]);
	return count;
}

/* What is there now is what was there for the next capture_take. */
static void end_batch(struct capture *c)
{
	for (size_t i = 0; i < c->fresh_count; i++) {
		struct touch *t = &c->touches[c->fresh[i]];

		drop(&t->before);
		drop(&t->last);
		t->last = t->after;
		t->after = STR_NONE;
		t->known = true;
	}
	keyset_done(&c->rows);
	c->fresh_count = 0;
	c->batch++;
}

bool capture_take(struct lite *l, struct arena *a, size_t max_rows, size_t max_bytes,
	struct capture_list *out, struct err *err)
{
	struct capture *c = l->capture;
	struct capture_list list = { 0 };
	size_t count;
	bool ok;

	bug_on(!c || !l->in_transaction);
	l->denied_action = 0;
	l->own = true;
	ok = look(c, max_bytes, err);
	l->own = false;
	if (!ok)
		return false;
	count = count_changes(c);
	if (count > max_rows)
		return err_set(err, E_LIMIT, "%zu rows change, and %zu may", count, max_rows);
	list.changes = arena_array(a, struct capture_change, count);
	for (size_t i = 0; i < c->rows.count; i++)
		if (is_change(&c->changes[i]))
			add_change(a, &list, &c->changes[i]);
	end_batch(c);
	*out = list;
	return true;
}
