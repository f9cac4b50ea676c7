/* http_tls - contexts, handshakes, and who the client's certificate says it is.
 *
 * Invariants: 1. TLS 1.2 with forward secrecy and AEAD at least; no renegotiation, no compression.
 * 2. with client_ca, no connection without a certificate that it signed reaches a request.  3. a
 * name with a NUL in it is no name.  4. a context is never changed once in use: reload makes
 * another, so old session tickets end with the old context. */
#include "transport/http_inside.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <time.h>

#define CERTIFICATE_TEXT_MOST ((size_t)8192)
#define CERTIFICATE_NAMES_MOST 64

static bool tls_failed(struct err *err, const char *what, struct str path)
{
	unsigned long code = ERR_peek_last_error();
	const char *why = ERR_reason_error_string(code);

	err_set(err, E_INVALID, "%s %.*s: %s", what, STR_ARG(path), why ? why : "not usable");
	ERR_clear_error();
	return false;
}

static bool load(SSL_CTX *ctx, struct arena *a, const struct http_tls *tls, struct err *err)
{
	STACK_OF(X509_NAME) * names;
	const char *ca;

	if (SSL_CTX_use_certificate_chain_file(ctx, arena_cstr(a, tls->cert)) != 1)
		return tls_failed(err, "certificate", tls->cert);
	if (SSL_CTX_use_PrivateKey_file(ctx, arena_cstr(a, tls->key), SSL_FILETYPE_PEM) != 1)
		return tls_failed(err, "private key", tls->key);
	if (SSL_CTX_check_private_key(ctx) != 1)
		return tls_failed(err, "private key does not belong to the certificate:", tls->key);
	if (!tls->client_ca.n)
		return true;
	ca = arena_cstr(a, tls->client_ca);
	names = SSL_load_client_CA_file(ca);
	if (!names || SSL_CTX_load_verify_file(ctx, ca) != 1) {
		sk_X509_NAME_pop_free(names, X509_NAME_free);
		return tls_failed(err, "client CA", tls->client_ca);
	}
	SSL_CTX_set_client_CA_list(ctx, names);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	return SSL_CTX_set_purpose(ctx, X509_PURPOSE_SSL_CLIENT) == 1 ||
	       tls_failed(err, "client CA", tls->client_ca);
}

