/* drills - see drills.h. */
#include "serve/drills.h"

#define DAY_US (INT64_C(86400) * 1000000)
#define FRESH_DAYS 90
#define WORKING_DAYS 365

const char *drill_health_name(enum drill_health h)
{
	static const char *const names[] = {
		[DRILL_FRESH] = "works", [DRILL_DUE] = "due", [DRILL_NOT_WORKING] = "not working"
	};

	return names[h];
}

static enum drill_health health_of(int64_t worked_us, int64_t tried_us, int64_t now_us)
{
	if (!tried_us)
		return DRILL_DUE; /* a new deployment: nothing speaks against it yet */
	if (tried_us > worked_us || now_us - worked_us > WORKING_DAYS * DAY_US)
		return DRILL_NOT_WORKING;
	return now_us - worked_us > FRESH_DAYS * DAY_US ? DRILL_DUE : DRILL_FRESH;
}

bool drill_state_of(struct store *s, struct arena *a, enum kill_kind kind, int64_t now_us,
	struct drill_state *out, struct err *err)
{
	struct str name = str_c(kill_kind_name(kind));
	struct drill_row tried, worked;

	if (!store_drill_last(s, a, name, true, &worked, err) ||
		!store_drill_last(s, a, name, false, &tried, err))
		return false;
	*out = (struct drill_state){ .health = health_of(worked.at_us, tried.at_us, now_us),
		.last = worked };
	return true;
}

void drills_review(struct store *s, int64_t now_us, struct str config_file, struct findings *f)
{
	struct buf kinds;

	buf_in(&kinds, f->a, 4096);
	for (unsigned k = 0; k < KILL_KIND_COUNT; k++) {
		struct drill_state state;
		struct err err;

		if (!drill_state_of(s, f->a, (enum kill_kind)k, now_us, &state, &err)) {
			finding_warn(f, (struct place){ .file = config_file }, "store.drills",
				arena_fmt(f->a,
					"it cannot be said when the kill switches were drilled: %s",
					err.text),
				S("correct the store"));
			return;
		}
		if (state.health == DRILL_FRESH)
			continue;
		buf_fmt(&kinds, "%s%s%s", kinds.n ? ", " : "", kill_kind_name((enum kill_kind)k),
			state.health == DRILL_NOT_WORKING ? " (not working)" : "");
	}
	if (kinds.n)
		finding_warn(f, (struct place){ .file = config_file }, "store.drills",
			arena_fmt(f->a, "kill switches that no drill has proved for 90 days: %.*s",
				STR_ARG(buf_str(&kinds))),
			S("run postern drill against the running servers"));
}
