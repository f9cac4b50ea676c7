/* site - see site.h: which page a request asks for, and whether it may.
 *
 * Every request passes, in this order: Host; framing; where a POST came from; who is signed in; is
 * that person still who they were, and not paused; the form; the page.
 *
 * Invariants: 1. no POST does anything unless this browser says that one of our own pages sent it,
 * and the form carries the seal of this visit.  2. the visit alone proves nothing: its credential
 * is looked up with every request.  3. every reply says what a browser may do with it: nothing but
 * show it, with our stylesheet. */
#include "site/site.h"

#include "base/scan.h"
#include "site/inside.h"

struct site {
	struct site_hands hands;
	struct visits *visits;
};

struct site *site_new(const struct site_hands *hands)
{
	struct site *s = heap_new(struct site);

	s->hands = *hands;
	s->visits = visits_new();
	return s;
}

void site_free(struct site **s)
{
	if (!*s)
		return;
	visits_free(&(*s)->visits);
	heap_free(*s);
	*s = NULL;
}

struct visits *site_visits(struct site *s)
{
	return s->visits;
}

/* A cookie of this name cannot be set by another host, or without TLS (RFC 6265bis, 4.1.3). */
struct str site_cookie_name(const struct look *l)
{
	return l->r->secure ? S("__Host-postern-visit") : S("postern-visit");
}

struct str site_plan_url(struct arena *a, struct str base, struct str plan)
{
	return arena_fmt(a, "%.*s/%.*s", STR_ARG(base), STR_ARG(plan));
}

/* --- what every reply says --- */

/* "same-origin": with "no-referrer" a browser calls the origin of our own forms "null". */
static const struct site_header always[] = {
	{ STR_INIT("Content-Security-Policy"),
		STR_INIT("default-src 'none'; style-src 'self'; form-action 'self'; "
			 "frame-ancestors 'none'; base-uri 'none'") },
	{ STR_INIT("X-Frame-Options"), STR_INIT("DENY") },
	{ STR_INIT("Referrer-Policy"), STR_INIT("same-origin") },
	{ STR_INIT("Cross-Origin-Opener-Policy"), STR_INIT("same-origin") },
	{ STR_INIT("Cross-Origin-Resource-Policy"), STR_INIT("same-origin") },
	{ STR_INIT("Permissions-Policy"),
		STR_INIT("clipboard-read=(), publickey-credentials-get=()") },
	{ STR_INIT("Cache-Control"), STR_INIT("no-store") },
};

/* --- who is it --- */

static bool is_same_person(struct look *l, const struct principal *who)
{
	struct sha256 proof;

	principal_proof(who, l->a, &proof);
	return sha256_eq(&proof, &l->visit.who);
}

/* Somebody is signed in whose credential is still good: l->visiting. */
static void recognize(struct look *l)
{
	struct visits *visits = l->site->visits;
	struct str text = cookie_get(l->r->cookie, site_cookie_name(l));
	enum identity_verdict verdict;

	if (!text.n || !visits_find(visits, l->a, text, l->r->boot_ms, &l->visit))
		return;
	verdict = l->hands->again(l->r->ctx, l->visit.credential, &l->who);
	if (verdict == IDENTITY_OK && l->who.approver && !l->who.tenant_foreign &&
		is_same_person(l, &l->who))
		l->visiting = true;
	else if (verdict != IDENTITY_UNAVAILABLE)
		visits_end(visits, &l->visit.name);
}

/* --- routes --- */

enum need {
	NEED_NOBODY, /* anybody may ask */
	NEED_VISIT,
};

static void style_get(struct look *l)
{
	l->reply->status = 200;
	l->reply->content_type = S("text/css; charset=utf-8");
	l->reply->body = style_sheet(l->a);
}

static void sign_in_get(struct look *l)
{
	sign_in_page(l, 200, STR_NONE);
}

static const struct {
	struct site_route route;
	enum need need;
	void (*get)(struct look *l);
	void (*post)(struct look *l);
} routes[] = {
	{ { SITE_ROOT, "GET, HEAD", "an approver, signed in" }, NEED_VISIT, queue_page, NULL },
	{ { SITE_ROOT "/history", "GET, HEAD", "an approver, signed in" }, NEED_VISIT, history_page,
		NULL },
	{ { SITE_ROOT "/style.css", "GET, HEAD", "anybody" }, NEED_NOBODY, style_get, NULL },
	{ { SITE_ROOT "/sign-in", "GET, HEAD, POST", "anybody; an approver's credential" },
		NEED_NOBODY, sign_in_get, sign_in_post },
	{ { SITE_ROOT "/sign-out", "POST", "an approver, signed in" }, NEED_VISIT, NULL,
		sign_out_post },
};

