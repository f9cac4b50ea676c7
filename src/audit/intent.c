/* intent - CALL_INTENT: that a change is about to be made, durable before it is.
 *
 *   audit_intent ─▶ queued ─▶ (the statements run) ─▶ audit_intent_durable ─▶ COMMIT ─▶ audit_call
 *
 * Invariants: 1. an intent is durable only after its record was read as durable, once.  2. nothing
 * is allocated after it was queued: what may jump comes before. */
#include "audit/inside.h"

#include <string.h>

#include "base/clock.h"
#include "plan/change.h"

#define INDEX_DIGITS 20

enum intent_state { INTENT_OPEN, INTENT_DURABLE, INTENT_NOT };

struct intent {
	struct audit *audit;
	struct ticket ticket;
	enum intent_state state;
	bool too_late; /* INTENT_NOT because its time was over */
	uint64_t deadline_ns, index;
	struct receipt receipt; /* of the outcome */
	struct err err; /* INTENT_NOT */
	char *place;
	size_t place_bytes, place_room;
};

static void close_intent(void *what)
{
	struct intent *i = what;

	ticket_drop(&i->ticket);
}

/* As it stands in the lines. */
static struct str origin_of(const struct audit *a)
{
	return str_sub(str_c(a->origin), 0, ORIGIN_MAX_BYTES);
}

/* All the memory it needs; NULL: the call's is used up. */
static struct intent *intent_new(struct audit *a, struct arena *arena, struct err *err)
{
	size_t room = origin_of(a).n + 1 + ID_BYTES + 1 + INDEX_DIGITS;
	jmp_buf *escape = arena->escape;
	struct intent *i = NULL;
	jmp_buf place;

	if (!arena_catch(arena, &place)) {
		struct intent *made = arena_new(arena, struct intent);

		made->place = arena_alloc(arena, room);
		arena_defer(arena, close_intent, made);
		made->place_room = room;
		made->audit = a;
		i = made;
	} else {
		err_set(err, E_LIMIT, "the call's memory is used up");
	}
	arena->escape = escape;
	return i;
}

static bool queue_intent(struct audit *a, struct intent *i, const struct call *c, struct err *err)
{
	struct what what = { .event = "CALL_INTENT", .call = &c->id, .use = SEGMENT_INTENT };
	struct buf body;
	bool ok;

	buf_init(&body, RECORD_MAX_BYTES);
	record_intent(&body, c, &a->protector);
	what.body = buf_str(&body);
	ok = audit_queue(a, &what, &i->ticket, err);
	buf_done(&body);
	i->deadline_ns = i->ticket.deadline_ns;
	return ok;
}

struct intent *audit_intent(struct audit *a, struct call *c, struct err *err)
{
	struct intent *i;

	bug_on(!c->change || c->change->queued);
	if (!audit_healthy(a)) {
		err_set(err, E_UNAVAILABLE, "the audit log is sealed");
		return NULL;
	}
	i = intent_new(a, c->arena, err);
	if (!i || !audit_start(a, err) || !queue_intent(a, i, c, err))
		return NULL;
	c->change->queued = i;
	return i;
}

/* The boot is there to be read: the writer made it before it wrote the intent. */
static void write_place(struct intent *i)
{
	struct buf place;

	buf_init(&place, i->place_room);
	buf_add(&place, origin_of(i->audit));
	buf_char(&place, '/');
	buf_add(&place, id_str(&i->audit->journal.boot));
	buf_char(&place, '/');
	buf_u64(&place, i->index);
	bug_on(!buf_ok(&place));
	memcpy(i->place, place.p, place.n);
	i->place_bytes = place.n;
	buf_done(&place);
}

static void settle(struct intent *i)
{
	if (audit_await(i->audit, &i->ticket, &i->index, &i->err)) {
		i->state = INTENT_DURABLE;
		write_place(i);
		return;
	}
	i->state = INTENT_NOT;
	i->too_late = clock_mono_ns() >= i->deadline_ns;
}

bool intent_is_durable(struct intent *i)
{
	if (i->state == INTENT_OPEN)
		settle(i);
	return i->state == INTENT_DURABLE;
}

bool audit_intent_durable(struct intent *i, struct str *place_out, struct err *err)
{
	if (!intent_is_durable(i)) {
		*err = i->err;
		return false;
	}
	*place_out = str_n(i->place, i->place_bytes);
	return true;
}

struct receipt *intent_receipt(struct intent *i)
{
	return &i->receipt;
}

uint64_t intent_given_up_ns(const struct intent *i)
{
	return i->too_late ? i->deadline_ns : 0;
}
