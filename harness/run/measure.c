#include "harness/run/measure.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/document/result.h"
#include "core/document/run_directory.h"
#include "harness/plan/workload_kind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const int64_t fetch_timeout_ns = 600 * NS_PER_S;
static const size_t output_max_bytes = 1 << 20;

/* What a workload's own progress shows while it runs far away. */
struct follow {
	struct progress progress;
	int64_t expected_ns, started_ns;
	char line[160];
};

static void on_diag(void *ctx, const char *data, size_t len)
{
	struct follow *f = ctx;
	double done = 0;

	while (len && (data[len - 1] == '\n' || data[len - 1] == '\r'))
		len--;
	for (size_t i = len; i > 0; i--) {
		if (data[i - 1] != '\n' && data[i - 1] != '\r')
			continue;
		data += i;
		len -= i;
		break;
	}
	snprintf(f->line, sizeof(f->line), "%.*s", (int)(len < 120 ? len : 120), data);
	for (char *p = f->line; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 127)
			*p = ' ';
	if (f->expected_ns)
		done = (double)(clock_mono_ns() - f->started_ns) / (double)f->expected_ns;
	progress_update(&f->progress, done, f->line);
}

static int place(struct session *s, const struct step_at *at, struct target *t,
		 const char *program, const char *const *extra, const char **ret_path,
		 struct err *err)
{
	struct json_object *data;
	const char *digest = NULL;
	struct journal_step st;
	int rc;

	if (journal_step_begin(&st, s->journal, STEP_PLACE, at, NULL, err))
		return -1;
	rc = session_place(s, t, program, extra, ret_path, &digest, err);
	data = json_object_new_object();
	json_put_text(data, "program", program);
	if (!rc) {
		json_put_text(data, "digest", digest);
		json_put_text(data, "path", *ret_path);
	} else {
		err_wrap(err, "upload %s", program);
	}
	return journal_step_end(&st, rc, data, err);
}

/* A program that has no "device" passes over it: the environment tells it. */
static struct json_object *params_on(const struct workload *w,
				     const struct gpu_part *part)
{
	struct json_object *params = NULL;

	json_object_deep_copy(w->params, &params, NULL);
	if (part && part->device)
		json_put_text(params, "device", part->device);
	return params;
}

/* tare-gemm OPTIONS, or tare-serve OPTIONS -- tare-load --target {url} OPTIONS. */
static int build_command(struct session *s, const struct step_at *at, struct target *t,
			 const struct workload *w, const struct gpu_part *part,
			 const char *output, struct strvec *argv, struct err *err)
{
	struct json_object *params;
	const char *path;

	if (w->server) {
		if (place(s, at, t, w->kind->server, NULL, &path, err))
			return -1;
		strvec_add(argv, path);
		program_args(w->server_options, w->server, argv);
		strvec_add(argv, "--");
	}
	if (place(s, at, t, w->kind->program, w->kind->extra, &path, err))
		return -1;
	strvec_add(argv, path);
	if (w->server)
		strvec_add_all(argv, (const char *const[]){"--target={url}", NULL});
	params = params_on(w, part);
	program_args(w->options, params, argv);
	json_object_put(params);
	strvec_addf(argv, "--output=%s", output);
	return 0;
}

/* What runs, and on which part. */
struct job {
	const struct workload *w;
	const struct gpu_part *part; /* or NULL */
	const struct strvec *argv;
	const char *output; /* the document's path on the target */
};

static int execute(struct target *t, const struct job *job, struct proc_outcome *out,
		   struct err *err)
{
	const struct workload *w = job->w;
	char *visible = job->part && job->part->device
				? x_asprintf("CUDA_VISIBLE_DEVICES=%s", job->part->device)
				: NULL;
	const char *env[] = {visible, NULL};
	struct follow follow = {
		.started_ns = clock_mono_ns(),
		.expected_ns = w->kind->expected_ns(w->params),
	};
	struct proc_spec spec = {
		.argv = strvec_argv(job->argv),
		.env = env,
		.timeout_ns = w->timeout_ns,
		.output_max = output_max_bytes,
		.on_diag = on_diag,
		.sink_ctx = &follow,
	};
	int rc;

	progress_start(&follow.progress, w->name, follow.expected_ns);
	rc = target_run(t, &spec, out, err);
	progress_end(&follow.progress);
	free(visible);
	return rc;
}

