/* sign_in - somebody shows an approver's credential, and a visit begins (inside.h).
 *
 * Invariants: 1. whatever was wrong with a credential, the words are the same; the record has the
 * reason.  2. an address that shows too many wrong ones is not listened to.  3. where signing in
 * leads is one of our own pages.  4. a new visit has a new text: nothing that was in the browser
 * before is worth anything afterwards. */
#include "site/inside.h"

struct str sign_in_target(struct str next)
{
	struct str root = S(SITE_ROOT);
	bool ours = str_starts(next, root) && next.n <= 64 &&
		    (next.n == root.n || next.p[root.n] == '/');

	for (size_t i = 0; ours && i < next.n; i++)
		ours = ascii_is_alnum(next.p[i]) || str_has(S("/_-"), next.p[i]);
	return ours ? next : root;
}

void sign_in_first(struct look *l)
{
	page_see_other(l, arena_fmt(l->a, SITE_ROOT "/sign-in?next=%.*s",
				  STR_ARG(sign_in_target(l->r->path))));
}

static void write_trouble(struct look *l, struct str trouble)
{
	if (!trouble.n)
		return;
	html_open_class(&l->h, "p", "notice alarm");
	html_attr(&l->h, "role", S("alert"));
	html_attr(&l->h, "id", S("trouble"));
	html_text(&l->h, trouble);
	html_close(&l->h);
}

static void begin_form(struct look *l, struct str next)
{
	html_open_class(&l->h, "form", "sheet");
	html_attr(&l->h, "method", S("post"));
	html_attr(&l->h, "action", S(SITE_ROOT "/sign-in"));
	html_hidden(&l->h, "next", next);
}

static void write_button(struct look *l, struct str words)
{
	html_open(&l->h, "button");
	html_attr(&l->h, "type", S("submit"));
	html_text(&l->h, words);
	html_close(&l->h);
}

static void write_key_form(struct look *l, struct str next, bool trouble)
{
	struct html *h = &l->h;

	begin_form(l, next);
	/* what a password manager keeps the key under */
	html_void(h, "input");
	html_attr(h, "type", S("text"));
	html_attr(h, "name", S("deployment"));
	html_attr(h, "autocomplete", S("username"));
	html_attr(h, "value", l->r->config->name);
	html_flag(h, "hidden");
	html_flag(h, "readonly");
	html_open(h, "label");
	html_attr(h, "for", S("key"));
	html_say(h, "Approver key");
	html_close(h);
	html_void(h, "input");
	html_attr(h, "id", S("key"));
	html_attr(h, "name", S("key"));
	html_attr(h, "type", S("password"));
	html_attr(h, "autocomplete", S("current-password"));
	html_attr(h, "aria-describedby", trouble ? S("trouble key-help") : S("key-help"));
	html_attr(h, "maxlength", S("200"));
	html_attr(h, "spellcheck", S("false"));
	html_flag(h, "required");
	html_open_class(h, "p", "help");
	html_attr(h, "id", S("key-help"));
	html_say(h, "A key that was made for deciding. The key of an assistant or a program is "
		    "not accepted here.");
	html_close(h);
	write_button(l, S("Sign in"));
	html_close(h);
}

/* Who the request itself shows, when that is an approver: a look that lends nothing. */
static void write_shown_form(struct look *l, struct str next)
{
	struct principal who = { 0 };

	if (!l->r->shows_identity || l->hands->enter(l->r->ctx, STR_NONE, &who) != IDENTITY_OK ||
		!who.approver)
		return;
	begin_form(l, next);
	html_open(&l->h, "p");
	html_say(&l->h, "This browser shows that you are ");
	html_put(&l->h, "strong", who.subject);
	html_say(&l->h, ".");
	html_close(&l->h);
	write_button(l, arena_fmt(l->a, "Continue as %.*s", STR_ARG(who.subject)));
	html_close(&l->h);
}

void sign_in_page(struct look *l, int status, struct str trouble)
{
	bool post = str_eq(l->r->method, S("POST"));
	struct str next = sign_in_target(form_get(post ? &l->form : &l->query, "next"));

	page_begin(l, &(struct frame){ .status = status, .title = "Sign in to decide" });
	html_put(&l->h, "h1", S("Sign in to decide"));
	write_trouble(l, trouble);
	if (l->visiting && !visit_is_recent(&l->visit, l->r->boot_ms))
		html_put(&l->h, "p",
			S("You signed in more than 15 minutes ago. Deciding needs it once more."));
	write_shown_form(l, next);
	write_key_form(l, next, trouble.n > 0);
	page_end(l);
}

