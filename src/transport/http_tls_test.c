/* Tests of http_tls: handshakes with and without client certificates, made here. */
#include "transport/http_fixture.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#define GET(path) S("GET " path " HTTP/1.1\r\nHost: localhost\r\n\r\n")

struct identity {
	EVP_PKEY *key;
	X509 *certificate;
};

static struct {
	char dir[64], cert[96], key[96], ca[96];
	struct identity authority, server, client, stranger, not_client;
} made;

static char big[3 << 20];

/* --- certificates --- */

static void extend(X509 *to, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *extension;

	X509V3_set_ctx(&ctx, issuer, to, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(extension);
	assert_int_equal(X509_add_ext(to, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

/* issuer NULL: signed by itself. */
static struct identity issue(const char *name, const struct identity *issuer, long serial,
	const char *usage, const char *names)
{
	struct identity made_now = { EVP_EC_gen("P-256"), X509_new() };
	const struct identity *by = issuer ? issuer : &made_now;
	X509_NAME *subject = X509_get_subject_name(made_now.certificate);

	assert_non_null(made_now.key);
	X509_set_version(made_now.certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(made_now.certificate), serial);
	X509_gmtime_adj(X509_getm_notBefore(made_now.certificate), -3600);
	X509_gmtime_adj(X509_getm_notAfter(made_now.certificate), 3600);
	X509_NAME_add_entry_by_txt(
		subject, "O", MBSTRING_ASC, (const unsigned char *)"Example", -1, -1, 0);
	X509_NAME_add_entry_by_txt(
		subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(made_now.certificate, X509_get_subject_name(by->certificate));
	X509_set_pubkey(made_now.certificate, made_now.key);
	extend(made_now.certificate, by->certificate, NID_basic_constraints,
		usage ? "critical,CA:FALSE" : "critical,CA:TRUE");
	if (usage)
		extend(made_now.certificate, by->certificate, NID_ext_key_usage, usage);
	if (names)
		extend(made_now.certificate, by->certificate, NID_subject_alt_name, names);
	assert_true(X509_sign(made_now.certificate, by->key, EVP_sha256()) > 0);
	return made_now;
}

static void write_pem(const char *path, const struct identity *who, bool key)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	if (key)
		assert_int_equal(PEM_write_PrivateKey(f, who->key, NULL, NULL, 0, NULL, NULL), 1);
	else
		assert_int_equal(PEM_write_X509(f, who->certificate), 1);
	fclose(f);
}

static void free_identity(struct identity *who)
{
	EVP_PKEY_free(who->key);
	X509_free(who->certificate);
}

static int make_certificates(void **state)
{
	(void)state;
	snprintf(made.dir, sizeof made.dir, "%s/postern-tls-XXXXXX", P_tmpdir);
	assert_non_null(mkdtemp(made.dir));
	snprintf(made.cert, sizeof made.cert, "%s/cert.pem", made.dir);
	snprintf(made.key, sizeof made.key, "%s/key.pem", made.dir);
	snprintf(made.ca, sizeof made.ca, "%s/ca.pem", made.dir);
	made.authority = issue("authority", NULL, 1, NULL, NULL);
	made.server = issue("localhost", &made.authority, 2, "serverAuth", "DNS:localhost");
	made.client = issue("agent", &made.authority, 3, "clientAuth",
		"DNS:agent.test,email:agent@example.test,URI:spiffe://example.test/agent");
	made.stranger = issue("agent", NULL, 4, "clientAuth", "DNS:agent.test");
	made.not_client = issue("agent", &made.authority, 5, "serverAuth", "DNS:agent.test");
	write_pem(made.cert, &made.server, false);
	write_pem(made.key, &made.server, true);
	write_pem(made.ca, &made.authority, false);
	memset(big, 'b', sizeof big);
	return 0;
}

static int remove_certificates(void **state)
{
	(void)state;
	unlink(made.cert);
	unlink(made.key);
	unlink(made.ca);
	rmdir(made.dir);
	free_identity(&made.authority);
	free_identity(&made.server);
	free_identity(&made.client);
	free_identity(&made.stranger);
	free_identity(&made.not_client);
	return 0;
}

/* --- the server --- */

static void on_gone(void *ctx, uint64_t token)
{
	((struct fixture *)ctx)->gone[token]++;
}

static struct str names_of(struct arena *a, const struct http_peer *p)
{
	static const char *const kinds[] = { "uri", "dns", "email" };
	struct buf out;

	buf_in(&out, a, 65536);
	for (size_t i = 0; i < p->certificate_name_count; i++)
		buf_fmt(&out, "%s%s:%.*s", i ? "," : "", kinds[p->certificate_names[i].kind],
			STR_ARG(p->certificate_names[i].text));
	return buf_str(&out);
}

static void serve(void *ctx, struct http_conn *c, const struct http_request *r, struct arena *a)
{
	const struct http_peer *p = http_conn_peer(c);
	struct http_reply reply = { .status = 200, .content_type = S("text/plain") };
	struct fixture *f = ctx;

	f->served++;
	if (str_eq(r->path, S("/park"))) {
		f->held[0] = http_stream_begin(c, NULL, 0);
		http_stream_on_gone(f->held[0], on_gone, f, 0);
		f->held_count = 1;
		return;
	}
	if (str_eq(r->path, S("/big")))
		reply.body = str_n(big, sizeof big);
	else if (str_eq(r->path, S("/echo")))
		reply.body = r->body;
	else
		reply.body = arena_fmt(a, "tls %d subject %.*s san %.*s sha256 %.*s ends %lld",
			p->tls, STR_ARG(p->certificate_subject), STR_ARG(names_of(a, p)),
			STR_ARG(p->certificate_sha256), (long long)p->certificate_ends_us);
	http_reply(c, &reply);
}

static void start(struct fixture *f, bool client_ca)
{
	f->config.serve = serve;
	f->config.tls_on = true;
	f->config.tls = (struct http_tls){ str_c(made.cert), str_c(made.key),
		client_ca ? str_c(made.ca) : STR_NONE };
	fixture_start(f, 2);
}

/* --- the client --- */

struct client {
	SSL_CTX *ctx;
	SSL *ssl;
	int fd;
	struct buf in;
};

/* False: the handshake failed (with TLS 1.3 a refused certificate shows at the first read). */
static bool client_connect(
	struct client *c, const struct fixture *f, const struct identity *as, int version)
{
	c->ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_min_proto_version(c->ctx, version);
	SSL_CTX_set_max_proto_version(c->ctx, version);
	SSL_CTX_set_security_level(c->ctx, 0);
	X509_STORE_add_cert(SSL_CTX_get_cert_store(c->ctx), made.authority.certificate);
	SSL_CTX_set_verify(c->ctx, SSL_VERIFY_PEER, NULL);
	if (as) {
		SSL_CTX_use_certificate(c->ctx, as->certificate);
		SSL_CTX_use_PrivateKey(c->ctx, as->key);
	}
	c->ssl = SSL_new(c->ctx);
	c->fd = client_open(f);
	SSL_set_fd(c->ssl, c->fd);
	buf_init(&c->in, REPLY_MOST);
	return SSL_connect(c->ssl) == 1;
}

static void client_close(struct client *c)
{
	SSL_free(c->ssl);
	SSL_CTX_free(c->ctx);
	close(c->fd);
	buf_done(&c->in);
}

/* 0: the connection ended before a reply. */
static int tls_ask(struct client *c, struct str request)
{
	size_t n;

	buf_clear(&c->in);
	if (request.n && SSL_write_ex(c->ssl, request.p, request.n, &n) != 1)
		return 0;
	while (!a_reply_is_whole(buf_str(&c->in))) {
		char *to = buf_space(&c->in, 65536);

		if (SSL_read_ex(c->ssl, to, 65535, &n) != 1)
			return 0;
		buf_used(&c->in, n);
	}
	return reply_status(buf_str(&c->in));
}

static void without_a_client_ca_everybody_may_come_in(void **state)
{
	struct fixture f = { 0 };

	(void)state;
	start(&f, false);
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		struct client c;

		assert_true(client_connect(&c, &f, NULL, version));
		for (int i = 0; i < 3; i++) {
			assert_int_equal(tls_ask(&c, GET("/")), 200);
			assert_true(str_eq(reply_body(buf_str(&c.in)),
				S("tls 1 subject  san  sha256  ends 0")));
		}
		client_close(&c);
	}
	fixture_stop(&f);
}

static void a_certificate_of_the_client_ca_says_who_comes(void **state)
{
	unsigned char hash[32];
	char hex[65] = "", tail[128];
	struct fixture f = { 0 };
	struct tm end;

	(void)state;
	assert_int_equal(X509_digest(made.client.certificate, EVP_sha256(), hash, NULL), 1);
	for (int i = 0; i < 32; i++)
		snprintf(hex + 2 * i, 3, "%02x", hash[i]);
	assert_int_equal(ASN1_TIME_to_tm(X509_get0_notAfter(made.client.certificate), &end), 1);
	snprintf(tail, sizeof tail, "%s ends %lld000000", hex, (long long)timegm(&end));
	start(&f, true);
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		struct client c;
		struct str body;

		assert_true(client_connect(&c, &f, &made.client, version));
		assert_int_equal(tls_ask(&c, GET("/")), 200);
		body = reply_body(buf_str(&c.in));
		assert_true(str_starts(body, S("tls 1 subject CN=agent,O=Example san "
					       "dns:agent.test,email:agent@example.test,"
					       "uri:spiffe://example.test/agent sha256 ")));
		assert_true(str_ends(body, str_c(tail)));
		client_close(&c);
	}
	fixture_stop(&f);
}

static void without_a_good_certificate_nothing_is_served(void **state)
{
	const struct identity *const refused[] = { NULL, &made.stranger, &made.not_client };
	struct fixture f = { 0 };

	(void)state;
	start(&f, true);
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
			struct client c;

			if (client_connect(&c, &f, refused[i], version))
				assert_int_equal(tls_ask(&c, GET("/")), 0);
			client_close(&c);
		}
	}
	assert_int_equal(f.served, 0);
	fixture_stop(&f);
}