static const struct site_route more_routes[] = {
	{ SITE_ROOT "/left/SECONDS.css", "GET, HEAD", "anybody" },
	{ SITE_ROOT "/PLAN", "GET, HEAD", "who asked, or may decide" },
	{ SITE_ROOT "/PLAN/decide", "POST", "who may decide" },
	{ SITE_ROOT "/PLAN/escalate", "POST", "who asked" },
};

const struct site_route *site_routes(void)
{
	static struct site_route list[ARRAY_LEN(routes) + ARRAY_LEN(more_routes) + 1];

	for (size_t i = 0; i < ARRAY_LEN(routes); i++)
		list[i] = routes[i].route;
	for (size_t i = 0; i < ARRAY_LEN(more_routes); i++)
		list[ARRAY_LEN(routes) + i] = more_routes[i];
	return list;
}

static bool is_get(const struct look *l)
{
	return str_eq(l->r->method, S("GET")) || str_eq(l->r->method, S("HEAD"));
}

static bool is_post(const struct look *l)
{
	return str_eq(l->r->method, S("POST"));
}

static void refuse_method(struct look *l, struct str allowed)
{
	page_say(l, 405, "Not that way", S("This address is not used like that."));
	l->reply->headers[l->reply->header_count++] = (struct site_header){ S("Allow"), allowed };
}

/* The link came from elsewhere, so the browser kept the cookie to itself: asked again from a page
 * of ours, it sends it. */
static bool comes_from_elsewhere(const struct look *l)
{
	return str_eq(l->r->fetch_site, S("cross-site")) ||
	       str_eq(l->r->fetch_site, S("same-site"));
}

static void send_again(struct look *l)
{
	struct html *h = &l->h;

	buf_in(&l->page, l->a, SITE_PAGE_BYTES);
	l->reply->status = 200;
	html_begin(h, &l->page);
	html_open(h, "html");
	html_attr(h, "lang", S("en"));
	html_open(h, "head");
	html_void(h, "meta");
	html_attr(h, "charset", S("utf-8"));
	html_void(h, "meta");
	html_attr(h, "http-equiv", S("refresh"));
	html_attr(h, "content", arena_fmt(l->a, "0;url=%.*s", STR_ARG(l->r->path)));
	html_put(h, "title", S("Approvals"));
	html_close(h);
	html_open(h, "body");
	html_open(h, "main");
	html_open(h, "p");
	html_link(h, l->r->path, S("Open the approval page"));
	html_close(h);
	page_end(l);
}

static bool needs_visit(struct look *l)
{
	if (l->visiting)
		return true;
	if (is_post(l))
		page_say(l, 401, "Sign in again",
			S("Nobody is signed in here any more. Nothing was done; sign in and "
			  "decide again."));
	else if (comes_from_elsewhere(l))
		send_again(l);
	else
		sign_in_first(l);
	return false;
}

static void countdown_get(struct look *l, struct str name)
{
	uint64_t seconds;

	if (!str_ends(name, S(".css")) || name.n > 12 ||
		!str_to_u64(str_sub(name, 0, name.n - 4), &seconds)) {
		page_not_found(l);
		return;
	}
	l->reply->status = 200;
	l->reply->content_type = S("text/css; charset=utf-8");
	l->reply->body = style_countdown(l->a, seconds);
}

static void plan_get(struct look *l, struct str id)
{
	struct shown_plan p = { 0 };

	if (plan_open(l, id, &p))
		plan_page(l, &p, &(struct notice){ .status = 200 });
}

static bool is_plan_id(struct str id)
{
	for (size_t i = 0; i < id.n; i++)
		if (!ascii_is_alnum(id.p[i]) && id.p[i] != '_')
			return false;
	return id.n > 3 && id.n <= PLAN_ID_MAX && str_starts(id, S("pl_"));
}

