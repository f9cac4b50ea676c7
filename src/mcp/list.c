/* list - the four list methods: one page of the entries the caller may see (write.h).
 *
 * A cursor is sealed( index of the next entry in the catalog's own order ), bound to the principal,
 * the method and the generation of the catalog.
 *
 * Invariants: 1. a page holds at least one entry and at most PAGE_ENTRIES, and stops before
 * PAGE_BYTES once it has one.  2. no cursor is given when nothing visible is left.  3. a cursor of
 * another principal, method or generation is a bad cursor, and so is the empty string: it is legal
 * as a cursor, but never one that we gave. */
#include "mcp/refuse.h"
#include "mcp/reply.h"

#define PAGE_ENTRIES 100
#define PAGE_BYTES ((size_t)256 << 10)
#define CURSOR_MAX ((size_t)256)
#define PURPOSE "mcp-cursor"

/* What one of the methods lists. */
struct listing {
	struct str member; /* of the result */
	const struct entry *const *entries;
	size_t count;
	bool declared;
};

/* One list being written. */
struct paging {
	struct arena *a;
	const struct seal *seal;
	struct str bound; /* to what a cursor is bound */
	bool (*visible)(void *ctx, const struct entry *e);
	void *ctx;
};

static struct listing listing_of(
	enum mcp_method method, const struct mcp_server_info *s, const struct catalog *c)
{
	if (method == MCP_TOOLS_LIST)
		return (struct listing){ S("tools"), c->tools, c->tool_count, s->tools };
	if (method == MCP_RESOURCES_LIST)
		return (struct listing){ S("resources"), c->resources, c->resource_count,
			s->resources };
	if (method == MCP_TEMPLATES_LIST)
		return (struct listing){ S("resourceTemplates"), c->templates, c->template_count,
			s->resources };
	bug_on(method != MCP_PROMPTS_LIST);
	return (struct listing){ S("prompts"), c->prompts, c->prompt_count, s->prompts };
}

static struct str bound_of(struct arena *a, const struct mcp_server_info *s, struct str binding,
	const struct mcp_request *r)
{
	struct buf b;

	buf_in(&b, a, binding.n + r->method_name.n + s->catalog_generation.n + 32);
	buf_u64(&b,
		binding.n); /* the length keeps two different triples from having the same bytes */
	buf_char(&b, ' ');
	buf_add(&b, binding);
	buf_add(&b, r->method_name);
	buf_char(&b, ' ');
	buf_add(&b, s->catalog_generation);
	bug_on(!buf_ok(&b));
	return buf_str(&b);
}

static bool read_cursor(
	const struct paging *p, const struct json *cursor, size_t count, size_t *from_out)
{
	struct buf plain;
	uint64_t from;

	*from_out = 0;
	if (!cursor)
		return true;
	buf_in(&plain, p->a, CURSOR_MAX);
	if (cursor->kind != JSON_STRING || cursor->text.n > CURSOR_MAX ||
		!seal_read(p->seal, S(PURPOSE), p->bound, cursor->text, &plain) ||
		!str_to_u64(buf_str(&plain), &from) || from >= count)
		return false;
	*from_out = (size_t)from;
	return true;
}

static void write_cursor(const struct paging *p, struct jw *w, size_t next)
{
	struct buf plain, text;

	buf_in(&plain, p->a, CURSOR_MAX);
	buf_u64(&plain, next);
	buf_in(&text, p->a, CURSOR_MAX);
	seal_write(p->seal, S(PURPOSE), p->bound, buf_str(&plain), &text);
	jw_put_str(w, S("nextCursor"), buf_str(&text));
}

static struct str shown(const struct mcp_request *r, const struct entry *e)
{
	return mcp_revision_info(r->revision)->structured ? e->list_json : e->list_json_old;
}

/* Writes a page; the index of the first visible entry behind it, or count when there is none. */
static size_t write_page(const struct paging *p, struct jw *w, const struct listing *l,
	const struct mcp_request *r, size_t from)
{
	size_t entries = 0, bytes = 0, i;

	jw_name(w, l->member);
	jw_array(w);
	for (i = from; i < l->count; i++) {
		struct str text;

		if (!p->visible(p->ctx, l->entries[i]))
			continue;
		text = shown(r, l->entries[i]);
		if (entries && (entries == PAGE_ENTRIES || text.n > PAGE_BYTES - bytes))
			break;
		jw_raw(w, text);
		entries++;
		bytes += MIN(text.n, PAGE_BYTES - bytes);
	}
	jw_array_end(w);
	return i;
}

static bool undeclared(struct arena *a, const struct mcp_request *r, struct mcp_refusal *why)
{
	return mcp_refuse(why, r->modern ? 404 : 200, RPC_NO_METHOD, "method",
		mcp_say_name(a, S("there is no method "), r->method_name));
}

bool mcp_write_list(struct buf *out, struct arena *a, const struct mcp_server_info *s,
	const struct seal *seal, struct str binding, const struct mcp_request *r,
	const struct catalog *catalog, bool (*visible)(void *ctx, const struct entry *e), void *ctx,
	struct mcp_refusal *why)
{
	struct paging p = { .a = a,
		.seal = seal,
		.bound = bound_of(a, s, binding, r),
		.visible = visible,
		.ctx = ctx };
	struct listing l = listing_of(r->method, s, catalog);
	size_t from, next;
	struct jw w;

	*why = (struct mcp_refusal){ .id = r->id };
	if (!l.declared)
		return undeclared(a, r, why);
	if (!read_cursor(&p, json_get(&r->params, S("cursor")), l.count, &from))
		return mcp_refuse(why, 200, RPC_PARAMS, "cursor",
			S("params.cursor is not one that can be used now; list again from the "
			  "start"));
	reply_begin(&w, out, r, S("complete"));
	next = write_page(&p, &w, &l, r, from);
	if (next < l.count)
		write_cursor(&p, &w, next);
	reply_cacheable(&w, r, REPLY_LIST_MS, false);
	reply_end(&w, s, r, STR_NONE);
	return true;
}
