/* http_shown - see http_shown.h. */
#include "serve/http_shown.h"

static struct credential_header credential_header(const struct http_request *r, struct str name)
{
	struct credential_header h;

	h.value = http_header_get(r, name, &h.count);
	return h;
}

/* identity and transport do not know each other: names of one become names of the other. */
static void show_certificate(
	const struct http_peer *p, struct arena *a, struct certificate_shown *out)
{
	struct certificate_name *names =
		arena_array(a, struct certificate_name, p->certificate_name_count + 1);
	static const enum certificate_name_kind kinds[] = { [HTTP_NAME_URI] = CERTIFICATE_URI,
		[HTTP_NAME_DNS] = CERTIFICATE_DNS,
		[HTTP_NAME_EMAIL] = CERTIFICATE_EMAIL };

	for (size_t i = 0; i < p->certificate_name_count; i++)
		names[i] = (struct certificate_name){ kinds[p->certificate_names[i].kind],
			p->certificate_names[i].text };
	*out = (struct certificate_shown){ .sha256 = p->certificate_sha256,
		.ends_us = p->certificate_ends_us,
		.subject = p->certificate_subject,
		.names = names,
		.name_count = p->certificate_name_count };
}

/* What the URL holds stands in logs of others: a credential there is burnt, and never taken. */
static bool has_credential(struct str query)
{
	static const struct str names[] = { STR_INIT("access_token"), STR_INIT("token"),
		STR_INIT("api_key"), STR_INIT("key") };
	struct str part, name, value;

	while (query.n) {
		if (!str_cut(query, '&', &part, &query)) {
			part = query;
			query = STR_NONE;
		}
		if (!str_cut(part, '=', &name, &value))
			continue;
		for (size_t i = 0; i < ARRAY_LEN(names); i++)
			if (str_eq_ci(name, names[i]))
				return true;
	}
	return false;
}

bool http_shown_read(const struct http_request *r, const struct http_peer *peer, struct arena *a,
	struct credential_shown *out)
{
	struct credential_headers headers = { credential_header(r, S("Authorization")),
		credential_header(r, S("Postern-Identity")),
		credential_header(r, S("Postern-Signature")) };

	if (has_credential(r->query))
		return false;
	*out = (struct credential_shown){ .request = { r->method, r->path, r->query, r->body } };
	shown_read(&headers, out);
	show_certificate(peer, a, &out->certificate);
	return true;
}
