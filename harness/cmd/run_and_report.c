#include "harness/cmd/run_and_report.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/document/run_directory.h"
#include "core/base/stop.h"
#include "harness/cmd/deliver.h"
#include "harness/run/gpu_driver.h"
#include "harness/run/measure.h"
#include "harness/run/recover.h"
#include "harness/run/arm_order.h"

#include <stdio.h>
#include <stdlib.h>

static int write_reports(struct session *s, const struct run_request *request,
			 int *ret_status, struct err *err)
{
	char *page = path_join(s->dir, "report.html");
	struct report r;
	struct journal_step st;
	int rc;

	if (journal_step_begin(&st, s->journal, STEP_REPORT, NULL, NULL, err) ||
	    report_load(&r, s->dir, NULL, err)) {
		free(page);
		return -1;
	}
	rc = report_write(&r, s->dir, REPORT_HTML | REPORT_MARKDOWN | REPORT_JSON, err);
	rc = journal_step_end(&st, rc, NULL, err);
	if (!rc) {
		*ret_status = print_verdict(&r, request->json);
		log_info("report: %s", page);
	}
	report_release(&r);
	free(page);
	return rc;
}

/* An arm that 'tare run --arm' left out so far; NULL: all have been measured. */
static const struct arm *find_unmeasured(const struct session *s)
{
	for (size_t i = 0; i < s->plan->arms_nr; i++) {
		const struct arm *arm = &s->plan->arms[i];
		bool has_any = false;

		for (size_t w = 0; w < s->plan->workloads_nr && !has_any; w++)
			has_any = measure_is_done(s, 1, arm->name,
						  s->plan->workloads[w].name, "");
		if (!has_any)
			return arm;
	}
	return NULL;
}

static int run_session(struct session *s, const struct run_request *request,
		       struct err *err)
{
	const struct arm *missing;
	struct err left = ERR_INIT;
	char text[32], rounds[64];
	int status = EXIT_PASS;
	bool failed;

	log_info("run %s in %s: %s of about %s", s->run_id, s->dir,
		 rounds_text(s->plan, rounds, sizeof(rounds)),
		 clock_human(rounds_one_ns(s->plan), text, sizeof(text)));
	failed = run_rounds(s, &request->filter, err) != 0;
	if (failed)
		log_failure(err);
	/* Always: after a failure and after a Ctrl-C as well. */
	if (gpu_driver_restore(s, NULL, &left))
		log_failure(&left);
	if (failed) {
		log_info("'tare run --resume %s' goes on from here", s->dir);
		return err_exit_status(err);
	}
	if (left.kind != ERR_NONE)
		return err_exit_status(&left);
	missing = find_unmeasured(s);
	if (missing) {
		log_warn("nothing is judged before all arms are there: 'tare run "
			 "--resume %s' measures '%s'",
			 s->dir, missing->name);
		return EXIT_INCONCLUSIVE;
	}
	if (write_reports(s, request, &status, err))
		return log_failure(err);
	(void)journal_write(s->journal, JOURNAL_END, STEP_RUN, NULL, NULL, NULL);
	return status;
}

static int keep_floor(const struct session *s, const struct run_request *request,
		      struct err *err)
{
	char *path = path_join(s->dir, RUNDIR_FLOOR);
	int rc = request->floor ? noise_floor_write(request->floor, path, err) : 0;

	free(path);
	return rc;
}

int run_and_report(const struct plan *p, const struct run_request *request,
		   struct err *err)
{
	char *dir = request->dir ? x_strdup(request->dir) : session_new_dir(p->name);
	struct recovered back;
	struct session s;
	int status;

	stop_install();
	status = request->is_resumed ? recover_begin(&s, p, dir, &back, err)
				     : session_begin(&s, p, dir, err);
	free(dir);
	if (status)
		return log_failure(err);
	status = keep_floor(&s, request, err) ? log_failure(err)
					      : run_session(&s, request, err);
	session_end(&s);
	return status;
}
