/* clock - see clock.h.
 *
 * Invariants: 1. it never goes back: every transaction that judges by it writes it, too.  2. what
 * was only read is written within a second, so a restart of the host with a wall clock that went
 * back repeats no more than that. */
#include "store/clock.h"

#include "base/clock.h"
#include "base/planted.h"
#include "store/inside.h"

#include <string.h>

#define LOOK_MS 1000 /* a look this much later than what is written is written */

static const char clock_get[] = "SELECT at_ms, boot, boot_ms, wall_ms FROM quota_clock";
static const char clock_put[] =
	"INSERT INTO quota_clock (one, at_ms, boot, boot_ms, wall_ms) VALUES (1, ?1, ?2, ?3, ?4) "
	"ON CONFLICT (one) DO UPDATE SET at_ms = ?1, boot = ?2, boot_ms = ?3, wall_ms = ?4";

void store_clock_set(struct store *s, store_clock_read *read)
{
	s->clock = read;
}

static void ask_host(struct store *s, struct store_moment *out)
{
	if (!s->boot_id[0]) {
		struct arena a;
		struct str id;

		arena_init(&a, 4096);
		id = clock_boot_id(&a);
		memcpy(s->boot_id, id.p, MIN(id.n, sizeof s->boot_id - 1));
		arena_done(&a);
	}
	*out = (struct store_moment){ str_c(s->boot_id), clock_boot_ms(), clock_wall_us() };
}

void store_clock_moment(struct store *s, struct store_moment *out)
{
	if (s->clock)
		s->clock(out);
	else
		ask_host(s, out);
}

static struct str boot_of(sqlite3_stmt *q)
{
	return str_n(sqlite3_column_text(q, 1), (size_t)sqlite3_column_bytes(q, 1));
}

static int64_t boot_ms_of(const struct store_moment *now)
{
	return (int64_t)now->boot_ms + planted_clock_ms();
}

/* The store's time now, from what was written last. */
static int64_t go_on(sqlite3_stmt *q, const struct store_moment *now)
{
	int64_t at_ms = sqlite3_column_int64(q, 0), boot_ms = sqlite3_column_int64(q, 2);
	int64_t wall_ms = sqlite3_column_int64(q, 3);

	if (str_eq(boot_of(q), now->boot_id))
		return at_ms + MAX(boot_ms_of(now) - boot_ms, (int64_t)0);
	return at_ms + MAX(now->wall_us / 1000 - wall_ms, (int64_t)0);
}

/* *due_out: what is written is of another start of the host, or old. */
static bool read_clock(struct store *s, const struct store_moment *now, int64_t *at_ms_out,
	bool *due_out, struct err *err)
{
	sqlite3_stmt *q = store_query(s, clock_get, err);
	bool same;
	int rc;

	if (!q)
		return false;
	rc = sqlite3_step(q);
	*at_ms_out = rc == SQLITE_ROW ? go_on(q, now) : now->wall_us / 1000;
	same = rc == SQLITE_ROW && str_eq(boot_of(q), now->boot_id);
	*due_out = !same || *at_ms_out - sqlite3_column_int64(q, 0) >= LOOK_MS;
	store_end(q);
	return rc == SQLITE_ROW || rc == SQLITE_DONE || store_fail(s, rc, err);
}

static bool write_clock(
	struct store *s, const struct store_moment *now, int64_t at_ms, struct err *err)
{
	sqlite3_stmt *q = store_query(s, clock_put, err);
	int changed;
	bool ok;

	if (!q)
		return false;
	sqlite3_bind_int64(q, 1, at_ms);
	store_bind(q, 2, now->boot_id);
	sqlite3_bind_int64(q, 3, boot_ms_of(now));
	sqlite3_bind_int64(q, 4, now->wall_us / 1000);
	ok = store_change(s, q, &changed, err);
	store_end(q);
	return ok;
}

bool store_clock_look(
	struct store *s, const struct store_moment *now, int64_t *at_ms_out, struct err *err)
{
	bool due;

	return read_clock(s, now, at_ms_out, &due, err);
}

bool store_clock_tick(
	struct store *s, const struct store_moment *now, int64_t *at_ms_out, struct err *err)
{
	return store_clock_look(s, now, at_ms_out, err) && write_clock(s, now, *at_ms_out, err);
}

static bool tick_alone(
	struct store *s, const struct store_moment *now, int64_t *at_ms_out, struct err *err)
{
	bool ok = store_run(s, "BEGIN IMMEDIATE", err) &&
		  store_clock_tick(s, now, at_ms_out, err) && store_run(s, "COMMIT", err);

	if (!sqlite3_get_autocommit(s->db))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	return ok;
}

static bool tell(struct store *s, int64_t *at_ms_out, struct err *err)
{
	struct store_moment now;
	bool due;

	store_clock_moment(s, &now);
	*at_ms_out = now.wall_us / 1000;
	if (!store_ready(s, false, err))
		return false;
	if (!s->db)
		return true;
	if (!read_clock(s, &now, at_ms_out, &due, err))
		return false;
	return !due || tick_alone(s, &now, at_ms_out, err);
}

bool store_now_us(struct store *s, int64_t *now_out, struct err *err)
{
	int64_t at_ms;
	bool ok;

	pthread_mutex_lock(&s->lock);
	ok = tell(s, &at_ms, err);
	pthread_mutex_unlock(&s->lock);
	if (ok)
		*now_out = at_ms * 1000;
	return ok;
}
