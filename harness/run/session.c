#include "harness/run/session.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/document/result.h"
#include "core/document/run_directory.h"
#include "core/document/version.h"
#include "core/base/stop.h"
#include "harness/plan/workload_kind.h"
#include "harness/run/gpu_driver.h"
#include "harness/run/mig_turn.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const int64_t place_timeout_ns = 1800 * NS_PER_S;

int stage_begin(struct stage *st, struct session *s, enum step step,
		const struct step_at *at, struct json_object *data, struct err *err)
{
	*st = (struct stage){.session = s, .step = step, .started_ns = clock_mono_ns()};
	if (at)
		st->at = *at;
	log_debug("%s%s%s%s%s", step_name(step), st->at.arm ? " " : "",
		  st->at.arm ? st->at.arm : "", st->at.workload ? " " : "",
		  st->at.workload ? st->at.workload : "");
	return journal_write(s->journal, JOURNAL_BEGIN, step, &st->at, data, err);
}

int stage_end(struct stage *st, int rc, struct json_object *data, struct err *err)
{
	struct err journal_err = ERR_INIT;
	enum journal_event event = rc ? JOURNAL_FAIL : JOURNAL_END;
	int64_t took_ns = clock_mono_ns() - st->started_ns;

	if (!data)
		data = json_object_new_object();
	json_put_real(data, "took_s", (double)took_ns / 1e9);
	if (rc && err)
		json_put_text(data, "error", err->text);
	if (!journal_write(st->session->journal, event, st->step, &st->at, data,
			   &journal_err))
		return rc;
	if (!rc && err)
		*err = journal_err;
	return -1;
}

char *run_id_of(const char *dir, struct err *err)
{
	struct journal_entries past;
	char *id = NULL;

	if (journal_read(&past, dir, err))
		return NULL;
	for (size_t i = 0; i < past.nr && !id; i++)
		if (past.items[i].step == STEP_RUN &&
		    past.items[i].event == JOURNAL_BEGIN)
			id = x_strdup(json_get_text(past.items[i].data, "run_id", NULL));
	journal_entries_release(&past);
	if (!id)
		err_set(err, ERR_USAGE,
			"%s: not the folder of a run: its journal names none", dir);
	return id;
}

static int make_folders(const char *dir, struct err *err)
{
	static const char *const folders[] = {RUNDIR_MACHINES, RUNDIR_RESULTS, "work",
					      NULL};

	if (dir_make(dir, 0755, err))
		return -1;
	for (size_t i = 0; folders[i]; i++) {
		char *path = path_join(dir, folders[i]);
		int rc = dir_make(path, strcmp(folders[i], "work") == 0 ? 0700 : 0755,
				  err);

		free(path);
		if (rc)
			return -1;
	}
	return 0;
}

static int write_plan(const struct plan *plan, const char *dir, struct err *err)
{
	char *path = path_join(dir, RUNDIR_PLAN);
	struct json_object *o = plan_to_json(plan);
	int rc = json_write_file(path, o, 0644, err);

	json_object_put(o);
	free(path);
	return rc;
}

static int write_begin(struct session *s, struct err *err)
{
	struct json_object *data = json_object_new_object();
	char digest[65];

	plan_digest(s->plan, digest);
	json_put_text(data, "run_id", s->run_id);
	json_put_text(data, "plan_digest", digest);
	json_put_bool(data, "resumed", s->is_resumed);
	json_put(data, "tool", version_to_json("tare"));
	return journal_write(s->journal, JOURNAL_BEGIN, STEP_RUN, NULL, data, err);
}

/* Whether something lies in that folder of the run. */
static bool holds_files(const char *dir, const char *folder)
{
	char *path = path_join(dir, folder);
	DIR *d = opendir(path);
	struct dirent *e = NULL;

	while (d && (e = readdir(d)) && e->d_name[0] == '.')
		;
	if (d)
		closedir(d);
	free(path);
	return e != NULL;
}

/*
 * A journal without a line is of a process that ended before it asked for anything; beside
 * what a run has measured it is one that was lost, and the run's id with it.
 */
