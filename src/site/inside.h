/* inside - what the files of the site share.  Private to the room. */
#pragma once
#include "site/form.h"
#include "site/html.h"
#include "site/site.h"
#include "site/visit.h"

/* One request on its way. */
struct look {
	struct site *site;
	const struct site_hands *hands;
	const struct site_request *r;
	struct site_reply *reply;
	struct arena *a;
	struct form_fields form; /* of a POST: its body */
	struct form_fields query;
	bool visiting; /* visit and who are set: somebody is signed in */
	struct visit visit;
	struct principal who;
	struct html h;
	struct buf page;
	const char *const *columns; /* of the table being written */
	size_t column;
};

struct visits *site_visits(struct site *s);
struct str site_cookie_name(const struct look *l);

/* --- layout.c: the frame of every page --- */

struct frame {
	int status;
	const char *title;
	struct str subject; /* of the title: "PLAN"; may be empty */
	uint64_t left_s; /* a countdown is on it, from so many seconds; 0: none */
};
/* Up to the open <main>. */
void page_begin(struct look *l, const struct frame *p);
void page_end(struct look *l); /* and it is the reply */
/* A whole page that says one thing. */
void page_say(struct look *l, int status, const char *title, struct str words);
/* The same, recorded as DENY. */
struct denial {
	const char *reason;
	int status;
	struct str words;
};
void page_deny(struct look *l, const struct principal *who, const struct denial *d);
void page_paused(struct look *l, const struct principal *who);
void page_see_other(struct look *l, struct str path);
void page_trouble(struct look *l, const struct err *err); /* 503 or 500: something failed */
/* The hidden field that shows that the form was made for this visit, and about what. */
void page_form_seal(struct look *l, struct str about);
bool page_form_sealed(struct look *l, struct str about) must_check;
void page_not_found(struct look *l);

/* A term and what is said of it, inside a <dl>. */
void page_term(struct look *l, const char *term, struct str text);
/* <time>: "2026-11-21 18:32:07 UTC"; of the store's time.  Not on the view: clocks step. */
void page_time(struct look *l, int64_t store_us);

/* --- table.c: a head of columns (NULL ends them), then rows of one row header and a cell for each
 * further column --- */

void table_begin(struct look *l, const char *class, struct str caption, const char *const *columns);
/* The same in two: what is written between them is the caption. */
void table_caption(struct look *l, const char *class);
void table_columns(struct look *l, const char *const *columns);
void table_row(struct look *l); /* what is written now is the row's header */
void table_cell(struct look *l, const char *class); /* and now the next cell; class may be "" */
void table_put(struct look *l, const char *class, struct str text);
void table_row_end(struct look *l);
void table_end(struct look *l);

/* --- moment.c --- */

/* "42 s", "9 min", "5 h 12 min", "3 days". */
struct str moment_span(struct arena *a, int64_t us);
struct str moment_text(struct arena *a, int64_t wall_us); /* "2026-11-21 18:32:07 UTC" */

/* --- the pages --- */

void sign_in_page(struct look *l, int status, struct str trouble);
void sign_in_post(struct look *l);
void sign_out_post(struct look *l);
/* A visit that is old, or none: signing in leads back here. */
void sign_in_first(struct look *l);
struct str sign_in_target(struct str next); /* one of our pages, or the queue */

void queue_page(struct look *l);
void history_page(struct look *l);

struct shown_plan {
	struct plan_row row;
	struct plan plan;
	enum decide may, may_decline; /* is it this person's to decide now? */
	bool asked; /* they asked for it */
	bool expired; /* open, and past its end */
};
/* False: the reply says why. */
bool plan_open(struct look *l, struct str id, struct shown_plan *out) must_check;
/* view.c: what the person decides on, onto the page.  The same plan is the same bytes for the same
 * person, today and tomorrow. */
void plan_view(struct look *l, const struct shown_plan *p);
/* A sum: what it comes to, and what was moved for it; inside a <dl>. */
void sum_view(struct look *l, struct str name, struct str net, struct str gross);
/* changes_view.c: every row before and after. */
void changes_view(struct look *l, const struct plan *p);
/* The digest of those bytes. */
void plan_view_digest(struct look *l, const struct shown_plan *p, struct sha256 *out);
/* What the seal of a form for this plan is about. */
struct str plan_about(
	struct look *l, const struct plan_row *row, const char *what, struct str shown_hex);
struct notice {
	int status;
	struct str words; /* empty: none */
	bool alarm;
	struct str token; /* to be shown once */
};
void plan_page(struct look *l, const struct shown_plan *p, const struct notice *n);
void plan_decide_post(struct look *l, struct str id);
void plan_escalate_post(struct look *l, struct str id);
/* Where the plan stands, in words. */
struct str plan_standing(struct look *l, const struct plan_row *row);

/* --- style.c --- */

struct str style_sheet(struct arena *a);
struct str style_countdown(struct arena *a, uint64_t seconds);
