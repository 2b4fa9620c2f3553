#include "reports/history/history_impl.h"

#include <stdlib.h>
#include <unistd.h>

#include "core/base/mem.h"

/* Each step brings the layout from its index to the next; user_version counts them. */
static const char *const migrations[] = {
	"CREATE TABLE result(id INTEGER PRIMARY KEY, uid TEXT NOT NULL UNIQUE,"
	" created TEXT NOT NULL, machine TEXT NOT NULL, arm TEXT NOT NULL,"
	" workload TEXT NOT NULL, kind TEXT NOT NULL, digest TEXT NOT NULL,"
	" version TEXT NOT NULL, source TEXT NOT NULL);"
	"CREATE TABLE value(result INTEGER NOT NULL REFERENCES result(id),"
	" metric TEXT NOT NULL, unit TEXT NOT NULL, better INTEGER NOT NULL,"
	" n INTEGER NOT NULL, mean REAL NOT NULL, PRIMARY KEY(result, metric))"
	" WITHOUT ROWID;",
	/* 2: the spread of the samples, the machine's facts, and queries by metric */
	"ALTER TABLE value ADD COLUMN sd REAL;"
	"ALTER TABLE result ADD COLUMN facts TEXT;"
	"CREATE INDEX value_metric ON value(metric);"
	"CREATE INDEX result_place ON result(workload, machine, arm);",
	/*
	 * 3: values lie by series and time, facts are kept once for each machine, and the
	 * change points that were found are kept while nothing is added to their series
	 * ('looked' is the 'nr' they hold for). Layouts before it did not say what gates.
	 */
	"CREATE TABLE machine(id INTEGER PRIMARY KEY, name TEXT NOT NULL,"
	" facts TEXT NOT NULL, UNIQUE(name, facts));"
	"INSERT INTO machine(name, facts)"
	" SELECT DISTINCT machine, coalesce(facts, '') FROM result;"
	"CREATE TABLE result3(id INTEGER PRIMARY KEY, uid TEXT NOT NULL UNIQUE,"
	" created TEXT NOT NULL, machine INTEGER NOT NULL REFERENCES machine(id),"
	" arm TEXT NOT NULL, workload TEXT NOT NULL, kind TEXT NOT NULL,"
	" digest TEXT NOT NULL, version TEXT NOT NULL, source TEXT NOT NULL);"
	"INSERT INTO result3 SELECT r.id, uid, created, m.id, arm, workload, kind,"
	" digest, version, source FROM result r JOIN machine m"
	" ON m.name = r.machine AND m.facts = coalesce(r.facts, '');"
	"CREATE TABLE series(id INTEGER PRIMARY KEY, metric TEXT NOT NULL,"
	" machine TEXT NOT NULL, workload TEXT NOT NULL, arm TEXT NOT NULL,"
	" digest TEXT NOT NULL, unit TEXT NOT NULL, better INTEGER NOT NULL,"
	" gate INTEGER NOT NULL, nr INTEGER NOT NULL DEFAULT 0,"
	" looked INTEGER NOT NULL DEFAULT 0,"
	" UNIQUE(metric, machine, workload, arm, digest, unit));"
	"INSERT INTO series(metric, machine, workload, arm, digest, unit, better, gate,"
	" nr) SELECT v.metric, r.machine, r.workload, r.arm, r.digest, v.unit,"
	" max(v.better), 1, count(*) FROM value v JOIN result r ON r.id = v.result"
	" GROUP BY 1, 2, 3, 4, 5, 6;"
	"CREATE TABLE value3(series INTEGER NOT NULL REFERENCES series(id),"
	" at_ms INTEGER NOT NULL, result INTEGER NOT NULL REFERENCES result3(id),"
	" n INTEGER NOT NULL, mean REAL NOT NULL, sd REAL,"
	" PRIMARY KEY(series, at_ms, result)) WITHOUT ROWID;"
	"INSERT INTO value3 SELECT s.id, coalesce(CAST(round((julianday(r.created)"
	" - 2440587.5) * 86400000.0) AS INTEGER), 0), r.id, v.n, v.mean, v.sd"
	" FROM value v JOIN result r ON r.id = v.result JOIN series s"
	" ON s.metric = v.metric AND s.machine = r.machine AND s.workload = r.workload"
	" AND s.arm = r.arm AND s.digest = r.digest AND s.unit = v.unit;"
	"DROP TABLE value; DROP TABLE result;"
	"ALTER TABLE value3 RENAME TO value; ALTER TABLE result3 RENAME TO result;"
	"CREATE TABLE change(series INTEGER NOT NULL REFERENCES series(id),"
	" at_ms INTEGER NOT NULL, result INTEGER NOT NULL REFERENCES result(id),"
	" p REAL NOT NULL, PRIMARY KEY(series, at_ms, result)) WITHOUT ROWID;",
};
enum { layout = sizeof(migrations) / sizeof(migrations[0]) };

static const char *remedy_of(int code)
{
	switch (code) {
	case SQLITE_CORRUPT:
		return "; take a copy of it, or add the runs to a new file "
		       "(--database)";
	case SQLITE_CANTOPEN:
		return "; is there such a folder, and may you write there?";
	case SQLITE_READONLY:
		return "; you may read it, and 'history add' must write";
	case SQLITE_FULL:
		return "; free some space, or name a file elsewhere (--database)";
	default:
		return "";
	}
}

