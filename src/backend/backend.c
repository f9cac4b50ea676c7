/* backend - from a warrant to the action it allows.  See backend.h.
 *
 * Invariants: 1. nothing is run but what stands in the entry of a warrant's call (raw.c: what it
 * says there).  2. a source's
 * own words go to the operator, never to the agent. */
#include "backend/inside.h"

#include "base/clock.h"
#include "plan/change.h"

#include <stdlib.h>
#include <string.h>

/* In read-only mode no connection for writing is ever opened, whatever the catalog says. */
static bool is_written(const struct config *config, const struct catalog *catalog,
	const struct source_config *source)
{
	for (size_t i = 0; !config->read_only.all && i < catalog->tool_count; i++)
		if (catalog->tools[i]->write && catalog->tools[i]->source == source)
			return true;
	return false;
}

struct backends *backends_new(
	const struct config *config, const struct catalog *catalog, struct err *err)
{
	struct backends *b = heap_new(struct backends);

	(void)err; /* nothing is opened yet */
	b->config = config;
	b->catalog = catalog;
	b->statement_count = catalog->statement_count;
	b->sources = heap_alloc(MAX(config->source_count, (size_t)1) * sizeof *b->sources);
	b->places = heap_alloc(MAX(b->statement_count, 1u) * sizeof *b->places);
	for (size_t i = 0; i < config->source_count; i++)
		source_init(&b->sources[i], &config->sources[i], b->statement_count,
			is_written(config, catalog, &config->sources[i]));
	return b;
}

void backends_free(struct backends **b)
{
	if (!*b)
		return;
	for (size_t i = 0; i < (*b)->config->source_count; i++)
		source_done(&(*b)->sources[i]);
	for (unsigned i = 0; i < (*b)->statement_count; i++)
		heap_free((void *)(uintptr_t)(*b)->places[i]);
	heap_free((*b)->places);
	heap_free((*b)->sources);
	heap_free(*b);
	*b = NULL;
}

bool call_done(struct call *c, enum content_kind content)
{
	c->content = content;
	c->end = CALL_DONE;
	return true;
}

bool source_fault(struct call *c, const struct err *err)
{
	static const struct {
		enum err_code err;
		enum fault_code fault;
		const char *reason;
	} table[] = {
		{ E_TIMEOUT, UPSTREAM_TIMEOUT, "deadline" },
		{ E_CANCELLED, UPSTREAM_TIMEOUT, "cancelled" },
		{ E_BUSY, BUSY, "source" },
		{ E_LIMIT, RESULT_TOO_LARGE, "bytes" },
		{ E_NOT_FOUND, NOT_FOUND, "" },
		{ E_DENIED, UPSTREAM_UNAVAILABLE, "denied" },
		{ E_CONTRACT, INTERNAL, "output_contract" },
		{ E_BUG, INTERNAL, "" },
	};
	struct str why = arena_str(c->arena, str_c(err->text));

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (table[i].err == err->code)
			return call_fault(c, table[i].fault, table[i].reason, why);
	return call_fault(c, UPSTREAM_UNAVAILABLE, "source", why);
}

uint32_t wait_left_ms(const struct call *c)
{
	uint64_t now = clock_mono_ms();

	if (now >= c->deadline_ms)
		return 0;
	return (uint32_t)MIN(c->deadline_ms - now, (uint64_t)SOURCE_WAIT_MS);
}

static struct source *source_of(struct backends *b, const struct source_config *config)
{
	for (size_t i = 0; config && i < b->config->source_count; i++)
		if (b->sources[i].config == config)
			return &b->sources[i];
	return NULL;
}

static bool needs_source(enum action_kind kind)
{
	return kind == ACTION_READ || kind == ACTION_SCRIPT || kind == ACTION_FILE ||
	       kind == ACTION_RAW || kind == ACTION_WRITE || kind == ACTION_LEDGER;
}

/* A read asks the rule of its own source inside its transaction (read.c). */
static bool is_visible(struct backends *b, struct call *c)
{
	const struct entry *e = c->entry;

	if (!e->visible || (e->action.kind == ACTION_READ && e->visible_source == e->source))
		return true;
	return visible_alone(source_of(b, e->visible_source), c);
}

static bool steps_visible(struct backends *b, struct call *c)
{
	for (size_t i = 0; i < c->change->step_count; i++) {
		struct call step = change_step_call(c, &c->change->steps[i]);

		if (!is_visible(b, &step)) {
			c->end = step.end;
			c->fault = step.fault;
			return false;
		}
	}
	return true;
}

bool backend_run(struct backends *b, const struct warrant *w)
{
	struct call *c = warrant_call(w);
	const struct action *action = &c->entry->action;
	struct source *s = source_of(b, c->entry->source);

	if (c->entry->mock)
		return run_mock(c);
	bug_on(needs_source(action->kind) && !s);
	if (!is_visible(b, c))
		return false;
	switch (action->kind) {
	case ACTION_READ:
		return run_read(b, s, c);
	case ACTION_SCRIPT:
		return run_script(s, c);
	case ACTION_FILE:
		return run_file(s, c);
	case ACTION_TEXT:
		return run_text(c);
	case ACTION_MESSAGES:
		return run_messages(c);
	case ACTION_VALUES:
		return run_values(c);
	case ACTION_BUILTIN:
		return run_builtin(b, c);
	case ACTION_RAW:
		return run_raw(b, s, c);
	case ACTION_WRITE:
		return run_write(b, s, c);
	case ACTION_TOGETHER:
		return steps_visible(b, c) &&
		       run_write(b, source_of(b, c->change->steps[0].entry->source), c);
	case ACTION_LEDGER:
		return run_ledger(s, c);
	}
	return call_fault(c, INTERNAL, "action", S("an action of no known kind"));
}
