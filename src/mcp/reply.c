/* reply - see reply.h. */
#include "mcp/reply.h"

#include "mcp/meta.h"

void reply_begin(struct jw *w, struct buf *out, const struct mcp_request *r, struct str kind)
{
	bug_on(!r->id.n);
	jw_init(w, out);
	jw_object(w);
	jw_put_str(w, S("jsonrpc"), S("2.0"));
	jw_put_raw(w, S("id"), r->id);
	jw_name(w, S("result"));
	jw_object(w);
	if (r->modern)
		jw_put_str(w, S("resultType"), kind);
}

void reply_server(struct jw *w, const struct mcp_server_info *s, enum mcp_revision revision)
{
	jw_object(w);
	jw_put_str(w, S("name"), s->name);
	jw_put_str(w, S("version"), s->version);
	if (s->title.n && mcp_revision_info(revision)->structured)
		jw_put_str(w, S("title"), s->title);
	jw_object_end(w);
}

void reply_catalog(struct jw *w, const struct mcp_server_info *s)
{
	if (s->catalog_generation.n)
		jw_put_str(w, S(META_CATALOG), s->catalog_generation);
}

void reply_end(struct jw *w, const struct mcp_server_info *s, const struct mcp_request *r,
	struct str subscription)
{
	reply_end_marked(w, s, r, subscription, false);
}

void reply_end_marked(struct jw *w, const struct mcp_server_info *s, const struct mcp_request *r,
	struct str subscription, bool mock)
{
	if (r->modern || mock) {
		jw_name(w, S("_meta"));
		jw_object(w);
		if (subscription.n)
			jw_put_raw(w, S(META_SUBSCRIPTION), subscription);
		if (r->modern) {
			jw_name(w, S(META_SERVER));
			reply_server(w, s, r->revision);
			reply_catalog(w, s);
		}
		if (mock)
			jw_put_bool(w, S(META_MOCK), true);
		jw_object_end(w);
	}
	jw_object_end(w);
	jw_object_end(w);
}

void reply_cacheable(struct jw *w, const struct mcp_request *r, uint64_t ttl_ms, bool everybody)
{
	if (!r->modern)
		return;
	jw_put_u64(w, S("ttlMs"), ttl_ms);
	jw_put_str(w, S("cacheScope"), everybody ? S("public") : S("private"));
}

void note_begin(struct jw *w, struct buf *out, struct str method)
{
	jw_init(w, out);
	jw_object(w);
	jw_put_str(w, S("jsonrpc"), S("2.0"));
	jw_put_str(w, S("method"), method);
	jw_name(w, S("params"));
	jw_object(w);
}

void note_end(struct jw *w, struct str subscription)
{
	if (subscription.n) {
		jw_name(w, S("_meta"));
		jw_object(w);
		jw_put_raw(w, S(META_SUBSCRIPTION), subscription);
		jw_object_end(w);
	}
	jw_object_end(w);
	jw_object_end(w);
}
