#pragma once
#include "json/write.h"
#include "plan/change.h"
struct diff_view { const struct plan *plan; const struct principal *who; struct str mask_key; bool applied; };
void diff_json(const struct diff_view *v, struct arena *a, struct jw *w, size_t bytes);
void diff_markdown(const struct diff_view *v, struct arena *a, size_t most, struct buf *out);
void diff_text(const struct plan *p, const struct principal *who, struct str key, struct arena *a, size_t most, bool colour, struct buf *out);
