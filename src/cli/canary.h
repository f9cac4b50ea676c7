/* canary - the calls by which a drill proves a kill switch: a caller of the drill's own, another
 * one beside it, and the tools that they call.  Their keys live for minutes and are revoked at the
 * end. */
#pragma once
#include "cli/desk.h"
#include "serve/watch.h"

#define CANARY_INSTANCES_MAX 16

struct canary_caller {
	struct str subject, tenant, agent, key_id, key;
};

struct canary {
	struct desk *desk;
	struct str names[CANARY_INSTANCES_MAX], urls[CANARY_INSTANCES_MAX];
	size_t instances;
	struct canary_caller self, other;
	const struct entry *tool, *other_tool,
		*elsewhere; /* elsewhere: on another source, or NULL */
};

/* urls: "INSTANCE=URL" or "URL", NULL behind the last; tool: NULL for one that fits.  False: err
 * says what is missing.  Issues two keys. */
bool canary_open(struct canary *c, struct desk *d, const char **urls, const char *tool,
	struct err *err) must_check;
/* Revokes the keys. */
bool canary_close(struct canary *c, struct err *err) must_check;

/* What a switch of this kind is set on, and the name of it (empty with everything). */
struct str canary_name(const struct canary *c, enum kill_kind kind);

enum canary_answer {
	CANARY_SERVED, /* it got past the switch */
	CANARY_PAUSED, /* PAUSED by a switch of this kind */
	CANARY_OTHER, /* anything else; err says what */
};
/* The call that the switch is to refuse, on one instance. */
enum canary_answer canary_ask(
	struct canary *c, enum kill_kind kind, size_t instance, struct err *err);
/* A call that it must let pass.  False: there is none for this kind and instance. */
bool canary_has_other(const struct canary *c, enum kill_kind kind, size_t instance);
enum canary_answer canary_ask_other(
	struct canary *c, enum kill_kind kind, size_t instance, struct err *err);
/* Is this instance one that the switch reaches? */
bool canary_meets(enum kill_kind kind, size_t instance);