/* What stands behind "/approvals/". */
static void answer_plan(struct look *l, struct str rest)
{
	struct str id = rest, verb = STR_NONE;
	void (*post)(struct look *, struct str) = NULL;

	if (!str_cut(rest, '/', &id, &verb))
		id = rest;
	if (str_eq(verb, S("decide")))
		post = plan_decide_post;
	else if (str_eq(verb, S("escalate")))
		post = plan_escalate_post;
	if (!is_plan_id(id) || (verb.n && !post) || (!verb.n && id.n != rest.n)) {
		page_not_found(l);
		return;
	}
	if (post ? !is_post(l) : !is_get(l))
		refuse_method(l, post ? S("POST") : S("GET, HEAD"));
	else if (!needs_visit(l))
		return;
	else if (post)
		post(l, id);
	else
		plan_get(l, id);
}

static bool answer_route(struct look *l)
{
	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		void (*page)(struct look *) = is_post(l)  ? routes[i].post
					      : is_get(l) ? routes[i].get
							  : NULL;

		if (!str_eq(l->r->path, str_c(routes[i].route.path)))
			continue;
		if (!page)
			refuse_method(l, str_c(routes[i].route.methods));
		else if (routes[i].need == NEED_NOBODY || needs_visit(l))
			page(l);
		return true;
	}
	return false;
}

static void answer_path(struct look *l)
{
	struct str path = l->r->path;

	if (answer_route(l))
		return;
	if (str_eq(path, S("/")))
		page_see_other(l, S(SITE_ROOT));
	else if (str_starts(path, S(SITE_ROOT "/left/")) && is_get(l))
		countdown_get(l, str_from(path, sizeof SITE_ROOT "/left/" - 1));
	else if (str_starts(path, S(SITE_ROOT "/")))
		answer_plan(l, str_from(path, sizeof SITE_ROOT));
	else
		page_not_found(l);
}

/* --- may this request do anything at all --- */

static void deny(struct look *l, const char *reason, int status, struct str words)
{
	page_deny(l, l->visiting ? &l->who : NULL, &(struct denial){ reason, status, words });
}

static bool check_place(struct look *l)
{
	struct str dest = l->r->fetch_dest;
	bool framed = str_eq(dest, S("iframe")) || str_eq(dest, S("frame")) ||
		      str_eq(dest, S("embed")) || str_eq(dest, S("object"));

	if (!l->r->host_ok)
		deny(l, "host", 403,
			S("This name is not one the approval pages answer to; add it to "
			  "approvals.allowed_hosts."));
	else if (framed)
		deny(l, "framed", 403, S("This page does not open inside another one."));
	return l->r->host_ok && !framed;
}

/* Of a POST: the browser says which page sent it, and it is one of ours. */
static bool check_sender(struct look *l)
{
	bool ours = str_eq(l->r->origin, l->r->own_origin) &&
		    (!l->r->fetch_site.n || str_eq(l->r->fetch_site, S("same-origin")));

	if (!ours)
		deny(l, "origin", 403,
			S("This did not come from one of these pages. Nothing was done."));
	return ours;
}

static bool read_form(struct look *l)
{
	struct str type, rest;

	type = str_cut(l->r->content_type, ';', &type, &rest) ? str_trim(type) : l->r->content_type;
	if (str_eq_ci(type, S("application/x-www-form-urlencoded")) &&
		l->r->body.n <= SITE_FORM_BYTES && form_read(&l->form, l->a, l->r->body))
		return true;
	deny(l, "form", 400, S("This is not one of these pages' forms. Nothing was done."));
	return false;
}

/* Whoever is paused sees nothing and decides nothing. */
static bool check_pause(struct look *l)
{
	if (!l->visiting || !l->hands->paused(l->r->ctx, &l->who))
		return true;
	page_paused(l, &l->who);
	return false;
}

void site_answer(struct site *s, const struct site_request *r, struct site_reply *out)
{
	struct look l = { .site = s, .hands = &s->hands, .r = r, .reply = out, .a = r->arena };

	*out = (struct site_reply){ 0 };
	for (size_t i = 0; i < ARRAY_LEN(always); i++)
		out->headers[out->header_count++] = always[i];
	if (!check_place(&l))
		return;
	if (!form_read(&l.query, l.a, r->query)) {
		page_not_found(&l);
		return;
	}
	recognize(&l);
	if (is_post(&l) && (!check_sender(&l) || !read_form(&l)))
		return;
	if (check_pause(&l))
		answer_path(&l);
}
