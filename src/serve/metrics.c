/* metrics - see metrics.h.
 *
 * Invariants: 1. a meter is never freed nor renamed before the end: a call of an old generation
 * adds to the same one as a call of the next.  2. meters and reasons are only ever added, under the
 * lock.  3. counters grow only. */
#include "serve/metrics.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define REASON_BYTES 48
#define SPECIAL_CODES 3 /* beside the faults: INPUT_REQUIRED, TOOL_ERROR, UNFINISHED */
#define CODES (FAULT_COUNT + SPECIAL_CODES)

/* Upper bounds of the latency histogram. */
static const struct {
	uint64_t us;
	const char *seconds;
} bounds[] = {
	{ 500, "0.0005" },
	{ 1000, "0.001" },
	{ 2500, "0.0025" },
	{ 5000, "0.005" },
	{ 10000, "0.01" },
	{ 25000, "0.025" },
	{ 50000, "0.05" },
	{ 100000, "0.1" },
	{ 250000, "0.25" },
	{ 500000, "0.5" },
	{ 1000000, "1" },
	{ 2500000, "2.5" },
	{ 5000000, "5" },
	{ 10000000, "10" },
	{ 30000000, "30" },
};

struct meter {
	char *labels; /* what="tool",tool="…" */
	_Atomic uint64_t codes[CODES];
	_Atomic uint64_t buckets[ARRAY_LEN(bounds) + 1]; /* each alone; added up when written */
	_Atomic uint64_t sum_us;
};

struct reason {
	const char *event; /* of our own code; or the name of a fault */
	char text[REASON_BYTES];
	uint64_t count;
};

struct metrics {
	pthread_mutex_t lock; /* by_labels, meters, reasons */
	struct map by_labels;
	struct meter *meters[METRICS_NAMES_MAX];
	size_t meter_count;
	struct reason reasons[METRICS_REASONS_MAX];
	size_t reason_count;
	_Atomic uint64_t running, reloads, reloads_refused;
	struct meter *other;
};

static const char *const what_names[] = {
	[ENTRY_TOOL] = "tool",
	[ENTRY_RESOURCE] = "resource",
	[ENTRY_PROMPT] = "prompt",
	[ENTRY_COMPLETION] = "completion",
};

void metrics_label(struct buf *out, const char *name, struct str value)
{
	if (out->n)
		buf_char(out, ',');
	buf_add(out, str_c(name));
	buf_lit(out, "=\"");
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] == '"' || value.p[i] == '\\')
			buf_char(out, '\\');
		if (value.p[i] == '\n')
			buf_lit(out, "\\n");
		else
			buf_char(out, value.p[i]);
	}
	buf_char(out, '"');
}

static struct meter *meter_new(struct str labels)
{
	struct meter *t = heap_new(struct meter);

	t->labels = heap_alloc(labels.n + 1);
	memcpy(t->labels, labels.p, labels.n);
	return t;
}

static void meter_free(struct meter *t)
{
	heap_free(t->labels);
	heap_free(t);
}

struct metrics *metrics_new(void)
{
	struct metrics *m = heap_new(struct metrics);

	pthread_mutex_init(&m->lock, NULL);
	map_init(&m->by_labels);
	m->other = meter_new(S("what=\"other\",tool=\"other\""));
	return m;
}

void metrics_free(struct metrics **m)
{
	for (size_t i = 0; i < (*m)->meter_count; i++)
		meter_free((*m)->meters[i]);
	meter_free((*m)->other);
	map_done(&(*m)->by_labels);
	pthread_mutex_destroy(&(*m)->lock);
	heap_free(*m);
	*m = NULL;
}

/* --- which meter --- */

/* Under the lock. */
static struct meter *find_meter(struct metrics *m, struct str labels)
{
	struct meter *t = map_get(&m->by_labels, labels);

	if (t || m->meter_count == METRICS_NAMES_MAX)
		return t;
	t = meter_new(labels);
	bug_on(!map_add(&m->by_labels, labels, t));
	m->meters[m->meter_count++] = t;
	return t;
}

/* Entries do not move while their generation lives: the pointer is the name. */
static struct str key_of(const struct entry *const *e)
{
	return str_n((const char *)e, sizeof *e);
}

static void know(struct metrics *m, const struct entry *e, struct map *out)
{
	struct buf labels;
	struct meter *t;

	buf_init(&labels, (size_t)4 << 10);
	metrics_label(&labels, "what", str_c(what_names[e->kind]));
	metrics_label(&labels, "tool", str_sub(e->name, 0, 256));
	pthread_mutex_lock(&m->lock);
	t = find_meter(m, buf_str(&labels));
	pthread_mutex_unlock(&m->lock);
	buf_done(&labels);
	if (t && !map_add(out, key_of(&e), t))
		return; /* a completion that two prompts share */
}

