/* format - the `format` values of JSON Schema 2020-12 that are asserted, and their exact forms.
 *
 * date, time, date-time, duration: RFC 3339, years 0000 to 9999; an offset is required; second 60
 *   only where UTC has 23:59; durations after appendix A.
 * email, idn-email: RFC 5321 Mailbox (RFC 6531 for idn-email); no comments, no folding.
 * hostname: RFC 1123, at most 253 bytes.
 * ipv4: four decimal numbers without leading zeros.  ipv6: RFC 4291 2.2, without a zone.
 * uri, uri-reference: RFC 3986.  iri, iri-reference: RFC 3987.  The schemes javascript and vbscript
 *   are refused: they are code, not addresses.
 * uri-template: RFC 6570, level 4.
 * uuid: 8-4-4-4-12 hex digits, either case; no braces, no urn:uuid:.
 * json-pointer, relative-json-pointer: RFC 6901.
 * regex: what pattern.h accepts.
 *
 * idn-hostname is not asserted (it needs the tables of IDNA).  Pure and thread-safe. */
#pragma once
#include "base/str.h"

typedef bool format_check(struct str valid_utf8);

/* NULL: not a format known here (an annotation only). */
format_check *format_find(struct str name);
/* What a value of a known format looks like, with an example; for people and agents. */
struct str format_hint(struct str name);