/* HTTP/1.1 when the client names it; a client that offers only others is told so (RFC 7301). */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_n,
	const unsigned char *in, unsigned in_n, void *ctx)
{
	static const unsigned char http_1_1[] = "\x08http/1.1";
	unsigned char *chosen;

	(void)ssl;
	(void)ctx;
	if (SSL_select_next_proto(&chosen, out_n, http_1_1, sizeof http_1_1 - 1, in, in_n) !=
		OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

SSL_CTX *http_tls_open(const struct http_tls *tls, struct err *err)
{
	static const unsigned char session_context[] = "postern";
	SSL_CTX *ctx;
	struct arena a;
	bool ok;

	ERR_clear_error();
	ctx = SSL_CTX_new(TLS_server_method());
	if (!ctx)
		return tls_failed(err, "TLS", STR_NONE), NULL;
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(ctx,
		SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_id_context(ctx, session_context, sizeof session_context - 1);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); /* tickets only */
	SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
	arena_init(&a, (size_t)64 << 10);
	ok = SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 ||
	     tls_failed(err, "TLS ciphers", STR_NONE);
	ok = ok && load(ctx, &a, tls, err);
	arena_done(&a);
	if (!ok) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

bool http_tls_attach(struct http_conn *c)
{
	pthread_mutex_lock(&c->server->lock);
	c->ssl = SSL_new(c->server->tls); /* takes a reference to the context */
	pthread_mutex_unlock(&c->server->lock);
	return c->ssl && SSL_set_fd(c->ssl, c->item.fd) == 1;
}

/* --- the client's certificate --- */

static void add_subject(struct buf *out, X509 *certificate)
{
	BIO *text = BIO_new(BIO_s_mem());
	char *p;
	long n;

	if (text && X509_NAME_print_ex(
			    text, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253) >= 0) {
		n = BIO_get_mem_data(text, &p);
		buf_add(out, str_n(p, n > 0 ? (size_t)n : 0));
	}
	BIO_free(text);
}

/* False: a kind that says nothing here, or a NUL in it. */
static bool read_name(const GENERAL_NAME *name, struct http_name *out)
{
	const ASN1_IA5STRING *text;

	if (name->type == GEN_URI) {
		out->kind = HTTP_NAME_URI;
		text = name->d.uniformResourceIdentifier;
	} else if (name->type == GEN_DNS) {
		out->kind = HTTP_NAME_DNS;
		text = name->d.dNSName;
	} else if (name->type == GEN_EMAIL) {
		out->kind = HTTP_NAME_EMAIL;
		text = name->d.rfc822Name;
	} else {
		return false;
	}
	out->text = str_n(ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text));
	return out->text.n && !str_has(out->text, '\0');
}

/* Their texts go to `out`, one behind the other; where they lie is known when it is whole.  False:
 * more names than anybody needs, or no memory. */
static bool add_names(struct http_conn *c, struct buf *out, X509 *certificate)
{
	GENERAL_NAMES *from = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	int count = MAX(sk_GENERAL_NAME_num(from), 0);
	size_t kept = 0;

	c->names = count <= CERTIFICATE_NAMES_MOST ? calloc((size_t)count + 1, sizeof *c->names)
						   : NULL;
	for (int i = 0; c->names && i < count; i++)
		if (read_name(sk_GENERAL_NAME_value(from, i), &c->names[kept]))
			buf_add(out, c->names[kept++].text);
	GENERAL_NAMES_free(from);
	c->peer.certificate_names = c->names;
	c->peer.certificate_name_count = kept;
	return c->names != NULL;
}

static void place_names(struct http_conn *c, struct str texts)
{
	for (size_t i = 0; i < c->peer.certificate_name_count; i++) {
		c->names[i].text = str_sub(texts, 0, c->names[i].text.n);
		texts = str_from(texts, c->names[i].text.n);
	}
}

static void add_fingerprint(struct buf *out, X509 *certificate)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (X509_digest(certificate, EVP_sha256(), hash, &n) != 1)
		return;
	for (unsigned i = 0; i < n; i++) {
		buf_char(out, digits[hash[i] >> 4]);
		buf_char(out, digits[hash[i] & 15]);
	}
}

static bool read_end(X509 *certificate, int64_t *out_us)
{
	struct tm end;

	if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1)
		return false;
	*out_us = (int64_t)timegm(&end) * 1000000;
	return true;
}

/* Subject, fingerprint and names lie one behind the other in c->certificate.  False: too long,
 * no end, or no memory. */
static bool read_certificate(struct http_conn *c, X509 *certificate)
{
	size_t subject, fingerprint;
	struct buf text;
	bool ok;

	buf_init(&text, CERTIFICATE_TEXT_MOST);
	add_subject(&text, certificate);
	subject = text.n;
	add_fingerprint(&text, certificate);
	fingerprint = text.n;
	ok = add_names(c, &text, certificate) && buf_ok(&text) && fingerprint > subject &&
	     read_end(certificate, &c->peer.certificate_ends_us);
	if (!ok) {
		buf_done(&text);
		c->peer.certificate_name_count = 0;
		return false;
	}
	c->certificate = text.p;
	c->peer.certificate_subject = str_sub(buf_str(&text), 0, subject);
	c->peer.certificate_sha256 = str_sub(buf_str(&text), subject, fingerprint - subject);
	place_names(c, str_from(buf_str(&text), fingerprint));
	return true;
}

bool http_tls_shaken(struct http_conn *c)
{
	X509 *certificate = SSL_get0_peer_certificate(c->ssl);

	if (!c->server->config.tls.client_ca.n)
		return true;
	return certificate && SSL_get_verify_result(c->ssl) == X509_V_OK &&
	       read_certificate(c, certificate);
}