static char *continued_id(const char *dir, struct err *err)
{
	struct journal_entries past;
	size_t nr;

	if (journal_read(&past, dir, err))
		return NULL;
	nr = past.nr;
	journal_entries_release(&past);
	if (nr)
		return run_id_of(dir, err);
	if (!holds_files(dir, RUNDIR_MACHINES) && !holds_files(dir, RUNDIR_RESULTS))
		return result_new_id();
	err_set(err, ERR_USAGE,
		"%s/" RUNDIR_JOURNAL
		" no longer says the run's id, by which its machines "
		"are found; 'tare lease list %s/" RUNDIR_PLAN "' shows what is still on "
		"loan, to be ended by hand, and 'tare report %s' what was measured",
		dir, dir, dir);
	return NULL;
}

/*
 * A journal without a byte and without a plan beside it is of a run that never began; with
 * one, of a run that can go on.
 */
static bool holds_run(const char *journal, const char *dir, bool was_there)
{
	char *plan = path_join(dir, RUNDIR_PLAN);
	struct stat st;
	bool holds = (stat(journal, &st) == 0 && st.st_size > 0) ||
		     (was_there && file_exists(plan));

	free(plan);
	return holds;
}

/* Nothing of a run is written before the journal's lock is ours: another may begin here. */
static int open_directory(struct session *s, struct err *err)
{
	char *journal = path_join(s->dir, RUNDIR_JOURNAL);
	bool was_there = file_exists(journal), holds = false;

	if (!make_folders(s->dir, err))
		s->journal = journal_open(s->dir, err);
	if (s->journal)
		holds = holds_run(journal, s->dir, was_there);
	free(journal);
	if (!s->journal)
		return -1;
	if (!s->is_resumed && holds)
		return err_set(
			err, ERR_USAGE,
			"%s: holds a run already, which is never overwritten; continue "
			"it "
			"with 'tare run --resume %s', or give another folder with -o",
			s->dir, s->dir);
	if (!s->is_resumed && write_plan(s->plan, s->dir, err))
		return -1;
	s->run_id = s->is_resumed ? continued_id(s->dir, err) : result_new_id();
	return s->run_id ? 0 : -1;
}

int first_failure(int rc, int one, const struct err *why, struct err *err)
{
	if (!one)
		return rc;
	if (!rc && err)
		*err = *why;
	else if (!err || strcmp(err->text, why->text) != 0)
		log_error("%s", why->text);
	return -1;
}

/* MIG while its machine is ours and its driver there, then machines. */
static int sweep_left(struct session *s, int rc, struct err *err)
{
	struct err why = ERR_INIT;
	int cut, held;

	rc = first_failure(rc, gpu_driver_recall(s, &why), &why, err);
	cut = mig_turn_recall(s, &s->layouts, &why);
	rc = first_failure(rc, cut, &why, err);
	held = session_sweep(s, &s->swept, &why);
	rc = first_failure(rc, held, &why, err);
	/* Disks, keys and logs of machines that are gone now. */
	if (!cut && !held)
		rc = first_failure(rc,
				   dir_remove(s->workdir, &why) ||
					   dir_make(s->workdir, 0700, &why),
				   &why, err);
	return rc;
}

/*
 * 'rc' and *err: what went wrong before. A journal that takes no line must not keep
 * machines and GPUs from being given back; it is said when that is done.
 */
static int sweep_stage(struct session *s, int rc, struct err *err)
{
	struct json_object *data = json_object_new_object();
	struct err why = ERR_INIT;
	struct stage st;

	rc = first_failure(rc, stage_begin(&st, s, STEP_SWEEP, NULL, NULL, &why), &why,
			   err);
	rc = sweep_left(s, rc, err);
	json_put_int(data, "machines", (int64_t)s->swept);
	json_put_int(data, "mig_layouts", (int64_t)s->layouts);
	if (s->swept)
		log_info("gave back %zu machine%s that an earlier process had left",
			 s->swept, s->swept == 1 ? "" : "s");
	rc = stage_end(&st, rc, data, err);
	/* After the machines, which have the GPUs; tried even when one is still there. */
	return first_failure(rc, gpu_driver_restore(s, &why), &why, err);
}

int session_begin(struct session *s, const struct plan *plan, const char *dir,
		  bool is_resumed, struct err *err)
{
	int rc;

	*s = (struct session){
		.plan = plan,
		.dir = x_strdup(dir),
		.workdir = path_join(dir, "work"),
		.is_resumed = is_resumed,
		.provisioners = x_calloc(plan->provisions_nr, sizeof(*s->provisioners)),
	};
	rc = open_directory(s, err);
	if (!rc) {
		s->leaves = stop_leaves_begin(
			"run %s; 'tare clean %s' gives back what it has", s->run_id, dir);
		rc = write_begin(s, err);
		if (is_resumed)
			rc = sweep_stage(s, rc, err);
	}
	if (rc)
		session_end(s);
	return rc;
}