/* 0: there should be a document. An exit status above 'invalid' says that there is none.
 */
static int check_outcome(const struct workload *w, const struct proc_outcome *o,
			 struct err *err)
{
	char how[80], why[600];
	enum err_kind kind = ERR_ENVIRONMENT;

	if (o->end == PROC_EXITED && (o->code == EXIT_PASS || o->code == EXIT_INVALID))
		return 0;
	if (o->end == PROC_STOPPED)
		return err_set(err, ERR_INTERRUPTED, "interrupted while %s was measured",
			       w->name);
	if (o->end == PROC_EXITED && o->code == EXIT_USAGE)
		kind = ERR_USAGE;
	return err_set(err, kind, "%s: %s%s%s", w->kind->program,
		       proc_end_text(o, how, sizeof(how)), o->diag.len ? ": " : "",
		       proc_last_line(&o->diag, why, sizeof(why)));
}

static void describe_part(struct session *s, const struct step_at *at,
			  const struct job *job, struct result *r)
{
	char *whole = rundir_result_path(s->dir, at->round, at->arm, job->w->name);

	if (job->part)
		gpu_part_describe(job->part, job->w->name, whole, r);
	free(whole);
}

static int store(struct session *s, const struct step_at *at, const struct job *job,
		 const char *fetched, struct json_object *data, struct err *err)
{
	char *path = rundir_result_path(s->dir, at->round, at->arm, at->workload);
	struct result r;
	int rc = result_read(&r, fetched, err);

	if (!rc) {
		free(r.arm);
		free(r.name);
		r.arm = x_strdup(at->arm);
		r.name = x_strdup(at->workload);
		r.round = at->round;
		describe_part(s, at, job, &r);
		for (size_t i = 0; i < r.metrics_nr && !job->w->is_gating; i++)
			r.metrics[i].def.gate = false;
		rc = result_write(&r, path, err);
		json_put_text(data, "status", result_status_name(r.status));
		for (size_t i = 0; i < r.reasons.nr; i++)
			log_warn("%s on %s, round %d: %s", at->workload, at->arm,
				 at->round, r.reasons.items[i]);
		result_release(&r);
	}
	json_put_text(data, "result", path_base(path));
	free(path);
	return rc;
}

static int run_and_store(struct session *s, const struct step_at *at, struct target *t,
			 const struct job *job, struct json_object *data, struct err *err)
{
	char *fetched = x_asprintf("%s/fetched-r%03d-%s-%s.json", s->workdir, at->round,
				   at->arm, at->workload);
	struct proc_outcome out;
	int rc = execute(t, job, &out, err);

	if (!rc) {
		json_put_real(data, "workload_s", (double)out.wall_ns / 1e9);
		rc = check_outcome(job->w, &out, err);
		if (!rc)
			rc = target_get(t, job->output, fetched, fetch_timeout_ns, err);
		proc_outcome_release(&out);
	}
	if (!rc)
		rc = store(s, at, job, fetched, data, err);
	unlink(fetched);
	free(fetched);
	return rc;
}

int measure(struct session *s, const struct step_at *at, struct target *t,
	    const struct workload *w, const struct gpu_part *part, struct err *err)
{
	const char *dir = target_workdir(t, err);
	char *output = dir ? x_asprintf("%s/result-%s.json", dir, at->workload) : NULL;
	struct json_object *data = json_object_new_object();
	struct strvec argv = {0};
	const struct job job = {.w = w, .part = part, .argv = &argv, .output = output};
	struct journal_step st;
	int rc = -1;

	if (!dir || build_command(s, at, t, w, part, output, &argv, err)) {
		json_object_put(data);
	} else if (journal_step_begin(&st, s->journal, STEP_MEASURE, at, NULL, err)) {
		json_object_put(data);
	} else {
		rc = run_and_store(s, at, t, &job, data, err);
		rc = journal_step_end(&st, rc, data, err);
	}
	strvec_release(&argv);
	free(output);
	return rc;
}

bool measure_is_done(const struct session *s, int round, const char *arm,
		     const char *workload, const char *suffix)
{
	char *name = x_asprintf("%s%s", workload, suffix);
	char *path = rundir_result_path(s->dir, round, arm, name);
	bool is = file_exists(path);

	free(path);
	free(name);
	return is;
}
