#include "reports/history/history_impl.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"

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
	sqlite3_stmt *st = history_prepare(
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
		history_fail(h, "asking for a result", err);
		sqlite3_finalize(st);
		return -1;
	}
	ret->id = x_strdup(history_text(st, 0));
	ret->created = x_strdup(history_text(st, 1));
	ret->version = x_strdup(history_text(st, 2));
	ret->source = x_strdup(history_text(st, 3));
	facts = history_text(st, 4);
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
		return history_fail(r->h, "asking for values", err);
	/* They came newest first. */
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
		       : history_fail(r->h, "asking for change points", err);
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
		.series = {.machine = x_strdup(history_text(st, 3)),
			   .workload = x_strdup(history_text(st, 4)),
			   .arm = x_strdup(history_text(st, 5)),
			   .metric = x_strdup(history_text(st, 6)),
			   .digest = x_strdup(history_text(st, 7)),
			   .unit = x_strdup(history_text(st, 8)),
			   .better = (enum metric_better)sqlite3_column_int(st, 9),
			   .gate = sqlite3_column_int(st, 10) != 0}};
}

static sqlite3_stmt *list_statement(struct history *h, const struct history_query *q,
				    struct err *err)
{
	const char *const wanted[] = {q->machine, q->workload, q->arm, q->metric};
	sqlite3_stmt *st = history_prepare(
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
		history_bind(st, i + 1, wanted[i]);
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
	return rc == SQLITE_DONE ? 0 : history_fail(r->h, "asking for series", err);
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
		sqlite3_stmt *st = wanted ? history_prepare(h, sql, err) : NULL;
		struct strvec names = {0};
		char meant[DID_YOU_MEAN_SIZE];
		bool is_known;

		free(sql);
		if (wanted && !st)
			return -1;
		while (st && sqlite3_step(st) == SQLITE_ROW)
			strvec_add(&names, history_text(st, 0));
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
	r->values = history_prepare(
		h,
		"SELECT at_ms, result, mean FROM value WHERE series = ?1"
		" AND at_ms >= ?2 ORDER BY at_ms DESC, result DESC LIMIT ?3",
		err);
	if (r->values)
		r->changes =
			history_prepare(h,
					"SELECT result, p FROM change WHERE series = ?1"
					" ORDER BY at_ms, result",
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
		return history_fail(h, "keeping change points", err);
	/* Another process added more meanwhile: it looks for itself. */
	if (!sqlite3_changes(h->db))
		return 0;
	for (size_t i = 0; i < s->changes_nr; i++) {
		const struct history_point *p = &s->points[s->changes[i].at];

		sqlite3_reset(insert);
		sqlite3_bind_int64(insert, 1, l->id);
		sqlite3_bind_int64(insert, 2, p->at_ms);
		sqlite3_bind_int64(insert, 3, p->result);
		sqlite3_bind_double(insert, 4, s->changes[i].p);
		if (sqlite3_step(insert) != SQLITE_DONE)
			return history_fail(h, "keeping change points", err);
	}
	return 0;
}

static int keep_all(struct history *h, const struct looked *l, struct err *err)
{
	sqlite3_stmt *claim = NULL, *insert = NULL;
	int rc = history_exec(h, "BEGIN IMMEDIATE", "waiting for the database", err);

	if (rc)
		return -1;
	claim = history_prepare(
		h, "UPDATE series SET looked = nr WHERE id = ?1 AND nr = ?2", err);
	if (claim)
		insert = history_prepare(
			h, "INSERT INTO change(series, at_ms, result, p) VALUES(?,?,?,?)",
			err);
	rc = insert ? 0 : -1;
	if (!rc)
		rc = history_exec(h,
				  "DELETE FROM change WHERE series IN"
				  " (SELECT id FROM series WHERE looked != nr)",
				  "dropping old change points", err);
	for (size_t i = 0; i < l->nr && !rc; i++)
		rc = keep_changes(h, &l->items[i], claim, insert, err);
	sqlite3_finalize(claim);
	sqlite3_finalize(insert);
	if (!rc)
		rc = history_exec(h, "COMMIT", "keeping change points", err);
	if (rc)
		sqlite3_exec(h->db, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}

int history_look(struct history *h, struct err *err)
{
	const struct history_query all = {0};
	struct looked l = {0};
	sqlite3_stmt *list = history_prepare(
		h,
		"SELECT id, nr, looked, machine, workload, arm, metric, digest, unit,"
		" better, gate FROM series WHERE gate AND looked != nr",
		err);
	struct reader r = {0};
	int rc = list ? reader_open(&r, h, &all, err) : -1, step;

	while (!rc && (step = sqlite3_step(list)) != SQLITE_DONE) {
		if (step != SQLITE_ROW) {
			rc = history_fail(h, "asking for series", err);
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
