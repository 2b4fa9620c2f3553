#include "reports/history/history.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "reports/history/history_order.h"
#include "reports/results/provenance.h"
#include "reports/statistics/stats.h"

struct history {
	sqlite3 *db;
	char *path;
};

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
	/*
	 * 4: values lie in the order in which results were added, which no clock can turn
	 * round. Those of older layouts, where creation was the order, keep that. Change
	 * points are found anew, for what they are has changed.
	 */
	"CREATE TABLE result4(id INTEGER PRIMARY KEY, uid TEXT NOT NULL UNIQUE,"
	" created TEXT NOT NULL, machine INTEGER NOT NULL REFERENCES machine(id),"
	" arm TEXT NOT NULL, workload TEXT NOT NULL, kind TEXT NOT NULL,"
	" digest TEXT NOT NULL, version TEXT NOT NULL, source TEXT NOT NULL);"
	"INSERT INTO result4 SELECT row_number() OVER (ORDER BY julianday(created), id),"
	" uid, created, machine, arm, workload, kind, digest, version, source"
	" FROM result;"
	"CREATE TABLE value4(series INTEGER NOT NULL REFERENCES series(id),"
	" result INTEGER NOT NULL REFERENCES result4(id), at_ms INTEGER NOT NULL,"
	" n INTEGER NOT NULL, mean REAL NOT NULL, sd REAL,"
	" PRIMARY KEY(series, result)) WITHOUT ROWID;"
	"INSERT INTO value4 SELECT v.series, b.id, v.at_ms, v.n, v.mean, v.sd FROM value v"
	" JOIN result a ON a.id = v.result JOIN result4 b ON b.uid = a.uid;"
	"DROP TABLE change; DROP TABLE value; DROP TABLE result;"
	"ALTER TABLE value4 RENAME TO value; ALTER TABLE result4 RENAME TO result;"
	"CREATE TABLE change(series INTEGER NOT NULL REFERENCES series(id),"
	" result INTEGER NOT NULL REFERENCES result(id), p REAL NOT NULL,"
	" PRIMARY KEY(series, result)) WITHOUT ROWID;"
	"UPDATE series SET looked = 0;",
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

/* ERR_USAGE for a file that is no database, else ERR_ENVIRONMENT, in SQLite's words. */
static int db_fail(struct history *h, const char *doing, struct err *err)
{
	int code = sqlite3_errcode(h->db) & 0xff;

	return err_set_code(err,
			    code == SQLITE_NOTADB || code == SQLITE_CORRUPT
				    ? ERR_USAGE
				    : ERR_ENVIRONMENT,
			    "sqlite", sqlite3_extended_errcode(h->db), "%s: %s: %s%s",
			    h->path, doing, sqlite3_errmsg(h->db), remedy_of(code));
}

static int db_exec(struct history *h, const char *sql, const char *doing, struct err *err)
{
	return sqlite3_exec(h->db, sql, NULL, NULL, NULL) == SQLITE_OK
		       ? 0
		       : db_fail(h, doing, err);
}

/* NULL with err filled; sqlite3_finalize() it. */
static sqlite3_stmt *db_prepare(struct history *h, const char *sql, struct err *err)
{
	sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v2(h->db, sql, -1, &st, NULL) == SQLITE_OK)
		return st;
	db_fail(h, "asking", err);
	sqlite3_finalize(st);
	return NULL;
}

/* NULL stays NULL. */
static void db_bind(sqlite3_stmt *st, int at, const char *text)
{
	if (text)
		sqlite3_bind_text(st, at, text, -1, SQLITE_TRANSIENT);
	else
		sqlite3_bind_null(st, at);
}

/* "" for NULL; good until the next step. */
static const char *db_text(sqlite3_stmt *st, int at)
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
	return db_fail(h, "cannot be read as a history", err);
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
	sqlite3_stmt *st = db_prepare(h, "SELECT name FROM sqlite_master LIMIT 1", err);
	int rc = 0;

	if (!st)
		return -1;
	if (sqlite3_step(st) == SQLITE_ROW)
		rc = err_set(err, ERR_USAGE,
			     "%s: an SQLite database, but no history of tare (it has a "
			     "table '%.40s')",
			     h->path, db_text(st, 0));
	sqlite3_finalize(st);
	return rc;
}

