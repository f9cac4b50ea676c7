/* protect - see protect.h.
 *
 * Invariants: 1. a value leaves as itself only when an input of the entry says clear or encrypt.
 * 2. the digests of all arguments and of the result are keyed: an unkeyed one would let anybody who
 * reads the log guess what has few values.  3. a value too deep or too large to be made canonical
 * leaves as nothing.  4. a column's value leaves as itself only when the tool declares the column,
 * without a mask and without a class. */
#include "audit/protect.h"

#include "audit/clip.h"
#include "base/utf8.h"

#define CANONICAL_MAX ((size_t)16 << 20)
#define SCRATCH_MAX ((size_t)64 << 20)
#define NAME_MAX_BYTES 64
#define MEMBERS_MAX 1024
#define NAMES_MAX 16
#define MASKED_MAX_BYTES 512

/* False: it needs more memory than it may have; out is as it was. */
static bool canonical(struct buf *out, const struct json *v)
{
	size_t before = out->n;
	struct arena scratch;
	jmp_buf place;
	bool ok;

	arena_init(&scratch, SCRATCH_MAX);
	if (arena_catch(&scratch, &place)) {
		ok = false;
	} else {
		json_canonical(out, &scratch, v);
		ok = buf_ok(out);
	}
	arena_uncatch(&scratch);
	arena_done(&scratch);
	if (!ok)
		out->n = before;
	return ok;
}

static void write_mac(const struct protector *p, struct str text, struct buf *out)
{
	struct sha256 mac;

	hmac_sha256(secret_bytes(&p->key), text, &mac);
	buf_lit(out, "hmac:k1:");
	hex_write(out, str_n(mac.b, SHA256_BYTES / 2));
}

/* ready: the canonical text where it is known already, else empty. */
static void hmac_of(
	const struct protector *p, const struct json *v, struct str ready, struct buf *out)
{
	struct buf text;

	buf_init(&text, CANONICAL_MAX);
	buf_add(&text, str_c(json_kind_name(v->kind)));
	buf_char(&text, ':');
	buf_add(&text, ready);
	if (buf_ok(&text) && (ready.n || canonical(&text, v)))
		write_mac(p, buf_str(&text), out);
	else
		buf_lit(out, "hmac:k1:too-large");
	if (text.n)
		wipe(text.p, text.n);
	buf_done(&text);
}

static void put_hmac(
	const struct protector *p, const struct json *v, struct str ready, struct jw *w)
{
	struct buf text;

	buf_init(&text, 64);
	hmac_of(p, v, ready, &text);
	jw_str(w, buf_str(&text));
	buf_done(&text);
}

void protect_text(const struct protector *p, struct str name, struct str text, struct jw *w)
{
	struct json v = { .kind = JSON_STRING, .text = text };

	jw_name(w, name);
	put_hmac(p, &v, STR_NONE, w);
}

bool protect_hides(const struct effect_column *column)
{
	return !column->shown || column->mask.kind != MASK_NONE || column->data_class != CLASS_NONE;
}

/* As JSON would have it, so that a column and an argument with the same value have the same HMAC.
 */
static struct json json_of(const struct cell *cell)
{
	switch (cell->kind) {
	case CELL_INTEGER:
	case CELL_REAL:
		return (struct json){ .kind = JSON_NUMBER, .text = cell->text };
	case CELL_TEXT:
	case CELL_MASKED:
		return (struct json){ .kind = JSON_STRING, .text = cell->text };
	case CELL_NULL:
	case CELL_BLOB:
		break;
	}
	return (struct json){ .kind = JSON_NULL };
}

static bool is_bytes(const struct cell *cell)
{
	return cell->kind == CELL_BLOB || (cell->kind == CELL_TEXT && !utf8_valid(cell->text));
}

/* What SQLite has beyond JSON's numbers (an infinity) is no number there. */
static bool is_number(struct str lexeme)
{
	struct json_error error;
	struct arena scratch;
	struct json v;
	jmp_buf place;
	bool ok;

	arena_init(&scratch, SCRATCH_MAX);
	if (arena_catch(&scratch, &place))
		ok = false;
	else
		ok = json_parse(&scratch, lexeme, &v, &error) && v.kind == JSON_NUMBER;
	arena_uncatch(&scratch);
	arena_done(&scratch);
	return ok;
}

static void put_bytes_hmac(const struct protector *p, struct str bytes, struct jw *w)
{
	struct buf text, mac;

	buf_init(&text, CANONICAL_MAX);
	buf_init(&mac, 64);
	buf_lit(&text, "bytes:");
	buf_add(&text, bytes);
	if (buf_ok(&text))
		write_mac(p, buf_str(&text), &mac);
	else
		buf_lit(&mac, "hmac:k1:too-large");
	jw_str(w, buf_str(&mac));
	wipe(text.p, text.n);
	buf_done(&text);
	buf_done(&mac);
}

static void put_cell_hmac(const struct protector *p, const struct cell *cell, struct jw *w)
{
	struct json v = json_of(cell);

	if (v.kind == JSON_NUMBER && !is_number(v.text))
		v.kind = JSON_STRING;
	if (is_bytes(cell))
		put_bytes_hmac(p, cell->text, w);
	else
		put_hmac(p, &v, STR_NONE, w);
}

