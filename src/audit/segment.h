/* segment - one file of the log: made new, locked, written front to back at our own offset into
 * space that was reserved before, and never trusted again after an error.
 *
 * NUL marks reserved space not written yet; segment_finish cuts it off.  One thread. */
#pragma once
#include "base/err.h"
#include "base/id.h"

#include <sys/types.h>

#define SEGMENT_NAME_BYTES 48
#define SEGMENT_STEP_BYTES ((uint64_t)1 << 20) /* reserved at a time */
#define SEGMENT_LOW_WATER ((uint64_t)16 << 20) /* left free on the file system */

/* What room is asked for: the fuller the disk, the less may still be written. */
enum segment_use {
	SEGMENT_PLAIN, /* leaves SEGMENT_LOW_WATER */
	SEGMENT_INTENT, /* leaves twice as much: changes are the first to be refused */
	SEGMENT_OWED, /* leaves nothing: what became of a change that was let in */
};
#define SEGMENT_USES 3

struct segment {
	int fd; /* -1: none */
	int directory; /* borrowed */
	char name[SEGMENT_NAME_BYTES];
	uint64_t at, reserved;
	uint64_t filled; /* up to here every block was written once */
	dev_t device;
	ino_t inode;
};

/* The directory, 0700 and ours, made when missing, on a local file system; -1: err says why. */
int segment_directory(const char *path, struct err *err);

/* The directory is there (or can be made) and has room for another step; changes nothing. */
bool segment_directory_can_grow(const char *path, struct err *err) must_check;
/* False: path does not lead to the open directory any more. */
bool segment_directory_is(int directory, const char *path) must_check;
/* The directory's file system takes n bytes more and has the room left that the use leaves. */
bool segment_disk_takes(
	int directory, uint64_t n, enum segment_use use, struct err *err) must_check;

/* "audit-BOOT-000001.log" */
void segment_name(char out[SEGMENT_NAME_BYTES], const struct id *boot, unsigned n);
void segment_name_copy(
	char out[SEGMENT_NAME_BYTES], struct str name); /* cut where it is too long */
bool segment_name_read(struct str name, struct str *boot_out, uint64_t *n_out) must_check;

/* Makes the file; its name is durable then. Fails when it is there already. */
bool segment_open(struct segment *s, int directory, const char *name, enum segment_use use,
	struct err *err) must_check;
/* Reserves space for n more bytes and for what closes the log. E_LIMIT: the disk is full. */
bool segment_room(struct segment *s, size_t n, enum segment_use use, struct err *err) must_check;
/* Durable when true.  When false the file is no longer to be trusted: segment_abandon. */
bool segment_append(struct segment *s, struct str bytes, struct err *err) must_check;
/* NULL, or what somebody did to the file: "removed", "moved", "linked", "cut", "grown". */
const char *segment_harmed(const struct segment *s);
void segment_finish(struct segment *s); /* cuts off what is not written, closes */
void segment_abandon(struct segment *s); /* closes, nothing else */
