/* jwt_read - see jwt_read.h.
 *
 *	base64url(header) . base64url(payload) . base64url(signature)
 *
 * Invariants: 1. the size is judged before a byte is decoded.  2. one text has one reading: strict
 * base64url, strict JSON, no member twice.  3. the header can name a key, never bring one.
 * 4. no part of a token goes into a verdict: only which rule it broke. */
#include "identity/jwt_read.h"

#include "base/digest.h"

static const struct {
	struct str name;
	enum jwt_algorithm algorithm;
} algorithms[] = {
	{ STR_INIT("RS256"), JWT_RS256 },
	{ STR_INIT("ES256"), JWT_ES256 },
	{ STR_INIT("EdDSA"), JWT_EDDSA },
};

const char *jwt_algorithm_name(enum jwt_algorithm a)
{
	for (size_t i = 0; i < ARRAY_LEN(algorithms); i++)
		if (algorithms[i].algorithm == a)
			return algorithms[i].name.p;
	bug("an algorithm without a name");
}

static bool read_algorithm(struct str name, enum jwt_algorithm *out)
{
	for (size_t i = 0; i < ARRAY_LEN(algorithms); i++)
		if (str_eq(name, algorithms[i].name)) {
			*out = algorithms[i].algorithm;
			return true;
		}
	return false;
}

static bool decode(struct arena *a, struct str text, struct str *out)
{
	struct buf bytes;

	buf_in(&bytes, a, JWT_MAX_BYTES);
	if (!base64url_read(text, &bytes))
		return false;
	*out = buf_str(&bytes);
	return true;
}

static enum identity_verdict read_object(struct arena *a, struct str part, struct json *out)
{
	struct json_error error;
	struct str text;

	if (!decode(a, part, &text))
		return IDENTITY_ENCODING;
	if (!json_parse(a, text, out, &error))
		return error.fault == JSON_BAD_DUPLICATE ? IDENTITY_DUPLICATE : IDENTITY_ENCODING;
	return out->kind == JSON_OBJECT ? IDENTITY_OK : IDENTITY_ENCODING;
}

/* An optional member that is text. */
static bool take_text(const struct json *header, struct str name, struct str *out)
{
	const struct json *v = json_get(header, name);

	*out = v ? json_get_str(header, name) : STR_NONE;
	return !v || (v->kind == JSON_STRING && v->text.n && v->text.n <= JWT_KID_MAX);
}

static enum identity_verdict read_header(const struct json *header, struct jwt *out)
{
	/* what would let the token choose its own key, or its own rules */
	static const struct str refused[] = { STR_INIT("jku"), STR_INIT("jwk"), STR_INIT("x5u"),
		STR_INIT("x5c"), STR_INIT("crit"), STR_INIT("b64"), STR_INIT("zip"),
		STR_INIT("enc") };
	static const struct str known[] = { STR_INIT("alg"), STR_INIT("kid"), STR_INIT("typ"),
		STR_INIT("jku"), STR_INIT("jwk"), STR_INIT("x5u"), STR_INIT("x5c"),
		STR_INIT("crit"), STR_INIT("b64"), STR_INIT("zip"), STR_INIT("enc") };
	struct str laxer;

	if (!read_algorithm(json_get_str(header, S("alg")), &out->algorithm))
		return IDENTITY_ALG;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		if (json_get(header, refused[i]))
			return IDENTITY_HEADER;
	if (json_folds(header, known, ARRAY_LEN(known), &laxer) ||
		!take_text(header, S("kid"), &out->kid) || !take_text(header, S("typ"), &out->typ))
		return IDENTITY_HEADER;
	return IDENTITY_OK;
}

/* Exactly two dots. */
static bool split(struct str token, struct str parts[3])
{
	struct str rest;

	return str_cut(token, '.', &parts[0], &rest) && str_cut(rest, '.', &parts[1], &parts[2]) &&
	       !str_has(parts[2], '.');
}

enum identity_verdict jwt_read(struct arena *a, struct str token, struct jwt *out)
{
	enum identity_verdict verdict;
	struct json header;
	struct str parts[3];

	*out = (struct jwt){ 0 };
	if (token.n > JWT_MAX_BYTES)
		return IDENTITY_SIZE;
	if (!split(token, parts))
		return IDENTITY_MALFORMED;
	verdict = read_object(a, parts[0], &header);
	if (verdict == IDENTITY_OK)
		verdict = read_header(&header, out);
	if (verdict == IDENTITY_OK)
		verdict = read_object(a, parts[1], &out->claims);
	if (verdict != IDENTITY_OK)
		return verdict;
	if (!decode(a, parts[2], &out->signature))
		return IDENTITY_ENCODING;
	out->signed_text = str_sub(token, 0, parts[0].n + 1 + parts[1].n);
	return out->signature.n ? IDENTITY_OK : IDENTITY_SIGNATURE;
}
