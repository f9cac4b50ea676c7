/* terminal_fixture - for tests: a terminal with a process at it, and a person who types. */
#pragma once
#include "base/clock.h"
#include "base/test.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define TERMINAL_MS 20000

struct terminal {
	int master, slave;
	pid_t child;
	char path[64];
	char seen[65536]; /* what it showed; NUL behind */
	size_t n, looked; /* up to where terminal_expect has found what it wanted */
};

/* run's status is the child's. */
static inline void terminal_run(struct terminal *t, int (*run)(const char *path))
{
	memset(t, 0, sizeof *t);
	t->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(t->master >= 0);
	assert_int_equal(grantpt(t->master), 0);
	assert_int_equal(unlockpt(t->master), 0);
	assert_int_equal(ptsname_r(t->master, t->path, sizeof t->path), 0);
	t->slave = open(t->path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(t->slave >= 0);
	fflush(NULL);
	t->child = fork();
	assert_true(t->child >= 0);
	if (!t->child)
		_exit(run(t->path));
}

/* False: nothing came within ms. */
static inline bool terminal_look(struct terminal *t, int ms)
{
	struct pollfd p = { .fd = t->master, .events = POLLIN };
	ssize_t n;

	if (poll(&p, 1, ms) <= 0)
		return false;
	n = read(t->master, t->seen + t->n, sizeof t->seen - 1 - t->n);
	if (n > 0)
		t->n += (size_t)n;
	return n > 0;
}

static inline void terminal_expect(struct terminal *t, const char *what)
{
	uint64_t until_ms = clock_mono_ms() + TERMINAL_MS;
	char *at;

	while (!(at = strstr(t->seen + t->looked, what))) {
		if (clock_mono_ms() > until_ms)
			fail_msg("no \"%s\" in: %s", what, t->seen);
		(void)!terminal_look(t, 50);
	}
	t->looked = (size_t)(at - t->seen) + strlen(what);
}

static inline bool terminal_echoes(struct terminal *t)
{
	struct termios now;

	assert_int_equal(tcgetattr(t->slave, &now), 0);
	return now.c_lflag & ECHO;
}

/* After terminal_expect has seen the prompt: what is typed before is thrown away. */
static inline void terminal_type(struct terminal *t, const char *text)
{
	size_t n = strlen(text);

	assert_int_equal(write(t->master, text, n), (ssize_t)n);
}

/* The child's status, or the signal that ended it as a negative number. */
static inline int terminal_end(struct terminal *t)
{
	uint64_t until_ms = clock_mono_ms() + TERMINAL_MS;
	int status;

	while (waitpid(t->child, &status, WNOHANG) == 0) {
		if (clock_mono_ms() > until_ms)
			fail_msg("it does not end; it showed: %s", t->seen);
		(void)!terminal_look(t, 10);
	}
	while (terminal_look(t, 0))
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static inline void terminal_close(struct terminal *t)
{
	close(t->slave);
	close(t->master);
}
