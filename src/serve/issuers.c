/* issuers - see issuers.h.  Ids and digests of public keys only: nothing of a token. */
#include "serve/issuers.h"

#include "json/write.h"
#include "serve/log.h"

#define FIELDS_MAX ((size_t)16 << 10)
#define IGNORED_MAX 8 /* named in a record; the log has all */

static void record(struct audit *audit, const char *event, struct str members)
{
	struct log_text text;
	struct err err;

	if (!audit_event(audit, event, members, &err))
		log_error("audit_unavailable", "event=%s error=%s", event,
			log_value(&text, str_c(err.text)));
}

/* The members of an object that was written, without its braces. */
static struct str inside(const struct buf *object)
{
	return str_sub(buf_str(object), 1, object->n - 2);
}

static void put_digest(struct jw *w, struct arena *a, struct str name, const struct sha256 *d)
{
	struct buf hex;

	buf_in(&hex, a, 96);
	sha256_write(&hex, d);
	jw_put_str(w, name, buf_str(&hex));
}

static void log_ignored(const struct jwks_news *n)
{
	struct log_text issuer, key;

	for (size_t i = 0; i < n->ignored_count; i++)
		log_warn("key_ignored", "issuer=%s key=%s", log_value(&issuer, n->issuer),
			log_value(&key, n->ignored[i]));
}

static void record_change(struct audit *audit, struct arena *a, const struct jwks_news *n)
{
	struct buf fields;
	struct jw w;

	buf_in(&fields, a, FIELDS_MAX);
	jw_init(&w, &fields);
	jw_object(&w);
	jw_put_str(&w, S("reason"), S("jwks"));
	jw_put_str(&w, S("issuer"), str_sub(n->issuer, 0, 512));
	if (n->was)
		put_digest(&w, a, S("was"), n->was);
	put_digest(&w, a, S("now"), n->now);
	jw_put_u64(&w, S("keys"), n->keys);
	jw_name(&w, S("ignored"));
	jw_array(&w);
	for (size_t i = 0; i < MIN(n->ignored_count, (size_t)IGNORED_MAX); i++)
		jw_str(&w, n->ignored[i]);
	jw_array_end(&w);
	jw_object_end(&w);
	record(audit, "CONFIG", inside(&fields));
}

static void record_stale(struct audit *audit, struct arena *a, const struct jwks_news *n)
{
	struct buf fields;
	struct jw w;

	buf_in(&fields, a, FIELDS_MAX);
	jw_init(&w, &fields);
	jw_object(&w);
	jw_put_str(&w, S("reason"), S("jwks_stale"));
	jw_put_str(&w, S("issuer"), str_sub(n->issuer, 0, 512));
	jw_object_end(&w);
	record(audit, "SECURITY", inside(&fields));
}

void issuers_tell(void *audit, const struct jwks_news *n)
{
	struct log_text issuer, why;
	struct arena a;

	arena_init(&a, (size_t)1 << 20);
	switch (n->event) {
	case JWKS_CHANGED:
		log_info("keys", "issuer=%s keys=%zu ignored=%zu", log_value(&issuer, n->issuer),
			n->keys, n->ignored_count);
		log_ignored(n);
		record_change(audit, &a, n);
		break;
	case JWKS_FAILING:
		log_warn("keys_not_fetched",
			"issuer=%s error=%s note=\"those that are there go on serving until "
			"max_stale\"",
			log_value(&issuer, n->issuer), log_value(&why, str_c(n->why)));
		break;
	case JWKS_STALE:
		log_error("keys_stale",
			"issuer=%s error=%s note=\"its tokens are refused until keys can be "
			"fetched\"",
			log_value(&issuer, n->issuer), log_value(&why, str_c(n->why)));
		record_stale(audit, &a, n);
		break;
	case JWKS_RECOVERED:
		log_info("keys_fetched_again", "issuer=%s", log_value(&issuer, n->issuer));
		break;
	}
	arena_done(&a);
}
