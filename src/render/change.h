/* change - what is shown of a call that changes something, or would.
 *
 *   {"outcome": "preview" | "applied", "replayed"?: true, "plan"?: {…}, "effects": […],
 *    "impact": {…}, "result"?: …, "assigned"?: […], "ledger_id"?: "…"}
 *
 * and the same as text: what a person needs to see, rendered here and not by the model. */
#pragma once
#include "json/write.h"
#include "plan/change.h"

/* The result of a call with CONTENT_CHANGE, into members of an MCP result.  False: the call's fault
 * is set. */
bool change_render(struct call *c, struct str mask_key, struct jw *w, bool structured) must_check;
/* Could the preview be shown?  Asked before anybody is told of a plan. */
bool change_render_fits(struct call *c, struct str mask_key) must_check;
/* Live, before COMMIT: the same into change->answer, so that an answer that cannot be given rolls
 * back, and a second call gets the first answer. */
bool change_render_answer(struct call *c, struct str mask_key) must_check;
