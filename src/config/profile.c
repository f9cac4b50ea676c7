/* profile - see profile.h. */
#include "config/profile.h"

#define ENVIRONMENTS (ENV_PRODUCTION + 1)

static const struct {
	const char *what;
	bool in[ENVIRONMENTS]; /* development, staging, production */
} table[PERMIT_COUNT] = {
	[PERMIT_PLAIN_SECRET] = { "plain secrets", { true, false, false } },
	[PERMIT_SCRIPT] = { "scripted sources, fixed principals", { true, false, false } },
	[PERMIT_MOCK] = { "mock", { true, false, false } },
	[PERMIT_RAW_SQL] = { "raw_sql", { true, false, false } },
	[PERMIT_BARE_WAIVER] = { "waivers without approved_by", { true, true, false } },
	[PERMIT_UNMARKED_SOURCE] = { "sources without a marker", { true, true, false } },
	[PERMIT_NO_OWNER] = { "tools without owner and purpose", { true, true, false } },
};

bool profile_permits(enum environment e, enum permit p)
{
	bug_on((unsigned)e >= ENVIRONMENTS || p >= PERMIT_COUNT);
	return table[p].in[e];
}

static void write_row(struct buf *out, const char *what, const char *const *cells)
{
	buf_fmt(out, "  %-34s", what);
	for (unsigned e = 0; e < ENVIRONMENTS; e++)
		buf_fmt(out, e + 1 < ENVIRONMENTS ? "  %-12s" : "  %s", cells[e]);
	buf_char(out, '\n');
}

void profile_write(struct buf *out, enum environment e)
{
	const char *cells[ENVIRONMENTS];

	buf_fmt(out, "environment %s; what each permits:\n", environment_name(e));
	for (unsigned i = 0; i < ENVIRONMENTS; i++)
		cells[i] = environment_name((enum environment)i);
	write_row(out, "", cells);
	for (unsigned p = 0; p < PERMIT_COUNT; p++) {
		for (unsigned i = 0; i < ENVIRONMENTS; i++)
			cells[i] = table[p].in[i] ? "yes" : "refused";
		write_row(out, table[p].what, cells);
	}
}
