/* tty - see tty.h.
 *
 * Signals wait until what is typed is shown again: a Ctrl-C works with the end of the line. */
#include "cli/tty.h"

#include "base/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static void say(int fd, const char *text)
{
	size_t left = strlen(text);

	while (left) {
		ssize_t n = write(fd, text, left);

		if (n < 0 && errno != EINTR)
			return; /* nobody sees it; the answer is still read */
		text += MAX(n, 0);
		left -= (size_t)MAX(n, 0);
	}
}

static bool read_line(int fd, struct buf *out, struct err *err)
{
	char byte;

	for (;;) {
		ssize_t n = read(fd, &byte, 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set(err, E_CANCELLED, "nothing was typed");
		if (byte == '\n')
			break;
		buf_char(out, byte);
	}
	return buf_ok(out) || err_set(err, E_LIMIT, "what was typed is too long");
}

static bool ask(int fd, const char *prompt, struct buf *out, struct err *err)
{
	struct termios shown, hidden;
	bool ok;

	if (tcgetattr(fd, &shown) != 0)
		return err_errno(err, E_IO, "/dev/tty");
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	hidden.c_lflag |= ICANON;
	if (tcsetattr(fd, TCSAFLUSH, &hidden) != 0)
		return err_errno(err, E_IO, "/dev/tty");
	say(fd, prompt);
	ok = read_line(fd, out, err);
	tcsetattr(fd, TCSAFLUSH, &shown);
	say(fd, "\n");
	return ok;
}

bool tty_ask_secret(const char *prompt, struct buf *out, struct err *err)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	sigset_t typed, before;
	bool ok;

	if (fd < 0)
		return err_set(err, E_UNAVAILABLE, "a terminal is needed: it is asked for there");
	sigemptyset(&typed);
	sigaddset(&typed, SIGINT);
	sigaddset(&typed, SIGQUIT);
	sigaddset(&typed, SIGTSTP);
	sigaddset(&typed, SIGTERM);
	sigprocmask(SIG_BLOCK, &typed, &before);
	ok = ask(fd, prompt, out, err);
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(fd);
	return ok;
}
