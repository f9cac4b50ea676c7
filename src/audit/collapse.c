/* collapse - see collapse.h.
 *
 * Invariants: 1. a slot is free or holds a key of the second that runs.  2. a count is given out
 * before its slot is freed.  3. the table does not grow. */
#include "audit/collapse.h"

#include <string.h>

#include "audit/record.h"
#include "base/map.h"

#define SECOND_NS ((uint64_t)1000000000)
#define KEY_PART_BYTES 256
#define BODY_BYTES 8192

static void add_part(struct buf *text, struct str s)
{
	buf_add(text, str_sub(s, 0, KEY_PART_BYTES));
	buf_char(text, 0);
}

uint64_t collapse_key(const struct audit_refusal *r)
{
	struct buf text;
	uint64_t key;

	buf_init(&text, 8 * (KEY_PART_BYTES + 1));
	add_part(&text, str_c(r->event));
	add_part(&text, r->reason);
	add_part(&text, r->subject);
	add_part(&text, r->credential);
	add_part(&text, r->peer);
	/* whom we know is to be seen with all that was tried; a stranger could make up any number
	 */
	if (r->subject.n) {
		add_part(&text, r->method);
		add_part(&text, r->target);
	}
	key = siphash_of(buf_str(&text));
	buf_done(&text);
	return key ? key : 1;
}

static void slot_free(struct collapse_slot *s)
{
	heap_free(s->body);
	*s = (struct collapse_slot){ 0 };
}

static struct collapse_slot *slot_find(struct collapse *c, uint64_t key, size_t from, size_t to)
{
	struct collapse_slot *room = NULL;

	for (size_t i = from; i < to; i++) {
		if (c->slots[i].key == key)
			return &c->slots[i];
		if (!room && !c->slots[i].key)
			room = &c->slots[i];
	}
	return room;
}

static void slot_open(struct collapse *c, struct collapse_slot *s, uint64_t key,
	const struct audit_refusal *r, uint64_t now_ns)
{
	struct buf body;

	buf_init(&body, BODY_BYTES);
	record_repeated(&body, r);
	*s = (struct collapse_slot){ .key = key, .opened_ns = now_ns, .body_bytes = body.n };
	s->body = heap_alloc(body.n);
	memcpy(s->body, body.p, body.n);
	buf_done(&body);
	if (!c->next_ns)
		c->next_ns = now_ns + SECOND_NS;
}

/* No slot is left: who is one of many now. */
static bool first_of_others(struct collapse *c, const struct audit_refusal *r, uint64_t now_ns)
{
	struct audit_refusal others = { .event = r->event, .reason = S("many_others") };
	uint64_t key = collapse_key(&others);
	struct collapse_slot *s =
		slot_find(c, key, COLLAPSE_SLOTS, COLLAPSE_SLOTS + COLLAPSE_OTHERS);

	if (!s)
		s = &c->slots[COLLAPSE_SLOTS]; /* an event too many: it is counted with another */
	if (!s->key)
		slot_open(c, s, key, &others, now_ns);
	s->count++;
	return false;
}

bool collapse_first(
	struct collapse *c, const struct audit_refusal *r, uint64_t key, uint64_t now_ns)
{
	struct collapse_slot *s = slot_find(c, key, 0, COLLAPSE_SLOTS);

	if (!s)
		return first_of_others(c, r, now_ns);
	if (s->key == key) {
		s->count++;
		return false;
	}
	slot_open(c, s, key, r, now_ns);
	return true;
}

void collapse_forget(struct collapse *c, uint64_t key)
{
	struct collapse_slot *s = slot_find(c, key, 0, COLLAPSE_SLOTS);

	if (s && s->key == key && !s->count)
		slot_free(s);
}

static void slot_give_out(struct collapse_slot *s, uint64_t now_ns, struct buf *out)
{
	size_t before = out->n;

	buf_add(out, str_n(s->body, s->body_bytes));
	buf_lit(out, ",\"repeated\":");
	buf_u64(out, s->count);
	buf_char(out, '\n');
	if (!buf_ok(out)) { /* no room now: the next second */
		out->n = before;
		out->over = false;
		return;
	}
	s->count = 0;
	s->opened_ns = now_ns;
}

void collapse_flush(struct collapse *c, uint64_t now_ns, bool all, struct buf *out)
{
	uint64_t next = 0;

	if (!c->next_ns || (!all && now_ns < c->next_ns))
		return;
	for (size_t i = 0; i < ARRAY_LEN(c->slots); i++) {
		struct collapse_slot *s = &c->slots[i];

		if (!s->key)
			continue;
		if (all || now_ns - s->opened_ns >= SECOND_NS) {
			if (!s->count) {
				slot_free(s);
				continue;
			}
			slot_give_out(s, now_ns, out);
		}
		if (!next || s->opened_ns + SECOND_NS < next)
			next = s->opened_ns + SECOND_NS;
	}
	c->next_ns = next;
}

void collapse_done(struct collapse *c)
{
	for (size_t i = 0; i < ARRAY_LEN(c->slots); i++)
		if (c->slots[i].key)
			slot_free(&c->slots[i]);
	c->next_ns = 0;
}