static void old_tls_and_plain_http_are_not_spoken(void **state)
{
	struct fixture f = { 0 };
	struct client c;
	struct buf in;
	int fd;

	(void)state;
	start(&f, false);
	assert_false(client_connect(&c, &f, NULL, TLS1_1_VERSION));
	client_close(&c);
	fd = client_begin(&f, &in);
	assert_true(client_send(fd, GET("/")));
	assert_false(client_read(fd, &in, NULL));
	assert_false(reply_has(buf_str(&in), S("HTTP/1.1 200")));
	assert_int_equal(f.served, 0);
	fixture_finish(&f, fd, &in);
}

static void large_bodies_go_both_ways(void **state)
{
	struct fixture f = { 0 };
	struct client c;
	struct buf request;

	(void)state;
	start(&f, false);
	assert_true(client_connect(&c, &f, NULL, TLS1_3_VERSION));
	buf_init(&request, REPLY_MOST);
	buf_lit(&request, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
	buf_add(&request, str_n(big, 1000000));
	assert_int_equal(tls_ask(&c, buf_str(&request)), 200);
	assert_true(str_eq(reply_body(buf_str(&c.in)), str_n(big, 1000000)));
	assert_int_equal(tls_ask(&c, GET("/big")), 200);
	assert_true(str_eq(reply_body(buf_str(&c.in)), str_n(big, sizeof big)));
	assert_int_equal(tls_ask(&c, GET("/")), 200);
	buf_done(&request);
	client_close(&c);
	fixture_stop(&f);
}

static void pipelined_requests_in_one_record_are_all_answered(void **state)
{
	struct fixture f = { 0 };
	struct client c;

	(void)state;
	start(&f, false);
	assert_true(client_connect(&c, &f, NULL, TLS1_3_VERSION));
	tls_ask(&c, S("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n"
		      "GET /3 HTTP/1.1\r\nHost: a\r\n\r\n"));
	WAIT_FOR(f.served == 3);
	client_close(&c);
	fixture_stop(&f);
}

static void a_stream_runs_over_tls_until_its_client_goes(void **state)
{
	struct fixture f = { 0 };
	struct client c;
	size_t n;

	(void)state;
	start(&f, false);
	assert_true(client_connect(&c, &f, NULL, TLS1_3_VERSION));
	assert_int_equal(SSL_write_ex(c.ssl, GET("/park").p, GET("/park").n, &n), 1);
	WAIT_FOR(f.held_count == 1);
	assert_true(http_stream_send(f.held[0], S("\"hello\"")));
	while (!reply_has(buf_str(&c.in), S("data: \"hello\"\n\n"))) {
		char *to = buf_space(&c.in, 4096);

		assert_int_equal(SSL_read_ex(c.ssl, to, 4095, &n), 1);
		buf_used(&c.in, n);
	}
	client_close(&c);
	WAIT_FOR(f.gone[0] == 1);
	assert_false(http_stream_send(f.held[0], S("1")));
	fixture_stop(&f);
}

static long serial_seen(const struct client *c)
{
	X509 *certificate = SSL_get0_peer_certificate(c->ssl);

	assert_non_null(certificate);
	return ASN1_INTEGER_get(X509_get0_serialNumber(certificate));
}

static void reload_takes_a_new_certificate_and_keeps_the_old_on_failure(void **state)
{
	struct identity renewed = issue("localhost", &made.authority, 77, "serverAuth", NULL);
	struct client before, after, last;
	struct fixture f = { 0 };
	struct err err = { 0 };

	(void)state;
	start(&f, false);
	assert_true(client_connect(&before, &f, NULL, TLS1_3_VERSION));
	assert_int_equal(serial_seen(&before), 2);
	write_pem(made.cert, &renewed, false); /* of another key: the pair does not fit */
	assert_false(http_server_reload_tls(f.owned, &err));
	assert_non_null(strstr(err.text, ".pem"));
	write_pem(made.key, &renewed, true);
	assert_true(client_connect(&last, &f, NULL, TLS1_3_VERSION));
	assert_int_equal(serial_seen(&last), 2);
	assert_true(http_server_reload_tls(f.owned, &err));
	assert_true(client_connect(&after, &f, NULL, TLS1_3_VERSION));
	assert_int_equal(serial_seen(&after), 77);
	assert_int_equal(tls_ask(&before, GET("/")), 200); /* old connections live on */
	assert_int_equal(tls_ask(&after, GET("/")), 200);
	client_close(&before);
	client_close(&after);
	client_close(&last);
	fixture_stop(&f);
	write_pem(made.cert, &made.server, false);
	write_pem(made.key, &made.server, true);
	free_identity(&renewed);
}

static void a_handshake_that_does_not_go_on_is_ended(void **state)
{
	struct fixture f = { .config = { .request_ms = 100 } };
	struct buf in;
	int fd;

	(void)state;
	start(&f, false);
	fd = client_begin(&f, &in);
	assert_true(client_send(fd, S("\x16\x03\x01")));
	assert_false(client_read(fd, &in, NULL));
	close(fd);
	buf_done(&in);
	fixture_stop(&f);
}

static void files_that_are_missing_are_named(void **state)
{
	struct http_config config = { .address = S("127.0.0.1:0"), .tls_on = true };
	const struct http_tls wrong[] = {
		{ S("no-cert.pem"), str_c(made.key), STR_NONE },
		{ str_c(made.cert), S("no-key.pem"), STR_NONE },
		{ str_c(made.cert), str_c(made.key), S("no-ca.pem") },
	};
	struct err err = { 0 };
	struct pool *p = pool_new(1, NULL, NULL, &err);
	uint16_t port;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		config.tls = wrong[i];
		assert_null(http_server_new(&config, p, &port, &err));
		assert_non_null(strstr(err.text, "no-"));
	}
	pool_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_client_ca_everybody_may_come_in),
		cmocka_unit_test(a_certificate_of_the_client_ca_says_who_comes),
		cmocka_unit_test(without_a_good_certificate_nothing_is_served),
		cmocka_unit_test(old_tls_and_plain_http_are_not_spoken),
		cmocka_unit_test(large_bodies_go_both_ways),
		cmocka_unit_test(pipelined_requests_in_one_record_are_all_answered),
		cmocka_unit_test(a_stream_runs_over_tls_until_its_client_goes),
		cmocka_unit_test(reload_takes_a_new_certificate_and_keeps_the_old_on_failure),
		cmocka_unit_test(a_handshake_that_does_not_go_on_is_ended),
		cmocka_unit_test(files_that_are_missing_are_named),
	};

	return cmocka_run_group_tests_name(
		"http_tls", tests, make_certificates, remove_certificates);
}
