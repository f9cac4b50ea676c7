/* write_schema - what a tool with a write gives, as the JSON Schema that clients validate with:
 *
 *   {"outcome": "preview" | "applied",
 *    "plan"?: {id, state, expires_at, approval, digest, grant?, url?}, "replayed"?: bool,
 *    "effects": [{table, operation, key: {…}, before?: {…} | null, after?: {…} | null}],
 *    "truncated_effects"?: n, "impact": {"rows": {TABLE: n}, "sums": {NAME: "decimal"}},
 *    "result"?: what `returns` says, "assigned"?: ["column"…], "ledger_id"?: "…"}
 *
 * A column of `assigned` is null in a preview: the database has not chosen it yet. */
#include "catalog/load.h"
#include "catalog/write.h"
#include "json/write.h"

/* Few words: every conversation that lists the tool pays for them. */
static const struct str outcome_schema =
	STR_INIT("{\"type\":\"string\",\"enum\":[\"preview\",\"applied\"]}");

static const struct str plan_schema =
	STR_INIT("{\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"string\"},"
		 "\"state\":{\"type\":\"string\"},\"expires_at\":{\"type\":\"string\"},"
		 "\"approval\":{\"type\":\"string\"},\"digest\":{\"type\":\"string\"},"
		 "\"grant\":{\"type\":\"string\"},\"because\":{\"type\":\"string\"},"
		 "\"url\":{\"type\":\"string\"}},"
		 "\"required\":[\"id\"],\"additionalProperties\":false}");

#define ROW_OR_NULL "{\"anyOf\":[{\"type\":\"object\"},{\"type\":\"null\"}]}"

static const struct str effects_schema = STR_INIT(
	"{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
	"\"table\":{\"type\":\"string\"},\"operation\":{\"type\":\"string\"},"
	"\"key\":{\"type\":\"object\"},\"before\":" ROW_OR_NULL ",\"after\":" ROW_OR_NULL "},"
	"\"required\":[\"table\",\"operation\",\"key\"],\"additionalProperties\":false}}");

static const struct str assigned_schema =
	STR_INIT("{\"type\":\"array\",\"items\":{\"type\":\"string\"}}");

/* {"rows": …, "sums": {each impact}} */
static void write_impact(struct jw *w, const struct write *write)
{
	jw_object(w);
	jw_put_str(w, S("type"), S("object"));
	jw_name(w, S("properties"));
	jw_object(w);
	jw_put_raw(w, S("rows"),
		S("{\"type\":\"object\",\"additionalProperties\":{\"type\":\"integer\"}}"));
	jw_name(w, S("sums"));
	jw_object(w);
	jw_put_str(w, S("type"), S("object"));
	jw_name(w, S("properties"));
	jw_object(w);
	for (size_t i = 0; write && i < write->impact_count; i++)
		jw_put_raw(w, write->impacts[i].name, S("{\"type\":\"string\"}"));
	jw_object_end(w);
	if (write)
		jw_put_bool(w, S("additionalProperties"), false);
	jw_object_end(w);
	jw_object_end(w);
	jw_put_raw(w, S("required"), S("[\"rows\",\"sums\"]"));
	jw_put_bool(w, S("additionalProperties"), false);
	jw_object_end(w);
}

void write_schema_write(struct jw *w, struct arena *a, const struct entry *e)
{
	jw_object(w);
	jw_put_str(w, S("type"), S("object"));
	jw_name(w, S("properties"));
	jw_object(w);
	jw_put_raw(w, S("outcome"), outcome_schema);
	jw_put_raw(w, S("plan"), plan_schema);
	jw_put_raw(w, S("replayed"), S("{\"type\":\"boolean\"}"));
	jw_put_raw(w, S("effects"), effects_schema);
	jw_put_raw(w, S("truncated_effects"), S("{\"type\":\"integer\"}"));
	jw_name(w, S("impact"));
	write_impact(w, e->write);
	if (e->action.part_count) {
		jw_name(w, S("result"));
		output_single_write(w, a, &e->action.parts[0]);
		jw_put_raw(w, S("assigned"), assigned_schema);
	}
	if (e->action.kind == ACTION_TOGETHER)
		jw_put_raw(w, S("results"), S("{\"type\":\"array\"}"));
	jw_put_raw(w, S("ledger_id"), S("{\"type\":\"string\"}"));
	jw_object_end(w);
	jw_put_raw(w, S("required"), S("[\"outcome\",\"effects\",\"impact\"]"));
	jw_put_bool(w, S("additionalProperties"), false);
	jw_object_end(w);
}
