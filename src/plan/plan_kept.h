/* plan_kept - the words of a kept plan: plan_write.c and plan_read.c alone. */
#pragma once
#include "catalog/catalog.h"

#define KEPT_FORMAT S("postern-kept-plan-1")

/* `mask`; a bucket has its period's word, or is a number: its size. */
static const char *const kept_masks[MASK_BUCKET] = { [MASK_NONE] = "none",
	[MASK_EMAIL] = "email",
	[MASK_PHONE] = "phone",
	[MASK_LAST4] = "last4",
	[MASK_INITIALS] = "initials",
	[MASK_HASH] = "hash",
	[MASK_REDACT] = "redact" };
static const char *const kept_periods[] = {
	[BUCKET_SIZE] = "", [BUCKET_DAY] = "day", [BUCKET_MONTH] = "month", [BUCKET_YEAR] = "year"
};
