/* Every file of test/config is loaded; what is found must be what its .expected says.  Files called
 * good_* must load. */
#include "config/config.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "config/read.h"

struct fixture {
	struct arena a;
	struct findings f;
};

static int setup(void **state)
{
	struct fixture *x = calloc(1, sizeof *x);

	arena_init(&x->a, (size_t)64 << 20);
	findings_init(&x->f, &x->a);
	*state = x;
	return chdir(getenv("POSTERN_SOURCE")) != 0 || chdir("test/config") != 0;
}

static int teardown(void **state)
{
	struct fixture *x = *state;

	arena_done(&x->a);
	free(x);
	return 0;
}

static struct str findings_text(struct fixture *x)
{
	struct buf out;

	buf_in(&out, &x->a, 1 << 20);
	findings_write(&x->f, &out);
	return arena_str(&x->a, buf_str(&out));
}

static const struct config *load(struct fixture *x, const char *path)
{
	return config_load(&x->a, str_c(path), STR_NONE, STR_NONE, &x->f);
}

static const struct config *load_text(struct fixture *x, const char *text)
{
	char path[] = P_tmpdir "/postern-config-XXXXXX";
	int fd = mkstemp(path);
	const struct config *c;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	c = load(x, path);
	unlink(path);
	return c;
}

static bool found(const struct fixture *x, const char *code)
{
	for (size_t i = 0; i < x->f.count; i++)
		if (strcmp(x->f.list[i].code, code) == 0)
			return true;
	return false;
}

static void compare(struct fixture *x, const char *name, bool loaded)
{
	struct str expected = STR_NONE, is = findings_text(x);
	char path[512];
	struct err err;

	snprintf(path, sizeof path, "%s.expected", name);
	if (getenv("POSTERN_WRITE_EXPECTED")) {
		FILE *f = fopen(path, "w");

		assert_non_null(f);
		fwrite(is.p, 1, is.n, f);
		fclose(f);
	}
	assert_int_equal(loaded, strncmp(name, "good_", 5) == 0);
	if (!file_read(&x->a, str_c(path), 1 << 20, &expected, &err))
		fail_msg("%s", err.text);
	assert_string_equal(is.p, expected.p);
}

static void every_file_gives_the_findings_it_is_expected_to_give(void **state)
{
	DIR *dir = opendir(".");
	struct dirent *e;
	unsigned count = 0;

	(void)state;
	assert_non_null(dir);
	while ((e = readdir(dir)) != NULL) {
		struct fixture x = { 0 };
		size_t n = strlen(e->d_name);

		if (n < 5 || strcmp(e->d_name + n - 5, ".yaml") != 0 ||
			strncmp(e->d_name, "base", 4) == 0)
			continue;
		arena_init(&x.a, (size_t)64 << 20);
		findings_init(&x.f, &x.a);
		compare(&x, e->d_name, load(&x, e->d_name) != NULL);
		arena_done(&x.a);
		count++;
	}
	closedir(dir);
	assert_true(count >= 15);
}

static void a_source_says_what_no_write_may_change(void **state)
{
	struct fixture *x = *state;
	const struct config *c = load(x, "good_protect.yaml");
	const struct source_config *crm;

	assert_non_null(c);
	crm = config_source(c, S("crm"));
	assert_int_equal(crm->events.count, 2);
	assert_int_equal(crm->protection_count, 3);
	assert_int_equal(crm->protections[0].kind, PROTECTION_APPEND_ONLY);
	assert_true(str_eq(crm->protections[0].table, S("contract_events")));
	assert_int_equal(crm->protections[1].kind, PROTECTION_BY);
	assert_true(str_eq(crm->protections[1].column, S("total")));
	assert_true(names_hold(crm->protections[1].by, S("void_line")));
	assert_int_equal(crm->protections[2].kind, PROTECTION_SET_ONCE);
	assert_true(grant_approves(S("approve.contracts")));
	assert_false(grant_approves(S("approver.contracts")));
}

