/* notes - events that a thread has to record and cannot wait for: a bounded queue and a thread that
 * writes them to the audit log.  Thread-safe. */
#pragma once
#include "audit/audit.h"

struct notes;

struct notes *notes_new(struct audit *audit); /* no thread yet */
bool notes_start(struct notes *n, struct err *err) must_check;
/* Writes what is left, then frees. */
void notes_free(struct notes **n);
/* fields_json: as of audit_event; copied.  Past the bound it is counted and said in the log. */
void notes_add(struct notes *n, const char *event, struct str fields_json);
