/* desk - where people decide on plans, for the state-machine test: `postern approve` and `postern
 * decline` without a terminal and without a start for each.  One order in, one answer out, a line
 * of JSON each:
 *
 *	{"do":"approve","plan":"pl_…","key":"…","note":""}     {"verdict":"may","token":""}
 *
 * do: approve, decline, escalate.  verdict: decide_name, "identity" when the key is not taken,
 * "none" when there is no such plan for them, "failed" with why. */
#include "base/clock.h"
#include "identity/approver.h"
#include "json/json.h"
#include "json/write.h"
#include "serve/plans.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct answer {
	const char *verdict;
	struct str token, why;
};

static bool take_key(
	struct generation *g, struct arena *a, struct str key, struct principal *who_out)
{
	struct credential_shown shown = { .bearer = key };

	return approver_verify(g->identity, a, &shown, clock_wall_us(), clock_mono_ms(), who_out) ==
	       IDENTITY_OK;
}

static struct answer decide(struct world *w, struct generation *g, const struct principal *who,
	struct arena *a, const struct json *order)
{
	struct answer answer = { .verdict = "failed" };
	struct str what = json_get_str(order, S("do"));
	struct decision d = { .yes = str_eq(what, S("approve")),
		.channel = S("terminal"),
		.note = json_get_str(order, S("note")),
		.peer = S("desk") };
	enum decide verdict = DECIDE_MAY;
	struct kept k;
	struct err err;
	bool ok;

	if (!plans_open(w, g, who, a, json_get_str(order, S("plan")), &k, &err)) {
		answer.verdict = err.code == E_NOT_FOUND ? "none" : "failed";
		answer.why = arena_str(a, str_c(err.text));
		return answer;
	}
	d.shown = k.plan.digest;
	ok = str_eq(what, S("escalate"))
		     ? plans_escalate(w, g, who, a, &k, &d, &verdict, &err)
		     : plans_decide(w, g, who, a, &k, &d, &answer.token, &verdict, &err);
	if (ok || verdict != DECIDE_MAY)
		answer.verdict = decide_name(verdict);
	else
		answer.why = arena_str(a, str_c(err.text));
	return answer;
}

static struct answer obey(struct world *w, struct arena *a, struct str line)
{
	struct generation *g = world_hold_in(w, a);
	struct answer answer = { .verdict = "identity" };
	struct json_error error;
	struct principal who;
	struct json order;

	if (!json_parse(a, line, &order, &error))
		return (struct answer){ .verdict = "failed", .why = S("that is not JSON") };
	if (take_key(g, a, json_get_str(&order, S("key")), &who))
		answer = decide(w, g, &who, a, &order);
	return answer;
}

static void tell(struct arena *a, const struct answer *answer)
{
	struct buf text;
	struct jw w;

	buf_in(&text, a, (size_t)64 << 10);
	jw_init(&w, &text);
	jw_object(&w);
	jw_put_str(&w, S("verdict"), str_c(answer->verdict));
	jw_put_str(&w, S("token"), answer->token);
	jw_put_str(&w, S("why"), answer->why);
	jw_object_end(&w);
	printf("%.*s\n", STR_ARG(buf_str(&text)));
	fflush(stdout);
}

static void obey_all(struct world *w)
{
	static char line[64 << 10];
	struct arena a;

	while (fgets(line, sizeof line, stdin)) {
		struct answer answer;

		arena_init(&a, (size_t)64 << 20);
		answer = obey(w, &a, str_trim(str_c(line)));
		tell(&a, &answer);
		arena_done(&a);
	}
}

int main(int argc, char **argv)
{
	struct findings f;
	struct world *w;
	struct arena a;
	sigset_t none;

	if (argc != 2)
		return 64;
	sigemptyset(&none);
	sigaddset(&none, SIGUSR2);
	sigprocmask(SIG_BLOCK, &none, NULL);
	arena_init(&a, (size_t)16 << 20);
	findings_init(&f, &a);
	w = world_open(&(struct world_options){ .config_file = str_c(argv[1]) }, &f);
	if (!w)
		return 78;
	puts("{}");
	fflush(stdout);
	obey_all(w);
	world_close(&w);
	arena_done(&a);
	return 0;
}
