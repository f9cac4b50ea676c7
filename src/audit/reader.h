/* reader - walks the audit log of a directory in order of time; shared with the verifier.
 *
 * Read-only, constant memory, takes no lock, works on a live directory and on a copy.  Segments
 * come in the order in which they were opened (boot, then number), lines in the order of the file;
 * after audit_reader_tail the lines of all boots come merged by their time.  A line whose crc or
 * form does not fit is reported, not passed over, and so are NUL bytes with something behind them.
 * A torn tail (bytes behind the last LF, then only NUL) is the end of its segment and not an error:
 * it was never acknowledged.  Whether lines are missing is for the verifier to say.
 *
 * One thread at a time. */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "json/json.h"

struct audit_reader;

/* NULL: err.  A directory without segments has no records. */
struct audit_reader *audit_reader_open(struct str directory, struct err *err);
/* Only the segments of this boot, from number `from` on. */
struct audit_reader *audit_reader_open_boot(
	struct str directory, struct str boot, uint64_t from, struct err *err);
void audit_reader_free(struct audit_reader **r);

enum audit_read { AUDIT_RECORD, AUDIT_END, AUDIT_ROTTEN, AUDIT_FAILED };
/* The next line (without LF) into line_out, valid until the next call.  AUDIT_RECORD: a line as
 * journal.h has it, its crc fits, and it is one JSON object.  AUDIT_ROTTEN: crc or form; *line_out
 * is what stands there (at most 65,535 bytes of it), err says where; reading goes on behind it. */
enum audit_read audit_read_next(struct audit_reader *r, struct str *line_out, struct err *err);
/* Starts so that about the last `count` records are left (tail).  At most 100,000. */
bool audit_reader_tail(struct audit_reader *r, size_t count, struct err *err) must_check;