int history_fail(struct history *h, const char *doing, struct err *err)
{
	int code = sqlite3_errcode(h->db) & 0xff;

	return err_set_code(err,
			    code == SQLITE_NOTADB || code == SQLITE_CORRUPT
				    ? ERR_USAGE
				    : ERR_ENVIRONMENT,
			    "sqlite", sqlite3_extended_errcode(h->db), "%s: %s: %s%s",
			    h->path, doing, sqlite3_errmsg(h->db), remedy_of(code));
}

int history_exec(struct history *h, const char *sql, const char *doing, struct err *err)
{
	return sqlite3_exec(h->db, sql, NULL, NULL, NULL) == SQLITE_OK
		       ? 0
		       : history_fail(h, doing, err);
}

sqlite3_stmt *history_prepare(struct history *h, const char *sql, struct err *err)
{
	sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v2(h->db, sql, -1, &st, NULL) == SQLITE_OK)
		return st;
	history_fail(h, "asking", err);
	sqlite3_finalize(st);
	return NULL;
}

void history_bind(sqlite3_stmt *st, int at, const char *text)
{
	if (text)
		sqlite3_bind_text(st, at, text, -1, SQLITE_TRANSIENT);
	else
		sqlite3_bind_null(st, at);
}

const char *history_text(sqlite3_stmt *st, int at)
{
	const unsigned char *text = sqlite3_column_text(st, at);

	return text ? (const char *)text : "";
}

static int read_layout(struct history *h, int *ret, struct err *err)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(h->db, "PRAGMA user_version", -1, &st, NULL);

	if (rc == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW) {
		*ret = sqlite3_column_int(st, 0);
		sqlite3_finalize(st);
		return 0;
	}
	sqlite3_finalize(st);
	return history_fail(h, "cannot be read as a history", err);
}

static int check_layout(struct history *h, int found, struct err *err)
{
	if (found <= layout)
		return 0;
	return err_set(
		err, ERR_USAGE,
		"%s: its layout is %d and this tare knows %d: use the newer tare that "
		"wrote it",
		h->path, found, layout);
}

/* Somebody else's database has user_version 0 too, but it is not empty. */
static int check_empty(struct history *h, struct err *err)
{
	sqlite3_stmt *st =
		history_prepare(h, "SELECT name FROM sqlite_master LIMIT 1", err);
	int rc = 0;

	if (!st)
		return -1;
	if (sqlite3_step(st) == SQLITE_ROW)
		rc = err_set(err, ERR_USAGE,
			     "%s: an SQLite database, but no history of tare (it has a "
			     "table '%.40s')",
			     h->path, history_text(st, 0));
	sqlite3_finalize(st);
	return rc;
}

static int step_up(struct history *h, int from, struct err *err)
{
	char *set = x_asprintf("PRAGMA user_version = %d", from + 1);
	int rc = from ? 0 : check_empty(h, err);

	if (!rc)
		rc = history_exec(h, migrations[from], "bringing the layout up to date",
				  err);
	if (!rc)
		rc = history_exec(h, set, "bringing the layout up to date", err);
	free(set);
	return rc;
}

/* The version is read again inside: another process may have migrated meanwhile. */
static int migrate(struct history *h, struct err *err)
{
	int found;

	if (read_layout(h, &found, err) || check_layout(h, found, err))
		return -1;
	if (found == layout)
		return 0;
	if (history_exec(h, "BEGIN IMMEDIATE", "waiting for the database", err))
		return -1;
	if (read_layout(h, &found, err) || check_layout(h, found, err))
		goto undo;
	while (found < layout)
		if (step_up(h, found++, err))
			goto undo;
	if (!history_exec(h, "COMMIT", "bringing the layout up to date", err))
		return 0;
undo:
	sqlite3_exec(h->db, "ROLLBACK", NULL, NULL, NULL);
	return -1;
}

/* What was never written to may still be a database of something else. */
static int check_readable(struct history *h, int found, struct err *err)
{
	if (check_layout(h, found, err))
		return -1;
	if (found)
		return 0;
	return check_empty(h, err) ? -1
				   : err_set(err, ERR_USAGE,
					     "%s: an empty history; 'tare history add' "
					     "puts results into it",
					     h->path);
}

static int open_as(struct history *h, int flags, struct err *err)
{
	sqlite3_close(h->db);
	h->db = NULL;
	if (sqlite3_open_v2(h->path, &h->db, flags, NULL) != SQLITE_OK)
		return history_fail(h, "cannot be opened", err);
	sqlite3_busy_timeout(h->db, 10000);
	sqlite3_extended_result_codes(h->db, 1);
	return 0;
}

/* Reading needs no right to write, unless the layout is an older one. */
static int open_to_read(struct history *h, struct err *err)
{
	int found;

	if (access(h->path, F_OK) != 0)
		return err_set(err, ERR_USAGE,
			       "%s: no such history; 'tare history add' makes it",
			       h->path);
	if (open_as(h, SQLITE_OPEN_READONLY, err) || read_layout(h, &found, err) ||
	    check_readable(h, found, err))
		return -1;
	if (found == layout)
		return 0;
	return open_as(h, SQLITE_OPEN_READWRITE, err) ? -1 : migrate(h, err);
}

struct history *history_open(const char *path, enum history_mode mode, struct err *err)
{
	struct history *h = x_calloc(1, sizeof(*h));
	int rc;

	h->path = x_strdup(path);
	if (mode == HISTORY_READ)
		rc = open_to_read(h, err);
	else
		rc = open_as(h, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, err) ||
		     migrate(h, err);
	if (rc) {
		history_close(h);
		return NULL;
	}
	return h;
}

void history_close(struct history *h)
{
	if (!h)
		return;
	sqlite3_close(h->db);
	free(h->path);
	free(h);
}