static void put_cell(const struct cell *cell, struct jw *w)
{
	struct json v = json_of(cell);
	struct buf text;

	if (is_bytes(cell)) {
		buf_init(&text, w->out->limit);
		base64_write(&text, cell->text);
		jw_object(w);
		jw_put_str(w, S("base64"), buf_str(&text));
		jw_object_end(w);
		w->out->over |= text.over;
		buf_done(&text);
	} else if (v.kind == JSON_NULL) {
		jw_null(w);
	} else if (v.kind == JSON_NUMBER && is_number(v.text)) {
		jw_raw(w, v.text);
	} else {
		jw_str(w, v.text);
	}
}

static void put_masked(const struct protector *p, const struct effect_column *column,
	const struct cell *cell, struct jw *w)
{
	struct buf shown;

	buf_init(&shown, MASKED_MAX_BYTES);
	p->mask(p->mask_ctx, column, cell, &shown);
	jw_object(w);
	jw_put_str(w, S("shown"), buf_str(&shown));
	jw_name(w, S("hmac"));
	put_cell_hmac(p, cell, w);
	jw_object_end(w);
	buf_done(&shown);
}

void protect_cell(const struct protector *p, const struct effect_column *column,
	const struct cell *cell, struct jw *w)
{
	if (!protect_hides(column))
		put_cell(cell, w);
	else if (column->shown && column->mask.kind != MASK_NONE && cell->kind != CELL_NULL &&
		 p->mask)
		put_masked(p, column, cell, w);
	else
		put_cell_hmac(p, cell, w);
}

/* By a writer of its own: the value may be as deep as a text can be, and stands deeper here. */
static void put_clear(const struct json *v, struct jw *w)
{
	struct buf text;
	struct jw inner;

	buf_init(&text, w->out->limit);
	jw_init(&inner, &text);
	jw_json(&inner, v);
	if (!buf_ok(&text))
		w->out->over = true;
	jw_raw(w, buf_ok(&text) ? buf_str(&text)
				: S("null")); /* a value in any case: the writer counts */
	buf_done(&text);
}

/* e: NULL when nothing by the name that was asked for could be found. */
static const struct input *declared(const struct entry *e, struct str name)
{
	return e ? entry_input(e, name) : NULL;
}

static void put_declared(
	const struct protector *p, const struct input *in, const struct json *v, struct jw *w)
{
	switch (in->protect) {
	case PROTECT_CLEAR:
	case PROTECT_ENCRYPT:
		jw_name(w, in->name);
		put_clear(v, w);
		break;
	case PROTECT_DROP:
		break;
	case PROTECT_HMAC:
		jw_name(w, in->name);
		put_hmac(p, v, STR_NONE, w);
		break;
	}
}

static bool is_dropped(const struct entry *e, struct str name)
{
	const struct input *in = declared(e, name);

	return in && in->protect == PROTECT_DROP;
}

static bool is_undeclared(const struct entry *e, struct str name)
{
	return !declared(e, name);
}

/* An array of the names for which `want` says true, when there are any. */
static void put_names(const struct entry *e, const struct json *args, struct str label,
	bool (*want)(const struct entry *e, struct str name), struct jw *w)
{
	struct buf room;
	unsigned count = 0;

	buf_init(&room, 4 * NAME_MAX_BYTES);
	for (uint32_t i = 0; i < args->count && count < NAMES_MAX; i++) {
		if (!want(e, args->members[i].name))
			continue;
		if (!count++) {
			jw_name(w, label);
			jw_array(w);
		}
		jw_str(w, clip_text(args->members[i].name, NAME_MAX_BYTES, &room));
	}
	if (count)
		jw_array_end(w);
	buf_done(&room);
}

static void put_members(
	const struct protector *p, const struct entry *e, const struct json *args, struct jw *w)
{
	jw_name(w, S("args"));
	jw_object(w);
	for (uint32_t i = 0; i < args->count; i++) {
		const struct input *in = declared(e, args->members[i].name);

		if (in)
			put_declared(p, in, &args->members[i].value, w);
	}
	jw_object_end(w);
	put_names(e, args, S("dropped"), is_dropped, w);
	put_names(e, args, S("undeclared"), is_undeclared, w);
}

/* What was checked and has its defaults in; else what was sent; NULL: nothing. */
static const struct json *arguments_of(const struct call *c)
{
	return c->arguments.kind == JSON_OBJECT ? &c->arguments : c->arguments_sent;
}

void protect_arguments(const struct protector *p, const struct call *c, bool bare, struct jw *w)
{
	const struct json *args = arguments_of(c);
	struct str ready = STR_NONE;

	if (!args)
		return;
	if (args == &c->arguments)
		ready = c->arguments_canonical;
	if (args->kind == JSON_OBJECT && !bare && args->count <= MEMBERS_MAX)
		put_members(p, c->entry, args, w);
	else
		jw_put_u64(w, S("args_bytes"), ready.n ? ready.n : args->raw.n);
	jw_name(w, S("ad"));
	put_hmac(p, args, ready, w);
}

/* Keyed as well: most results are one of few, and a plain digest would tell which.  "result:" is no
 * kind of JSON value: it never equals the HMAC of an argument. */
void protect_result(const struct protector *p, const struct call *c, struct jw *w)
{
	char space[128];
	struct buf text = { .p = space, .cap = sizeof space, .limit = sizeof space }, mac;

	buf_lit(&text, "result:");
	sha256_write(&text, &c->result_digest);
	buf_init(&mac, 64);
	write_mac(p, buf_str(&text), &mac);
	jw_put_str(w, S("rd"), buf_str(&mac));
	buf_done(&mac);
}