static void know_all(
	struct metrics *m, const struct entry *const *entries, size_t count, struct map *out)
{
	for (size_t i = 0; i < count; i++) {
		know(m, entries[i], out);
		for (size_t k = 0; entries[i]->completions && k < entries[i]->input_count; k++)
			if (entries[i]->completions[k])
				know(m, entries[i]->completions[k], out);
	}
}

void metrics_know(struct metrics *m, const struct catalog *c, struct map *out)
{
	know_all(m, c->tools, c->tool_count, out);
	know_all(m, c->resources, c->resource_count, out);
	know_all(m, c->templates, c->template_count, out);
	know_all(m, c->prompts, c->prompt_count, out);
}

/* --- counting --- */

static void add(_Atomic uint64_t *to, uint64_t n)
{
	atomic_fetch_add_explicit(to, n, memory_order_relaxed);
}

static uint64_t read_of(const _Atomic uint64_t *from)
{
	return atomic_load_explicit(from, memory_order_relaxed);
}

static size_t code_of(const struct call *c)
{
	switch (c->end) {
	case CALL_FAULT:
		return c->fault.code;
	case CALL_DONE:
		return c->content_is_error ? FAULT_COUNT + 1 : FAULT_NONE;
	case CALL_ASKS:
		return FAULT_COUNT;
	case CALL_OPEN:
		break;
	}
	return FAULT_COUNT + 2;
}

static const char *code_name(size_t code)
{
	static const char *const special[SPECIAL_CODES] = { "INPUT_REQUIRED", "TOOL_ERROR",
		"UNFINISHED" };

	return code < FAULT_COUNT ? fault_info((enum fault_code)code)->name
				  : special[code - FAULT_COUNT];
}

static bool is_reason(const struct reason *r, const char *event, struct str text)
{
	return strcmp(r->event, event) == 0 && str_eq(str_c(r->text), text);
}

/* Under the lock.  The last place is for whatever has none. */
static struct reason *find_reason(struct metrics *m, const char *event, struct str text)
{
	struct reason *r;
	size_t i = 0;

	text = str_sub(text, 0, REASON_BYTES - 1);
	while (i < m->reason_count && !is_reason(&m->reasons[i], event, text))
		i++;
	if (i < m->reason_count)
		return &m->reasons[i];
	if (i >= METRICS_REASONS_MAX - 1) {
		event = "other";
		text = S("other");
		i = METRICS_REASONS_MAX - 1;
	}
	r = &m->reasons[i];
	r->event = event;
	memcpy(r->text, text.p, text.n);
	m->reason_count = MAX(m->reason_count, i + 1);
	return r;
}

void metrics_refused(struct metrics *m, const char *event, struct str reason)
{
	pthread_mutex_lock(&m->lock);
	find_reason(m, event, reason.n ? reason : S("none"))->count++;
	pthread_mutex_unlock(&m->lock);
}

void metrics_reloaded(struct metrics *m, bool ok)
{
	add(ok ? &m->reloads : &m->reloads_refused, 1);
}

void metrics_call_begin(struct metrics *m)
{
	add(&m->running, 1);
}

uint64_t metrics_running(const struct metrics *m)
{
	return read_of(&m->running);
}

void metrics_call_end(struct metrics *m, const struct map *known, const struct call *c)
{
	struct meter *t = map_get(known, key_of(&c->entry));
	uint64_t us = (c->ended_ns - MIN(c->started_ns, c->ended_ns)) / 1000;
	size_t i = 0;

	t = t ? t : m->other;
	while (i < ARRAY_LEN(bounds) && us > bounds[i].us)
		i++;
	add(&t->codes[code_of(c)], 1);
	add(&t->buckets[i], 1);
	add(&t->sum_us, us);
	atomic_fetch_sub_explicit(&m->running, 1, memory_order_relaxed);
	if (c->end == CALL_FAULT)
		metrics_refused(m, fault_info(c->fault.code)->name, c->fault.reason);
}

/* --- writing --- */

