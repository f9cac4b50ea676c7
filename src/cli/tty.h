/* tty - what only a person at a terminal can give: asked and read on /dev/tty, whatever the
 * standard streams are.  Not in arguments, which everybody sees, nor in the environment, which a
 * program that acts for a person has, too. */
#pragma once
#include "base/buf.h"
#include "base/err.h"

/* One line, not shown while it is typed.  out: born with its limit; whoever asks wipes it. */
bool tty_ask_secret(const char *prompt, struct buf *out, struct err *err) must_check;
