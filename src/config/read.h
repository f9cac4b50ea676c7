/* read - typed reading of YAML maps: every key is asked for by name and type, and what was not
 * asked for is an unknown key.  Each mistake is one finding; reading goes on so that one run says
 * all. */
#pragma once
#include "config/yaml.h"

struct reader {
	const struct yaml *map; /* may be NULL: then every key is absent */
	struct findings *f;
	struct arena *a;
	bool *seen; /* by entry of the map */
	const char *what; /* "tool get_customer", for messages */
	const char **asked; /* the known names, to propose the nearest */
	size_t asked_count, asked_cap;
};

/* A node that is not a map is reported, and read as one without keys. */
void reader_init(struct reader *r, struct arena *a, struct findings *f, const struct yaml *node,
	const char *what);
/* Reports every key that nobody asked for, with the nearest known name. */
void reader_done(struct reader *r);
/* The nearest of `names` (by edit distance, close enough to be a slip), or NULL. */
const char *read_nearest(struct str name, const char *const *names, size_t count);

bool read_has(struct reader *r, const char *name);
const struct yaml *read_node(struct reader *r, const char *name); /* NULL: absent */
const struct yaml *read_map(struct reader *r, const char *name); /* NULL: absent or reported */
const struct yaml *read_list(struct reader *r, const char *name);
struct str read_str(struct reader *r, const char *name, struct str absent);
struct str read_str_required(
	struct reader *r, const char *name); /* reported when absent or empty */
bool read_bool(struct reader *r, const char *name, bool absent);
uint64_t read_u64(struct reader *r, const char *name, uint64_t absent, uint64_t min, uint64_t max);
uint32_t read_duration_ms(struct reader *r, const char *name, uint32_t absent, uint32_t min,
	uint32_t max); /* "500ms" "10s" "5m" "2h" "90d": a unit is required */
uint64_t read_bytes(struct reader *r, const char *name, uint64_t absent, uint64_t min,
	uint64_t max); /* "4KiB" "1MiB" "512B" */
/* One of `names` (NULL-terminated); returns its index, or `absent`. */
int read_choice(struct reader *r, const char *name, const char *const *names, int absent);
/* A list of strings; *count_out = 0 when absent. */
const struct str *read_strs(struct reader *r, const char *name, size_t *count_out);
/* A node that must be non-empty text; STR_NONE after a finding otherwise.  name: for the message.
 */
struct str read_text(struct reader *r, const char *name, const struct yaml *node);
/* A value that may be ${env:NAME} or ${file:PATH} (relative to directory); plain text is allowed
 * only when `plain_ok`.  STR_NONE without a finding when the variable is not set or empty: the
 * caller says whether that matters.  The text is in the arena: secret_set it and wipe it. */
struct str read_secret(struct reader *r, const char *name, struct str directory, bool plain_ok);
/* The file of a ${file:PATH}, resolved; empty when the value is of another form. */
struct str read_secret_file(struct reader *r, const char *name, struct str directory);
