/* site - the approval pages: where a person sees what a plan would change, and says yes or no.
 *
 * Requests in, replies out; no descriptor, no thread.  What the pages need of the rest (who shows
 * a credential, plans and decisions, the record) is handed in, so that the pages know neither the
 * protocol of agents nor a database.  The pages work without scripts, frames or anything from
 * elsewhere; every text on them is inert (html.h).
 *
 * Nothing is believed from one request to the next: the visit (visit.h) names a credential, and it
 * is looked up again each time.  Thread-safe. */
#pragma once
#include "guard/approval.h"
#include "identity/verdict.h"
#include "plan/plan.h"

#define SITE_ROOT "/approvals"
#define SITE_FORM_BYTES ((size_t)16 << 10) /* of a request's body */
#define SITE_PAGE_BYTES ((size_t)8 << 20)

/* What a person decided, and what was on the page. */
struct site_decision {
	bool yes;
	struct str note;
	struct sha256 shown;
};

struct site_plan {
	const struct plan_row *row;
	const struct plan *plan;
};

struct site_outcome {
	enum decide verdict; /* DECIDE_MAY and false: it failed */
	struct str token; /* to be shown once; empty: none is asked for */
};

struct site_record {
	const char *event; /* "DENY", "AUTH_FAIL", "SIGN_IN", "SIGN_OUT" */
	struct str reason, target;
	const struct principal *who; /* NULL: nobody known */
	bool visit; /* somebody came or went: no refusal */
};

/* Of the process; ctx is the request's.  Text goes into the request's arena. */
struct site_hands {
	/* Whose approver key it is; key empty: who the request itself shows, by its certificate or
	 * its proxy. */
	enum identity_verdict (*enter)(void *ctx, struct str key, struct principal *out);
	/* The holder of this credential, as things are now. */
	enum identity_verdict (*again)(void *ctx, struct str credential, struct principal *out);
	/* Does a kill order meet this person? */
	bool (*paused)(void *ctx, const struct principal *who);
	/* May this address try a credential? */
	bool (*may_try)(void *ctx, uint32_t *wait_ms_out);
	void (*tried)(void *ctx); /* one that was wrong */

	/* As in serve/plans.h. */
	bool (*list)(void *ctx, const struct principal *who, enum plans_which which,
		struct plan_row **rows_out, size_t *count_out, struct err *err);
	bool (*open)(void *ctx, const struct principal *who, struct str id,
		struct plan_row *row_out, struct plan *plan_out, struct err *err);
	bool (*decide)(void *ctx, const struct principal *who, const struct site_plan *p,
		const struct site_decision *d, struct site_outcome *out, struct err *err);
	bool (*escalate)(void *ctx, const struct principal *who, const struct site_plan *p,
		const struct site_decision *d, struct site_outcome *out, struct err *err);

	/* False: not durable. */
	bool (*record)(void *ctx, const struct site_record *r);
	void (*failed)(void *ctx, const struct err *err); /* for the log */
};

struct site_request {
	struct arena *arena;
	struct str method, path, query, body;
	struct str content_type, cookie; /* empty: not sent, or more than once */
	struct str origin, fetch_site, fetch_dest; /* of Origin and Sec-Fetch-*, likewise */
	struct str own_origin; /* "https://approvals.acme.example": that of the Host asked for */
	bool host_ok; /* a Host we answer to */
	bool secure; /* browser and pages speak TLS, here or up to a proxy */
	bool shows_identity; /* a client certificate or a proxy's identity came with it */
	const struct config *config;
	struct str mask_key; /* of values shown as a hash */
	int64_t now_us; /* by the store's clock, as all times of rows are */
	int64_t wall_us; /* the same moment by the wall clock: for people */
	uint64_t boot_ms;
	void *ctx; /* of the hands */
};

struct site_header {
	struct str name, value;
};

struct site_reply {
	int status;
	struct str content_type, body; /* both empty: no body */
	struct site_header headers[16];
	size_t header_count;
};

struct site;

struct site *site_new(const struct site_hands *hands);
void site_free(struct site **s);
void site_answer(struct site *s, const struct site_request *r, struct site_reply *out);

/* What answers here, for `postern routes`; a NULL path ends it. */
struct site_route {
	const char *path, *methods, *who;
};
const struct site_route *site_routes(void);

/* "BASE/PLAN", to tell people; base: config approvals.url. */
struct str site_plan_url(struct arena *a, struct str base, struct str plan);
