/* What 'tare run' and 'tare aa' share: a run from its folder to its printed verdict. */
#ifndef TARE_HARNESS_CMD_RUN_AND_REPORT_H
#define TARE_HARNESS_CMD_RUN_AND_REPORT_H

#include "harness/run/run_rounds.h"
#include "reports/verdict/noise_floor.h"

#include <stdbool.h>

struct run_request {
	const char *dir; /* NULL: runs/NAME-ID */
	bool is_resumed; /* 'dir' holds a run, which goes on */
	struct run_filter filter;
	const struct noise_floor *floor; /* kept with the run; NULL: not measured */
	bool json; /* the verdict on stdout as JSON, not as a table */
};

/*
 * Measures, judges, writes the reports into the run's folder and prints the verdict on
 * stdout. Gives the exit status; failures are logged.
 */
int run_and_report(const struct plan *p, const struct run_request *request,
		   struct err *err);

#endif