static bool record_failure(struct look *l, const char *event, struct str reason)
{
	return l->hands->record(l->r->ctx,
		&(struct site_record){ .event = event, .reason = reason, .target = l->r->path });
}

static bool record_visit(struct look *l, const char *event, const struct principal *who)
{
	return l->hands->record(
		l->r->ctx, &(struct site_record){ .event = event, .who = who, .visit = true });
}

static bool check_attempts(struct look *l)
{
	uint32_t wait_ms = 0;

	if (l->hands->may_try(l->r->ctx, &wait_ms))
		return true;
	if (!record_failure(l, "AUTH_FAIL", S("too_many"))) {
		page_say(l, 503, "Not possible now", S("The refusal could not be recorded."));
		return false;
	}
	sign_in_page(l, 429,
		arena_fmt(l->a,
			"Too many keys that are not valid came from your address. Try again in "
			"%.*s.",
			STR_ARG(moment_span(l->a, (int64_t)wait_ms * 1000 + 999999))));
	return false;
}

static void refuse(struct look *l, enum identity_verdict verdict)
{
	const char *event = identity_verdict_forbids(verdict) ? "DENY" : "AUTH_FAIL";

	if (verdict == IDENTITY_UNAVAILABLE) {
		sign_in_page(l, 503, S("Keys cannot be checked now. Try again in a moment."));
		return;
	}
	if (verdict != IDENTITY_MISSING)
		l->hands->tried(l->r->ctx);
	if (!record_failure(l, event, str_c(identity_verdict_name(verdict))))
		page_say(l, 503, "Not possible now", S("The refusal could not be recorded."));
	else
		sign_in_page(l, 403, S("That is not an approver's key that is valid here."));
}

static void set_cookie(struct look *l, struct str value, bool ends)
{
	struct site_reply *out = l->reply;

	out->headers[out->header_count++] = (struct site_header){ S("Set-Cookie"),
		arena_fmt(l->a, "%.*s=%.*s; Path=/; HttpOnly; SameSite=Strict%s%s",
			STR_ARG(site_cookie_name(l)), STR_ARG(value),
			l->r->secure ? "; Secure" : "", ends ? "; Max-Age=0" : "") };
}

static void begin_visit(struct look *l, const struct principal *who)
{
	struct sha256 proof;

	if (l->visiting)
		visits_end(site_visits(l->site), &l->visit.name);
	principal_proof(who, l->a, &proof);
	set_cookie(l,
		visits_begin(site_visits(l->site), l->a, who->credential, &proof, l->r->boot_ms),
		false);
	page_see_other(l, sign_in_target(form_get(&l->form, "next")));
}

void sign_in_post(struct look *l)
{
	struct principal who = { 0 };
	enum identity_verdict verdict;

	if (!check_attempts(l))
		return;
	verdict = l->hands->enter(l->r->ctx, form_get(&l->form, "key"), &who);
	if (verdict == IDENTITY_OK && (!who.approver || who.credential.n > VISIT_CREDENTIAL_BYTES))
		verdict = IDENTITY_USE;
	if (verdict != IDENTITY_OK)
		refuse(l, verdict);
	else if (who.tenant_foreign)
		refuse(l, IDENTITY_TENANT);
	else if (l->hands->paused(l->r->ctx, &who))
		page_paused(l, &who);
	else if (!record_visit(l, "SIGN_IN", &who))
		page_say(l, 503, "Not possible now", S("Signing in could not be recorded."));
	else
		begin_visit(l, &who);
}

void sign_out_post(struct look *l)
{
	if (!page_form_sealed(l, S("sign-out"))) {
		page_say(l, 403, "Refused", S("This form is not from this visit."));
		return;
	}
	visits_end(site_visits(l->site), &l->visit.name);
	set_cookie(l, STR_NONE, true);
	if (!record_visit(l, "SIGN_OUT", &l->who))
		page_say(l, 503, "Signed out", S("You are signed out; it could not be recorded."));
	else
		page_see_other(l, S(SITE_ROOT "/sign-in"));
}
