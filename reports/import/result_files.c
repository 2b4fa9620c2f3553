#include "reports/import/result_files.h"

#include "core/base/clock.h"
#include "core/base/digest.h"
#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/document/json_numbers.h"
#include "core/document/run_directory.h"
#include "reports/import/baseline.h"
#include "reports/import/import.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define EXPECTED                                                               \
	"a run's folder ('tare run' prints its name), a folder of results, a " \
	"result ('tare gemm -o', 'tare load -o'), a file of 'tare baseline "   \
	"save', or another tool's report"

static const size_t files_max = 200000;

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool ends_with(const char *s, const char *end)
{
	size_t len = strlen(s), tail = strlen(end);

	return len > tail && strcmp(s + len - tail, end) == 0;
}

/* Names ending in ".json", in order; a folder that is not there is an error. */
static int json_names(const char *dir, struct strvec *ret, struct err *err)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	if (!d)
		return err_errno(err, "%s", dir);
	while ((e = readdir(d)) && ret->nr < files_max) {
		if (e->d_name[0] != '.' && ends_with(e->d_name, ".json"))
			strvec_add(ret, e->d_name);
	}
	closedir(d);
	if (ret->nr)
		qsort(ret->items, ret->nr, sizeof(*ret->items), by_text);
	return 0;
}

/* A result, a baseline file, or another tool's report: told apart by what is inside. */
static int load_document(struct result_set *s, struct json_object *o, const char *path,
			 struct err *err)
{
	struct result r;

	if (strcmp(json_get_text(o, "schema", ""), BASELINE_SCHEMA) == 0)
		return baseline_from_json(s, o, path, err);
	if (!json_member(o, "schema") && import_recognise(o))
		return import_json(s, o, path, err);
	if (result_from_json(&r, o, path, err))
		return -1;
	result_set_add(s, &r, path);
	return 0;
}

static int read_file(struct result_set *s, const char *path, struct err *err)
{
	struct err why = ERR_INIT;
	struct json_object *o;
	bool is_lines;
	int rc;

	if (ends_with(path, ".csv"))
		return import_csv(s, path, err);
	o = json_read_numbers(path, JSON_FILE_MAX, &why);
	if (!o) {
		/* Not one document, but perhaps several. */
		rc = import_lines(s, path, &is_lines, err);
		if (!rc && !is_lines && err)
			*err = why;
		return rc || !is_lines ? -1 : 0;
	}
	rc = load_document(s, o, path, err);
	json_object_put(o);
	return rc;
}

/*
 * Other tools' reports name neither themselves nor, in a way of their own, their time: the
 * file's digest and the time it was written do, so that reading it again finds the same.
 */
static void identify_imports(struct result_set *s, size_t from, const char *path)
{
	char hex[DIGEST_SIZE], label[CLOCK_LABEL_SIZE];
	struct stat st;
	bool has_import = false;

	/* A digest of what names itself would be most of a large report's time. */
	for (size_t i = from; i < s->nr; i++)
		has_import = has_import || strcmp(s->results[i].kind, "import") == 0;
	if (!has_import || stat(path, &st) || digest_of_file(path, hex, NULL))
		return;
	clock_label((int64_t)st.st_mtim.tv_sec * NS_PER_S + st.st_mtim.tv_nsec, label);
	for (size_t i = from; i < s->nr; i++) {
		struct result *r = &s->results[i];

		if (strcmp(r->kind, "import") != 0)
			continue;
		free(r->id);
		free(r->created);
		r->id = x_asprintf("import-%.24s-%zu", hex, i - from);
		r->created = x_strdup(label);
	}
}

static int load_file(struct result_set *s, const char *path, struct err *err)
{
	size_t from = s->nr;
	int rc = read_file(s, path, err);

	if (!rc)
		identify_imports(s, from, path);
	return rc;
}

static int load_folder(struct result_set *s, const char *dir, struct err *err)
{
	struct strvec names = {0};
	int rc = json_names(dir, &names, err);

	for (size_t i = 0; i < names.nr && !rc; i++) {
		char *path = path_join(dir, names.items[i]);

		rc = load_file(s, path, err);
		free(path);
	}
	strvec_release(&names);
	if (!rc && !s->nr)
		rc = err_set(
			err, ERR_USAGE,
			"%s: no results there; expected %s documents in *.json files, as "
			"'tare run' writes them into its folder",
			dir, RESULT_SCHEMA);
	return rc;
}

/* "r012-vm.json": the round and the arm; false for any other name. */
static bool machine_name(const char *name, int64_t *round, char **arm)
{
	char *end;
	long long nr;

	if (name[0] != 'r' || name[1] < '0' || name[1] > '9')
		return false;
	errno = 0;
	nr = strtoll(name + 1, &end, 10);
	if (errno || *end != '-' || strlen(end) <= 6)
		return false;
	*round = nr;
	*arm = x_strndup(end + 1, strlen(end) - 6);
	return true;
}

static int load_machines(struct result_set *s, const char *dir, struct err *err)
{
	struct strvec names = {0};
	int rc;

	if (!file_exists(dir))
		return 0;
	rc = json_names(dir, &names, err);
	for (size_t i = 0; i < names.nr && !rc; i++) {
		char *path = path_join(dir, names.items[i]), *arm;
		int64_t round;

		if (machine_name(names.items[i], &round, &arm)) {
			struct json_object *facts =
				json_read_file(path, JSON_FILE_MAX, err);

			result_set_add_machine(s, arm, round, facts);
			rc = facts ? 0 : -1;
			free(arm);
		}
		free(path);
	}
	strvec_release(&names);
	return rc;
}

