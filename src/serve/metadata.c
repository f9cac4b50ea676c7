/* metadata - see metadata.h.
 *
 * The address of this server is what the operator wrote; else the Host that the client used, which
 * was held against the allowed ones before. */
#include "serve/metadata.h"

#include "json/write.h"

#define DOCUMENT_MAX ((size_t)1 << 20)

bool metadata_offered(const struct config *c)
{
	return c->jwt_count > 0;
}

static struct str base_url(const struct metadata *m, struct arena *a)
{
	const struct listen_config *l = &m->config->listen;
	struct buf url;

	if (l->public_url.n)
		return l->public_url;
	buf_in(&url, a, 4096);
	buf_add(&url, l->tls || l->proxy_terminates_tls ? S("https://") : S("http://"));
	for (size_t i = 0; i < m->host.n; i++)
		buf_char(&url, ascii_lower(m->host.p[i]));
	return buf_str(&url);
}

static bool narrows(const struct config *c)
{
	for (size_t i = 0; i < c->jwt_count; i++)
		if (c->jwt[i].narrow)
			return true;
	return false;
}

static bool is_among(const struct str *list, size_t count, struct str s)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq(list[i], s))
			return true;
	return false;
}

/* The grants that the catalog asks for, each once, in its order. */
static void put_scopes(const struct metadata *m, struct arena *a, struct jw *w)
{
	const struct catalog *c = m->catalog;
	const struct {
		const struct entry *const *list;
		size_t count;
	} lists[] = { { c->tools, c->tool_count }, { c->resources, c->resource_count },
		{ c->templates, c->template_count }, { c->prompts, c->prompt_count } };
	size_t most = c->tool_count + c->resource_count + c->template_count + c->prompt_count;
	struct str *seen = arena_array(a, struct str, most);
	size_t count = 0;

	jw_name(w, S("scopes_supported"));
	jw_array(w);
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		for (size_t k = 0; k < lists[i].count; k++) {
			struct str grant = lists[i].list[k]->requires;

			if (!grant.n || is_among(seen, count, grant))
				continue;
			seen[count++] = grant;
			jw_str(w, grant);
		}
	jw_array_end(w);
}

struct str metadata_document(const struct metadata *m, struct arena *a)
{
	const struct config *c = m->config;
	struct buf out;
	struct jw w;

	buf_in(&out, a, DOCUMENT_MAX);
	jw_init(&w, &out);
	jw_object(&w);
	jw_put_str(&w, S("resource"), arena_fmt(a, "%.*s/mcp", STR_ARG(base_url(m, a))));
	jw_name(&w, S("authorization_servers"));
	jw_array(&w);
	for (size_t i = 0; i < c->jwt_count; i++)
		jw_str(&w, c->jwt[i].issuer);
	jw_array_end(&w);
	if (narrows(c))
		put_scopes(m, a, &w);
	jw_put_raw(&w, S("bearer_methods_supported"), S("[\"header\"]"));
	jw_object_end(&w);
	return buf_str(&out);
}

static struct str initial_scopes(const struct config *c, struct arena *a)
{
	struct buf out;

	buf_in(&out, a, (size_t)128 << 10);
	for (size_t i = 0; i < c->jwt_count; i++)
		for (size_t k = 0; k < c->jwt[i].initial_scope_count; k++) {
			if (out.n)
				buf_char(&out, ' ');
			buf_add(&out, c->jwt[i].initial_scopes[k]);
		}
	return buf_str(&out);
}

struct str metadata_challenge(
	const struct metadata *m, struct arena *a, enum challenge why, struct str scopes)
{
	static const struct str errors[] = {
		[CHALLENGE_NO_TOKEN] = STR_INIT(""),
		[CHALLENGE_BAD_TOKEN] = STR_INIT(", error=\"invalid_token\""),
		[CHALLENGE_SCOPE] = STR_INIT(", error=\"insufficient_scope\""),
	};
	struct buf out;

	buf_in(&out, a, (size_t)64 << 10);
	buf_lit(&out, "Bearer realm=\"postern\"");
	buf_add(&out, errors[why]);
	if (!scopes.n)
		scopes = initial_scopes(m->config, a);
	if (scopes.n) {
		buf_lit(&out, ", scope=\"");
		buf_add(&out, scopes);
		buf_char(&out, '"');
	}
	if (metadata_offered(m->config))
		buf_fmt(&out, ", resource_metadata=\"%.*s" METADATA_ENDPOINT_PATH "\"",
			STR_ARG(base_url(m, a)));
	return buf_str(&out);
}
