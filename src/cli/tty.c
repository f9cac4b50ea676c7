/* tty - see tty.h.
 *
 * Invariants: 1. whatever happens while a secret is read, the terminal echoes again afterwards.
 * 2. what is read is wiped wherever it does not go out. */
#include "cli/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define LINE_MAX_BYTES 256

static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP };
static volatile sig_atomic_t interrupted; /* the signal; a handler has nowhere else to put it */

static void note_signal(int number)
{
	interrupted = number;
}

bool tty_open(struct tty *t, const char *path, struct err *err)
{
	t->fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (t->fd < 0)
		return err_errno(
			err, E_UNAVAILABLE, "there is no terminal, and nobody to ask: %s", path);
	if (isatty(t->fd))
		return true;
	tty_close(t);
	return err_set(err, E_UNAVAILABLE, "%s is not a terminal", path);
}

void tty_close(struct tty *t)
{
	close(t->fd);
	t->fd = -1;
}

bool tty_write(struct tty *t, struct str text)
{
	while (text.n) {
		ssize_t n = write(t->fd, text.p, text.n);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0)
			text = str_from(text, (size_t)n);
	}
	return true;
}

/* Into space of LINE_MAX_BYTES. */
static bool read_line(struct tty *t, char *space, size_t *n_out, struct err *err)
{
	size_t n = 0;

	for (;;) {
		ssize_t got = read(t->fd, space + n, 1);

		if (got < 0 && errno == EINTR && !interrupted)
			continue;
		if (got <= 0)
			return err_set(err, E_CANCELLED, "nothing was entered");
		if (space[n] == '\n')
			break;
		if (++n == LINE_MAX_BYTES)
			return err_set(err, E_LIMIT, "what was entered is too long");
	}
	*n_out = n;
	return true;
}

static void catch_signals(struct sigaction *before)
{
	struct sigaction note = { .sa_handler = note_signal }; /* no SA_RESTART: read ends */

	sigemptyset(&note.sa_mask);
	interrupted = 0;
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		sigaction(signals[i], &note, &before[i]);
}

/* And what came meanwhile, now that the terminal is as it was. */
static void release_signals(const struct sigaction *before)
{
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		sigaction(signals[i], &before[i], NULL);
	if (interrupted)
		raise(interrupted);
}

/* The prompt comes when the terminal is silent: what is typed after it is not thrown away. */
static bool read_silently(
	struct tty *t, const char *prompt, char *space, size_t *n_out, struct err *err)
{
	struct sigaction before[ARRAY_LEN(signals)];
	struct termios loud, silent;
	bool ok;

	if (tcgetattr(t->fd, &loud) != 0)
		return err_errno(err, E_IO, "the terminal");
	silent = loud;
	silent.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	silent.c_lflag |= ICANON;
	catch_signals(before);
	ok = tcsetattr(t->fd, TCSAFLUSH, &silent) == 0 ||
	     err_errno(err, E_IO, "the terminal cannot be silenced");
	if (ok && !tty_write(t, str_c(prompt)))
		ok = err_set(err, E_IO, "the terminal is gone");
	ok = ok && read_line(t, space, n_out, err);
	tcsetattr(t->fd, TCSAFLUSH, &loud);
	release_signals(before);
	return tty_write(t, S("\n")) && ok;
}

bool tty_secret(struct tty *t, const char *prompt, struct secret *out, struct err *err)
{
	char space[LINE_MAX_BYTES];
	size_t n = 0;
	bool ok = read_silently(t, prompt, space, &n, err);

	if (ok && !secret_set(out, str_trim(str_n(space, n))))
		ok = err_set(err, E_LIMIT, "what was entered is too long");
	wipe(space, sizeof space);
	return ok;
}

bool tty_agrees(struct tty *t, const char *prompt, const char *word)
{
	char space[LINE_MAX_BYTES];
	struct err err;
	size_t n;

	/* what was typed before the question was asked is no answer to it */
	tcflush(t->fd, TCIFLUSH);
	interrupted = 0;
	return tty_write(t, str_c(prompt)) && read_line(t, space, &n, &err) &&
	       str_eq(str_trim(str_n(space, n)), str_c(word));
}
