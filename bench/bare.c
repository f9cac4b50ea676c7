/* bare - what the database alone takes: one prepared statement in a loop, its columns read as text.
 *
 * usage: bench-bare DATABASE SQL KEYS SECONDS
 *   SQL   a read with one parameter, the key
 *   KEYS  file: keys, one a line, all of one length
 *
 * Prints one line of JSON.  Ends with 1 when a key has not exactly one row. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"

struct bare {
	sqlite3_stmt *s;
	struct str keys;
	size_t key_bytes, key_count, next_key;
	size_t text_bytes; /* read, so that nothing is left out */
};

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static bool read_one(struct bare *b)
{
	const char *key = b->keys.p + b->next_key * (b->key_bytes + 1);
	bool ok;

	b->next_key = (b->next_key + 7919) % b->key_count;
	sqlite3_bind_text(b->s, 1, key, (int)b->key_bytes, SQLITE_STATIC);
	ok = sqlite3_step(b->s) == SQLITE_ROW;
	for (int i = 0; ok && i < sqlite3_column_count(b->s); i++)
		if (sqlite3_column_text(b->s, i))
			b->text_bytes += (size_t)sqlite3_column_bytes(b->s, i);
	ok = ok && sqlite3_step(b->s) == SQLITE_DONE;
	sqlite3_reset(b->s);
	return ok;
}

static bool loop(struct bare *b, double seconds)
{
	uint64_t start = clock_mono_ns(), end = start + (uint64_t)(seconds * 1e9), calls = 0, now,
		 cpu;

	cpu = cpu_ns();
	do {
		for (int i = 0; i < 100; i++, calls++)
			if (!read_one(b))
				return false;
		now = clock_mono_ns();
	} while (now < end);
	cpu = cpu_ns() - cpu;
	printf("{\"calls\":%llu,\"seconds\":%.3f,\"cpu_us\":%llu}\n", (unsigned long long)calls,
		(double)(now - start) / 1e9, (unsigned long long)cpu / 1000);
	return b->text_bytes > 0;
}

static int fail(sqlite3 *db, const char *what)
{
	fprintf(stderr, "bare: %s: %s\n", what, sqlite3_errmsg(db));
	return 1;
}

int main(int argc, char **argv)
{
	struct bare b = { 0 };
	sqlite3 *db = NULL;
	struct arena a;
	struct err err;
	bool ok;

	if (argc != 5) {
		fputs("usage: bench-bare DATABASE SQL KEYS SECONDS\n", stderr);
		return 2;
	}
	arena_init(&a, (size_t)64 << 20);
	if (!file_read(&a, str_c(argv[3]), (size_t)16 << 20, &b.keys, &err)) {
		fprintf(stderr, "bare: %s\n", err.text);
		return 1;
	}
	b.key_bytes = str_find(b.keys, 0, '\n');
	b.key_count = b.keys.n / (b.key_bytes + 1);
	if (sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) ||
		sqlite3_prepare_v2(db, argv[2], -1, &b.s, NULL))
		return fail(db, argv[1]);
	ok = b.key_count && loop(&b, atof(argv[4]));
	if (!ok)
		fail(db, "a key has not exactly one row");
	sqlite3_finalize(b.s);
	sqlite3_close(db);
	arena_done(&a);
	return !ok;
}
