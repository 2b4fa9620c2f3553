#include "reports/history/history_impl.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "reports/results/facts.h"
#include "reports/statistics/stats.h"

struct statements {
	sqlite3_stmt *machine, *result, *series, *value;
};

static int prepare(struct history *h, struct statements *s, struct err *err)
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
		{&s->value, "INSERT INTO value(series, at_ms, result, n, mean, sd)"
			    " VALUES(?,?,?,?,?,?)"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		*all[i].st = history_prepare(h, all[i].sql, err);
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
		return history_fail(h, "adding", err);
	*ret = sqlite3_column_int64(st, 0);
	if (sqlite3_step(st) != SQLITE_DONE)
		return history_fail(h, "adding", err);
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
};

static int add_value(struct history *h, struct statements *st, const struct incoming *in,
		     const struct samples *m, struct err *err)
{
	const struct result *r = in->r;
	const char *const texts[] = {m->def.name, in->machine, r->name,
				     in->arm,     r->digest,   m->def.unit};
	sqlite3_int64 series;
	double sd;

	for (int i = 0; i < (int)ARRAY_SIZE(texts); i++)
		history_bind(st->series, i + 1, texts[i] ? texts[i] : "");
	sqlite3_bind_int(st->series, 7, (int)m->def.better);
	sqlite3_bind_int(st->series, 8, m->def.gate);
	if (take_id(h, st->series, &series, err))
		return -1;
	sqlite3_bind_int64(st->value, 1, series);
	sqlite3_bind_int64(st->value, 2, in->at_ms);
	sqlite3_bind_int64(st->value, 3, in->row);
	sqlite3_bind_int64(st->value, 4, (sqlite3_int64)m->nr);
	sqlite3_bind_double(st->value, 5, stats_mean(m->values, m->nr));
	if (stats_sd(m->values, m->nr, &sd))
		sqlite3_bind_double(st->value, 6, sd);
	else
		sqlite3_bind_null(st->value, 6);
	if (sqlite3_step(st->value) != SQLITE_DONE)
		return history_fail(h, "adding a value", err);
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

	history_bind(st->result, 1, r->id);
	history_bind(st->result, 2, r->created);
	sqlite3_bind_int64(st->result, 3, machine);
	for (int i = 0; i < (int)ARRAY_SIZE(texts); i++)
		history_bind(st->result, 4 + i, texts[i] ? texts[i] : "");
	if (sqlite3_step(st->result) != SQLITE_DONE)
		return history_fail(h, "adding a result", err);
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
	char *machine = facts_machine(facts);
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
		history_bind(st->machine, 1, machine);
		history_bind(st->machine, 2, facts ? json_line(facts) : "");
		rc = take_id(h, st->machine, &machine_row, err);
	}
	if (!rc)
		rc = insert_result(h, st, &in, machine_row, s->paths[at], &is_new, err);
	for (size_t i = 0; i < r->metrics_nr && !rc && is_new; i++)
		if (r->metrics[i].nr)
			rc = add_value(h, st, &in, &r->metrics[i], err);
	ret->added += is_new;
	ret->known += !is_new;
	free(machine);
	return rc;
}

static int add_set(struct history *h, struct statements *st, const struct result_set *s,
		   struct history_added *ret, struct err *err)
{
	for (size_t i = 0; i < s->nr; i++) {
		if (s->results[i].status != RESULT_OK)
			ret->unsound++;
		else if (add_result(h, st, s, i, ret, err))
			return -1;
	}
	return 0;
}

int history_add(struct history *h, const struct result_set *sets, size_t nr,
		struct history_added *ret, struct err *err)
{
	struct statements st = {0};
	int rc;

	*ret = (struct history_added){0};
	if (history_exec(h, "BEGIN IMMEDIATE", "waiting for the database", err))
		return -1;
	rc = prepare(h, &st, err);
	for (size_t i = 0; i < nr && !rc; i++)
		rc = add_set(h, &st, &sets[i], ret, err);
	sqlite3_finalize(st.machine);
	sqlite3_finalize(st.result);
	sqlite3_finalize(st.series);
	sqlite3_finalize(st.value);
	if (!rc)
		rc = history_exec(h, "COMMIT", "adding results", err);
	if (rc)
		sqlite3_exec(h->db, "ROLLBACK", NULL, NULL, NULL);
	return rc ? -1 : history_look(h, err);
}
