/* jwks_fetch - see jwks_fetch.h.
 *
 * Invariants: 1. where it goes is what the operator wrote: a reply cannot send it elsewhere.  2. it
 * ends: by time, by size, or because the process stops.  3. anything but 200 is a failure. */
#include "identity/jwks_fetch.h"

#include "base/file.h"
#include "identity/jwks.h"

#include <curl/curl.h>
#include <pthread.h>

#define CONNECT_MS 2000L

static void start_curl(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

static size_t take(char *bytes, size_t size, size_t n, void *ctx)
{
	struct buf *out = ctx;

	buf_add(out, str_n(bytes, size * n));
	return buf_ok(out) ? size * n : 0;
}

static int go_on(void *ctx, curl_off_t total, curl_off_t now, curl_off_t up, curl_off_t up_now)
{
	(void)total;
	(void)now;
	(void)up;
	(void)up_now;
	return atomic_load((const atomic_bool *)ctx);
}

static void set_up(CURL *curl, const struct jwks_place *place, const char *url, const char *ca)
{
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, place->plain ? "http,https" : "https");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)JWKS_FETCH_MS);
	curl_easy_setopt(curl, CURLOPT_MAXFILESIZE, (long)JWKS_MAX_BYTES);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "postern/" POSTERN_VERSION);
	if (ca)
		curl_easy_setopt(curl, CURLOPT_CAINFO, ca);
}

static bool perform(CURL *curl, const struct jwks_place *place, const atomic_bool *stop,
	struct buf *out, struct err *err)
{
	char why[CURL_ERROR_SIZE] = "";
	long status = 0;
	CURLcode code;

	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, out);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, go_on);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, stop);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
	code = curl_easy_perform(curl);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
	if (!buf_ok(out))
		return err_set(err, E_LIMIT, "%.*s: more than 256 KiB", STR_ARG(place->where));
	if (code != CURLE_OK)
		return err_set(err, code == CURLE_OPERATION_TIMEDOUT ? E_TIMEOUT : E_UNAVAILABLE,
			"%.*s: %s", STR_ARG(place->where), why[0] ? why : curl_easy_strerror(code));
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	return status == 200 ||
	       err_set(err, E_CONTRACT, "%.*s answered %ld", STR_ARG(place->where), status);
}

static bool fetch_url(
	const struct jwks_place *place, const atomic_bool *stop, struct buf *out, struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct arena a;
	CURL *curl;
	bool ok;

	pthread_once(&once, start_curl);
	curl = curl_easy_init();
	if (!curl)
		return err_set(err, E_IO, "libcurl does not start");
	arena_init(&a, (size_t)64 << 10);
	set_up(curl, place, arena_cstr(&a, place->where),
		place->ca.n ? arena_cstr(&a, place->ca) : NULL);
	ok = perform(curl, place, stop, out, err);
	curl_easy_cleanup(curl);
	arena_done(&a);
	return ok;
}

static bool fetch_file(const struct jwks_place *place, struct buf *out, struct err *err)
{
	struct arena a;
	struct str text;
	bool ok;

	arena_init(&a, 2 * JWKS_MAX_BYTES);
	ok = file_read(&a, place->where, JWKS_MAX_BYTES, &text, err);
	if (ok)
		buf_add(out, text);
	arena_done(&a);
	return ok;
}

bool jwks_fetch(
	const struct jwks_place *place, const atomic_bool *stop, struct buf *out, struct err *err)
{
	return place->is_file ? fetch_file(place, out, err) : fetch_url(place, stop, out, err);
}
