/* inside - the kinds of action, each in a file of its own, and what they share. */
#pragma once
#include "backend/backend.h"
#include "backend/source.h"

#define SOURCE_WAIT_MS 1000 /* the longest wait for a place or a connection */
#define VALUES_MAX 100 /* of one completion */

struct backends {
	const struct config *config;
	const struct catalog *catalog;
	struct source *sources; /* in the order of the configuration */
	/* by serial: where the columns of a part stand in its statement's result; NULL until it
	 * first ran */
	const unsigned *_Atomic *places;
	unsigned statement_count;
};

/* Each ends the call: CALL_DONE or CALL_ASKS, or false with the fault set. */
bool run_read(struct backends *b, struct source *s, struct call *c) must_check;
bool run_ledger(struct source *s, struct call *c) must_check;
bool run_script(struct source *s, struct call *c) must_check;
bool run_file(struct source *s, struct call *c) must_check;
bool run_text(struct call *c) must_check;
bool run_messages(struct call *c) must_check;
bool run_values(struct call *c) must_check;
bool run_builtin(struct backends *b, struct call *c) must_check;
bool run_mock(struct call *c) must_check;
bool run_raw(struct backends *b, struct source *s, struct call *c) must_check;
bool run_write(struct backends *b, struct source *s, struct call *c) must_check;

/* The rows of rows->part on this connection, within the entry's bytes. */
bool read_rows(struct backends *b, struct lite *l, struct call *c, struct rows *rows,
	struct err *err) must_check;
/* Are there as many as the part's shape says?  False: the fault is set. */
bool rows_fit_shape(struct call *c, const struct rows *rows) must_check;

/* Does the entry's rule of `visible` give a row to this caller?  False: the fault is set, and of a
 * hidden record it is the one of a record that is not there. */
bool visible_on(struct lite *l, struct call *c) must_check; /* a connection to visible_source */
bool visible_alone(struct source *s, struct call *c) must_check;
/* The fault of values that the database cannot work with: without its words, which quote them. */
bool values_fault(struct call *c);

bool call_done(struct call *c, enum content_kind content);
/* A failure of a source as the fault it means; always false. */
bool source_fault(struct call *c, const struct err *err);
/* What is left for a wait: at most SOURCE_WAIT_MS, 0 past the deadline. */
uint32_t wait_left_ms(const struct call *c);

/* Binds ?1 … ?n of a statement from the call. */
void bind_params(struct call *c, const struct part *part, const struct statement *statement,
	struct lite_stmt *s);

/* The answers that are there: of earlier rounds (from the state), and those of this one that have
 * the form that was asked for; another form counts as no answer. */
struct answers {
	struct json all; /* object, by key */
	uint64_t round; /* of the state; 0: there was none */
};
bool answers_read(struct call *c, struct answers *out) must_check;
const struct json *answers_get(const struct answers *as, struct str key);
/* Fills {arg} and {answer.KEY.MEMBER…} in JSON text. */
struct str answers_fill(struct call *c, const struct answers *as, struct str json);
/* The steps from `from` up to `to` are one round of asks.  True: it is passed.  False: the call
 * ended, with asks or with a fault; call->end says which. */
bool ask_round(struct call *c, const struct answers *as, size_t from, size_t to) must_check;
bool lacks_capability(struct call *c, struct str name);
