/* visit - see visit.h.
 *
 * Invariants: 1. the browser's text is kept nowhere: only its SHA-256.  2. a visit that is over is
 * never found again, though the clock stand still.  3. nothing allocates after visits_new. */
#include "site/visit.h"

#include <pthread.h>
#include <string.h>

#define KEY_BYTES 32

struct row {
	bool used;
	struct sha256 name;
	uint8_t key[KEY_BYTES];
	char credential[VISIT_CREDENTIAL_BYTES];
	size_t credential_n;
	struct sha256 who;
	uint64_t since_ms, seen_ms;
};

struct visits {
	pthread_mutex_t lock;
	struct row rows[VISITS_MAX];
};

struct visits *visits_new(void)
{
	struct visits *v = heap_new(struct visits);

	pthread_mutex_init(&v->lock, NULL);
	return v;
}

void visits_free(struct visits **v)
{
	if (!*v)
		return;
	pthread_mutex_destroy(&(*v)->lock);
	wipe((*v)->rows, sizeof(*v)->rows);
	heap_free(*v);
	*v = NULL;
}

/* Another thread may have looked at the clock a moment later than this one. */
static uint64_t since(uint64_t then_ms, uint64_t boot_ms)
{
	return boot_ms > then_ms ? boot_ms - then_ms : 0;
}

static bool is_over(const struct row *r, uint64_t boot_ms)
{
	return since(r->seen_ms, boot_ms) >= VISIT_IDLE_MS ||
	       since(r->since_ms, boot_ms) >= VISIT_MOST_MS;
}

bool visit_is_recent(const struct visit *v, uint64_t boot_ms)
{
	return since(v->since_ms, boot_ms) < VISIT_RECENT_MS;
}

static void end_row(struct row *r)
{
	wipe(r, sizeof *r);
}

/* A place for one more.  The lock is held. */
static struct row *place_for(struct visits *v, const struct sha256 *who, uint64_t boot_ms)
{
	struct row *free_row = NULL, *own = NULL, *idle = NULL;
	unsigned own_count = 0;

	for (size_t i = 0; i < VISITS_MAX; i++) {
		struct row *r = &v->rows[i];

		if (r->used && is_over(r, boot_ms))
			end_row(r);
		if (!r->used) {
			free_row = free_row ? free_row : r;
			continue;
		}
		if (!idle || r->seen_ms < idle->seen_ms)
			idle = r;
		if (!sha256_eq(&r->who, who))
			continue;
		own_count++;
		if (!own || r->since_ms < own->since_ms)
			own = r;
	}
	if (own_count >= VISITS_OF_ONE)
		return own;
	return free_row ? free_row : idle;
}

struct str visits_begin(struct visits *v, struct arena *a, struct str credential,
	const struct sha256 *who, uint64_t boot_ms)
{
	uint8_t text[32];
	struct row row = { .used = true, .who = *who, .since_ms = boot_ms, .seen_ms = boot_ms };
	struct buf out;

	bug_on(credential.n > VISIT_CREDENTIAL_BYTES);
	buf_in(&out, a, VISIT_TEXT_BYTES + 1);
	random_bytes(text, sizeof text);
	base64url_write(&out, str_n(text, sizeof text));
	wipe(text, sizeof text);
	random_bytes(row.key, sizeof row.key);
	sha256_of(buf_str(&out), &row.name);
	memcpy(row.credential, credential.p, credential.n);
	row.credential_n = credential.n;
	pthread_mutex_lock(&v->lock);
	*place_for(v, who, boot_ms) = row;
	pthread_mutex_unlock(&v->lock);
	end_row(&row);
	return buf_str(&out);
}

/* The lock is held. */
static struct row *row_of(struct visits *v, const struct sha256 *name)
{
	for (size_t i = 0; i < VISITS_MAX; i++)
		if (v->rows[i].used && sha256_eq(&v->rows[i].name, name))
			return &v->rows[i];
	return NULL;
}

bool visits_find(
	struct visits *v, struct arena *a, struct str text, uint64_t boot_ms, struct visit *out)
{
	struct row found = { 0 };
	struct sha256 name;
	struct row *r;

	if (text.n != VISIT_TEXT_BYTES)
		return false;
	sha256_of(text, &name);
	pthread_mutex_lock(&v->lock);
	r = row_of(v, &name);
	if (r && is_over(r, boot_ms)) {
		end_row(r);
		r = NULL;
	}
	if (r) {
		r->seen_ms = MAX(r->seen_ms, boot_ms);
		found = *r;
	}
	pthread_mutex_unlock(&v->lock);
	if (!found.used)
		return false;
	*out = (struct visit){ .name = name, .who = found.who, .since_ms = found.since_ms };
	out->credential = arena_str(a, str_n(found.credential, found.credential_n));
	bug_on(!secret_set(&out->key, str_n(found.key, sizeof found.key)));
	end_row(&found);
	return true;
}

void visits_end(struct visits *v, const struct sha256 *name)
{
	struct row *r;

	pthread_mutex_lock(&v->lock);
	r = row_of(v, name);
	if (r)
		end_row(r);
	pthread_mutex_unlock(&v->lock);
}

unsigned visits_count(struct visits *v)
{
	unsigned count = 0;

	pthread_mutex_lock(&v->lock);
	for (size_t i = 0; i < VISITS_MAX; i++)
		count += v->rows[i].used;
	pthread_mutex_unlock(&v->lock);
	return count;
}

struct str visit_seal(const struct visit *v, struct arena *a, struct str about)
{
	struct sha256 mac;
	struct buf out;

	hmac_sha256(secret_bytes(&v->key), about, &mac);
	buf_in(&out, a, 64);
	base64url_write(&out, str_n(mac.b, SHA256_BYTES));
	return buf_str(&out);
}

bool visit_sealed(const struct visit *v, struct arena *a, struct str about, struct str shown)
{
	struct sha256 wanted, given;
	struct buf bytes;

	buf_in(&bytes, a, 64);
	if (!base64url_read(shown, &bytes) || bytes.n != SHA256_BYTES)
		return false;
	memcpy(given.b, bytes.p, SHA256_BYTES);
	hmac_sha256(secret_bytes(&v->key), about, &wanted);
	return sha256_eq(&wanted, &given);
}
