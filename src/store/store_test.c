#include "store/keys.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#define NOW INT64_C(1790000000000000)

static char directory[64], inner[80], file[96];
static struct arena arena;

static int set_up(void **state)
{
	(void)state;
	snprintf(directory, sizeof directory, "%s/store-XXXXXX", P_tmpdir);
	assert_non_null(mkdtemp(directory));
	snprintf(inner, sizeof inner, "%s/state", directory);
	snprintf(file, sizeof file, "%s/a.db", inner);
	arena_init(&arena, (size_t)1 << 20);
	return 0;
}

static const char *const suffixes[] = { "", "-wal", "-shm", "-journal" };

static void remove_file(void)
{
	char name[128];

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		snprintf(name, sizeof name, "%s%s", file, suffixes[i]);
		unlink(name);
	}
}

/* The file and what SQLite keeps beside it. */
static void move_file(const char *from, const char *to)
{
	char a[192], b[192];

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		snprintf(a, sizeof a, "%s%s", from, suffixes[i]);
		snprintf(b, sizeof b, "%s%s", to, suffixes[i]);
		(void)!rename(a, b);
	}
}

static int tear_down(void **state)
{
	(void)state;
	remove_file();
	rmdir(inner);
	rmdir(directory);
	arena_done(&arena);
	return 0;
}

static struct key_row row_of(const char *id)
{
	struct key_row row = { .id = str_c(id),
		.subject = S("ada"),
		.kind = S("agent"),
		.tenant = S("acme"),
		.agent = S("desk"),
		.environment = S("production"),
		.label = S("laptop"),
		.roles = S("support,reader"),
		.created_us = NOW,
		.expires_us = NOW + 5 };

	sha256_of(str_c(id), &row.hash);
	return row;
}

static void add(struct store *s, const char *id)
{
	struct key_row row = row_of(id);
	struct err err;

	if (!store_key_add(s, &row, &err))
		fail_msg("%s", err.text);
}

static void reading_makes_no_file(void **state)
{
	struct store *s = store_new(str_c(file));
	struct key_row row, *rows;
	struct err err = { 0 };
	size_t count = 7;

	(void)state;
	assert_false(store_key_get(s, &arena, S("x"), &row, &err));
	assert_int_equal(err.code, E_NOT_FOUND);
	assert_true(store_key_list(s, &arena, &rows, &count, &err));
	assert_int_equal(count, 0);
	assert_false(store_key_revoke(s, S("x"), S("leaked"), NOW, &err));
	assert_int_equal(err.code, E_NOT_FOUND);
	assert_true(store_key_used(s, S("x"), NOW, &err));
	assert_int_equal(access(inner, F_OK), -1);
	store_free(&s);
	assert_null(s);
}

