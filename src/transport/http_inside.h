/* http_inside - what the files of the HTTP server share.  Nobody else includes it.
 *
 * A connection has one owner: the thread that accepted it, then whichever worker got its event,
 * until it is armed again.  Only the owner touches a field, but for those marked.  Others may only
 * cut it while nobody owns it: put CUT where the deadline was, in one exchange, and shut the socket
 * down, which wakes the next owner.
 *
 * Lock order: server, then stream.  Neither is held across a call to config.serve, config.refused
 * or on_gone. */
#pragma once
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/uio.h>

#include "transport/http.h"

#define HTTP_READ_BYTES ((size_t)4096) /* of a read buffer at first */
#define HTTP_READ_MOST ((size_t)65536) /* of one read, when more is not known to come */

/* Instead of a deadline: */
#define OWNED UINT64_MAX /* a thread has the connection: nobody may cut it */
#define CUT (UINT64_MAX - 1) /* the tick or http_server_stop has shut the socket down */
#define NEVER (UINT64_MAX - 2)

/* What a request needs while it is read and served: bytes and arena.  Lent to a connection with its
 * first byte, taken back when it is idle: an idle connection has no buffers. */
struct http_lane {
	struct http_lane *next;
	struct buf in, out; /* out: the head of a reply */
	struct arena arena;
	struct http_parser parser;
	size_t charged; /* of server->memory */
	struct http_header headers[];
};

enum http_state {
	CONN_SHAKE, /* TLS handshake */
	CONN_IDLE, /* no byte of a request yet */
	CONN_READ, /* a part of a request */
	CONN_SERVE, /* a worker has it */
	CONN_WRITE, /* a part of a reply is to be sent */
	CONN_STREAM, /* parked */
	CONN_LINGER, /* all is said; what still comes is read and dropped */
};

/* Of all connections from one network. */
#define HTTP_NETWORK_BYTES 16
#define HTTP_FROM_CHAINS 1024
struct http_from {
	struct http_from *next;
	uint8_t network[HTTP_NETWORK_BYTES];
	unsigned count; /* connections; under server->lock */
	_Atomic size_t memory; /* what their lanes are charged */
};

struct http_conn {
	struct pool_item item;
	struct http_server *server;
	struct http_conn *prev, *next; /* under server->lock */
	_Atomic enum http_state state; /* written by the owner, read by all */
	_Atomic uint64_t deadline_ms; /* by all */
	_Atomic uint64_t since_ms; /* when it began to wait, or to send a request; as state */
	struct http_from *from; /* with its count under server->lock */
	bool going; /* it was cut; under server->lock */
	struct http_stream *stream; /* written by the owner under server->lock */
	struct http_lane *lane;
	SSL *ssl;
	struct buf rest; /* of a reply that did not fit the socket */
	uint64_t until_ms; /* becomes deadline_ms when it is armed */
	uint64_t idle_by_ms; /* when the first byte of the next request is due */
	uint64_t request_by_ms; /* since the first byte of a request; 0: none came */
	size_t dropped; /* bytes, while lingering */
	bool cut, behind; /* behind: bytes in lane->in were not parsed */
	bool answered, failed, closing;
	bool head; /* the request is HEAD */
	bool minor_1; /* of the request */
	struct http_peer peer;
	char address[48];
	char *certificate; /* the texts peer's fields point to, or NULL */
	struct http_name *names; /* of the certificate, or NULL */
};

struct http_server {
	struct http_config config;
	struct pool *pool;
	struct pool_item item; /* the listening socket */
	struct arena texts; /* of config */
	int spare_fd; /* to be closed when descriptors run out */
	_Atomic uint64_t now_ms;
	_Atomic bool stopping, paused; /* paused: the tick arms the listener again */
	_Atomic size_t memory; /* bytes in read buffers beyond HTTP_READ_BYTES */
	pthread_mutex_t lock; /* conns, conn_count, from, tls */
	pthread_cond_t closed;
	struct http_conn *conns;
	struct http_from *from[HTTP_FROM_CHAINS];
	unsigned conn_count;
	SSL_CTX *tls;
	pthread_mutex_t lane_lock;
	struct http_lane *lanes;
	unsigned lane_count;
};

/* http_io: bytes of a connection, plain or TLS; never blocks. */
enum http_io { IO_OK, IO_WANT_READ, IO_WANT_WRITE, IO_END, IO_FAILED, IO_NO_MEMORY };
enum http_io http_io_read(struct http_conn *c, char *to, size_t n, size_t *got_out);
/* All or until it would block; *sent_out counts over all pieces.  Changes `pieces`. */
enum http_io http_io_write(struct http_conn *c, struct iovec *pieces, int count, size_t *sent_out);
enum http_io http_io_shake(struct http_conn *c); /* TLS handshake */
bool http_io_buffered(const struct http_conn *c); /* TLS holds bytes that epoll knows nothing of */
void http_io_finish(struct http_conn *c); /* no more will be written */

/* http_tls */
SSL_CTX *http_tls_open(const struct http_tls *tls, struct err *err);
bool http_tls_attach(struct http_conn *c); /* to the context in force */
bool http_tls_shaken(struct http_conn *c); /* after the handshake: fills in peer; false: close */

/* http_write: heads of replies. */
void http_write_head(struct buf *out, const struct http_conn *c, const struct http_reply *reply);
void http_write_stream_head(struct buf *out, const struct http_conn *c,
	const struct http_header *headers, size_t header_count);
void http_write_refusal(struct buf *out, const struct http_refusal *why);

/* http_conn */
/* False: there is no room, the caller closes the descriptor. */
bool http_conn_new(struct http_server *s, int fd, const void *sockaddr);
void http_conn_close(struct http_conn *c);
/* Under server->lock.  False: somebody has it, or had it first. */
bool http_conn_cut(struct http_conn *c, uint64_t deadline_seen);

/* http_door */
enum http_door {
	DOOR_OPEN,
	DOOR_FULL, /* it is in the list, too, but only to be told so */
	DOOR_SHUT, /* it is not in the list: nobody may be told any more */
};
enum http_door http_door_enter(struct http_conn *c, const void *sockaddr);
void http_door_leave(struct http_conn *c); /* from here on nobody shuts its descriptor down */

/* http_lane */
struct http_lane *http_lane_take(struct http_server *s); /* NULL: no memory */
/* After a read.  False: all connections, or those from its address, hold more than they may. */
bool http_lane_charge(struct http_conn *c);
void http_lane_give(struct http_conn *c); /* takes c->lane */
void http_lane_free(struct http_lane *l);

/* http_stream: the owner's side. */
enum http_parting { STREAM_PARKED, STREAM_OVER, STREAM_CUT };
/* After serve: the stream stays (parked), or it has ended and what is unsent is in c->rest. */
enum http_parting http_stream_part(struct http_conn *c);
void http_stream_detach(struct http_conn *c); /* before the connection is closed */
void http_stream_tick(struct http_stream *s, uint64_t mono_ms); /* under server->lock */