static int step_up(struct history *h, int from, struct err *err)
{
	char *set = x_asprintf("PRAGMA user_version = %d", from + 1);
	int rc = from ? 0 : check_empty(h, err);

	if (!rc)
		rc = db_exec(h, migrations[from], "bringing the layout up to date", err);
	if (!rc)
		rc = db_exec(h, set, "bringing the layout up to date", err);
	free(set);
	return rc;
}

static int look(struct history *h, struct err *err);

/* The version is read again inside: another process may have migrated meanwhile. */
static int migrate(struct history *h, struct err *err)
{
	bool is_old;
	int found;

	if (read_layout(h, &found, err) || check_layout(h, found, err))
		return -1;
	if (found == layout)
		return 0;
	if (db_exec(h, "BEGIN IMMEDIATE", "waiting for the database", err))
		return -1;
	if (read_layout(h, &found, err) || check_layout(h, found, err))
		goto undo;
	is_old = found > 0;
	while (found < layout)
		if (step_up(h, found++, err))
			goto undo;
	if (!db_exec(h, "COMMIT", "bringing the layout up to date", err))
		return is_old ? look(h, err) : 0;
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
		return db_fail(h, "cannot be opened", err);
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

static const uint64_t permutation_seed = 1;

static void series_release(struct history_series *s)
{
	char *texts[] = {s->machine, s->workload, s->metric, s->arm, s->unit, s->digest};

	for (size_t k = 0; k < ARRAY_SIZE(texts); k++)
		free(texts[k]);
	free(s->points);
	free(s->values);
	free(s->changes);
}

void history_list_release(struct history_list *l)
{
	for (size_t i = 0; i < l->nr; i++)
		series_release(&l->items[i]);
	free(l->items);
	*l = (struct history_list){0};
}

void history_origin_release(struct history_origin *o)
{
	free(o->id);
	free(o->created);
	free(o->version);
	free(o->source);
	json_object_put(o->facts);
	*o = (struct history_origin){0};
}

int history_origin(struct history *h, int64_t result, struct history_origin *ret,
		   struct err *err)
{
	sqlite3_stmt *st = db_prepare(
		h,
		"SELECT r.uid, r.created, r.version, r.source, m.facts FROM result r"
		" JOIN machine m ON m.id = r.machine WHERE r.id = ?",
		err);
	const char *facts;

	*ret = (struct history_origin){0};
	if (!st)
		return -1;
	sqlite3_bind_int64(st, 1, result);
	if (sqlite3_step(st) != SQLITE_ROW) {
		db_fail(h, "asking for a result", err);
		sqlite3_finalize(st);
		return -1;
	}
	ret->id = x_strdup(db_text(st, 0));
	ret->created = x_strdup(db_text(st, 1));
	ret->version = x_strdup(db_text(st, 2));
	ret->source = x_strdup(db_text(st, 3));
	facts = db_text(st, 4);
	if (*facts)
		ret->facts = json_parse(facts, strlen(facts), h->path, NULL);
	sqlite3_finalize(st);
	return 0;
}

/* A series as the database lists it, and what is known of its change points. */
struct listed {
	struct history_series series;
	sqlite3_int64 id;
	int64_t nr, looked;
};

struct reader {
	struct history *h;
	const struct history_query *q;
	sqlite3_stmt *values, *changes;
};

static int read_points(struct reader *r, struct listed *l, struct err *err)
{
	struct history_series *s = &l->series;
	size_t most = r->q->last ? r->q->last : CHANGE_SERIES_MAX, alloc = 0;
	int rc;

	most = most < CHANGE_SERIES_MAX ? most : CHANGE_SERIES_MAX;
	sqlite3_reset(r->values);
	sqlite3_bind_int64(r->values, 1, l->id);
	sqlite3_bind_int64(r->values, 2, r->q->since_ms);
	sqlite3_bind_int64(r->values, 3, (sqlite3_int64)most);
	while ((rc = sqlite3_step(r->values)) == SQLITE_ROW) {
		GROW(s->points, s->nr, alloc);
		s->points[s->nr++] = (struct history_point){
			.at_ms = sqlite3_column_int64(r->values, 0),
			.result = sqlite3_column_int64(r->values, 1),
			.value = sqlite3_column_double(r->values, 2)};
	}
	if (rc != SQLITE_DONE)
		return db_fail(r->h, "asking for values", err);
	/* They came the last first. */
	for (size_t i = 0, k = s->nr; i + 1 < k; i++) {
		struct history_point swap = s->points[--k];

		s->points[k] = s->points[i];
		s->points[i] = swap;
	}
	s->values = x_calloc(s->nr + 1, sizeof(*s->values));
	for (size_t i = 0; i < s->nr; i++)
		s->values[i] = s->points[i].value;
	return 0;
}

static void find_changes(struct history_series *s)
{
	struct change_spec spec = {.seed = permutation_seed};

	s->changes = change_points(s->values, s->nr, &spec, &s->changes_nr);
}

/* Those that were found when the last value was added. */
static int known_changes(struct reader *r, struct listed *l, struct err *err)
{
	struct history_series *s = &l->series;
	size_t alloc = 0, at = 0;
	int rc;

	sqlite3_reset(r->changes);
	sqlite3_bind_int64(r->changes, 1, l->id);
	while ((rc = sqlite3_step(r->changes)) == SQLITE_ROW) {
		int64_t result = sqlite3_column_int64(r->changes, 0);

		while (at < s->nr && s->points[at].result != result)
			at++;
		if (at == s->nr)
			break;
		GROW(s->changes, s->changes_nr, alloc);
		s->changes[s->changes_nr++] = (struct change_point){
			.at = at, .p = sqlite3_column_double(r->changes, 1)};
	}
	change_levels(s->values, s->nr, s->changes, s->changes_nr);
	return rc == SQLITE_DONE || rc == SQLITE_ROW
		       ? 0
		       : db_fail(r->h, "asking for change points", err);
}

static int read_series(struct reader *r, struct listed *l, struct err *err)
{
	if (read_points(r, l, err))
		return -1;
	if (l->nr == l->looked && !r->q->since_ms && !r->q->last)
		return known_changes(r, l, err);
	find_changes(&l->series);
	return 0;
}

static struct listed listed_from(sqlite3_stmt *st)
{
	return (struct listed){
		.id = sqlite3_column_int64(st, 0),
		.nr = sqlite3_column_int64(st, 1),
		.looked = sqlite3_column_int64(st, 2),
		.series = {.machine = x_strdup(db_text(st, 3)),
			   .workload = x_strdup(db_text(st, 4)),
			   .arm = x_strdup(db_text(st, 5)),
			   .metric = x_strdup(db_text(st, 6)),
			   .digest = x_strdup(db_text(st, 7)),
			   .unit = x_strdup(db_text(st, 8)),
			   .better = (enum metric_better)sqlite3_column_int(st, 9),
			   .gate = sqlite3_column_int(st, 10) != 0}};
}

static sqlite3_stmt *list_statement(struct history *h, const struct history_query *q,
				    struct err *err)
{
	const char *const wanted[] = {q->machine, q->workload, q->arm, q->metric};
	sqlite3_stmt *st = db_prepare(
		h,
		"SELECT id, nr, looked, machine, workload, arm, metric, digest, unit,"
		" better, gate FROM series"
		" WHERE (?1 IS NULL OR machine = ?1 OR machine GLOB ?1)"
		" AND (?2 IS NULL OR workload = ?2 OR workload GLOB ?2)"
		" AND (?3 IS NULL OR arm = ?3 OR arm GLOB ?3)"
		" AND (?4 IS NULL OR metric = ?4 OR metric GLOB ?4)"
		" AND (gate OR ?5) ORDER BY machine, workload, arm, metric, digest, unit",
		err);

	for (int i = 0; st && i < (int)ARRAY_SIZE(wanted); i++)
		db_bind(st, i + 1, wanted[i]);
	/* A metric that is asked for by its name is meant, whether it gates or not. */
	if (st)
		sqlite3_bind_int(st, 5, q->informational || q->metric);
	return st;
}

static int read_list(struct reader *r, sqlite3_stmt *list, struct history_list *ret,
		     struct err *err)
{
	int rc;

	while ((rc = sqlite3_step(list)) == SQLITE_ROW) {
		struct listed l = listed_from(list);

		if (read_series(r, &l, err) || !l.series.nr) {
			bool is_empty = !l.series.nr && l.series.values;

			series_release(&l.series);
			if (is_empty) /* nothing since then */
				continue;
			return -1;
		}
		GROW(ret->items, ret->nr, ret->alloc);
		ret->items[ret->nr++] = l.series;
	}
	return rc == SQLITE_DONE ? 0 : db_fail(r->h, "asking for series", err);
}

/* Which of the filters names something that is not there. */
static int nothing_matches(struct history *h, const struct history_query *q,
			   struct err *err)
{
	const struct {
		const char *wanted, *column;
	} filters[] = {{q->machine, "machine"},
		       {q->workload, "workload"},
		       {q->arm, "arm"},
		       {q->metric, "metric"}};

	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		const char *wanted = filters[i].wanted, *column = filters[i].column;
		char *sql = x_asprintf("SELECT DISTINCT %s FROM series", column);
		sqlite3_stmt *st = wanted ? db_prepare(h, sql, err) : NULL;
		struct strvec names = {0};
		char meant[DID_YOU_MEAN_SIZE];
		bool is_known;

		free(sql);
		if (wanted && !st)
			return -1;
		while (st && sqlite3_step(st) == SQLITE_ROW)
			strvec_add(&names, db_text(st, 0));
		sqlite3_finalize(st);
		is_known =
			!wanted || strvec_has(&names, wanted) || strpbrk(wanted, "*?[");
		if (!is_known)
			err_set(err, ERR_USAGE, "%s: no %s '%.100s'%s", h->path, column,
				wanted,
				did_you_mean(meant, wanted, strvec_argv(&names), names.nr,
					     "; 'tare history show --all' prints every "
					     "one that there is"));
		strvec_release(&names);
		if (!is_known)
			return -1;
	}
	return err_set(err, ERR_USAGE,
		       "%s: no series matches; 'tare history show --all' prints every "
		       "one that there is",
		       h->path);
}

