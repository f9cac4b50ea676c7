/* format_uri - the formats that speak of addresses; private to format.c, where they are listed. */
#pragma once
#include "base/str.h"

bool format_ipv4(struct str s);
bool format_ipv6(struct str s);
bool format_uri(struct str s);
bool format_uri_reference(struct str s);
bool format_iri(struct str s);
bool format_iri_reference(struct str s);
bool format_uri_template(struct str s);