static int load_plan(struct result_set *s, const char *path, struct err *err)
{
	struct json_object *arms;

	if (!file_exists(path))
		return 0;
	s->plan = json_read_file(path, JSON_FILE_MAX, err);
	if (!s->plan)
		return -1;
	s->baseline = x_strdup(json_get_text(s->plan, "baseline", NULL));
	arms = json_member(s->plan, "arms");
	if (!json_object_is_type(arms, json_type_object))
		return 0;
	json_object_object_foreach(arms, name, arm)
	{
		(void)arm;
		strvec_add(&s->arms, name);
	}
	return 0;
}

/* A line of the journal (harness/run/journal.h) that ends a workload's turn. */
static void take_step(struct result_set *s, struct json_object *line)
{
	int64_t end_ns;

	if (strcmp(json_get_text(line, "step", ""), "measure") == 0 &&
	    strcmp(json_get_text(line, "event", ""), "end") == 0 &&
	    clock_from_label(json_get_text(line, "time", ""), &end_ns)) {
		result_set_add_step(
			s, json_get_text(line, "arm", ""),
			json_get_text(line, "workload", ""),
			json_get_int(line, "round", 0), end_ns,
			json_get_real(json_member(line, "data"), "workload_s", 0));
		s->steps[s->steps_nr - 1].has_result =
			json_get_text(json_member(line, "data"), "result", NULL) != NULL;
	}
}

/* The line that begins a run, when its plan was written; later ones only go on with it. */
static void take_begin(struct result_set *s, struct json_object *line)
{
	const char *digest =
		json_get_text(json_member(line, "data"), "plan_digest", NULL);

	if (s->digest_at_run || !digest ||
	    strcmp(json_get_text(line, "step", ""), "run") != 0 ||
	    strcmp(json_get_text(line, "event", ""), "begin") != 0)
		return;
	s->digest_at_run = x_strdup(digest);
}

/* What the harness's own clock said; a line that cannot be read tells nothing. */
static void load_journal(struct result_set *s, const char *dir)
{
	char *path = path_join(dir, RUNDIR_JOURNAL), *rest, *line;
	struct buf b;

	if (!file_exists(path) || file_read(path, JSON_FILE_MAX, &b, NULL)) {
		free(path);
		return;
	}
	rest = b.data;
	while ((line = strsep(&rest, "\n"))) {
		struct json_object *o =
			*line ? json_parse(line, strlen(line), path, NULL) : NULL;

		if (o) {
			take_begin(s, o);
			take_step(s, o);
		}
		json_object_put(o);
	}
	buf_release(&b);
	free(path);
}

static int load_run(struct result_set *s, const char *dir, const char *results,
		    struct err *err)
{
	char *plan = path_join(dir, RUNDIR_PLAN);
	char *machines = path_join(dir, RUNDIR_MACHINES);
	int rc = load_plan(s, plan, err);

	s->is_run = true;
	if (!rc)
		rc = load_machines(s, machines, err);
	if (!rc)
		rc = load_folder(s, results, err);
	load_journal(s, dir);
	free(plan);
	free(machines);
	return rc;
}

/* The unit of each metric as its workload first had it. */
struct unit_seen {
	const char *workload, *metric, *unit, *path;
};

struct units {
	struct unit_seen *items;
	size_t nr, alloc;
};

static int check_unit(struct units *u, const struct result_set *s, size_t at,
		      const struct samples *m, struct err *err)
{
	const char *workload = s->results[at].name;

	for (size_t i = 0; i < u->nr; i++) {
		const struct unit_seen *seen = &u->items[i];

		if (strcmp(seen->metric, m->def.name) != 0 ||
		    strcmp(seen->workload, workload) != 0)
			continue;
		if (strcmp(seen->unit, m->def.unit) == 0)
			return 0;
		return err_set(err, ERR_INVALID,
			       "%s: %s of %s is in '%s' and in %s in '%s': values in "
			       "different units are not compared",
			       s->paths[at], m->def.name, workload, m->def.unit,
			       seen->path, seen->unit);
	}
	GROW(u->items, u->nr, u->alloc);
	u->items[u->nr++] = (struct unit_seen){.workload = workload,
					       .metric = m->def.name,
					       .unit = m->def.unit,
					       .path = s->paths[at]};
	return 0;
}

int result_set_check_units(const struct result_set *s, struct err *err)
{
	struct units u = {0};
	int rc = 0;

	for (size_t i = 0; i < s->nr && !rc; i++)
		for (size_t m = 0; m < s->results[i].metrics_nr && !rc; m++)
			rc = check_unit(&u, s, i, &s->results[i].metrics[m], err);
	free(u.items);
	return rc;
}

static bool holds_journal(const char *dir)
{
	char *path = path_join(dir, RUNDIR_JOURNAL);
	bool holds = file_exists(path);

	free(path);
	return holds;
}

int result_set_load(struct result_set *ret, const char *path, struct err *err)
{
	struct stat st;
	char *results;
	int rc;

	if (stat(path, &st))
		return errno == ENOENT || errno == ENOTDIR
			       ? err_set(err, ERR_USAGE,
					 "'%s': there is no such file or folder; "
					 "expected " EXPECTED,
					 path)
			       : err_errno(err, "%s", path);
	result_set_init(ret, path);
	results = path_join(path, RUNDIR_RESULTS);
	if (!S_ISDIR(st.st_mode))
		rc = load_file(ret, path, err);
	else if (file_exists(results))
		rc = load_run(ret, path, results, err);
	else if (holds_journal(path))
		rc = err_set(
			err, ERR_USAGE,
			"%s: this run has no " RUNDIR_RESULTS
			"/: nothing of it is measured; 'tare run --resume %s' goes on",
			path, path);
	else
		rc = load_folder(ret, path, err);
	free(results);
	if (rc)
		result_set_release(ret);
	else
		result_set_sort(ret);
	return rc;
}
