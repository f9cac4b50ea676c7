/* findings - see findings.h. */
#include "config/findings.h"

#include <stdlib.h>

void findings_init(struct findings *f, struct arena *a)
{
	*f = (struct findings){ .a = a };
}

static void add(struct findings *f, const struct finding *one)
{
	struct finding *grown;

	if (!one->warning)
		f->errors++;
	if (f->count == FINDINGS_MAX)
		return;
	if (f->count == f->cap) {
		f->cap = f->cap ? f->cap * 2 : 16;
		grown = arena_array(f->a, struct finding, f->cap);
		for (size_t i = 0; i < f->count; i++)
			grown[i] = f->list[i];
		f->list = grown;
	}
	f->list[f->count] = *one;
	f->list[f->count].at.file = arena_str(f->a, one->at.file);
	f->list[f->count].what = arena_str(f->a, one->what);
	f->list[f->count].remedy = arena_str(f->a, one->remedy);
	f->count++;
}

void finding_error(
	struct findings *f, struct place at, const char *code, struct str what, struct str remedy)
{
	add(f, &(struct finding){ .at = at, .code = code, .what = what, .remedy = remedy });
}

void finding_warn(
	struct findings *f, struct place at, const char *code, struct str what, struct str remedy)
{
	add(f, &(struct finding){
		       .at = at, .code = code, .warning = true, .what = what, .remedy = remedy });
}

size_t findings_waive(struct findings *f, size_t from, struct str code, struct str reason)
{
	size_t hits = 0;

	for (size_t i = from; i < f->count; i++) {
		struct finding *one = &f->list[i];

		if (!str_eq(str_c(one->code), code))
			continue;
		hits++;
		if (one->warning)
			continue;
		one->warning = true;
		f->errors--;
		one->what =
			arena_fmt(f->a, "%.*s (waived: %.*s)", STR_ARG(one->what), STR_ARG(reason));
		one->remedy = STR_NONE;
	}
	return hits;
}

static int by_place(const void *x, const void *y)
{
	const struct finding *a = *(const struct finding *const *)x;
	const struct finding *b = *(const struct finding *const *)y;
	int file = str_cmp(a->at.file, b->at.file);

	if (file)
		return file;
	if (a->at.line != b->at.line)
		return a->at.line < b->at.line ? -1 : 1;
	if (a->at.column != b->at.column)
		return a->at.column < b->at.column ? -1 : 1;
	return a < b ? -1 : a > b; /* the order in which they were found */
}

static void write_one(const struct finding *one, struct buf *out)
{
	buf_add(out, one->at.file);
	if (one->at.line)
		buf_fmt(out, ":%u:%u", one->at.line, one->at.column);
	buf_fmt(out, ": %s [%s] ", one->warning ? "warning" : "error", one->code);
	buf_add(out, one->what);
	if (one->remedy.n) {
		buf_lit(out, "; ");
		buf_add(out, one->remedy);
	}
	buf_char(out, '\n');
}

void findings_write(const struct findings *f, struct buf *out)
{
	const struct finding **sorted = arena_array(f->a, const struct finding *, f->count + 1);

	for (size_t i = 0; i < f->count; i++)
		sorted[i] = &f->list[i];
	if (f->count)
		qsort(sorted, f->count, sizeof *sorted, by_place);
	for (size_t i = 0; i < f->count; i++)
		write_one(sorted[i], out);
}
