/* clip - see clip.h. */
#include "audit/clip.h"

#include "base/utf8.h"

struct str clip_text(struct str s, size_t max, struct buf *room)
{
	struct str head;

	if (s.n <= max)
		return s;
	head = utf8_prefix(s, max);
	buf_clear(room);
	buf_add(room, head);
	buf_lit(room, "\xe2\x80\xa6+");
	buf_u64(room, s.n - head.n);
	return buf_str(room);
}

void clip_put(struct jw *w, struct str name, struct str s, size_t max)
{
	struct buf room;

	if (!s.n)
		return;
	buf_init(&room, max + 32);
	jw_put_str(w, name, clip_text(s, max, &room));
	buf_done(&room);
}
