/* admin - the second listener: /metrics, /healthz and /readyz, for monitoring and nothing else.
 *
 * It has threads of its own, so that it answers while every worker is busy.  There is no credential
 * and no way to change anything; who reaches the address may read.  Never a subject or a value. */
#pragma once
#include "serve/http_front.h"

struct admin;

/* What is looked at; all of it must outlive the admin listener. */
struct admin_view {
	struct server *server;
	struct http_server *http;
};

/* Binds; listen.admin must be there.  NULL: err tells why. */
struct admin *admin_new(const struct admin_view *view, struct err *err);
bool admin_start(struct admin *a, struct err *err) must_check;
uint16_t admin_port(const struct admin *a);
void admin_free(struct admin **a); /* stops it first */

const struct route *admin_routes(void); /* NULL path ends the list */
/* Is this path one of the admin listener's?  The public one answers 404 and records who asked. */
bool admin_owns(struct str path);
