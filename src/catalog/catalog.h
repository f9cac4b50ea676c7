/* catalog - which tools, resources, prompts and completions exist, what each runs and returns.
 *
 * All of them are entries: one struct, one path through the pipeline.  Immutable after load, in the
 * arena given to catalog_load, shared between threads.  The keys of the files are documented in
 * postern-catalog(5). */
#pragma once
#include "base/map.h"
#include "config/config.h"
#include "json/schema.h"

enum entry_kind { ENTRY_TOOL, ENTRY_RESOURCE, ENTRY_PROMPT, ENTRY_COMPLETION };

/* Where the value of a bound parameter comes from. */
enum param_kind {
	PARAM_INPUT, /* :name, an argument after defaults; absent optional ones bind NULL */
	PARAM_SUBJECT, /* :principal.subject */
	PARAM_TENANT, /* :principal.tenant */
	PARAM_AGENT, /* :principal.agent */
	PARAM_CALL_ID, /* :call.id */
	PARAM_CALL_TIME, /* :call.time, RFC 3339 UTC */
	PARAM_CURSOR, /* column `index` of the page cursor (keyset pages) */
	PARAM_LIMIT, /* rows wanted + 1 */
};

struct param {
	enum param_kind kind;
	struct str name; /* PARAM_INPUT */
	unsigned index; /* PARAM_CURSOR */
};

/* One SQL statement, parameters already rewritten to ?1 … ?n (SQLite's form). */
struct statement {
	struct str sql;
	const struct param *params; /* of ?1 … ?n */
	size_t param_count;
	struct place at;
	unsigned serial; /* unique in the catalog, from 0: prepared-statement caches index by it */
};

enum column_type {
	COLUMN_STRING,
	COLUMN_INTEGER, /* JSON integer, refused beyond ±(2^53-1) */
	COLUMN_INT64, /* string of digits */
	COLUMN_NUMBER, /* JSON number, shortest round-trip form */
	COLUMN_DECIMAL, /* string, digits as the database holds them */
	COLUMN_BOOLEAN,
	COLUMN_DATE, /* string "2026-11-21" */
	COLUMN_DATE_TIME, /* string, RFC 3339 */
	COLUMN_JSON, /* any JSON value, parsed and checked */
	COLUMN_BYTES, /* string, base64 */
};

enum mask_kind {
	MASK_NONE,
	MASK_EMAIL, /* j***@acme.com */
	MASK_PHONE, /* ***67 */
	MASK_LAST4, /* ***1234 */
	MASK_INITIALS, /* J.D. */
	MASK_HASH, /* 16 hex digits, equal for equal values of one deployment */
	MASK_REDACT, /* [redacted] */
	MASK_BUCKET, /* 12000..13000, or the beginning of a date */
};

enum bucket { BUCKET_SIZE, BUCKET_DAY, BUCKET_MONTH, BUCKET_YEAR };

struct mask {
	enum mask_kind kind;
	enum bucket bucket;
	uint64_t size; /* BUCKET_SIZE */
};

enum data_class { CLASS_NONE, CLASS_PII, CLASS_PHI };

struct str mask_written(struct arena *a, const struct mask *m); /* as it is written */
const char *data_class_name(enum data_class c); /* "none", "pii", "phi" */

struct column {
	struct str name, description;
	enum column_type type;
	bool nullable;
	struct mask mask; /* what is shown of it, but to holders of unmask */
	struct str unmask; /* a grant, or empty: masked for everybody */
	enum data_class data_class;
	bool assigned; /* by the database, when a write commits: a preview cannot know it */
};

enum shape {
	SHAPE_ONE, /* no row: NOT_FOUND; result {…} */
	SHAPE_MAYBE, /* no row: null; result {"row": {…} | null} */
	SHAPE_MANY, /* result {"rows": [{…}], "next_cursor"?, "truncated"?} */
};

struct page {
	bool on;
	const struct str *by; /* column names, each in `columns`, together unique */
	size_t by_count;
	uint32_t size, max; /* default and most rows of a page */
	struct statement
		next; /* with WHERE (by…) > (cursor…); the part's own statement is page one */
};

/* A value that a mock gives in place of a database's; for bytes the text is the bytes. */
enum mock_kind { MOCK_NULL, MOCK_INTEGER, MOCK_REAL, MOCK_TEXT, MOCK_BYTES };

