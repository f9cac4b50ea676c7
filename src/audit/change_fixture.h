/* change_fixture - for tests: a call that changes two rows of a table, with canaries where nothing
 * may be read. */
#pragma once
#include "audit/record.h"
#include "plan/change.h"

#define CANARY "canary-9f3b"

static const struct effect_column fixture_columns[] = {
	{ .name = STR_INIT("id"), .key = true, .shown = true },
	{ .name = STR_INIT("signatory"), .shown = true },
	{ .name = STR_INIT("amount"), .shown = true },
	{ .name = STR_INIT("changed_at"), .shown = true, .varies = true },
	{ .name = STR_INIT("mail"), .shown = true, .mask = { .kind = MASK_EMAIL } },
	{ .name = STR_INIT("born"), .shown = true, .data_class = CLASS_PII },
	{ .name = STR_INIT("notes") },
	{ .name = STR_INIT("photo"), .shown = true },
};
#define FIXTURE_COLUMNS 8
static const struct effect_table fixture_table = {
	.name = STR_INIT("contracts"), .columns = fixture_columns, .column_count = FIXTURE_COLUMNS
};

#define INTEGER(t)                                                                                 \
	{                                                                                          \
		.kind = CELL_INTEGER, .text = STR_INIT(t)                                          \
	}
#define REAL(t)                                                                                    \
	{                                                                                          \
		.kind = CELL_REAL, .text = STR_INIT(t)                                             \
	}
#define TEXT(t)                                                                                    \
	{                                                                                          \
		.kind = CELL_TEXT, .text = STR_INIT(t)                                             \
	}
#define BYTES(t)                                                                                   \
	{                                                                                          \
		.kind = CELL_BLOB, .text = STR_INIT(t)                                             \
	}

static const struct cell fixture_before[FIXTURE_COLUMNS] = { INTEGER("7"), TEXT("Acme\nInc"),
	REAL("12.5"), TEXT("2026-01-01"), TEXT(CANARY "@acme.com"), TEXT(CANARY), TEXT(CANARY),
	BYTES("\x01\x02\x03") };
static const struct cell fixture_after[FIXTURE_COLUMNS] = { INTEGER("7"), TEXT("Acme \"GmbH\""),
	REAL("Inf"), TEXT("2026-11-21"), TEXT(CANARY "@acme.org"), TEXT(CANARY), TEXT(CANARY),
	TEXT("\xff\xfe") };
static const struct cell fixture_new[FIXTURE_COLUMNS] = { INTEGER("8"), { .kind = CELL_NULL },
	INTEGER("9007199254740993"), TEXT("2026-11-21"), { .kind = CELL_NULL }, INTEGER("47110815"),
	BYTES(CANARY), { .kind = CELL_NULL } };

static struct effect fixture_effects[] = {
	{ .table = &fixture_table,
		.operation = EFFECT_UPDATE,
		.before = fixture_before,
		.after = fixture_after },
	{ .table = &fixture_table, .operation = EFFECT_INSERT, .after = fixture_new },
	{ .table = &fixture_table, .operation = EFFECT_DELETE, .before = fixture_new },
};
static struct touched fixture_touched[] = {
	{ .table = &fixture_table, .inserted = 1, .updated = 1, .deleted = 1 },
};
static struct plan_step fixture_steps[] = {
	{ .tool = STR_INIT("correct_signatory"),
		.version = 3,
		.effects = { .list = fixture_effects,
			.count = 3,
			.touched = fixture_touched,
			.touched_count = 1 } },
};
static struct plan_sum fixture_sums[] = {
	{ .name = STR_INIT("credit"), .net = STR_INIT("-48000"), .gross = STR_INIT("52000") },
};

static inline struct plan fixture_plan(void)
{
	return (struct plan){ .id = S("pl_0001"),
		.steps = fixture_steps,
		.step_count = 1,
		.sums = fixture_sums,
		.sum_count = 1,
		.rows = 3,
		.need = APPROVAL_OTHER,
		.grant = S("contracts.approve"),
		.expires_us = 1795000000000000 };
}
