/* layout - the frame of every page (inside.h): head, who is signed in, the way around, the end.
 *
 * Invariant: no page refers to anything but our own stylesheet, and none has a script. */
#include "site/inside.h"

#include "base/clock.h"

static void write_head(struct look *l, const struct frame *p)
{
	struct html *h = &l->h;
	struct str subject = p->subject.n ? p->subject : S("postern approvals");

	html_open(h, "head");
	html_void(h, "meta");
	html_attr(h, "charset", S("utf-8"));
	html_void(h, "meta");
	html_attr(h, "name", S("viewport"));
	html_attr(h, "content", S("width=device-width, initial-scale=1"));
	html_void(h, "meta");
	html_attr(h, "name", S("color-scheme"));
	html_attr(h, "content", S("light dark"));
	html_put(h, "title", arena_fmt(l->a, "%s \xc2\xb7 %.*s", p->title, STR_ARG(subject)));
	html_void(h, "link");
	html_attr(h, "rel", S("stylesheet"));
	html_attr(h, "href", S(SITE_ROOT "/style.css"));
	if (p->left_s) {
		html_void(h, "link");
		html_attr(h, "rel", S("stylesheet"));
		html_attr(h, "href",
			arena_fmt(l->a, SITE_ROOT "/left/%llu.css", (unsigned long long)p->left_s));
	}
	html_close(h);
}

static void write_sign_out(struct look *l)
{
	struct html *h = &l->h;

	html_open_class(h, "form", "who");
	html_attr(h, "method", S("post"));
	html_attr(h, "action", S(SITE_ROOT "/sign-out"));
	page_form_seal(l, S("sign-out"));
	html_open(h, "span");
	html_say(h, "Signed in as ");
	html_put(h, "strong", l->who.subject);
	if (l->who.tenant.n) {
		html_say(h, " (");
		html_text(h, l->who.tenant);
		html_say(h, ")");
	}
	html_close(h);
	html_open_class(h, "button", "plain");
	html_attr(h, "type", S("submit"));
	html_say(h, "Sign out");
	html_close(h);
	html_close(h);
}

static void write_way(struct look *l, const char *path, const char *name)
{
	struct html *h = &l->h;

	html_open(h, "li");
	html_open(h, "a");
	html_attr(h, "href", str_c(path));
	if (str_eq(l->r->path, str_c(path)))
		html_attr(h, "aria-current", S("page"));
	html_text(h, str_c(name));
	html_close(h);
	html_close(h);
}

static void write_banner(struct look *l)
{
	const struct config *config = l->r->config;
	struct html *h = &l->h;

	html_open(h, "a");
	html_attr(h, "class", S("skip"));
	html_attr(h, "href", S("#main"));
	html_say(h, "Skip to the content");
	html_close(h);
	html_open(h, "header");
	html_open_class(h, "p", "where");
	html_put(h, "strong", config->name);
	html_put_class(h, "span",
		config->environment == ENV_PRODUCTION ? "environment production" : "environment",
		str_c(environment_name(config->environment)));
	html_close(h);
	if (l->visiting) {
		html_open(h, "nav");
		html_attr(h, "aria-label", S("Pages"));
		html_open(h, "ul");
		write_way(l, SITE_ROOT, "Waiting");
		write_way(l, SITE_ROOT "/history", "Decided");
		html_close(h);
		html_close(h);
		write_sign_out(l);
	}
	html_close(h);
}

void page_begin(struct look *l, const struct frame *p)
{
	buf_in(&l->page, l->a, SITE_PAGE_BYTES);
	l->reply->status = p->status;
	html_begin(&l->h, &l->page);
	html_open(&l->h, "html");
	html_attr(&l->h, "lang", S("en"));
	write_head(l, p);
	html_open(&l->h, "body");
	write_banner(l);
	html_open(&l->h, "main");
	html_attr(&l->h, "id", S("main"));
}

void page_end(struct look *l)
{
	html_close(&l->h);
	html_close(&l->h);
	html_close(&l->h);
	if (!html_end(&l->h)) {
		l->reply->status = 500;
		l->reply->content_type = S("text/plain; charset=utf-8");
		l->reply->body = S("The page is larger than 8 MiB; use 'postern show'.\n");
		return;
	}
	l->reply->content_type = S("text/html; charset=utf-8");
	l->reply->body = buf_str(&l->page);
}

void page_say(struct look *l, int status, const char *title, struct str words)
{
	page_begin(l, &(struct frame){ .status = status, .title = title });
	html_put(&l->h, "h1", str_c(title));
	html_put(&l->h, "p", words);
	html_open(&l->h, "p");
	html_link(&l->h, S(SITE_ROOT), S("To what waits for a decision"));
	html_close(&l->h);
	page_end(l);
}

void page_not_found(struct look *l)
{
	page_say(l, 404, "Not found",
		S("There is nothing here, or it is not yours to see. A plan is seen by who asked "
		  "for it and by who may decide on it."));
}

void page_deny(struct look *l, const struct principal *who, const struct denial *d)
{
	if (l->hands->record(l->r->ctx, &(struct site_record){ .event = "DENY",
						.reason = str_c(d->reason),
						.target = l->r->path,
						.who = who }))
		page_say(l, d->status, "Refused", d->words);
	else
		page_say(l, 503, "Not possible now", S("The refusal could not be recorded."));
}

void page_paused(struct look *l, const struct principal *who)
{
	page_deny(l, who,
		&(struct denial){ "killed", 503,
			S("An operator has paused this. Nothing can be seen or decided until it "
			  "is resumed.") });
}

void page_see_other(struct look *l, struct str path)
{
	struct site_reply *out = l->reply;

	out->status = 303;
	out->headers[out->header_count++] = (struct site_header){ S("Location"), path };
}

/* What failed stands in the log of the server: here only that something did. */
void page_trouble(struct look *l, const struct err *err)
{
	if (err->code == E_NOT_FOUND) {
		page_not_found(l);
		return;
	}
	l->hands->failed(l->r->ctx, err);
	page_say(l, 503, "Not possible now",
		S("Nothing was decided. What is needed for it does not answer, or could "
		  "not be recorded; try again in a moment."));
}

void page_form_seal(struct look *l, struct str about)
{
	html_hidden(&l->h, "seal", visit_seal(&l->visit, l->a, about));
}

bool page_form_sealed(struct look *l, struct str about)
{
	return visit_sealed(&l->visit, l->a, about, form_get(&l->form, "seal"));
}

void page_term(struct look *l, const char *term, struct str text)
{
	html_open(&l->h, "div");
	html_put(&l->h, "dt", str_c(term));
	html_put(&l->h, "dd", text);
	html_close(&l->h);
}

void page_time(struct look *l, int64_t store_us)
{
	int64_t wall_us = l->r->wall_us + (store_us - l->r->now_us);
	struct buf stamp;

	buf_in(&stamp, l->a, 64);
	clock_write_rfc3339(&stamp, wall_us);
	html_open(&l->h, "time");
	html_attr(&l->h, "datetime", buf_str(&stamp));
	html_text(&l->h, moment_text(l->a, wall_us));
	html_close(&l->h);
}
