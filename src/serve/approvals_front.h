/* approvals_front - the listener of the approval pages: HTTP to the pages (site/site.h) and back,
 * and what they need of the rest handed to them.
 *
 * It has threads of its own, so that people can look and say no while every worker is busy. */
#pragma once
#include "serve/answer.h"
#include "serve/http_front.h"

struct approvals_front;

/* Binds; approvals.address must be there.  NULL: err tells why. */
struct approvals_front *approvals_front_new(struct server *server, struct err *err);
bool approvals_front_start(struct approvals_front *f, struct err *err) must_check;
uint16_t approvals_front_port(const struct approvals_front *f);
bool approvals_front_reload_tls(struct approvals_front *f, struct err *err) must_check;
void approvals_front_free(struct approvals_front **f); /* stops it first */

const struct route *approvals_front_routes(void); /* NULL path ends the list */
/* Is this path one of the pages?  The public listener answers 404. */
bool approvals_front_owns(struct str path);
