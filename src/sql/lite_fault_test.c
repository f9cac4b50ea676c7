/* COMMIT on a disk that fails at the n-th write, sync or truncation, for every n: what lite_commit
 * says of it is true, also for whoever opens the file afterwards. */
#include "sql/write_fixture.h"

struct fault_file {
	sqlite3_file base;
	sqlite3_file *real;
};

static sqlite3_vfs *real_vfs, fault_vfs;
static struct {
	bool armed, lasting; /* lasting: the disk stays as it is */
	unsigned left, met;
	int rc;
} fault;

/* SQLITE_OK, or what this operation fails with. */
static int pass(int rc)
{
	if (!fault.armed)
		return SQLITE_OK;
	if (fault.left) {
		fault.left--;
		return SQLITE_OK;
	}
	if (fault.met && !fault.lasting)
		return SQLITE_OK;
	fault.met++;
	return fault.rc == SQLITE_FULL ? SQLITE_FULL : rc;
}

static sqlite3_file *real_of(sqlite3_file *f)
{
	return ((struct fault_file *)f)->real;
}

/* clang-format off */
#define FORWARD(name, params, args)                                                                \
	static int name params                                                                     \
	{                                                                                          \
		return real_of(f)->pMethods->name args;                                            \
	}
FORWARD(xRead, (sqlite3_file *f, void *p, int n, sqlite3_int64 at), (real_of(f), p, n, at))
FORWARD(xFileSize, (sqlite3_file *f, sqlite3_int64 *n), (real_of(f), n))
FORWARD(xLock, (sqlite3_file *f, int kind), (real_of(f), kind))
FORWARD(xUnlock, (sqlite3_file *f, int kind), (real_of(f), kind))
FORWARD(xCheckReservedLock, (sqlite3_file *f, int *out), (real_of(f), out))
FORWARD(xFileControl, (sqlite3_file *f, int op, void *arg), (real_of(f), op, arg))
FORWARD(xSectorSize, (sqlite3_file *f), (real_of(f)))
FORWARD(xDeviceCharacteristics, (sqlite3_file *f), (real_of(f)))
FORWARD(xShmMap, (sqlite3_file *f, int page, int size, int more, void volatile **out),
	(real_of(f), page, size, more, out))
FORWARD(xShmLock, (sqlite3_file *f, int from, int n, int flags), (real_of(f), from, n, flags))
FORWARD(xShmUnmap, (sqlite3_file *f, int drop), (real_of(f), drop))
FORWARD(xFetch, (sqlite3_file *f, sqlite3_int64 at, int n, void **out), (real_of(f), at, n, out))
FORWARD(xUnfetch, (sqlite3_file *f, sqlite3_int64 at, void *p), (real_of(f), at, p))
/* clang-format on */

static void xShmBarrier(sqlite3_file *f)
{
	real_of(f)->pMethods->xShmBarrier(real_of(f));
}

static int xWrite(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	int rc = pass(SQLITE_IOERR_WRITE);

	return rc ? rc : real_of(f)->pMethods->xWrite(real_of(f), p, n, at);
}

/* Nobody takes the power away here, so nothing has to reach the disk. */
static int xSync(sqlite3_file *f, int flags)
{
	(void)f;
	(void)flags;
	return pass(SQLITE_IOERR_FSYNC);
}

static int xTruncate(sqlite3_file *f, sqlite3_int64 n)
{
	int rc = pass(SQLITE_IOERR_TRUNCATE);

	return rc ? rc : real_of(f)->pMethods->xTruncate(real_of(f), n);
}

static int xClose(sqlite3_file *f)
{
	sqlite3_file *real = real_of(f);
	int rc = real->pMethods ? real->pMethods->xClose(real) : SQLITE_OK;

	sqlite3_free(real);
	return rc;
}

static const sqlite3_io_methods methods = { 3, xClose, xRead, xWrite, xTruncate, xSync, xFileSize,
	xLock, xUnlock, xCheckReservedLock, xFileControl, xSectorSize, xDeviceCharacteristics,
	xShmMap, xShmLock, xShmBarrier, xShmUnmap, xFetch, xUnfetch };

