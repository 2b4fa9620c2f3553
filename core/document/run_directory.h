/*
 * The run directory: names of everything one 'tare run' leaves behind. It is a contract
 * between the harness, which writes it, and the reports, which read it:
 *
 *	plan.json             the resolved plan, without secrets
 *	journal.jsonl         every step before and after it happened
 *	machines/rNNN-ARM.json     facts of the machine that the arm ran on in that round
 *	results/rNNN-ARM-WORKLOAD.json   one tare.result/1 each
 *	aa.json               the noise floor of the set-up, where it was measured
 *	verdict.json          tare.verdict/1
 *	report.html report.md report.json plots/
 */
#ifndef TARE_CORE_DOCUMENT_RUN_DIRECTORY_H
#define TARE_CORE_DOCUMENT_RUN_DIRECTORY_H

#include "core/base/err.h"

#define RUNDIR_PLAN "plan.json"
#define RUNDIR_JOURNAL "journal.jsonl"
#define RUNDIR_MACHINES "machines"
#define RUNDIR_RESULTS "results"
#define RUNDIR_VERDICT "verdict.json"
#define RUNDIR_FLOOR "aa.json"
#define RUNDIR_PLOTS "plots"

/* The path of the plan of the run in 'dir' (free()); NULL: 'dir' holds no run. */
char *rundir_plan_path(const char *dir, struct err *err);

/* free() what these return. Rounds count from 1. */
char *rundir_result_path(const char *dir, int round, const char *arm,
			 const char *workload);
char *rundir_machine_path(const char *dir, int round, const char *arm);

#endif
