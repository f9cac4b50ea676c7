/* check - what the sources say to the catalog, before anybody calls.
 *
 * Every statement is prepared on the database it is for, the same way as in a call, so what passes
 * here is what will run; the first prepare also fixes what the statement may touch. */
#include "backend/check.h"

#include "config/profile.h"
#include "sql/ledger.h"

void check_facts(struct check *k, struct lite *l, const struct statement *statement,
	struct statement_facts *out)
{
	struct lite_facts facts;
	struct lite_stmt *s;
	struct err err;

	s = lite_prepare(l, statement->serial, statement->sql, &err);
	if (!s || !lite_facts(s, k->f->a, &facts, &err)) {
		out->error = arena_str(k->f->a, str_c(err.text));
		out->readonly = err.code != E_DENIED;
		out->single = err.code != E_CONTRACT;
		return;
	}
	out->readonly = facts.readonly;
	out->single = facts.single;
	out->columns = facts.columns;
	out->declared_types = facts.declared_types;
	out->column_count = facts.column_count;
}

static void check_visible(struct check *k, const struct entry *e)
{
	struct statement_facts facts = { .entry = e, .part = e->visible };

	if (!e->visible || e->visible_source != k->source->config)
		return;
	check_facts(k, k->lite, &e->visible->statement, &facts);
	catalog_lint_facts(k->b->catalog, &facts, k->f);
}

/* Something is told from the ledger, or, unless nothing may be changed, written into it. */
static bool needs_ledger(const struct check *k, const struct entry *e)
{
	return e->source == k->source->config &&
	       (e->action.kind == ACTION_LEDGER || (e->write && k->source->writers));
}

/* Before a caller finds out; at the first who would. */
static void check_ledger(struct check *k, const struct entry *e)
{
	bool exists = false;
	struct err err;

	if (k->told_ledger || !needs_ledger(k, e))
		return;
	k->told_ledger = true;
	if (!ledger_exists(k->lite, &exists, &err))
		finding_error(k->f, e->at, "ledger.missing",
			arena_fmt(k->f->a, "source %.*s: %s", STR_ARG(k->source->config->name),
				err.text),
			S("look at its tables postern_ledger…"));
	else if (!exists)
		finding_error(k->f, e->at, "ledger.missing",
			arena_fmt(k->f->a, "source %.*s has no ledger",
				STR_ARG(k->source->config->name)),
			arena_fmt(k->f->a, "make it: postern install CONFIG %.*s",
				STR_ARG(k->source->config->name)));
}

/* Before a caller finds out: the source says that a statement of a caller's may run on it. */
static void check_raw(struct check *k, const struct entry *e)
{
	if (e->action.kind != ACTION_RAW || e->source != k->source->config)
		return;
	if (marker_is(&k->marker, ENV_DEVELOPMENT) && k->marker.synthetic)
		return;
	finding_error(k->f, e->at, "raw.source",
		arena_fmt(k->f->a,
			"tool %.*s: source %.*s is not marked as development and synthetic",
			STR_ARG(e->name), STR_ARG(e->source->name)),
		arena_fmt(k->f->a,
			"if nothing in it is real, run: postern install CONFIG %.*s --synthetic",
			STR_ARG(e->source->name)));
}

static void check_entry(struct check *k, const struct entry *e)
{
	check_visible(k, e);
	check_raw(k, e);
	check_ledger(k, e);
	if (e->action.kind != ACTION_READ || e->source != k->source->config)
		return;
	for (size_t i = 0; i < e->action.part_count; i++) {
		const struct part *part = &e->action.parts[i];
		struct statement_facts facts = { .entry = e, .part = part };

		if (!part->statement.sql.n)
			continue; /* a mock without a statement yet */
		check_facts(k, k->lite, &part->statement, &facts);
		/* the next page differs by its condition alone: only its own mistake is news */
		if (!facts.error.n && part->page.on)
			check_facts(k, k->lite, &part->page.next, &facts);
		catalog_lint_facts(k->b->catalog, &facts, k->f);
	}
}

static bool seen_before(const struct entry *const *completions, size_t n, const struct entry *e)
{
	for (size_t i = 0; i < n; i++)
		if (completions[i] == e)
			return true;
	return false;
}

static void check_entries(struct check *k, const struct entry *const *entries, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct entry *e = entries[i];

		check_entry(k, e);
		for (size_t n = 0; e->completions && n < e->input_count; n++)
			if (e->completions[n] && !seen_before(e->completions, n, e->completions[n]))
				check_entry(k, e->completions[n]);
	}
}

static void refuse_marker(struct check *k, const char *code, struct str what, struct str remedy)
{
	finding_error(k->f, k->source->config->at, code,
		arena_fmt(k->f->a, "source %.*s %.*s", STR_ARG(k->source->config->name),
			STR_ARG(what)),
		remedy);
}

