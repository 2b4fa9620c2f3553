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

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const int64_t place_timeout_ns = 1800 * NS_PER_S;

char *session_new_dir(const char *name)
{
	char *id = result_new_id(), *dir = x_asprintf("runs/%s-%s", name, id);

	free(id);
	return dir;
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

int session_write_begin(struct session *s, struct err *err)
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
		return journal_run_id(dir, err);
	if (!holds_files(dir, RUNDIR_MACHINES) && !holds_files(dir, RUNDIR_RESULTS))
		return result_new_id();
	err_set(err, ERR_USAGE,
		"%s/" RUNDIR_JOURNAL
		" no longer says the run's id, by which its machines are found; 'tare "
		"lease list %s/" RUNDIR_PLAN
		"' shows what is still on loan, to be ended by hand, and 'tare report "
		"%s' what was measured",
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
			"it with 'tare run --resume %s', or give another folder with -o",
			s->dir, s->dir);
	if (!s->is_resumed && write_plan(s->plan, s->dir, err))
		return -1;
	s->run_id = s->is_resumed ? continued_id(s->dir, err) : result_new_id();
	return s->run_id ? 0 : -1;
}

int session_open(struct session *s, const struct plan *plan, const char *dir,
		 bool is_resumed, struct err *err)
{
	*s = (struct session){
		.plan = plan,
		.dir = x_strdup(dir),
		.workdir = path_join(dir, "work"),
		.is_resumed = is_resumed,
		.provisioners = x_calloc(plan->provisions_nr, sizeof(*s->provisioners)),
		.cut = x_calloc(plan->arms_nr, sizeof(*s->cut)),
	};
	if (open_directory(s, err)) {
		session_end(s);
		return -1;
	}
	s->leaves = stop_leaves_begin("run %s; 'tare clean %s' gives back what it has",
				      s->run_id, dir);
	return 0;
}

int session_begin(struct session *s, const struct plan *plan, const char *dir,
		  struct err *err)
{
	if (session_open(s, plan, dir, false, err))
		return -1;
	if (!session_write_begin(s, err))
		return 0;
	session_end(s);
	return -1;
}

void session_begin_unwritten(struct session *s, const struct plan *plan)
{
	*s = (struct session){
		.plan = plan,
		.provisioners = x_calloc(plan->provisions_nr, sizeof(*s->provisioners)),
		.cut = x_calloc(plan->arms_nr, sizeof(*s->cut)),
	};
}

void session_end(struct session *s)
{
	for (size_t i = 0; s->plan && i < s->plan->provisions_nr; i++)
		provisioner_free(s->provisioners[i]);
	for (size_t i = 0; i < s->programs_nr; i++) {
		free(s->programs[i].name);
		free(s->programs[i].path);
		bundle_release(&s->programs[i].bundle);
	}
	free(s->programs);
	free(s->provisioners);
	journal_close(s->journal);
	stop_leaves_end(s->leaves);
	for (size_t i = 0; i < s->changed_nr; i++)
		host_state_release(&s->changed[i]);
	free(s->changed);
	for (size_t i = 0; s->plan && i < s->plan->arms_nr; i++)
		free(s->cut[i]);
	free(s->cut);
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

static struct session_program *find_program(struct session *s, const char *name,
					    struct err *err)
{
	struct session_program *p;
	char *path;

	for (size_t i = 0; i < s->programs_nr; i++)
		if (strcmp(s->programs[i].name, name) == 0)
			return &s->programs[i];
	path = program_path(name, err);
	if (!path)
		return NULL;
	GROW(s->programs, s->programs_nr, s->programs_alloc);
	p = &s->programs[s->programs_nr++];
	*p = (struct session_program){.name = x_strdup(name), .path = path};
	return p;
}

int session_place(struct session *s, struct target *t, const char *program,
		  const char *const *extra, const char **ret_path,
		  const char **ret_digest, struct err *err)
{
	struct session_program *p = find_program(s, program, err);

	if (!p)
		return -1;
	if (ret_digest)
		*ret_digest = NULL;
	if (target_is_here(t)) {
		*ret_path = p->path;
		return 0;
	}
	/* Reads tens of MiB of libraries: once, and only where they have to travel. */
	if (!p->is_bundled && bundle_make(&p->bundle, p->path, extra, err))
		return -1;
	p->is_bundled = true;
	if (ret_digest)
		*ret_digest = p->bundle.digest;
	return target_place(t, &p->bundle, place_timeout_ns, ret_path, err);
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
