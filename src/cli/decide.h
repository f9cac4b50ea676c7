/* decide - approve, decline and escalate, at whichever terminal. */
#pragma once
#include "cli/cli.h"

enum decide_what { DECIDE_APPROVE, DECIDE_DECLINE, DECIDE_ESCALATE };

/* tty_path: "/dev/tty" but in tests.  An exit status. */
int decide_run(struct cli *c, const char *tty_path, enum decide_what what);