static int xOpen(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out)
{
	struct fault_file *file = (struct fault_file *)f;
	int rc;

	(void)vfs;
	file->real = sqlite3_malloc(real_vfs->szOsFile);
	memset(file->real, 0, (size_t)real_vfs->szOsFile);
	rc = real_vfs->xOpen(real_vfs, name, file->real, flags, out);
	file->base.pMethods = rc == SQLITE_OK ? &methods : NULL;
	if (rc != SQLITE_OK)
		sqlite3_free(file->real);
	return rc;
}

static int xDelete(sqlite3_vfs *vfs, const char *name, int sync)
{
	int rc = pass(SQLITE_IOERR_DELETE);

	(void)vfs;
	return rc ? rc : real_vfs->xDelete(real_vfs, name, sync);
}

static int install_vfs(void **state)
{
	(void)state;
	real_vfs = sqlite3_vfs_find(NULL);
	fault_vfs = *real_vfs;
	fault_vfs.pNext = NULL;
	fault_vfs.zName = "fault";
	fault_vfs.szOsFile = (int)sizeof(struct fault_file);
	fault_vfs.xOpen = xOpen;
	fault_vfs.xDelete = xDelete;
	return sqlite3_vfs_register(&fault_vfs, 1);
}

static void arm(unsigned after, int rc, bool lasting)
{
	fault.armed = true;
	fault.left = after;
	fault.met = 0;
	fault.rc = rc;
	fault.lasting = lasting;
}

struct tally {
	unsigned done, undone, uncertain;
};

/* One change with a fault at operation `n`.  True: COMMIT met the fault. */
static bool commit_with(unsigned n, int rc, bool lasting, struct tally *tally)
{
	struct lite *l = begin();
	struct err err;
	int64_t count;
	bool done, met;

	own(l, "UPDATE t SET a = a + 1");
	captured(l);
	arm(n, rc, lasting);
	done = lite_commit(l, &err);
	met = fault.met != 0;
	fault.armed = false;
	lite_give(l);
	count = ask_sql("SELECT min(a) FROM t");
	assert_int_equal(count, ask_sql("SELECT max(a) FROM t"));
	assert_int_equal(ask_sql("SELECT count(*) FROM pragma_integrity_check "
				 "WHERE integrity_check <> 'ok'"),
		0);
	if (done) {
		assert_int_equal(count, 1);
		tally->done++;
	} else if (err.code == E_UNCERTAIN) {
		assert_in_range(count, 0, 1);
		tally->uncertain++;
	} else {
		if (count)
			fail_msg("%d at %u: it is there, and COMMIT said: %s", rc, n, err.text);
		tally->undone++;
	}
	assert_true(done || met);
	return met;
}

static void commit_with_all(const char *journal, int rc, bool lasting, struct tally *tally)
{
	bool met = true;

	for (unsigned n = 0; met; n++) {
		void *state = NULL;

		write_set_up(&state);
		run_sql(journal);
		/* some pages */
		run_sql("WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n "
			"WHERE i < 12) INSERT INTO t SELECT i, 0, printf('%.1000c', 'x') FROM n");
		met = commit_with(n, rc, lasting, tally);
		write_tear_down(&state);
		assert_in_range(n, 0, 500);
	}
}

static void a_failing_commit_says_what_is_true(void **state)
{
	static const char *const journals[] = { "PRAGMA journal_mode = WAL",
		"PRAGMA journal_mode = DELETE", "PRAGMA journal_mode = TRUNCATE",
		"PRAGMA journal_mode = PERSIST" };
	struct tally full = { 0 }, broken = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(journals); i++) {
		commit_with_all(journals[i], SQLITE_FULL, false, &full);
		commit_with_all(journals[i], SQLITE_FULL, true, &full);
		commit_with_all(journals[i], SQLITE_IOERR, false, &broken);
		commit_with_all(journals[i], SQLITE_IOERR, true, &broken);
	}
	print_message("full: %u done, %u undone, %u uncertain; broken: %u, %u, %u\n", full.done,
		full.undone, full.uncertain, broken.done, broken.undone, broken.uncertain);
	assert_true(full.undone > 0);
	assert_true(broken.uncertain > 0);
	assert_int_equal(broken.undone, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_failing_commit_says_what_is_true) };

	return cmocka_run_group_tests(tests, install_vfs, NULL);
}
