/* windows - who called how often lately, and who is inside now: counts that all postern processes
 * of one host share, in a file beside the store.
 *
 * A window never holds more than its rule allows, at any moment and in any stretch of its length; a
 * permit comes back after the window and at most a sixtieth of it more.  Everything a call needs is
 * looked at first and taken together, so a call that is refused takes nothing.  Time comes in as
 * CLOCK_BOOTTIME: a wall clock that steps changes nothing.  A restart of the process changes
 * nothing; after a restart of the host what was counted counts as if it had just happened.
 *
 * Opened by the first use, so that a process that limits nothing leaves no file.  Thread-safe. */
#pragma once
#include "base/err.h"

struct windows;

#define WINDOWS_ASKS_MOST 40
#define WINDOWS_PROCESSES 64

/* file: empty, or where it is (made with its directory, 0600).  Empty: memory of this process.
 * boot_id: another one after every start of the host. */
struct windows *windows_new(struct str file, struct str boot_id);
void windows_free(struct windows **w);

/* 128 bits of a digest: of what is counted, for whom and in which window.  Never all zero. */
struct window_key {
	uint8_t b[16];
};

struct window_ask {
	struct window_key key;
	uint32_t most, window_ms, cost;
};

struct place_ask {
	struct window_key key;
	uint32_t most; /* at a time, of all processes */
};

struct windows_ask {
	const struct window_ask *windows;
	size_t window_count;
	const struct place_ask *places;
	size_t place_count; /* of both together at most WINDOWS_ASKS_MOST */
	bool look; /* only say what would be said */
};

enum windows_verdict {
	WINDOWS_TAKEN,
	WINDOWS_FULL, /* of a window: which one, and when it has room */
	WINDOWS_CROWDED, /* all places of one are taken: which one */
	WINDOWS_UNAVAILABLE, /* err says why: E_LIMIT, it holds no more; E_EXISTS, too many
				processes are in it; else the file cannot be used */
};

struct windows_answer {
	size_t index; /* FULL: the window to wait for longest; TAKEN: the one with least left */
	uint32_t left; /* of that window, this call counted */
	uint32_t wait_ms; /* FULL: until it has room, if nobody else comes; TAKEN: until the first
			     of what was taken comes back */
	uint64_t at_ms; /* TAKEN: when it was counted */
};

enum windows_verdict windows_take(struct windows *w, const struct windows_ask *ask,
	uint64_t boot_ms, struct windows_answer *out, struct err *err);
/* A call that was refused after all: takes out of the windows what was counted at at_ms.  What is
 * not to be found any more stays counted. */
void windows_return(struct windows *w, const struct windows_ask *ask, uint64_t at_ms);
/* Gives back the places of a WINDOWS_TAKEN. */
void windows_leave(struct windows *w, const struct place_ask *places, size_t count);
/* Whether there was a file when this process opened it. */
enum windows_begun {
	WINDOWS_NOT_YET,
	WINDOWS_FOUND,
	WINDOWS_MADE,
};
enum windows_begun windows_begun(const struct windows *w);
/* How full the table is; for monitoring.  False: it is not open, or nobody has needed it yet. */
struct windows_usage {
	unsigned windows, windows_most; /* that count for somebody now */
	unsigned places, places_most; /* in which somebody is */
};
bool windows_usage(struct windows *w, uint64_t boot_ms, struct windows_usage *out);
/* Returns when a place may have become free: at once when one was left in this process, soon when
 * another process may have; at most wait_ms. */
void windows_wait(struct windows *w, uint32_t wait_ms);