static int reader_open(struct reader *r, struct history *h, const struct history_query *q,
		       struct err *err)
{
	*r = (struct reader){.h = h, .q = q};
	r->values =
		db_prepare(h,
			   "SELECT at_ms, result, mean FROM value WHERE series = ?1"
			   " AND result >= (SELECT result FROM value WHERE series = ?1"
			   " AND at_ms >= ?2 ORDER BY result LIMIT 1)"
			   " ORDER BY result DESC LIMIT ?3",
			   err);
	if (r->values)
		r->changes = db_prepare(h,
					"SELECT result, p FROM change WHERE series = ?1"
					" ORDER BY result",
					err);
	return r->changes ? 0 : -1;
}

static void reader_close(struct reader *r)
{
	sqlite3_finalize(r->values);
	sqlite3_finalize(r->changes);
}

int history_read(struct history *h, const struct history_query *q,
		 struct history_list *ret, struct err *err)
{
	sqlite3_stmt *list = list_statement(h, q, err);
	struct reader r;
	int rc = -1;

	*ret = (struct history_list){0};
	if (list) {
		rc = reader_open(&r, h, q, err);
		if (!rc)
			rc = read_list(&r, list, ret, err);
		reader_close(&r);
		sqlite3_finalize(list);
	}
	if (!rc && !ret->nr)
		rc = nothing_matches(h, q, err);
	if (rc)
		history_list_release(ret);
	return rc;
}

