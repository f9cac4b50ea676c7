/* approver_desk - what the commands of a person who decides need: the deployment, and who it is, by
 * the credential that was asked for on the terminal. */
#pragma once
#include "cli/tty.h"
#include "serve/plans.h"

#define APPROVER_DESK_BYTES ((size_t)256 << 20)

struct approver_desk {
	struct arena arena;
	struct world *world;
	struct generation *generation;
	struct tty tty;
	struct principal who;
};

/* tty_path: "/dev/tty" but in tests.  Not 0: an exit status, and it said why. */
int approver_desk_open(struct approver_desk *d, const char *config_file, const char *tty_path);
void approver_desk_close(struct approver_desk *d);
/* The plan, if it is theirs to see; 0, or an exit status. */
int approver_desk_plan(struct approver_desk *d, const char *id, struct kept *out);