static void the_first_write_makes_a_private_file(void **state)
{
	struct store *s = store_new(str_c(file));
	struct stat st;

	(void)state;
	add(s, "one");
	assert_int_equal(stat(inner, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	store_free(&s);
}

static void a_key_comes_back_as_it_was_put(void **state)
{
	struct store *s = store_new(str_c(file)), *other = store_new(str_c(file));
	struct key_row put = row_of("one"), got;
	struct err err = { 0 };

	(void)state;
	add(s, "one");
	assert_true(store_key_get(other, &arena, S("one"), &got, &err));
	assert_true(str_eq(got.id, put.id));
	assert_true(sha256_eq(&got.hash, &put.hash));
	assert_true(str_eq(got.subject, put.subject));
	assert_true(str_eq(got.kind, put.kind));
	assert_true(str_eq(got.tenant, put.tenant));
	assert_true(str_eq(got.agent, put.agent));
	assert_true(str_eq(got.environment, put.environment));
	assert_true(str_eq(got.label, put.label));
	assert_true(str_eq(got.roles, put.roles));
	assert_true(got.created_us == put.created_us && got.expires_us == put.expires_us);
	assert_true(got.revoked_us == 0 && got.used_us == 0);
	assert_false(store_key_add(s, &put, &err));
	assert_int_equal(err.code, E_EXISTS);
	store_free(&s);
	store_free(&other);
}

static void keys_are_listed_in_order_of_creation(void **state)
{
	struct store *s = store_new(str_c(file));
	struct key_row late = row_of("a-late"), *rows;
	struct err err;
	size_t count;

	(void)state;
	late.created_us++;
	assert_true(store_key_add(s, &late, &err));
	for (int i = 0; i < 20; i++) {
		char id[16];

		snprintf(id, sizeof id, "k%02d", i);
		add(s, id);
	}
	assert_true(store_key_list(s, &arena, &rows, &count, &err));
	assert_int_equal(count, 21);
	assert_true(str_eq(rows[0].id, S("k00")));
	assert_true(str_eq(rows[19].id, S("k19")));
	assert_true(str_eq(rows[20].id, S("a-late")));
	store_free(&s);
}

static void keys_that_expire_in_a_while_are_counted(void **state)
{
	struct store *s = store_new(str_c(file));
	struct key_row never = row_of("never"), late = row_of("late");
	unsigned count = 7;
	struct err err;

	(void)state;
	assert_true(store_key_expiring(s, NOW, NOW + 5, &count, &err));
	assert_int_equal(count, 0);
	add(s, "soon");
	add(s, "too");
	add(s, "gone");
	assert_true(store_key_revoke(s, S("gone"), STR_NONE, NOW, &err));
	never.expires_us = 0;
	late.expires_us = NOW + 6;
	assert_true(store_key_add(s, &never, &err) && store_key_add(s, &late, &err));
	assert_true(store_key_expiring(s, NOW, NOW + 5, &count, &err));
	assert_int_equal(count, 2);
	assert_true(store_key_expiring(s, NOW, NOW + 6, &count, &err));
	assert_int_equal(count, 3);
	assert_true(store_key_expiring(s, NOW + 5, NOW + 6, &count, &err));
	assert_int_equal(count, 1);
	store_free(&s);
}

static void a_key_is_revoked_once_and_for_all(void **state)
{
	struct store *s = store_new(str_c(file)), *other = store_new(str_c(file));
	struct err err = { 0 };
	struct key_row got;

	(void)state;
	add(s, "one");
	assert_true(store_key_get(other, &arena, S("one"), &got, &err));
	assert_true(store_key_revoke(s, S("one"), S("leaked"), NOW + 1, &err));
	assert_true(store_key_revoke(s, S("one"), S("leaked"), NOW + 2, &err));
	assert_true(store_key_get(other, &arena, S("one"), &got, &err));
	assert_true(got.revoked_us == NOW + 1);
	assert_false(store_key_revoke(s, S("two"), S("leaked"), NOW, &err));
	assert_int_equal(err.code, E_NOT_FOUND);
	store_free(&s);
	store_free(&other);
}

static void use_is_noted_to_the_minute(void **state)
{
	struct store *s = store_new(str_c(file));
	struct err err;
	struct key_row got;

	(void)state;
	add(s, "one");
	assert_true(store_key_used(s, S("one"), NOW, &err));
	assert_true(store_key_used(s, S("one"), NOW + 59000000, &err));
	assert_true(store_key_get(s, &arena, S("one"), &got, &err));
	assert_true(got.used_us == NOW);
	assert_true(store_key_used(s, S("one"), NOW + 61000000, &err));
	assert_true(store_key_get(s, &arena, S("one"), &got, &err));
	assert_true(got.used_us == NOW + 61000000);
	store_free(&s);
}

static void what_is_not_ours_is_refused_and_left_alone(void **state)
{
	static const struct {
		const char *sql, *word;
		mode_t mode;
		enum err_code code;
	} table[] = {
		{ "CREATE TABLE t (a)", "something else", 0600, E_INVALID },
		{ "PRAGMA application_id = 1886614642; PRAGMA user_version = 99", "version 99",
			0600, E_INVALID },
		{ "PRAGMA application_id = 1886614642; PRAGMA user_version = 1", "chmod 600", 0644,
			E_DENIED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct key_row row = row_of("one");
		struct err err = { 0 };
		struct store *s;
		sqlite3 *db;

		mkdir(inner, 0700);
		assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
		assert_int_equal(sqlite3_exec(db, table[i].sql, NULL, NULL, NULL), SQLITE_OK);
		sqlite3_close(db);
		chmod(file, table[i].mode);
		s = store_new(str_c(file));
		assert_false(store_key_add(s, &row, &err));
		assert_int_equal(err.code, table[i].code);
		assert_non_null(strstr(err.text, table[i].word));
		assert_false(store_key_get(s, &arena, S("one"), &row, &err));
		assert_int_equal(err.code, table[i].code);
		store_free(&s);
		assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
		assert_int_not_equal(
			sqlite3_exec(db, "SELECT 1 FROM api_keys", 0, 0, 0), SQLITE_OK);
		sqlite3_close(db);
		remove_file();
	}
}

static void a_file_of_rubbish_is_an_error(void **state)
{
	struct store *s = store_new(str_c(file));
	struct err err = { 0 };
	struct key_row row;
	FILE *f;

	(void)state;
	mkdir(inner, 0700);
	f = fopen(file, "w");
	assert_non_null(f);
	for (int i = 0; i < 200; i++)
		fputs("no database, just words and more words\n", f);
	fclose(f);
	chmod(file, 0600);
	assert_false(store_key_get(s, &arena, S("one"), &row, &err));
	assert_int_equal(err.code, E_INVALID);
	store_free(&s);
}

static void a_directory_that_others_may_enter_is_refused(void **state)
{
	struct store *s = store_new(str_c(file));
	struct key_row row = row_of("one");
	struct err err = { 0 };

	(void)state;
	mkdir(inner, 0755);
	assert_false(store_key_add(s, &row, &err));
	assert_int_equal(err.code, E_DENIED);
	store_free(&s);
}

static void another_file_in_its_place_is_refused_until_it_is_put_back(void **state)
{
	struct store *s = store_new(str_c(file)), *other;
	struct err err = { 0 };
	struct key_row row;
	char away[128];

	(void)state;
	snprintf(away, sizeof away, "%s.away", file);
	add(s, "one");
	assert_true(store_key_get(s, &arena, S("one"), &row, &err));
	move_file(file, away);
	assert_false(store_key_get(s, &arena, S("one"), &row, &err));
	assert_int_equal(err.code, E_UNAVAILABLE);
	other = store_new(str_c(file));
	add(other, "two");
	assert_false(store_key_get(s, &arena, S("two"), &row, &err));
	assert_int_equal(err.code, E_CONTRACT);
	assert_non_null(strstr(err.text, "start again"));
	store_free(&other);
	remove_file();
	move_file(away, file);
	assert_true(store_key_get(s, &arena, S("one"), &row, &err));
	store_free(&s);
}

/* Others would write orders to a journal that we do not read. */
static void a_journal_that_was_removed_is_noticed(void **state)
{
	struct store *s = store_new(str_c(file)), *other;
	struct err err = { 0 };
	struct key_row row;
	char journal[128];

	(void)state;
	add(s, "one");
	assert_true(store_key_get(s, &arena, S("one"), &row, &err));
	snprintf(journal, sizeof journal, "%s-wal", file);
	assert_int_equal(unlink(journal), 0);
	assert_false(store_key_get(s, &arena, S("one"), &row, &err));
	assert_int_equal(err.code, E_CONTRACT);
	store_free(&s);
	other = store_new(str_c(file));
	add(other, "two");
	assert_true(store_key_get(other, &arena, S("two"), &row, &err));
	store_free(&other);
}

static void *add_many(void *first)
{
	struct store *s = store_new(str_c(file));

	for (int i = 0; i < 10; i++) {
		struct key_row row;
		struct err err;
		char id[24];

		snprintf(id, sizeof id, "%s-%d", (const char *)first, i);
		row = row_of(id);
		if (!store_key_add(s, &row, &err))
			fprintf(stderr, "%s\n", err.text);
	}
	store_free(&s);
	return NULL;
}

static void several_come_first_at_once(void **state)
{
	static char names[4][2] = { "a", "b", "c", "d" };
	struct store *s = store_new(str_c(file));
	pthread_t threads[4];
	struct key_row *rows;
	struct err err;
	size_t count;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, add_many, names[i]), 0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		pthread_join(threads[i], NULL);
	assert_true(store_key_list(s, &arena, &rows, &count, &err));
	assert_int_equal(count, 40);
	store_free(&s);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(reading_makes_no_file),
		T(the_first_write_makes_a_private_file),
		T(a_key_comes_back_as_it_was_put),
		T(keys_are_listed_in_order_of_creation),
		T(keys_that_expire_in_a_while_are_counted),
		T(a_key_is_revoked_once_and_for_all),
		T(use_is_noted_to_the_minute),
		T(what_is_not_ours_is_refused_and_left_alone),
		T(a_file_of_rubbish_is_an_error),
		T(a_directory_that_others_may_enter_is_refused),
		T(another_file_in_its_place_is_refused_until_it_is_put_back),
		T(a_journal_that_was_removed_is_noticed),
		T(several_come_first_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