struct mock_value {
	enum mock_kind kind;
	struct str text;
};

/* One query of a read.  A read with one unnamed part has part_count 1 and an empty name. */
struct part {
	struct str name;
	struct statement statement;
	enum shape shape;
	const struct column
		*columns; /* in result order: must equal the statement's columns by name */
	size_t column_count;
	uint32_t rows; /* most rows kept; one more is fetched to know */
	struct page page; /* only in a read with one part */
	const struct mock_value *mock; /* mock_rows × column_count; only when entry->mock */
	size_t mock_rows;
};

enum step_kind {
	STEP_SLEEP, /* ms */
	STEP_PROGRESS, /* n of total */
	STEP_LOG, /* level, text */
	STEP_ASK, /* key, method, json = its params */
	STEP_CONTENT, /* json: one MCP content block (tools), one {role, content} (prompts); {arg}
			 filled */
	STEP_ERROR, /* text: the result is a tool error (isError) with this text */
	STEP_REQUIRE, /* text: a client capability that must be declared ("sampling") */
	STEP_CHANGED, /* text: "tools" | "prompts" | "resources": announce list_changed */
	STEP_DROP, /* the reply's stream is cut; the call goes on */
	STEP_UPDATED, /* text: URI: announce resources/updated */
};

struct step {
	enum step_kind kind;
	uint32_t ms;
	uint64_t n, total;
	struct str text, level, key, method, json;
};

#define TOGETHER_NAME "apply_together"

enum action_kind {
	ACTION_READ, /* parts, on a SQLite source */
	ACTION_SCRIPT, /* steps, on a scripted source */
	ACTION_TEXT, /* fixed text or base64 blob (resources), with {arg} filled */
	ACTION_FILE, /* a file beneath a FILES source's root (resources); path with {arg} filled */
	ACTION_MESSAGES, /* prompts: messages with {arg} filled */
	ACTION_VALUES, /* completions: fixed values filtered by prefix */
	ACTION_BUILTIN, /* parts, filled from what the server itself knows */
	ACTION_RAW, /* the argument `sql` on a SQLite source: development only */
	ACTION_WRITE, /* entry->write; parts[0] is its answer */
	ACTION_TOGETHER, /* TOGETHER_NAME: several tools with a write, as one change */
	ACTION_LEDGER, /* what was changed before, from the ledger of the source */
};

/* A column of a record's key, and the input that says its value. */
struct ledger_ask_key {
	struct str column, input;
};

/* Which changes are told: one, by the input that names it, or those of a record. */
struct ledger_ask {
	struct str id; /* an input; empty: those of a record */
	struct str table;
	const struct ledger_ask_key *key; /* of the record */
	size_t key_count;
	bool claims; /* with what the assistant told: request and reason */
	struct place at;
};

/* Tools that every deployment has: everybody's, without a grant. */
enum builtin { BUILTIN_WHOAMI, BUILTIN_LIST_SCOPES };

enum script_state { STATE_NONE, STATE_SEALED };

struct action {
	enum action_kind kind;
	enum builtin builtin;
	const struct part *parts;
	size_t part_count;
	const struct step *steps;
	size_t step_count;
	enum script_state state;
	struct str text; /* ACTION_TEXT; ACTION_FILE: path; ACTION_MESSAGES: JSON array */
	bool blob; /* ACTION_TEXT: `text` is base64; ACTION_FILE: deliver as blob */
	const struct str *values; /* ACTION_VALUES */
	size_t value_count;
	const struct ledger_ask *ledger; /* ACTION_LEDGER; its answer is parts[0] */
	struct str principal; /* ACTION_RAW: the only subject it serves */
	struct str issuer; /* ACTION_RAW: of that subject's token; empty: it comes with none */
	uint32_t rows; /* ACTION_RAW: most of them */
};

/* What the arguments' values may become in the audit log. */
enum protect { PROTECT_HMAC, PROTECT_CLEAR, PROTECT_ENCRYPT, PROTECT_DROP };

struct input {
	struct str name;
	struct str schema_json;
	bool required;
	struct str default_json; /* empty: none */
	enum protect protect;
	bool integer, int64; /* speaks of integers; and of format int64 */
	struct str header; /* x-mcp-header, or empty */
	bool added; /* by the server: cursor, limit */
};

struct suggestion {
	struct str code, text;
};

