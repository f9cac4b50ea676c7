/* check - what the files of the check share (check.c).  Of this room only. */
#pragma once
#include "backend/inside.h"
#include "sql/marker.h"

#define CHECK_WAIT_MS 2000

struct check {
	struct backends *b;
	struct findings *f;
	struct source *source;
	struct lite *lite; /* for reading */
	struct lite *writer; /* while the writes are looked at */
	struct marker marker;
	bool told_ledger; /* that there is none */
};

/* Prepares the statement on this connection, as a call does. */
void check_facts(struct check *k, struct lite *l, const struct statement *statement,
	struct statement_facts *out);

/* check_write.c: every tool that changes the source, against its tables. */
void check_writes(struct check *k);
