#include "render/diff.h"
void diff_json(const struct diff_view *v, struct arena *a, struct jw *w, size_t bytes)
{
	(void)v; (void)a; (void)bytes;
	jw_name(w, S("effects")); jw_array(w); jw_array_end(w);
	jw_name(w, S("impact")); jw_object(w); jw_object_end(w);
}
void diff_markdown(const struct diff_view *v, struct arena *a, size_t most, struct buf *out)
{
	struct buf t;
	(void)most;
	buf_in(&t, a, 1<<20);
	plan_write(v->plan, &t);
	buf_add(out, buf_str(&t));
}
void diff_text(const struct plan *p, const struct principal *who, struct str key, struct arena *a, size_t most, bool colour, struct buf *out)
{
	(void)p;(void)who;(void)key;(void)a;(void)most;(void)colour; buf_lit(out, "diff");
}