struct write;

struct entry {
	enum entry_kind kind;
	struct str
		name; /* tool, prompt: its name; resource: its name; completion: "OWNER/ARGUMENT" */
	unsigned version;
	struct str title, description;
	struct str owner, purpose, runbook;
	const struct source_config *source; /* NULL for fixed text and messages */
	struct str requires; /* the grant; empty for ACTION_BUILTIN and ACTION_TOGETHER alone */
	struct names any_of; /* ACTION_TOGETHER: the grants of what it can do; one is enough */
	const struct write *write; /* write.h; NULL: not ACTION_WRITE */
	bool mutates; /* may change something: what read-only mode refuses and a quota counts */
	bool tenant_scoped; /* some statement binds :principal.tenant: nothing without one */
	uint64_t toolsets; /* that name it: bits of config->toolsets */
	const struct input *inputs;
	size_t input_count;
	struct str input_schema; /* JSON text as published */
	const struct schema *schema;
	struct str output_schema; /* JSON text, or empty; admits the error object */
	struct action action;
	/* Run before the action: no row means NOT_FOUND, as if there were no such record.  NULL:
	 * everybody who may use the entry may see all that it gives. */
	const struct part *visible;
	const struct source_config *visible_source; /* of visible */
	bool mock; /* answers from part->mock: development only, marked in result and record */
	uint32_t timeout_ms;
	uint64_t bytes; /* most bytes of the rendered result */
	const struct limit_rule *limits; /* of this entry's calls, beside those of the whole */
	size_t limit_count;
	uint32_t cost; /* what one call counts in every limit: from 1 */
	unsigned concurrency; /* calls at a time, of all instances; 0: not limited here */
	const struct suggestion *suggestions;
	size_t suggestion_count;
	struct str uri; /* resource: fixed URI, or template; */
	bool uri_is_template;
	const struct uri_template *uri_template; /* NULL: fixed, or no resource */
	struct str mime_type;
	struct str content_column; /* resource from a row: the column that is the text; empty: rows
				      as JSON */
	struct str annotations; /* tools: JSON object */
	struct str meta; /* JSON object of _meta, or empty */
	const struct entry *const
		*completions; /* prompt, template: by input index, NULL where none */
	struct sha256 digest; /* of the definition: changes when anything above does */
	struct str list_json; /* as tools/list etc. show it on 2025-11-25 and 2026-07-28 */
	struct str list_json_old; /* without title, outputSchema, icons, _meta: before 2025-06-18 */
	struct place at;
};

const struct input *entry_input(const struct entry *e, struct str name); /* NULL: not declared */

struct catalog {
	const struct entry *const *tools; /* in the order of the files: deterministic */
	const struct entry *const *resources; /* fixed URIs */
	const struct entry *const *templates;
	const struct entry *const *prompts;
	size_t tool_count, resource_count, template_count, prompt_count;
	unsigned statement_count; /* serials are below it */
	struct map tools_by_name, prompts_by_name, resources_by_uri;
	struct sha256 digest;
	bool scripted; /* some entry is ACTION_SCRIPT */
	bool hashes; /* some column is MASK_HASH */
	struct schema **schemas; /* compiled; released by catalog_done */
	size_t schema_count;
};

/* NULL: findings tell why.  Lints what can be known without a database. */
struct catalog *catalog_load(struct arena *a, const struct config *config, struct findings *f);
void catalog_done(struct catalog *c); /* compiled schemas; before the arena goes */

/* The resource or template that serves this URI; *arguments_out gets the template's variables as
 * a JSON object (decoded, RFC 6570 level 1 plus {?query} and {+path}).  NULL: none. */
const struct entry *catalog_resource(
	const struct catalog *c, struct arena *a, struct str uri, struct json *arguments_out);

/* Facts from a live database, handed in by whoever can see it; adds findings. */
struct statement_facts {
	const struct entry *entry;
	const struct part *part;
	bool readonly; /* as the database says; of no meaning for a RETURNING */
	bool single; /* nothing behind the statement */
	const struct str *columns; /* names of the result columns */
	const struct str *declared_types; /* as the table declares them, may be empty */
	size_t column_count;
	struct str error; /* did not prepare: the database's message */
};
void catalog_lint_facts(
	const struct catalog *c, const struct statement_facts *facts, struct findings *f);
