/* certificate - whose client certificate it is.
 *
 * Invariants: 1. names are compared byte by byte, whole.  2. exactly one row of the configuration
 * fits, or nobody is let in: two rows would leave it to their order who it is. */
#include "identity/inside.h"

static bool has_name(
	const struct certificate_shown *shown, enum certificate_name_kind kind, struct str text)
{
	for (size_t i = 0; i < shown->name_count; i++)
		if (shown->names[i].kind == kind && str_eq(shown->names[i].text, text))
			return true;
	return false;
}

static bool fits(const struct certificate_config *row, const struct certificate_shown *shown)
{
	switch (row->match) {
	case MATCH_SAN_URI:
		return has_name(shown, CERTIFICATE_URI, row->value);
	case MATCH_SAN_DNS:
		return has_name(shown, CERTIFICATE_DNS, row->value);
	case MATCH_SAN_EMAIL:
		return has_name(shown, CERTIFICATE_EMAIL, row->value);
	case MATCH_SUBJECT:
		return str_eq(shown->subject, row->value);
	case MATCH_KINDS:
		break;
	}
	return false;
}

static struct known *known_of(const struct config *config, const struct certificate_config *row,
	const struct certificate_shown *shown)
{
	char space[32];
	struct buf id = { .p = space, .cap = sizeof space, .limit = sizeof space };
	struct principal p = { .subject = row->subject,
		.tenant = row->tenant,
		.agent = row->agent,
		.credential_kind = CREDENTIAL_CERTIFICATE,
		.expires_us = shown->ends_us,
		.environment = str_c(environment_name(config->environment)),
		.roles = row->roles,
		.role_count = row->role_count,
		.approver = row->approver };

	buf_lit(&id, "cert:");
	buf_add(&id, str_sub(shown->sha256, 0, 16));
	p.credential = buf_str(&id);
	return principal_kind_read(row->kind, &p.kind) ? known_make(config, &p) : NULL;
}

enum identity_verdict certificate_verify(
	struct identity *i, const struct certificate_shown *shown, struct known **out)
{
	const struct config *config = i->config;
	const struct certificate_config *found = NULL;

	for (size_t k = 0; k < config->certificate_count; k++) {
		if (!fits(&config->certificates[k], shown))
			continue;
		if (found)
			return IDENTITY_CERTIFICATE;
		found = &config->certificates[k];
	}
	*out = found ? known_of(config, found, shown) : NULL;
	return *out ? IDENTITY_OK : IDENTITY_CERTIFICATE;
}
