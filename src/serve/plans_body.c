/* plans_body - the document of a plan, as the store keeps it.  See plans_inside.h.
 *
 *	PIECE [ "." PIECE ]…		each sealed for "plan" and "ID/INDEX/COUNT"
 *
 * Invariants: 1. a body opens only under its own plan's id, whole.  2. what does not have the
 *digest it says is shown to nobody.  3. need, grant and times are the row's: they change after it
 *was sealed. */
#include "serve/plans_inside.h"

#include "base/clock.h"

#define PIECE_BYTES ((size_t)512 << 10)
#define PLAIN_MAX ((size_t)20 << 20)
#define SEALED_MAX(n) ((n) / 3 * 4 + 64 + ((n) / PIECE_BYTES + 1) * 64)

static struct str bound_of(struct arena *a, struct str id, size_t i, size_t count)
{
	return arena_fmt(a, "%.*s/%zu/%zu", STR_ARG(id), i, count);
}

bool plan_body_seal(
	struct world *w, struct arena *a, const struct plan *p, struct str *out, struct err *err)
{
	struct buf plain, sealed;
	size_t count;

	if (!world_seal(w, err))
		return false;
	buf_in(&plain, a, PLAIN_MAX);
	plan_write(p, &plain);
	if (!buf_ok(&plain))
		return err_set(err, E_INVALID, "the plan is over %zu MiB", PLAIN_MAX >> 20);
	count = plain.n / PIECE_BYTES + 1;
	buf_in(&sealed, a, SEALED_MAX(plain.n));
	for (size_t i = 0; i < count; i++) {
		if (i)
			buf_char(&sealed, '.');
		seal_write(world_seal_of(w), S("plan"), bound_of(a, p->id, i, count),
			str_sub(buf_str(&plain), i * PIECE_BYTES, PIECE_BYTES), &sealed);
	}
	bug_on(!buf_ok(&sealed));
	*out = buf_str(&sealed);
	return true;
}

static size_t count_pieces(struct str body)
{
	size_t count = 1;

	for (size_t i = 0; i < body.n; i++)
		count += body.p[i] == '.';
	return count;
}

static bool open_pieces(
	struct world *w, struct arena *a, const struct plan_row *row, struct buf *plain)
{
	size_t count = count_pieces(row->body);
	struct str rest = row->body;

	for (size_t i = 0; i < count; i++) {
		struct str piece = rest;

		if (i + 1 < count && !str_cut(rest, '.', &piece, &rest))
			return false;
		if (!seal_read(world_seal_of(w), S("plan"), bound_of(a, row->id, i, count), piece,
			    plain))
			return false;
	}
	return true;
}

/* A time of the store, as people's clocks have it. */
static int64_t on_the_wall(struct world *w, int64_t store_us)
{
	struct err err;
	int64_t now_us;

	if (!store_now_us(world_store(w), &now_us, &err))
		return store_us;
	return clock_wall_us() + (store_us - now_us);
}

bool plan_take_row(struct world *w, const struct plan_row *row, struct plan *p)
{
	p->id = row->id;
	p->grant = row->grant;
	p->made_us = on_the_wall(w, row->made_us);
	p->expires_us = p->made_us + (row->expires_us - row->made_us);
	return approval_level_read(row->need, &p->need);
}

bool plan_body_open(struct world *w, struct arena *a, const struct plan_row *row, struct plan *out,
	struct err *err)
{
	struct plan p;
	struct buf plain;

	if (!world_seal(w, err))
		return false;
	buf_in(&plain, a, PLAIN_MAX);
	if (row->body.n > SEALED_MAX(PLAIN_MAX) || !open_pieces(w, a, row, &plain))
		return err_set(err, E_INVALID,
			"plan %.*s was not sealed by this deployment, or is not whole",
			STR_ARG(row->id));
	if (!plan_read(a, buf_str(&plain), &p, err))
		return err_while(err, "plan %.*s", STR_ARG(row->id));
	if (!plan_intact(&p, a) || !sha256_eq(&p.digest, &row->digest) ||
		!plan_take_row(w, row, &p))
		return err_set(
			err, E_INVALID, "plan %.*s is not what its digest says", STR_ARG(row->id));
	*out = p;
	return true;
}
