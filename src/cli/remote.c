/* remote - see remote.h. */
#include "cli/remote.h"

#include "cli/pretty.h"

#include "json/write.h"

#include <curl/curl.h>

#define REPLY_MAX ((size_t)64 << 20)
#define CALL_SECONDS 60L
#define PAGES_MAX 100

static const char envelope[] =
	"\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
	"\"io.modelcontextprotocol/clientCapabilities\":{},"
	"\"io.modelcontextprotocol/clientInfo\":{\"name\":\"postern "
	"call\",\"version\":\"" POSTERN_VERSION "\"}}";

static size_t take(char *data, size_t one, size_t count, void *ctx)
{
	struct buf *reply = ctx;

	buf_add(reply, str_n(data, one * count));
	return buf_ok(reply) ? one * count : 0;
}

static struct curl_slist *header(
	struct remote *r, struct curl_slist *list, const char *name, struct str value)
{
	struct str line = arena_fmt(r->a, "%s: %.*s", name, STR_ARG(value));

	return curl_slist_append(list, line.p);
}

/* The reply may be one JSON object, or a stream whose last data line is the reply. */
static struct str last_message(struct str reply)
{
	struct str found = reply, line, rest = reply;

	while (str_cut(rest, '\n', &line, &rest))
		if (str_starts(line, S("data: ")))
			found = str_from(line, 6);
	return found;
}

static bool transfer(CURL *curl, struct remote *r, struct curl_slist *headers, struct str body,
	struct buf *reply, long *status_out, struct err *err)
{
	char why[CURL_ERROR_SIZE] = "";
	CURLcode code;

	curl_easy_setopt(curl, CURLOPT_URL, arena_cstr(r->a, r->url));
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.p);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, reply);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, CALL_SECONDS);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, status_out);
	return code == CURLE_OK || err_set(err, E_UNAVAILABLE, "%.*s: %s", STR_ARG(r->url),
					   why[0] ? why : curl_easy_strerror(code));
}

static bool post(struct remote *r, struct str method, struct str name, struct str body,
	struct json *result_out, struct err *err)
{
	CURL *curl = curl_easy_init();
	struct curl_slist *headers = NULL;
	struct json_error error;
	const struct json *result;
	struct json message;
	struct buf reply;
	long status = 0;
	bool ok;

	buf_in(&reply, r->a, REPLY_MAX);
	headers = curl_slist_append(headers, "Content-Type: application/json");
	headers = curl_slist_append(headers, "Accept: application/json, text/event-stream");
	headers = curl_slist_append(headers, "MCP-Protocol-Version: 2026-07-28");
	headers = header(r, headers, "Mcp-Method", method);
	if (name.n)
		headers = header(r, headers, "Mcp-Name", name);
	if (r->key.n)
		headers = header(r, headers, "Authorization",
			arena_fmt(r->a, "Bearer %.*s", STR_ARG(r->key)));
	ok = curl && transfer(curl, r, headers, body, &reply, &status, err);
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
	if (!ok)
		return false;
	if (!json_parse(r->a, last_message(buf_str(&reply)), &message, &error))
		return err_set(
			err, E_CONTRACT, "%.*s answered %ld and no JSON", STR_ARG(r->url), status);
	result = json_get(&message, S("result"));
	if (!result) {
		const struct json *why = json_get(&message, S("error"));
		struct str text = json_get_str(why, S("message"));

		if (!text.n)
			text = json_is(why, JSON_STRING) ? why->text : S("no result");
		text = text_for_terminal(r->a, text);
		return err_set(err, E_DENIED, "%.*s answered %ld: %.*s", STR_ARG(r->url), status,
			STR_ARG(text));
	}
	*result_out = *result;
	return true;
}

static const struct json *find_tool(const struct json *result, struct str name)
{
	const struct json *tools = json_get(result, S("tools"));

	for (uint32_t i = 0; json_is(tools, JSON_ARRAY) && i < tools->count; i++)
		if (str_eq(json_get_str(&tools->items[i], S("name")), name))
			return json_get(&tools->items[i], S("inputSchema"));
	return NULL;
}

bool remote_input_schema(struct remote *r, struct str tool, struct json *out, struct err *err)
{
	struct str cursor = STR_NONE;

	for (int page = 0; page < PAGES_MAX; page++) {
		const struct json *schema;
		struct json result;
		struct buf body;
		struct jw w;

		buf_in(&body, r->a, 65536);
		buf_fmt(&body,
			"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{%s",
			envelope);
		if (cursor.n) {
			buf_lit(&body, ",\"cursor\":");
			jw_init(&w, &body);
			jw_str(&w, cursor);
		}
		buf_lit(&body, "}}");
		if (!post(r, S("tools/list"), STR_NONE, buf_str(&body), &result, err))
			return false;
		schema = find_tool(&result, tool);
		if (schema) {
			*out = *schema;
			return true;
		}
		cursor = json_get_str(&result, S("nextCursor"));
		if (!cursor.n)
			break;
	}
	return err_set(err, E_NOT_FOUND, "%.*s offers no tool %.*s to this key", STR_ARG(r->url),
		STR_ARG(tool));
}

bool remote_call(struct remote *r, struct str tool, struct str arguments_json,
	struct str *result_out, bool *is_error_out, struct err *err)
{
	const struct json *is_error;
	struct json result;
	struct buf body;
	struct jw w;

	buf_in(&body, r->a, (size_t)4 << 20);
	buf_fmt(&body,
		"{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/call\",\"params\":{%s,\"name\":",
		envelope);
	jw_init(&w, &body);
	jw_str(&w, tool);
	buf_lit(&body, ",\"arguments\":");
	buf_add(&body, arguments_json);
	buf_lit(&body, "}}");
	if (!post(r, S("tools/call"), tool, buf_str(&body), &result, err))
		return false;
	is_error = json_get(&result, S("isError"));
	*is_error_out = json_is(is_error, JSON_BOOL) && is_error->truth;
	*result_out = result.raw;
	return true;
}
