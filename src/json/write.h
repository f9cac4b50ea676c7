/* write - writes JSON text straight into a buf, without a tree.
 *
 * The caller's calls must form one value; commas and colons are placed here.  At most 64 objects
 * and arrays open at a time (bug_on); a value of jw_raw or jw_json counts as flat.  Text is written
 * compact: no white space, only the escapes that JSON requires, plus U+2028 and U+2029.  Strings
 * must be valid UTF-8; an invalid byte is written as U+FFFD.  Thread-safe but for the buf. */
#pragma once
#include "base/buf.h"
#include "json/json.h"

struct jw {
	struct buf *out;
	uint64_t comma; /* bit d - 1: the next value at depth d needs a comma */
	uint8_t depth; /* objects and arrays that are open */
	bool after_name;
};

void jw_init(struct jw *w, struct buf *out);

void jw_object(struct jw *w);
void jw_object_end(struct jw *w);
void jw_array(struct jw *w);
void jw_array_end(struct jw *w);
void jw_name(struct jw *w, struct str name); /* then exactly one value */

void jw_str(struct jw *w, struct str s);
void jw_raw(struct jw *w, struct str json_text); /* a whole value, already JSON */
void jw_bool(struct jw *w, bool truth);
void jw_null(struct jw *w);
void jw_u64(struct jw *w, uint64_t n);
void jw_i64(struct jw *w, int64_t n);

/* jw_name and a value in one. */
void jw_put_str(struct jw *w, struct str name, struct str value);
void jw_put_raw(struct jw *w, struct str name, struct str json_text);
void jw_put_bool(struct jw *w, struct str name, bool truth);
void jw_put_u64(struct jw *w, struct str name, uint64_t n);
void jw_put_i64(struct jw *w, struct str name, int64_t n);

/* The inside of a JSON string, without quotes. */
void json_escape(struct buf *out, struct str s);
void json_escape_canonical(struct buf *out, struct str s); /* RFC 8785: U+2028 and U+2029 stay */

/* A parsed value again, compact; numbers keep their lexemes. */
void jw_json(struct jw *w, const struct json *v);
/* RFC 8785 order and escapes; every number is written as a string of its canonical value
 * ("5" for 5.0), as write-path digests want it: plain digits where at most 64 places suffice, else
 * digits and a power of ten ("15e399" for 1.5e400).  Equal values give equal text. */
void json_canonical(struct buf *out, struct arena *scratch, const struct json *v);
