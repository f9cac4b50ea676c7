/* plan_fixture - plans made by hand, for tests. */
#pragma once
#include "plan/effect_fixture.h"
#include "plan/plan.h"

#define FX_STEPS_MAX 4

/* A plan of `steps` empty steps, everything about who and where filled in. */
static inline struct plan *fx_plan(struct arena *a, size_t steps)
{
	struct plan *p = arena_new(a, struct plan);

	p->id = S("pl_01JD8Q6Z7R5V9E2K4M3N1P0T8W");
	p->deployment = S("acme/crm");
	p->environment = S("staging");
	p->source = S("crm");
	p->database = S("0123456789abcdef0123456789abcdef");
	p->who = (struct plan_who){ .issuer = S("https://idp.example"),
		.subject = S("ada@acme.example"),
		.tenant = S("acme"),
		.agent = S("desk-helper"),
		.credential = S("key_7"),
		.kind = PRINCIPAL_HUMAN };
	p->steps = arena_array(a, struct plan_step, FX_STEPS_MAX);
	p->step_count = steps;
	for (size_t i = 0; i < steps; i++) {
		p->steps[i].tool = S("correct_signatory_on_contract");
		p->steps[i].version = 2;
		sha256_of(S("definition"), &p->steps[i].definition);
		p->steps[i].arguments = S("{\"contract_id\":\"ctr_1\",\"max\":\"5\"}");
	}
	p->need = APPROVAL_REQUESTER;
	p->reason = S("the wrong entity had signed");
	p->request = S("please fix the signatory");
	p->made_us = INT64_C(1763750000000000);
	p->expires_us = INT64_C(1763750600000000);
	return p;
}

/* Orders the effects, counts rows, makes the digest. */
static inline void fx_finish(struct plan *p, struct arena *a)
{
	p->rows = 0;
	for (size_t i = 0; i < p->step_count; i++) {
		effects_order(&p->steps[i].effects, a);
		p->rows += p->steps[i].effects.count;
	}
	plan_digest(p, a, &p->digest);
}
