/* load - what the parts of catalog_load share.  Private to the room. */
#pragma once
#include "catalog/catalog.h"
#include "catalog/sqltext.h"
#include "config/read.h"

#define ROWS_MAX 10000 /* limits.rows, page.max */
#define BYTES_DEFAULT ((uint64_t)64 << 10)
#define BYTES_MAX ((uint64_t)4 << 20)
#define JSON_MAX_BYTES ((size_t)1 << 20) /* one schema, one list entry, one step */
#define COMPLETION_ROWS 100
#define COMPLETION_MS 2000

/* Pointers in order of addition, in the arena. */
struct entries {
	const struct entry **list;
	size_t count, cap;
};

struct catalog_load {
	struct arena *a;
	struct findings *f;
	const struct config *config;
	struct catalog *c;
	struct entries tools, resources, templates, prompts;
	size_t schema_cap;
	size_t description_bytes;
	size_t builtin_count; /* of the tools */
};

struct compared; /* tenant_lint.c */

/* One entry while it is read. */
struct entry_load {
	struct catalog_load *l;
	struct arena *a;
	struct findings *f;
	struct entry *e;
	struct reader r;
	const struct yaml_entry *yaml;
	size_t findings_before;
	struct input *inputs; /* room for INPUTS_MAX */
	bool *used; /* by input: some statement or text speaks of it */
	bool whole_schema; /* input_schema was given: e->input_schema is the author's */
	bool open_context; /* completions: other arguments may come along */
	uint32_t rows; /* limits.rows; 0: not said */
	struct compared *compared; /* columns beside parameters, of all statements */
};

#define INPUTS_MAX 128

void entries_add(struct catalog_load *l, struct entries *to, const struct entry *e);
/* A finding at a node, or at the entry when the node is NULL.  what and remedy: printf's form is
 * left to arena_fmt. */
void entry_refuse(struct entry_load *el, const struct yaml *at, const char *code, struct str what,
	struct str remedy);
void entry_warn(struct entry_load *el, const struct yaml *at, const char *code, struct str what,
	struct str remedy);
const struct yaml *entry_node(const struct entry_load *el, const char *key); /* NULL: absent */

/* Keys that every kind has; `kind` is "tool", "resource", "prompt".  False: not even a map. */
bool entry_begin(struct entry_load *el, struct catalog_load *l, const struct yaml_entry *yaml,
	enum entry_kind kind);
void entry_source(struct entry_load *el);
/* e->requires must be held by some role. */
void entry_grant(struct entry_load *el);
void entry_limits(struct entry_load *el);
bool grant_is_held(const struct config *c, struct str grant); /* by some role */
/* Warns of inputs that nothing speaks of. */
void entry_unused(struct entry_load *el);
/* Unknown keys, waivers, digest. */
void entry_end(struct entry_load *el);

void tool_load(struct catalog_load *l, const struct yaml_entry *yaml);
void resource_load(struct catalog_load *l, const struct yaml_entry *yaml);
void prompt_load(struct catalog_load *l, const struct yaml_entry *yaml);

/* inputs.c: `input` or `input_schema` of the entry → el->inputs. */
void inputs_load(struct entry_load *el);
struct input *input_add(struct entry_load *el, struct str name, struct str schema_json);
int input_find(const struct entry_load *el, struct str name); /* -1: none */
void input_check_name(struct entry_load *el, const struct yaml *at, struct str name);
/* The audit class of an input, from `key` of the map. */
void input_protect(struct entry_load *el, struct input *in, struct reader *r, const char *key);
/* input_schema.c: the text that is published, and the compiled schema; checks defaults. */
void input_schema_finish(struct entry_load *el);
/* Compiles and registers for catalog_done; NULL after a finding. */
const struct schema *schema_of(
	struct entry_load *el, const struct yaml *at, struct str json_text, const char *what);
/* input_lint.c: what an agent must not be able to send; x-mcp-header. */
void input_lint(
	struct entry_load *el, const struct yaml *at, struct input *in, const struct json *schema);

/* load_read.c */
void read_load(struct entry_load *el);
/* A statement with its parameters, whatever it does; and one that only reads. */
bool sql_load(struct entry_load *el, const struct yaml *node, struct statement *out,
	struct sqltext *text);
bool statement_load(struct entry_load *el, const struct yaml *node, struct statement *out,
	struct sqltext *text);
enum column_use { COLUMN_OF_READ, COLUMN_OF_ANSWER, COLUMN_OF_EFFECT }; /* ANSWER: of a write */
const struct column *columns_load(
	struct entry_load *el, const struct yaml *map, enum column_use use, size_t *count_out);
/* `columns` of a returns; a finding when there are none. */
void returns_columns_load(
	struct entry_load *el, struct reader *r, enum column_use use, struct part *part);
/* rows: what the author said, or 0. */
void part_rows_set(struct entry_load *el, const struct yaml *node, struct part *part,
	const struct sqltext *text, uint32_t rows, bool paged);
/* page.c: wraps the statement of the only part, adds cursor and limit. */
void page_load(struct entry_load *el, struct part *part, const struct sqltext *text);

/* load_mask.c: mask, unmask and class of a column; where a masked one may not stand. */
void mask_load(struct entry_load *el, struct reader *r, struct column *c);
void mask_check_order(struct entry_load *el, const struct yaml *sql, const struct part *part);
void mask_check_page(struct entry_load *el, const struct yaml *node, const struct column *c);
void mask_check_content(struct entry_load *el, const struct yaml *node, const struct column *c);

/* load_visible.c; after the inputs. */
void visible_load(struct entry_load *el);
/* load_mock.c; after the parts. */
void mock_load(struct entry_load *el);
/* load_write.c; after the inputs. */
void write_load(struct entry_load *el);
/* load_ledger.c; after the inputs.  What only the whole catalog shows comes last. */
void ledger_load(struct entry_load *el);
void ledger_lint(struct catalog_load *l);
/* load_raw.c */
void raw_load(struct entry_load *el);

/* load_script.c */
void script_load(struct entry_load *el, const struct yaml *messages);
/* The {role, content} objects of `messages`, JSON text each; *count_out of them. */
const struct str *messages_load(
	struct entry_load *el, const struct yaml *messages, size_t *count_out);
/* text.c: names in {…} must be inputs; marks them used.  json: `{{` was already rewritten. */
void text_check(struct entry_load *el, const struct yaml *node);

/* load_complete.c: a completion of argument `name` (an input of the owner). */
const struct entry *completion_load(
	struct entry_load *owner, struct str argument, const struct yaml *node);

void output_schema_make(struct entry_load *el);
struct jw;
/* What one unnamed part gives, in its shape. */
void output_single_write(struct jw *w, struct arena *a, const struct part *p);
/* write_schema.c: what a tool with a write gives. */
void write_schema_write(struct jw *w, struct arena *a, const struct entry *e);
void list_json_make(struct entry_load *el);

/* A tool's, from what it does. */
void annotations_make(struct entry_load *el);

/* toolsets.c */
uint64_t toolsets_of(const struct config *config, const struct entry *e);
void toolsets_lint(struct catalog_load *l);

/* tenant_lint.c: notes what a statement compares; then says what the entry must not. */
void tenant_note(struct entry_load *el, const struct yaml *at, struct str sql);
void tenant_lint(struct entry_load *el);

/* builtin.c: behind the tools of the files. */
void builtins_load(struct catalog_load *l);

/* together.c: behind the tools of the server. */
#define TOGETHER_BYTES ((uint64_t)1 << 20)
void together_load(struct catalog_load *l);

/* lint.c: what only the whole catalog shows. */
void catalog_lint(struct catalog_load *l);
