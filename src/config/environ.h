/* environ - secrets that come by the environment: ${env:NAME}.
 *
 * /proc/PID/environ shows what a process was started with for as long as it lives, to its user and
 * to root.  So what was read there is kept, and the environment can be wiped; a reload reads what
 * was kept.  Thread-safe but for the environment itself, which nobody else may change. */
#pragma once
#include "base/arena.h"

/* A copy in the arena, which whoever takes it may wipe.  Empty: not set. */
struct str environ_secret(struct arena *a, const char *name);
/* Wipes the value of every variable that was read, under each name it stands there.  For a process
 * that serves; one that ends soon may need the variable itself. */
void environ_wipe(void);
