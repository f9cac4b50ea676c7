/* watch_note - see watch_note.h. */
#include "serve/watch_note.h"

#include "json/write.h"
#include "serve/log.h"

#define FIELDS_MAX 2048

void note_text(struct notes *n, const char *event, const char *reason, const char *source,
	struct str detail)
{
	struct buf fields;
	struct jw j;

	buf_init(&fields, FIELDS_MAX);
	jw_init(&j, &fields);
	jw_object(&j);
	jw_put_str(&j, S("reason"), str_c(reason));
	if (source) {
		jw_put_str(&j, S("kind"), str_c(kill_kind_name(KILL_EVERYTHING)));
		jw_put_str(&j, S("source"), str_c(source));
	}
	if (detail.n)
		jw_put_str(&j, S("detail"), str_sub(detail, 0, 512));
	jw_object_end(&j);
	if (buf_ok(&fields))
		notes_add(n, event, str_sub(buf_str(&fields), 1, fields.n - 2));
	buf_done(&fields);
}

static void note_order(struct notes *n, const struct kill_order *o, const char *change,
	int64_t since_us, int64_t now_us)
{
	struct buf fields;
	struct jw j;

	buf_init(&fields, FIELDS_MAX);
	jw_init(&j, &fields);
	jw_object(&j);
	jw_put_i64(&j, S("order"), o->id);
	jw_put_str(&j, S("kind"), str_c(kill_kind_name(o->kind)));
	if (o->name.n)
		jw_put_str(&j, S("name"), str_sub(o->name, 0, 256));
	jw_put_str(&j, S("change"), str_c(change));
	jw_put_i64(&j, S("delay_ms"), (now_us - since_us) / 1000);
	jw_object_end(&j);
	if (buf_ok(&fields))
		notes_add(n, "KILL_SEEN", str_sub(buf_str(&fields), 1, fields.n - 2));
	buf_done(&fields);
	log_warn("kill_seen", "order=%lld kind=%s change=%s", (long long)o->id,
		kill_kind_name(o->kind), change);
}

/* An order that was over when it was first seen is history, and not news. */
void note_changes(struct notes *n, const struct edition *before, const struct edition *now,
	const struct kill_row *rows, size_t count, int64_t now_us)
{
	size_t from = 0, row = 0;

	for (size_t i = 0; i < now->count; i++) {
		const struct kill_order *o = &now->orders[i];
		const struct kill_order *was = edition_find(before, o->id, &from);

		while (row < count && rows[row].id != o->id)
			row++;
		if (row == count || (was ? was->over == o->over : o->over))
			continue;
		if (!o->over)
			note_order(n, o, "set", o->since_us, now_us);
		else if (rows[row].lifted_us)
			note_order(n, o, "lifted", rows[row].lifted_us, now_us);
		else
			note_order(n, o, "ended", rows[row].until_us, now_us);
	}
}

/* The alert: whoever gained a grant, on every server that honours it. */
void note_glass(
	struct notes *n, const struct edition *before, const struct edition *now, uint64_t boot_ms)
{
	for (size_t i = 0; i < now->glass_count; i++) {
		const struct edition_glass *g = &now->glass[i];
		struct log_text subject, grant;
		struct buf fields;
		struct jw j;

		if (edition_glass_find(before, g->id) || boot_ms >= g->until_boot_ms)
			continue;
		log_warn("break_glass", "id=%lld subject=%s grant=%s", (long long)g->id,
			log_value(&subject, g->subject), log_value(&grant, g->grant));
		buf_init(&fields, FIELDS_MAX);
		jw_init(&j, &fields);
		jw_object(&j);
		jw_put_i64(&j, S("request"), g->id);
		jw_put_str(&j, S("change"), S("seen"));
		jw_put_str(&j, S("subj"), str_sub(g->subject, 0, 256));
		if (g->tenant.n)
			jw_put_str(&j, S("ten"), str_sub(g->tenant, 0, 256));
		if (g->issuer.n)
			jw_put_str(&j, S("iss"), str_sub(g->issuer, 0, 512));
		jw_put_str(&j, S("grant"), str_sub(g->grant, 0, 256));
		jw_object_end(&j);
		if (buf_ok(&fields))
			notes_add(n, "BREAK_GLASS", str_sub(buf_str(&fields), 1, fields.n - 2));
		buf_done(&fields);
	}
}
