/* inside - what the files of this room share. */
#pragma once
#include "json/write.h"
#include "plan/call.h"

/* The rows of the call's only part in the form that its shape has.  False: the fault is set. */
bool write_single_part(struct call *c, struct jw *w, struct str next_cursor) must_check;
