/* key - what the files of `postern key` share. */
#pragma once
#include "cli/cli.h"
#include "serve/world.h"

int key_issue(struct cli *c);
int key_rotate(struct cli *c);
int key_list(struct cli *c);
int key_report(struct cli *c);
int key_revoke(struct cli *c);

#define KEY_DAY_US (INT64_C(86400) * 1000000)

/* An order as the log keeps it: who gave it, as the system calls them; never the key. */
struct key_order {
	const char *what; /* "issue", "rotate", "revoke" */
	const struct key_row *row;
	struct str replaces; /* rotate: the key before it */
	struct str reason; /* revoke */
};
bool key_record(struct world *w, const struct key_order *order, struct err *err) must_check;
/* One that has to be in force is neither revoked nor expired. */
const char *key_state(const struct key_row *r, int64_t now_us);
void key_print_day(int64_t us, const char *never); /* in a column of its own */
