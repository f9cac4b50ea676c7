/* http_io - bytes of a connection, plain or TLS.
 *
 * Invariants: 1. nothing here waits.  2. after IO_FAILED of TLS nothing is sent on it any more.
 * 3. OpenSSL's queue of errors is empty before a call, so that what it says is about this call. */
#include "transport/http_inside.h"

#include <errno.h>
#include <openssl/err.h>
#include <sys/socket.h>

static enum http_io tls_result(struct http_conn *c, int result)
{
	switch (SSL_get_error(c->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		return IO_WANT_READ;
	case SSL_ERROR_WANT_WRITE:
		return IO_WANT_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		return IO_END;
	default:
		SSL_set_quiet_shutdown(c->ssl, 1);
		return IO_FAILED;
	}
}

enum http_io http_io_shake(struct http_conn *c)
{
	int result;

	ERR_clear_error();
	result = SSL_accept(c->ssl);
	return result == 1 ? IO_OK : tls_result(c, result);
}

static enum http_io tls_read(struct http_conn *c, char *to, size_t n, size_t *got_out)
{
	int result;

	ERR_clear_error();
	result = SSL_read_ex(c->ssl, to, n, got_out);
	return result == 1 ? IO_OK : tls_result(c, result);
}

enum http_io http_io_read(struct http_conn *c, char *to, size_t n, size_t *got_out)
{
	ssize_t got;

	if (c->ssl)
		return tls_read(c, to, n, got_out);
	do {
		got = recv(c->item.fd, to, n, MSG_DONTWAIT);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == EAGAIN ? IO_WANT_READ : IO_FAILED;
	*got_out = (size_t)got;
	return got ? IO_OK : IO_END;
}

/* Takes n bytes off the front of the pieces. */
static void advance(struct iovec **pieces, int *count, size_t n)
{
	while (*count && n >= (*pieces)->iov_len) {
		n -= (*pieces)->iov_len;
		++*pieces;
		--*count;
	}
	if (*count && n) {
		(*pieces)->iov_base = (char *)(*pieces)->iov_base + n;
		(*pieces)->iov_len -= n;
	}
}

static enum http_io write_some(struct http_conn *c, struct iovec *pieces, int count, size_t *n_out)
{
	struct msghdr message = { .msg_iov = pieces, .msg_iovlen = (size_t)count };
	ssize_t sent;
	int result;

	if (c->ssl) {
		ERR_clear_error();
		result = SSL_write_ex(c->ssl, pieces->iov_base, pieces->iov_len, n_out);
		return result == 1 ? IO_OK : tls_result(c, result);
	}
	do {
		sent = sendmsg(c->item.fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return errno == EAGAIN ? IO_WANT_WRITE : IO_FAILED;
	*n_out = (size_t)sent;
	return IO_OK;
}

enum http_io http_io_write(struct http_conn *c, struct iovec *pieces, int count, size_t *sent_out)
{
	*sent_out = 0;
	advance(&pieces, &count, 0);
	while (count) {
		size_t n = 0;
		enum http_io io = write_some(c, pieces, count, &n);

		if (io != IO_OK)
			return io;
		*sent_out += n;
		advance(&pieces, &count, n);
	}
	return IO_OK;
}

bool http_io_buffered(const struct http_conn *c)
{
	return c->ssl && SSL_pending(c->ssl) > 0;
}

void http_io_finish(struct http_conn *c)
{
	if (c->ssl && SSL_is_init_finished(c->ssl)) {
		ERR_clear_error();
		SSL_shutdown(c->ssl);
	}
	shutdown(c->item.fd, SHUT_WR);
}