static void a_whole_configuration_is_read(void **state)
{
	struct fixture *x = *state;
	const struct config *c = load(x, "good_development.yaml");

	assert_non_null(c);
	assert_int_equal(c->environment, ENV_DEVELOPMENT);
	assert_true(str_eq(c->name, S("acme/crm")));
	assert_true(c->listen.http && c->listen.loopback && !c->listen.tls);
	assert_int_equal(c->source_count, 3);
	assert_true(str_eq(config_source(c, S("crm"))->path, S("./crm.db")));
	assert_int_equal(config_source(c, S("crm"))->concurrency, 8);
	assert_int_equal(config_source(c, S("docs"))->concurrency, 8);
	assert_true(str_eq(config_source(c, S("docs"))->owner, S("support-platform")));
	assert_int_equal(config_source(c, S("script"))->kind, SOURCE_SCRIPTED);
	assert_null(config_source(c, S("nothing")));
	assert_int_equal(config_role(c, S("support_l3"))->grant_count, 3);
	assert_true(str_eq(config_role(c, S("support_l3"))->grants[0], S("contracts.read")));
	assert_true(config_source(c, S("crm"))->concurrency_shared);
	assert_int_equal(config_source(c, S("crm"))->calls[0].most, 500);
	assert_false(config_source(c, S("docs"))->concurrency_shared);
	assert_int_equal(c->limits.call_count, 2);
	assert_int_equal(c->limits.calls[0].per, PER_TENANT);
	assert_int_equal(c->limits.calls[1].per, PER_PRINCIPAL | PER_TOOL);
	assert_int_equal(c->limits.destructive_count, 1);
	assert_int_equal(c->limits.destructive[0].most, 5);
	assert_int_equal(c->limits.auth_failures->window_ms, 900000);
	assert_int_equal(c->limits.memory, (uint64_t)512 << 20);
	assert_int_equal(c->limits.tool_ms, 2000);
	assert_int_equal(c->limits.request_ms, 20000);
	assert_int_equal(c->limits.streams_per_principal, 8);
	assert_int_equal(c->stdio_key.value.n, 0);
	assert_true(str_eq(c->store_file, S("./state/postern.db")));
}

static void what_is_absent_has_its_stated_default(void **state)
{
	struct fixture *x = *state;
	const struct config *c = load(x, "good_fixed.yaml");

	assert_non_null(c);
	assert_false(c->listen.http);
	assert_false(c->api_keys);
	assert_true(str_eq(c->fixed->subject, S("tester")));
	assert_true(str_eq(c->instance, S("a")));
	assert_int_equal(c->limits.request_bytes, 256 << 10);
	assert_int_equal(c->limits.concurrency, 64);
	assert_int_equal(c->limits.tool_ms, 10000);
	assert_int_equal(c->limits.request_ms, 30000);
	assert_int_equal(c->limits.audit_ms, 2000);
	assert_int_equal(c->limits.memory, (uint64_t)1 << 30);
	assert_int_equal(c->limits.call_count, 0);
	assert_int_equal(c->limits.destructive[0].most, 20);
	assert_int_equal(c->limits.destructive[0].window_ms, 86400000);
	assert_int_equal(c->limits.auth_failures->most, 600);
	assert_int_equal(c->sources[0].concurrency, 32);
	assert_true(str_eq(c->audit_directory, S("./state/audit")));
}

static void toolsets_tenants_and_modes_are_read(void **state)
{
	struct fixture *x = *state;
	const struct config *c = load(x, "good_toolsets.yaml"), *locked;

	assert_non_null(c);
	assert_int_equal(c->toolset_count, 3);
	assert_true(str_eq(c->toolsets[1].name, S("back-office")));
	assert_true(names_hold(c->toolsets[0].tools, S("get_customer")));
	assert_false(names_hold(c->toolsets[0].tools, S("get_custome")));
	assert_true(names_hold(c->toolsets[0].subjects, S("carol@acme.example")));
	assert_true(names_hold(c->toolsets[0].agents, S("chat")));
	assert_true(names_hold(c->toolsets[1].resources, S("handbook")));
	assert_true(names_hold(c->toolsets[1].prompts, S("summary")));
	assert_int_equal(c->toolsets[2].roles.count, 0);
	assert_true(c->tenants_closed && names_hold(c->tenants, S("birch")));
	assert_false(names_hold(c->tenants, S("Birch")));
	assert_false(c->read_only.all);
	assert_true(names_hold(c->read_only.subjects, S("auditor@acme.example")));
	assert_true(names_hold(c->read_only.agents, S("crawler")));
	assert_false(c->builtins);
	locked = config_made_read_only(&x->a, c);
	assert_true(locked->read_only.all);
	assert_int_equal(locked->toolset_count, 3);
}

static void without_toolsets_and_tenants_nothing_is_cut(void **state)
{
	struct fixture *x = *state;
	const struct config *c = load(x, "good_fixed.yaml");

	assert_non_null(c);
	assert_int_equal(c->toolset_count, 0);
	assert_false(c->tenants_closed || c->read_only.all);
	assert_true(c->builtins);
}