void session_begin_unwritten(struct session *s, const struct plan *plan)
{
	*s = (struct session){
		.plan = plan,
		.provisioners = x_calloc(plan->provisions_nr, sizeof(*s->provisioners)),
	};
}

void session_end(struct session *s)
{
	for (size_t i = 0; s->plan && i < s->plan->provisions_nr; i++)
		provisioner_free(s->provisioners[i]);
	for (size_t i = 0; i < s->parcels_nr; i++) {
		free(s->parcels[i].program);
		free(s->parcels[i].path);
		bundle_release(&s->parcels[i].bundle);
	}
	free(s->parcels);
	free(s->provisioners);
	journal_close(s->journal);
	stop_leaves_end(s->leaves);
	json_object_put(s->taken);
	json_object_put(s->cut);
	strvec_release(&s->kept);
	free(s->dir);
	free(s->run_id);
	free(s->workdir);
	*s = (struct session){0};
}

struct provisioner *session_provisioner(struct session *s, const char *name,
					struct err *err)
{
	const struct provision *v = plan_provision(s->plan, name);
	size_t i = (size_t)(v - s->plan->provisions);

	if (!s->provisioners[i]) {
		s->provisioners[i] = v->kind->open(v->config, err);
		if (!s->provisioners[i])
			err_wrap(err, "provisioner '%s'", name);
	}
	return s->provisioners[i];
}

static struct parcel *find_parcel(struct session *s, const char *program, struct err *err)
{
	struct parcel *p;
	char *path;

	for (size_t i = 0; i < s->parcels_nr; i++)
		if (strcmp(s->parcels[i].program, program) == 0)
			return &s->parcels[i];
	path = program_path(program, err);
	if (!path)
		return NULL;
	GROW(s->parcels, s->parcels_nr, s->parcels_alloc);
	p = &s->parcels[s->parcels_nr++];
	*p = (struct parcel){.program = x_strdup(program), .path = path};
	return p;
}

int session_place(struct session *s, struct target *t, const char *program,
		  const char *const *extra, const char **ret_path,
		  const char **ret_digest, struct err *err)
{
	struct parcel *p = find_parcel(s, program, err);

	if (!p)
		return -1;
	if (ret_digest)
		*ret_digest = NULL;
	if (target_is_here(t)) {
		*ret_path = p->path;
		return 0;
	}
	/* Reading and digesting tens of MiB of libraries is done once, and only for others. */
	if (!p->is_made && bundle_make(&p->bundle, p->path, extra, err))
		return -1;
	p->is_made = true;
	if (ret_digest)
		*ret_digest = p->bundle.digest;
	return target_place(t, &p->bundle, place_timeout_ns, ret_path, err);
}

static void say_kept(struct session *s, const char *name)
{
	struct provisioner *p = session_provisioner(s, name, NULL);
	struct strvec machines = {0};

	if (p && !provisioner_list(p, s->run_id, &machines, NULL))
		for (size_t i = 0; i < machines.nr; i++)
			log_warn("'%s' has %s on loan still, for its GPU is not as "
				 "before; 'tare clean %s' gives it back when it is",
				 name, machines.items[i], s->dir);
	strvec_release(&machines);
}

int session_sweep(struct session *s, size_t *ret_nr, struct err *err)
{
	int rc = 0;

	*ret_nr = 0;
	for (size_t i = 0; i < s->plan->provisions_nr; i++) {
		const char *name = s->plan->provisions[i].name;
		struct err one = ERR_INIT;
		struct provisioner *p;
		size_t nr = 0;

		if (strvec_has(&s->kept, name)) {
			say_kept(s, name);
			continue;
		}
		p = session_provisioner(s, name, &one);

		/* One that does not answer must not keep the others' machines. */
		if (!p || provisioner_sweep(p, s->run_id, &nr, &one)) {
			err_wrap(&one, "giving back machines of '%s'", name);
			rc = first_failure(rc, -1, &one, err);
		}
		*ret_nr += nr;
	}
	return rc;
}