void metrics_head(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_fmt(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void metrics_sample(struct buf *out, const char *name, struct str labels, uint64_t value)
{
	buf_add(out, str_c(name));
	if (labels.n) {
		buf_char(out, '{');
		buf_add(out, labels);
		buf_char(out, '}');
	}
	buf_char(out, ' ');
	buf_u64(out, value);
	buf_char(out, '\n');
}

static void write_codes(struct buf *out, const struct meter *t)
{
	for (size_t code = 0; code < CODES; code++) {
		uint64_t n = read_of(&t->codes[code]);
		struct buf labels;

		if (!n && code != FAULT_NONE)
			continue;
		buf_init(&labels, (size_t)4 << 10);
		buf_add(&labels, str_c(t->labels));
		metrics_label(&labels, "code", str_c(code_name(code)));
		metrics_sample(out, "postern_calls_total", buf_str(&labels), n);
		buf_done(&labels);
	}
}

static void write_histogram(struct buf *out, const struct meter *t)
{
	uint64_t sum_us = read_of(&t->sum_us), below = 0;

	for (size_t i = 0; i <= ARRAY_LEN(bounds); i++) {
		below += read_of(&t->buckets[i]);
		buf_fmt(out, "postern_call_seconds_bucket{%s,le=\"%s\"} %llu\n", t->labels,
			i < ARRAY_LEN(bounds) ? bounds[i].seconds : "+Inf",
			(unsigned long long)below);
	}
	buf_fmt(out, "postern_call_seconds_sum{%s} %llu.%06llu\n", t->labels,
		(unsigned long long)(sum_us / 1000000), (unsigned long long)(sum_us % 1000000));
	buf_fmt(out, "postern_call_seconds_count{%s} %llu\n", t->labels, (unsigned long long)below);
}

/* Which family a counted refusal belongs to, and what its event is called there. */
struct family {
	const char *name, *help, *label, *reason;
	bool (*has)(const char *event);
};

static bool is_auth(const char *event)
{
	return strcmp(event, "AUTH_FAIL") == 0;
}

static bool is_limit(const char *event)
{
	return strcmp(event, "RATE_LIMITED") == 0 || strcmp(event, "BUSY") == 0;
}

static bool is_fault(const char *event)
{
	for (size_t code = FAULT_NONE + 1; code < FAULT_COUNT; code++)
		if (strcmp(event, code_name(code)) == 0)
			return true;
	return false;
}

static bool is_refusal(const char *event)
{
	return !is_auth(event) && !is_fault(event);
}

static const struct family families[] = {
	{ "postern_auth_failures_total", "Credentials that were not accepted, by verdict.", NULL,
		"verdict", is_auth },
	{ "postern_refusals_total", "Messages refused before they were a call.", "event", "reason",
		is_refusal },
	{ "postern_call_faults_total", "Calls that ended with an error, by reason.", "code",
		"reason", is_fault },
	{ "postern_limit_refusals_total", "Calls refused by a limit.", "code", "reason", is_limit },
};

/* Under the lock. */
static void write_family(struct buf *out, const struct metrics *m, const struct family *f)
{
	metrics_head(out, f->name, "counter", f->help);
	for (size_t i = 0; i < m->reason_count; i++) {
		const struct reason *r = &m->reasons[i];
		struct buf labels;

		if (!r->event || !f->has(r->event))
			continue;
		buf_init(&labels, (size_t)1 << 10);
		if (f->label)
			metrics_label(&labels, f->label, str_c(r->event));
		metrics_label(&labels, f->reason, str_c(r->text));
		metrics_sample(out, f->name, buf_str(&labels), r->count);
		buf_done(&labels);
	}
}

static uint64_t calls_of(const struct meter *t)
{
	uint64_t n = 0;

	for (size_t i = 0; i <= ARRAY_LEN(bounds); i++)
		n += read_of(&t->buckets[i]);
	return n;
}

void metrics_write(struct metrics *m, struct buf *out)
{
	bug_on(out->arena); /* its jump would leave the lock held */
	pthread_mutex_lock(&m->lock);
	metrics_head(out, "postern_calls_total", "counter", "Calls by entry and outcome.");
	for (size_t i = 0; i < m->meter_count; i++)
		write_codes(out, m->meters[i]);
	write_codes(out, m->other);
	metrics_head(out, "postern_call_seconds", "histogram",
		"From the whole request to the durable record.");
	for (size_t i = 0; i < m->meter_count; i++)
		if (calls_of(m->meters[i]))
			write_histogram(out, m->meters[i]);
	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		write_family(out, m, &families[i]);
	pthread_mutex_unlock(&m->lock);
	metrics_head(out, "postern_reloads_total", "counter", "Reloads, by what became of them.");
	metrics_sample(out, "postern_reloads_total", S("result=\"ok\""), read_of(&m->reloads));
	metrics_sample(out, "postern_reloads_total", S("result=\"refused\""),
		read_of(&m->reloads_refused));
	metrics_head(out, "postern_calls_running", "gauge", "Calls that run now.");
	metrics_sample(out, "postern_calls_running", STR_NONE, metrics_running(m));
}