/* Change points that were found, on their way into the database. */
struct looked {
	struct listed *items;
	size_t nr, alloc;
};

static int keep_changes(struct history *h, const struct listed *l, sqlite3_stmt *claim,
			sqlite3_stmt *insert, struct err *err)
{
	const struct history_series *s = &l->series;

	sqlite3_reset(claim);
	sqlite3_bind_int64(claim, 1, l->id);
	sqlite3_bind_int64(claim, 2, l->nr);
	if (sqlite3_step(claim) != SQLITE_DONE)
		return db_fail(h, "keeping change points", err);
	/* Another process added more meanwhile: it looks for itself. */
	if (!sqlite3_changes(h->db))
		return 0;
	for (size_t i = 0; i < s->changes_nr; i++) {
		const struct history_point *p = &s->points[s->changes[i].at];

		sqlite3_reset(insert);
		sqlite3_bind_int64(insert, 1, l->id);
		sqlite3_bind_int64(insert, 2, p->result);
		sqlite3_bind_double(insert, 3, s->changes[i].p);
		if (sqlite3_step(insert) != SQLITE_DONE)
			return db_fail(h, "keeping change points", err);
	}
	return 0;
}

static int keep_all(struct history *h, const struct looked *l, struct err *err)
{
	sqlite3_stmt *claim = NULL, *insert = NULL;
	int rc = db_exec(h, "BEGIN IMMEDIATE", "waiting for the database", err);

	if (rc)
		return -1;
	claim = db_prepare(h, "UPDATE series SET looked = nr WHERE id = ?1 AND nr = ?2",
			   err);
	if (claim)
		insert = db_prepare(
			h, "INSERT INTO change(series, result, p) VALUES(?,?,?)", err);
	rc = insert ? 0 : -1;
	if (!rc)
		rc = db_exec(h,
			     "DELETE FROM change WHERE series IN"
			     " (SELECT id FROM series WHERE looked != nr)",
			     "dropping old change points", err);
	for (size_t i = 0; i < l->nr && !rc; i++)
		rc = keep_changes(h, &l->items[i], claim, insert, err);
	sqlite3_finalize(claim);
	sqlite3_finalize(insert);
	if (!rc)
		rc = db_exec(h, "COMMIT", "keeping change points", err);
	if (rc)
		sqlite3_exec(h->db, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}

/* Finds the change points of gating series that were added to, and keeps them. */
static int look(struct history *h, struct err *err)
{
	const struct history_query all = {0};
	struct looked l = {0};
	sqlite3_stmt *list = db_prepare(
		h,
		"SELECT id, nr, looked, machine, workload, arm, metric, digest, unit,"
		" better, gate FROM series WHERE gate AND looked != nr",
		err);
	struct reader r = {0};
	int rc = list ? reader_open(&r, h, &all, err) : -1, step;

	while (!rc && (step = sqlite3_step(list)) != SQLITE_DONE) {
		if (step != SQLITE_ROW) {
			rc = db_fail(h, "asking for series", err);
			break;
		}
		GROW(l.items, l.nr, l.alloc);
		l.items[l.nr] = listed_from(list);
		rc = read_series(&r, &l.items[l.nr++], err);
	}
	reader_close(&r);
	sqlite3_finalize(list);
	if (!rc && l.nr)
		rc = keep_all(h, &l, err);
	for (size_t i = 0; i < l.nr; i++)
		series_release(&l.items[i].series);
	free(l.items);
	return rc;
}

struct statements {
	sqlite3_stmt *machine, *result, *series, *value, *before;
};

static int prepare_all(struct history *h, struct statements *s, struct err *err)
{
	const struct {
		sqlite3_stmt **st;
		const char *sql;
	} all[] = {
		{&s->machine,
		 "INSERT INTO machine(name, facts) VALUES(?, ?) ON CONFLICT DO UPDATE"
		 " SET name = excluded.name RETURNING id"},
		{&s->result,
		 "INSERT OR IGNORE INTO result(uid, created, machine, arm, workload,"
		 " kind, digest, version, source) VALUES(?,?,?,?,?,?,?,?,?)"},
		{&s->series,
		 "INSERT INTO series(metric, machine, workload, arm, digest, unit,"
		 " better, gate, nr) VALUES(?,?,?,?,?,?,?,?,1) ON CONFLICT DO UPDATE"
		 " SET better = excluded.better, gate = excluded.gate, nr = nr + 1"
		 " RETURNING id"},
		{&s->value, "INSERT INTO value(series, result, at_ms, n, mean, sd)"
			    " VALUES(?,?,?,?,?,?)"},
		/* The last date that can be true. */
		{&s->before,
		 "SELECT at_ms FROM value WHERE series = ? AND at_ms BETWEEN ?"
		 " AND ? ORDER BY result DESC LIMIT 1"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		*all[i].st = db_prepare(h, all[i].sql, err);
		if (!*all[i].st)
			return -1;
	}
	return 0;
}

/* The id that a RETURNING clause gives; the statement must then run to its end. */
static int take_id(struct history *h, sqlite3_stmt *st, sqlite3_int64 *ret,
		   struct err *err)
{
	if (sqlite3_step(st) != SQLITE_ROW)
		return db_fail(h, "adding", err);
	*ret = sqlite3_column_int64(st, 0);
	if (sqlite3_step(st) != SQLITE_DONE)
		return db_fail(h, "adding", err);
	sqlite3_reset(st);
	return 0;
}

/* A result on its way in: what its values are filed under. */
struct incoming {
	const struct result *r;
	const char *arm;
	const char *machine;
	int64_t at_ms;
	sqlite3_int64 row;
	bool is_older; /* by its date than what was added before it */
};

static void look_before(struct statements *st, sqlite3_int64 series, struct incoming *in)
{
	sqlite3_bind_int64(st->before, 1, series);
	sqlite3_bind_int64(st->before, 2, HISTORY_DATE_LEAST_MS);
	sqlite3_bind_int64(st->before, 3, history_date_most_ms());
	if (sqlite3_step(st->before) == SQLITE_ROW)
		in->is_older |= sqlite3_column_int64(st->before, 0) > in->at_ms;
	sqlite3_reset(st->before);
}

static int add_value(struct history *h, struct statements *st, struct incoming *in,
		     const struct samples *m, struct err *err)
{
	const struct result *r = in->r;
	const char *const texts[] = {m->def.name, in->machine, r->name,
				     in->arm,     r->digest,   m->def.unit};
	sqlite3_int64 series;
	double sd;

	for (int i = 0; i < (int)ARRAY_SIZE(texts); i++)
		db_bind(st->series, i + 1, texts[i] ? texts[i] : "");
	sqlite3_bind_int(st->series, 7, (int)m->def.better);
	sqlite3_bind_int(st->series, 8, m->def.gate);
	if (take_id(h, st->series, &series, err))
		return -1;
	look_before(st, series, in);
	sqlite3_bind_int64(st->value, 1, series);
	sqlite3_bind_int64(st->value, 2, in->row);
	sqlite3_bind_int64(st->value, 3, in->at_ms);
	sqlite3_bind_int64(st->value, 4, (sqlite3_int64)m->nr);
	sqlite3_bind_double(st->value, 5, stats_mean(m->values, m->nr));
	if (stats_sd(m->values, m->nr, &sd))
		sqlite3_bind_double(st->value, 6, sd);
	else
		sqlite3_bind_null(st->value, 6);
	if (sqlite3_step(st->value) != SQLITE_DONE)
		return db_fail(h, "adding a value", err);
	sqlite3_reset(st->value);
	return 0;
}

/* The facts of the machine in the round of this result, else of its arm. */
static struct json_object *facts_of(const struct result_set *s, const struct result *r)
{
	for (size_t i = 0; i < s->machines_nr; i++)
		if (s->machines[i].round == r->round &&
		    strcmp(s->machines[i].arm, r->arm) == 0)
			return s->machines[i].facts;
	return result_set_facts(s, r->arm);
}

/*
 * A GPU with its UUID is known wherever it is plugged in; else the machine's own identity
 * tells two with the same processor apart, and its name, which anyone may change, does not.
 */
static char *machine_of(struct json_object *facts)
{
	const char *gpu = json_get_text(json_at(facts, "gpus/0"), "uuid", NULL);
	const char *id = json_get_text(json_member(facts, "identity"), "machine", NULL);
	char *name = provenance_machine(facts), *both;

	if (gpu || !id)
		return name;
	both = x_asprintf("%s (machine %.8s)", name, id);
	free(name);
	return both;
}

static void warn_of_date(const struct incoming *in, struct strvec *warnings)
{
	if (!history_date_is_sound(in->at_ms))
		strvec_addf(
			warnings,
			"result %s says that it was created %s, which cannot be: it has "
			"its place by the order of adding; set the clock of %s",
			in->r->id, in->r->created, in->machine);
	else if (in->is_older)
		strvec_addf(
			warnings,
			"result %s was created %s, before what was added before it, and "
			"counts as newer: the order of adding is the order of a "
			"history, and old results belong into a database of their own",
			in->r->id, in->r->created);
}

static int insert_result(struct history *h, struct statements *st, struct incoming *in,
			 sqlite3_int64 machine, const char *source, bool *ret_new,
			 struct err *err)
{
	const struct result *r = in->r;
	const char *const texts[] = {in->arm,
				     r->name,
				     r->kind,
				     r->digest,
				     json_get_text(r->tool, "version", ""),
				     source};

	db_bind(st->result, 1, r->id);
	db_bind(st->result, 2, r->created);
	sqlite3_bind_int64(st->result, 3, machine);
	for (int i = 0; i < (int)ARRAY_SIZE(texts); i++)
		db_bind(st->result, 4 + i, texts[i] ? texts[i] : "");
	if (sqlite3_step(st->result) != SQLITE_DONE)
		return db_fail(h, "adding a result", err);
	sqlite3_reset(st->result);
	*ret_new = sqlite3_changes(h->db) > 0;
	in->row = sqlite3_last_insert_rowid(h->db);
	return 0;
}

static int add_result(struct history *h, struct statements *st,
		      const struct result_set *s, size_t at, struct history_added *ret,
		      struct err *err)
{
	const struct result *r = &s->results[at];
	struct json_object *facts = facts_of(s, r);
	char *machine = machine_of(facts);
	/* The name of a file is no name of a series: tomorrow's is another. */
	struct incoming in = {.r = r,
			      .machine = machine,
			      .arm = strvec_has(&s->places, r->arm) ? "by hand" : r->arm};
	sqlite3_int64 machine_row;
	bool is_new = false;
	int rc = -1;

	if (!r->created || !clock_from_label(r->created, &in.at_ms)) {
		err_set(err, ERR_USAGE,
			"%s: no time of creation ('%.40s'), so it has no place in a "
			"history",
			s->paths[at], r->created ? r->created : "");
	} else {
		in.at_ms /= NS_PER_MS;
		db_bind(st->machine, 1, machine);
		db_bind(st->machine, 2, facts ? json_line(facts) : "");
		rc = take_id(h, st->machine, &machine_row, err);
	}
	if (!rc)
		rc = insert_result(h, st, &in, machine_row, s->paths[at], &is_new, err);
	for (size_t i = 0; i < r->metrics_nr && !rc && is_new; i++)
		if (r->metrics[i].nr)
			rc = add_value(h, st, &in, &r->metrics[i], err);
	if (!rc && is_new)
		warn_of_date(&in, &ret->warnings);
	ret->added += is_new;
	ret->known += !is_new;
	free(machine);
	return rc;
}

static int add_all(struct history *h, struct statements *st,
		   const struct result_set *sets, size_t nr, struct history_added *ret,
		   struct err *err)
{
	size_t places_nr;
	struct history_place *places = history_order(sets, nr, &places_nr, &ret->unsound);
	int rc = 0;

	for (size_t i = 0; i < places_nr && !rc; i++)
		rc = add_result(h, st, places[i].set, places[i].at, ret, err);
	free(places);
	return rc;
}

void history_added_release(struct history_added *n)
{
	strvec_release(&n->warnings);
}

int history_add(struct history *h, const struct result_set *sets, size_t nr,
		struct history_added *ret, struct err *err)
{
	struct statements st = {0};
	int rc;

	*ret = (struct history_added){0};
	if (db_exec(h, "BEGIN IMMEDIATE", "waiting for the database", err))
		return -1;
	rc = prepare_all(h, &st, err);
	if (!rc)
		rc = add_all(h, &st, sets, nr, ret, err);
	sqlite3_finalize(st.machine);
	sqlite3_finalize(st.result);
	sqlite3_finalize(st.series);
	sqlite3_finalize(st.value);
	sqlite3_finalize(st.before);
	if (!rc)
		rc = db_exec(h, "COMMIT", "adding results", err);
	if (rc)
		sqlite3_exec(h->db, "ROLLBACK", NULL, NULL, NULL);
	return rc ? -1 : look(h, err);
}