static struct str how_to_mark(struct check *k)
{
	return arena_fmt(
		k->f->a, "mark it: postern install CONFIG %.*s", STR_ARG(k->source->config->name));
}

static void check_unmarked(struct check *k)
{
	struct arena *a = k->f->a;
	struct str install = how_to_mark(k);

	if (!profile_permits(k->b->config->environment, PERMIT_UNMARKED_SOURCE))
		refuse_marker(k, "source.unmarked", S("has no marker"), install);
	else if (k->source->writers)
		refuse_marker(k, "source.unmarked",
			S("has no marker: it is only read, and the catalog has tools that change "
			  "it"),
			install);
	else
		finding_warn(k->f, k->source->config->at, "source.unmarked",
			arena_fmt(a, "source %.*s has no marker; it is only read",
				STR_ARG(k->source->config->name)),
			install);
}

/* Does the database belong to this deployment's environment? */
static void check_marker(struct check *k)
{
	enum environment own = k->b->config->environment;
	struct arena *a = k->f->a;
	struct err err;

	if (!marker_read(k->lite, a, &k->marker, &err)) {
		refuse_marker(k, "source.marker", arena_fmt(a, "has no good marker: %s", err.text),
			S("look at its table postern_marker"));
		return;
	}
	if (k->marker.found && !marker_is(&k->marker, own))
		refuse_marker(k, "source.environment",
			arena_fmt(a, "is marked as %.*s of %.*s, and this deployment is %s",
				STR_ARG(k->marker.environment), STR_ARG(k->marker.deployment),
				environment_name(own)),
			S("point it at a database of its own environment"));
	if (!k->marker.found)
		check_unmarked(k);
	else if (!k->marker.identity.n && k->source->writers)
		refuse_marker(k, "source.unmarked",
			S("was marked without an identity, and the catalog has tools that change "
			  "it"),
			how_to_mark(k));
}

static void check_sqlite(struct check *k)
{
	const struct source_config *config = k->source->config;
	const struct catalog *c = k->b->catalog;
	struct err err;

	k->lite = lite_take(k->source->pool, CHECK_WAIT_MS, &err);
	if (!k->lite) {
		finding_error(k->f, config->at, "source.unavailable",
			arena_fmt(k->f->a, "source %.*s cannot be opened: %s",
				STR_ARG(config->name), err.text),
			S("name an SQLite database that this user may read"));
		return;
	}
	check_marker(k);
	check_entries(k, c->tools, c->tool_count);
	check_entries(k, c->resources, c->resource_count);
	check_entries(k, c->templates, c->template_count);
	check_entries(k, c->prompts, c->prompt_count);
	lite_give(k->lite);
	check_writes(k);
}

static void check_files(struct check *k)
{
	struct err err;

	if (source_root(k->source, &err) < 0)
		finding_error(k->f, k->source->config->at, "source.unavailable",
			arena_str(k->f->a, str_c(err.text)),
			S("name a directory that this user may read"));
}

void backends_check(struct backends *b, struct findings *f)
{
	for (size_t i = 0; i < b->config->source_count; i++) {
		struct check k = { .b = b, .f = f, .source = &b->sources[i] };

		switch (k.source->config->kind) {
		case SOURCE_SQLITE:
			check_sqlite(&k);
			break;
		case SOURCE_FILES:
			check_files(&k);
			break;
		case SOURCE_SCRIPTED:
			break;
		}
	}
}

static bool answers(struct source *s, struct err *err)
{
	struct lite *lite;
	struct err why;

	switch (s->config->kind) {
	case SOURCE_SQLITE:
		lite = lite_take(s->pool, 0, &why);
		if (!lite && why.code != E_BUSY) {
			*err = why;
			return err_while(err, "source %.*s", STR_ARG(s->config->name));
		}
		if (lite)
			lite_give(lite);
		return true;
	case SOURCE_FILES:
		return source_root(s, err) >= 0;
	case SOURCE_SCRIPTED:
		break;
	}
	return true;
}

bool backends_answer(struct backends *b, struct err *err)
{
	for (size_t i = 0; i < b->config->source_count; i++)
		if (!answers(&b->sources[i], err))
			return false;
	return true;
}

bool backends_usage(struct backends *b, size_t i, struct backend_usage *out)
{
	struct source *s = &b->sources[i];

	if (i >= b->config->source_count)
		return false;
	pthread_mutex_lock(&s->lock);
	*out = (struct backend_usage){
		.source = s->config->name, .inside = s->inside, .most = s->most
	};
	pthread_mutex_unlock(&s->lock);
	return true;
}
