/* group - see group.h. */
#include "audit/group.h"

#include <stdio.h>
#include <string.h>

#include "audit/blob.h"

#define USUAL_BYTES 1024
#define USUAL_RECORDS 16

struct group *group_new(void)
{
	struct group *g = heap_new(struct group);

	atomic_init(&g->references, 1);
	buf_init(&g->bodies, GROUP_BYTES + RECORD_MAX_BYTES);
	(void)buf_space(&g->bodies, 4 * USUAL_BYTES); /* grown once, not record by record */
	return g;
}

void group_drop(struct group *g)
{
	if (atomic_fetch_sub_explicit(&g->references, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < g->count; i++)
		blob_free(&g->items[i].blob);
	buf_done(&g->bodies);
	heap_free(g->items);
	heap_free(g);
}

bool group_has_room(const struct group *g, size_t n)
{
	return g->count < GROUP_RECORDS &&
	       (!g->count || n <= GROUP_BYTES - MIN(g->bodies.n, GROUP_BYTES));
}

static void grow(struct group *g)
{
	size_t room = MAX(2 * g->room, (size_t)USUAL_RECORDS);
	struct group_item *items = heap_alloc(room * sizeof *items);

	if (g->count)
		memcpy(items, g->items, g->count * sizeof *items);
	heap_free(g->items);
	g->items = items;
	g->room = room;
}

size_t group_add(struct group *g, const struct what *what)
{
	struct group_item *item;

	bug_on(!group_has_room(g, what->body.n));
	if (g->count == g->room)
		grow(g);
	item = &g->items[g->count];
	*item = (struct group_item){ .from = g->bodies.n,
		.n = what->body.n,
		.use = what->use,
		.closes = what->closes,
		.blob = what->blob };
	snprintf(item->event, sizeof item->event, "%s", what->event);
	if (what->call)
		item->call = *what->call;
	buf_add(&g->bodies, what->body);
	bug_on(!buf_ok(&g->bodies));
	atomic_fetch_add_explicit(&g->references, 1, memory_order_relaxed);
	return g->count++;
}

struct str group_body(const struct group *g, size_t place)
{
	return str_sub(buf_str(&g->bodies), g->items[place].from, g->items[place].n);
}
