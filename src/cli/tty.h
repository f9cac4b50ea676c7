/* tty - asks the person at the terminal itself, whatever standard input is.
 *
 * A secret is read without echo.  Who has no terminal has nobody to ask.  One thread. */
#pragma once
#include "base/digest.h"
#include "base/err.h"

struct tty {
	int fd;
};

/* path: "/dev/tty" but in tests. */
bool tty_open(struct tty *t, const char *path, struct err *err) must_check;
void tty_close(struct tty *t);

bool tty_write(struct tty *t, struct str text) must_check;
/* One line without its end.  E_CANCELLED: it ended before, or a signal came; E_LIMIT: too long. */
bool tty_secret(struct tty *t, const char *prompt, struct secret *out, struct err *err) must_check;
/* Is the answer, in this case and without spaces around, `word`?  Anything else is no. */
bool tty_agrees(struct tty *t, const char *prompt, const char *word);