static void who_approves_is_read(void **state)
{
	struct fixture *x = *state;
	const struct config *c = load(x, "good_approvals.yaml"), *other;

	assert_non_null(c);
	assert_true(c->proxies[0].approver);
	assert_int_equal(c->limits.pending_plans, 9);
	assert_true(c->approvals.token);
	assert_true(str_eq(c->approvals.url, S("https://pages.example/approvals")));
	assert_int_equal(c->approvals.person_count, 1);
	assert_true(str_eq(c->approvals.persons[0].name, S("ada")));
	assert_true(names_hold(c->approvals.persons[0].known_as, S("https://idp.example 4711")));
	other = load(x, "good_fixed.yaml");
	assert_non_null(other);
	assert_int_equal(other->limits.pending_plans, 5);
	assert_false(other->approvals.token);
	assert_int_equal(other->approvals.person_count, 0);
}

static void overrides_are_held_to_the_same_rules(void **state)
{
	struct fixture *x = *state;
	const struct config *c =
		config_load(&x->a, S("good_fixed.yaml"), S("127.0.0.1:0"), S("b"), &x->f);

	assert_non_null(c);
	assert_true(c->listen.http && c->listen.loopback);
	assert_true(str_eq(c->instance, S("b")));
	assert_null(config_load(&x->a, S("good_fixed.yaml"), S("0.0.0.0:80"), STR_NONE, &x->f));
	assert_true(found(x, "config.fixed"));
	assert_true(found(x, "config.listen_plain"));
	assert_true(found(x, "config.scripted"));
	assert_null(config_load(&x->a, S("good_fixed.yaml"), STR_NONE, S("a/b"), &x->f));
	assert_true(found(x, "config.name"));
	assert_null(config_load(&x->a, S("bad_list.yaml"), S("x"), S("a/b"), &x->f));
	assert_null(config_load(&x->a, S("bad_empty.yaml"), S("x"), S("a/b"), &x->f));
}

