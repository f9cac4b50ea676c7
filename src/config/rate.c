/* rate - see rate.h.
 *
 * Invariants: 1. a rule that is read has 1 <= most <= RATE_MOST and a window of at least a second.
 * 2. nothing means "without limit": there is no word and no number for it.  3. what is read is the
 * whole text. */
#include "config/rate.h"

#include "base/scan.h"

#define DIMS_MOST 2

static const struct {
	struct str name;
	enum rate_per bit;
} dims[] = {
	{ STR_INIT("principal"), PER_PRINCIPAL },
	{ STR_INIT("tenant"), PER_TENANT },
	{ STR_INIT("agent"), PER_AGENT },
	{ STR_INIT("tool"), PER_TOOL },
	{ STR_INIT("source"), PER_SOURCE },
	{ STR_INIT("credential"), PER_CREDENTIAL },
	{ STR_INIT("address"), PER_ADDRESS },
};

static const struct {
	char name;
	uint32_t ms;
} units[] = { { 'd', 86400000 }, { 'h', 3600000 }, { 'm', 60000 }, { 's', 1000 } };

static uint32_t unit_ms(struct scan *s)
{
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (scan_char(s, units[i].name))
			return units[i].ms;
	return 0;
}

/* "0" and "007" are no numbers of calls. */
static bool read_count(struct scan *s, uint64_t *out)
{
	struct str digits = scan_while(s, ascii_is_digit);

	return digits.n && digits.n <= 10 && digits.p[0] != '0' && str_to_u64(digits, out);
}

static const char *read_window(struct scan *s, uint32_t *out)
{
	uint64_t times = 1;
	uint32_t unit;

	if (ascii_is_digit((char)scan_peek(s)) && !read_count(s, &times))
		return "the length of the window is no number from 1 up";
	unit = unit_ms(s);
	if (!unit || (!scan_end(s) && scan_peek(s) != ' '))
		return "the window needs a unit: s, m, h or d";
	if (times > RATE_WINDOW_MOST_MS / unit)
		return "the window is longer than 31d";
	*out = (uint32_t)times * unit;
	return NULL;
}

static unsigned read_dim(struct scan *s)
{
	struct str name = scan_while(s, ascii_is_alpha);

	for (size_t i = 0; i < ARRAY_LEN(dims); i++)
		if (str_eq(name, dims[i].name))
			return dims[i].bit;
	return 0;
}

static const char *read_per(struct scan *s, unsigned *out)
{
	for (int i = 0; i < DIMS_MOST && scan_lit(s, i ? S(" and ") : S(" per ")); i++) {
		unsigned dim = read_dim(s);

		if (!dim)
			return "what stands behind 'per' is not principal, tenant, agent, tool, "
			       "source or credential";
		if (*out & dim)
			return "the same word stands behind 'per' twice";
		*out |= dim;
	}
	return scan_end(s) ? NULL : "there is more behind it than 'per … and …'";
}

const char *rate_read(struct str text, struct limit_rule *out)
{
	struct limit_rule r = { .text = text };
	struct scan s = scan_of(text);
	const char *wrong;
	uint64_t most;

	if (!ascii_is_digit((char)scan_peek(&s)))
		return "it does not begin with a number of calls from 1 up; to have no limit, "
		       "leave it out";
	if (!read_count(&s, &most) || most > RATE_MOST)
		return "the number of calls is not from 1 to 1000000000";
	if (!scan_char(&s, '/'))
		return "it has no window: a number alone says nothing";
	r.most = (uint32_t)most;
	wrong = read_window(&s, &r.window_ms);
	if (!wrong)
		wrong = read_per(&s, &r.per);
	if (!wrong)
		*out = r;
	return wrong;
}

static void write_window(uint32_t ms, struct buf *out)
{
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (ms % units[i].ms)
			continue;
		if (ms != units[i].ms)
			buf_u64(out, ms / units[i].ms);
		buf_char(out, units[i].name);
		return;
	}
}

void rate_write(const struct limit_rule *r, struct buf *out)
{
	struct str before = S(" per ");

	buf_u64(out, r->most);
	buf_char(out, '/');
	write_window(r->window_ms, out);
	for (size_t i = 0; i < ARRAY_LEN(dims); i++) {
		if (!(r->per & dims[i].bit))
			continue;
		buf_add(out, before);
		buf_add(out, dims[i].name);
		before = S(" and ");
	}
}
