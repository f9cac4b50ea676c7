/* write - JSON-RPC messages out: results, errors, notifications, server requests, per revision.
 *
 * Every function appends one whole message, without a line feed, to out. */
#pragma once
#include "base/seal.h"
#include "catalog/catalog.h"
#include "mcp/message.h"

struct receipt; /* audit's: a reply to a call needs one */
struct ask; /* plan's */

struct mcp_server_info {
	struct str name, version, title, instructions;
	struct str catalog_generation; /* changes with every reload: in cursors */
	bool tools, resources, prompts, completions, logging; /* what is declared */
};

void mcp_write_error(struct buf *out, const struct mcp_refusal *why);
/* The same where a call ended so: receipt is the proof of its record (not NULL). */
void mcp_write_call_error(
	struct buf *out, const struct mcp_refusal *why, const struct receipt *receipt);
void mcp_write_empty(struct buf *out, const struct mcp_request *r); /* {} for ping and the like */

void mcp_write_discover(
	struct buf *out, const struct mcp_server_info *s, const struct mcp_request *r);
void mcp_write_initialize(
	struct buf *out, const struct mcp_server_info *s, const struct mcp_request *r);

/* tools/list, resources/list, resources/templates/list, prompts/list: entries in order, filtered by
 * visible, one page.  False: bad cursor (refusal set). */
bool mcp_write_list(struct buf *out, struct arena *a, const struct mcp_server_info *s,
	const struct seal *seal, struct str binding, const struct mcp_request *r,
	const struct catalog *catalog, bool (*visible)(void *ctx, const struct entry *e), void *ctx,
	struct mcp_refusal *why) must_check;

/* The result of a call.  result_json: an object's members, "{...}", as render made it. For
 * resources/read caching fields are added here (modern). mock: the
 * result was written down by a developer, and _meta says so.  receipt: proof of the record (not
 * NULL). */
void mcp_write_result(struct buf *out, const struct mcp_server_info *s, const struct mcp_request *r,
	struct str result_json, bool mock, const struct receipt *receipt);

/* The result of a tool call whose record could not be written: result_json holds nothing but the
 * error AUDIT_UNAVAILABLE, which is why no receipt is needed. */
void mcp_write_audit_unavailable(struct buf *out, const struct mcp_server_info *s,
	const struct mcp_request *r, struct str result_json);
/* completion/complete of an argument that has no completion. */
void mcp_write_no_completion(
	struct buf *out, const struct mcp_server_info *s, const struct mcp_request *r);

/* input_required (modern).  state: sealed requestState or empty. */
void mcp_write_input_required(struct buf *out, const struct mcp_server_info *s,
	const struct mcp_request *r, const struct str *keys, const struct str *methods,
	const struct str *params_json, size_t count, struct str state,
	const struct receipt *receipt);

/* A server's request to a legacy client (elicitation/create, sampling/createMessage, roots/list);
 * params are adapted to the revision (`mode` left out before 2025-11-25, …). */
void mcp_write_request(struct buf *out, struct str id, enum mcp_revision revision,
	struct str method, struct str params_json, const struct receipt *receipt);

void mcp_write_progress(struct buf *out, const struct mcp_request *r, uint64_t n, uint64_t total,
	struct str message);
void mcp_write_log(struct buf *out, struct str level, struct str text);
bool mcp_log_level_passes(
	struct str level, struct str least); /* syslog names; empty least: false */
/* "notifications/tools/list_changed" etc.; subscription: raw JSON id of the listen request, or
 * empty. */
void mcp_write_changed(struct buf *out, struct str what, struct str subscription);
void mcp_write_updated(struct buf *out, struct str uri, struct str subscription);

/* subscriptions/listen */
struct mcp_filter {
	bool tools, prompts, resources;
	const struct str *uris;
	size_t uri_count;
};
bool mcp_read_filter(struct arena *a, const struct mcp_request *r, struct mcp_filter *out,
	struct mcp_refusal *why) must_check;
void mcp_write_acknowledged(
	struct buf *out, const struct mcp_request *r, const struct mcp_filter *honoured);
void mcp_write_listen_end(
	struct buf *out, const struct mcp_server_info *s, const struct mcp_request *r);

/* requestState: sealed over method, target name, argument digest and binding; expires.  plain: at
 * most 512 KiB.  Open: r->request_state; it may come more than once. */
struct str mcp_state_seal(struct arena *a, const struct seal *seal, struct str binding,
	const struct mcp_request *r, struct str target, const struct sha256 *arguments,
	struct str plain, int64_t expires_us);
bool mcp_state_open(struct arena *a, const struct seal *seal, struct str binding,
	const struct mcp_request *r, struct str target, const struct sha256 *arguments,
	int64_t wall_us, struct str *plain_out) must_check;
/* Is the answer in this form: {"action": accept|decline|cancel, "content"?: {…}} fitting the asked
 * requestedSchema (elicitation), or an object (sampling, roots)? */
bool mcp_answer_fits(
	struct arena *a, struct str method, struct str params_json, const struct json *answer);