static void only_loopback_addresses_are_taken_for_loopback(void **state)
{
	static const struct {
		const char *address;
		bool form, loopback;
	} table[] = {
		{ "127.0.0.1:80", true, true },
		{ "127.8.9.1:0", true, true },
		{ "localhost:80", true, true },
		{ "[::1]:80", true, true },
		{ "0.0.0.0:80", true, false },
		{ "[::]:80", true, false },
		{ "10.0.0.1:80", true, false },
		{ "127.evil.example:80", true, false },
		{ "127.0.0.1.nip.io:80", true, false },
		{ "127.0.1:80", true, false },
		{ "localhost.evil:80", true, false },
		{ ":80", false, false },
		{ "127.0.0.1", false, false },
		{ "127.0.0.1:", false, false },
		{ "127.0.0.1:65536", false, false },
		{ "127.0.0.1:-1", false, false },
		{ "::1:80", false, false },
		{ "[::1:80", false, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct fixture x = { 0 };

		arena_init(&x.a, (size_t)64 << 20);
		findings_init(&x.f, &x.a);
		config_load(
			&x.a, S("good_production.yaml"), str_c(table[i].address), STR_NONE, &x.f);
		assert_int_equal(found(&x, "config.address"), !table[i].form);
		config_load(&x.a, S("good_fixed.yaml"), str_c(table[i].address), STR_NONE, &x.f);
		assert_int_equal(found(&x, "config.fixed"), table[i].form && !table[i].loopback);
		arena_done(&x.a);
	}
	(void)state;
}

#define SECRET_FORM                                                                                \
	"environment: production\nname: n\nidentity: {api_keys: true, stdio: {key: \"%s%s%s\"}}\n" \
	"catalog: [good_fixed.yaml]\n"

static void a_secret_comes_from_the_environment_or_from_a_private_file(void **state)
{
	struct fixture *x = *state;
	char path[] = P_tmpdir "/postern-secret-XXXXXX", text[512];
	const struct config *c;
	int fd = mkstemp(path);

	assert_int_equal(write(fd, "secret-of-file\n", 15), 15);
	close(fd);
	setenv("POSTERN_CONFIG_TEST", "secret-of-env", 1);
	snprintf(text, sizeof text, SECRET_FORM, "${env:", "POSTERN_CONFIG_TEST", "}");
	c = load_text(x, "environment: production\n");
	assert_null(c);
	x->f.count = x->f.errors = 0;
	/* the catalog's pattern is relative to the file, which lies elsewhere: that finding is
	 * expected */
	load_text(x, text);
	assert_false(found(x, "config.secret"));
	chmod(path, 0644);
	snprintf(text, sizeof text, SECRET_FORM, "${file:", path, "}");
	load_text(x, text);
	assert_true(found(x, "config.secret_file"));
	x->f.count = x->f.errors = 0;
	chmod(path, 0600);
	load_text(x, text);
	assert_false(found(x, "config.secret_file"));
	snprintf(text, sizeof text, SECRET_FORM, "plain", "", "");
	load_text(x, text);
	assert_true(found(x, "config.secret"));
	unlink(path);
}

static void a_tls_key_that_others_can_read_is_refused(void **state)
{
	struct fixture *x = *state;
	char path[] = P_tmpdir "/postern-key-XXXXXX", text[1024];
	int fd = mkstemp(path);

	close(fd);
	snprintf(text, sizeof text,
		"environment: production\nname: n\nidentity: {api_keys: true}\nlisten: {http: "
		"{address: '0.0.0.0:443', allowed_hosts: [h], tls: {cert: %s, key: %s}}}\n",
		path, path);
	chmod(path, 0640);
	load_text(x, text);
	assert_true(found(x, "config.tls"));
	x->f.count = x->f.errors = 0;
	chmod(path, 0600);
	load_text(x, text);
	assert_false(found(x, "config.tls"));
	unlink(path);
}

/* What of 10 connections one address may have, with this address, and this after it. */
static uint32_t of_one_address(
	struct fixture *x, const char *address, const char *http, const char *more)
{
	char *here = getcwd(NULL, 0), text[2048];
	const struct config *c;

	snprintf(text, sizeof text,
		"environment: production\nname: n\n"
		"listen: {http: {address: '%s', allowed_hosts: [h], %s}}\n"
		"sources: {shop: {sqlite: {file: shop.db}, owner: o, purpose: p}}\n"
		"catalog: [%s/catalog/good_minimal.yaml]\nidentity: {api_keys: true}\n%s",
		address, http, here, more);
	free(here);
	c = load_text(x, text);
	if (!c)
		fail_msg("%.*s", STR_ARG(findings_text(x)));
	return c->limits.connections_per_address;
}

static void one_address_has_a_quarter_unless_all_have_one_address(void **state)
{
	struct fixture *x = *state;
	char path[] = P_tmpdir "/postern-key-XXXXXX", tls[256];
	const char *ten = "limits: {connections: 10}\n";

	close(mkstemp(path));
	snprintf(tls, sizeof tls, "tls: {cert: %s, key: %s}", path, path);
	assert_int_equal(of_one_address(x, "0.0.0.0:443", tls, ten), 3);
	assert_int_equal(of_one_address(x, "0.0.0.0:443", tls, "limits: {connections: 1}\n"), 1);
	assert_int_equal(of_one_address(x, "127.0.0.1:443", tls, ten), 0);
	assert_int_equal(of_one_address(x, "0.0.0.0:80", "proxy_terminates_tls: true", ten), 0);
	assert_int_equal(of_one_address(x, "127.0.0.1:443", tls,
				 "limits: {connections: 10, connections_per_address: 7}\n"),
		7);
	unlink(path);
}

static void a_file_that_is_not_there_is_one_finding(void **state)
{
	struct fixture *x = *state;

	assert_null(load(x, "not-there.yaml"));
	assert_int_equal(x->f.count, 1);
	assert_string_equal(x->f.list[0].code, "config.file");
}

static void the_nearest_name_is_proposed_only_when_it_is_near(void **state)
{
	static const char *const names[] = { "description", "requires", "owner" };

	(void)state;
	assert_string_equal(read_nearest(S("descripton"), names, 3), "description");
	assert_string_equal(read_nearest(S("require"), names, 3), "requires");
	assert_string_equal(read_nearest(S("ownr"), names, 3), "owner");
	assert_null(read_nearest(S("postgres"), names, 3));
	assert_null(read_nearest(S(""), names, 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			every_file_gives_the_findings_it_is_expected_to_give, setup, teardown),
		cmocka_unit_test_setup_teardown(a_whole_configuration_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_source_says_what_no_write_may_change, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_is_absent_has_its_stated_default, setup, teardown),
		cmocka_unit_test_setup_teardown(
			toolsets_tenants_and_modes_are_read, setup, teardown),
		cmocka_unit_test_setup_teardown(who_approves_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(
			without_toolsets_and_tenants_nothing_is_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(
			overrides_are_held_to_the_same_rules, setup, teardown),
		cmocka_unit_test_setup_teardown(
			one_address_has_a_quarter_unless_all_have_one_address, setup, teardown),
		cmocka_unit_test_setup_teardown(
			only_loopback_addresses_are_taken_for_loopback, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_secret_comes_from_the_environment_or_from_a_private_file, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			a_tls_key_that_others_can_read_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_file_that_is_not_there_is_one_finding, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_nearest_name_is_proposed_only_when_it_is_near, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
