/* stdio_front - one client on a pair of pipes: lines to messages, and back.
 *
 * One thread reads; calls run on workers started when first needed, so that a slow one does not
 * block the pipe.  Nothing but protocol is written to the output. */
#pragma once
#include "serve/answer.h"

/* What interrupts the reading: when fd is readable, woken is called; true ends the reading. */
struct stdio_wake {
	int fd;
	bool (*woken)(void *ctx);
	void *ctx;
};

/* Reads until the end of input or until the wake says so; what was accepted is answered first.
 * token: the key the person was given; verified for every message.  Returns an exit status. */
int stdio_front_run(
	struct server *s, int in_fd, int out_fd, struct str token, const struct stdio_wake *wake);
