/* plan - what exactly would be done: the ordered effects of one or several calls, what they sum up
 * to, who asks, and the digest of all of it.
 *
 * A plan is made by a preview, shown to a person, and compared with what the committing
 * transaction finds.  It is a document of its own: plan_write and plan_read keep everything that a
 * page shows.  One thread; everything in an arena. */
#pragma once
#include "base/id.h"
#include "identity/principal.h"
#include "plan/effect.h"

#define PLAN_ID_MAX 32 /* "pl_" and an id */

/* One call of the plan; a plan of a single tool has one. */
struct plan_step {
	struct str tool; /* name */
	unsigned version;
	struct sha256 definition; /* digest of the catalog entry */
	struct str arguments; /* canonical, after defaults, without the server's own */
	struct effects effects;
};

/* A declared impact: numbers as decimal text without exponent. */
struct plan_sum {
	struct str name;
	struct str net; /* after minus before: "-48000" */
	struct str gross; /* the sum of each row's size: never negative */
};

/* Who asked. */
struct plan_who {
	struct str issuer, subject, tenant, agent, credential;
	enum principal_kind kind;
};

struct plan {
	struct str id; /* empty before it is kept */
	struct str deployment, environment, source;
	struct str database; /* identity of the database behind the source */
	struct str role; /* database role; empty on SQLite */
	struct plan_who who;
	struct plan_step *steps;
	size_t step_count;
	struct plan_sum *sums; /* by name */
	size_t sum_count;
	uint64_t rows; /* changed in all */
	struct sha256 digest; /* plan_digest */
	enum approval_level need;
	struct str grant; /* who may approve, where need is APPROVAL_OTHER */
	struct str because; /* which threshold asked for more, in words; may be empty */
	struct str request,
		reason; /* as the assistant told them; claimed, never part of the digest */
	int64_t made_us, expires_us;
};

/* Sums over all effects of all steps, by the impact rules of each step's write.  False: a value is
 * no exact number (err says which column), or the sum has more than 64 digits. */
bool plan_sum_up(struct plan *p, struct arena *a, const struct write *const *writes,
	struct err *err) must_check;

/* The text under the digest: RFC 8785, format "postern-plan-1".  test/vectors/plan.json has
 * examples. */
void plan_canonical(const struct plan *p, struct arena *scratch, struct buf *out);
void plan_digest(const struct plan *p, struct arena *scratch, struct sha256 *out);

/* The whole plan as one JSON object, and back; at most 100,000 effects in a step.  plan_read: the
 * text must live as long as the plan; false: it is not such a document. */
void plan_write(const struct plan *p, struct buf *out);
bool plan_read(struct arena *a, struct str json, struct plan *out, struct err *err) must_check;
/* Is the digest the one of everything else in it?  What was read back and is not, is not shown. */
bool plan_intact(const struct plan *p, struct arena *scratch) must_check;
