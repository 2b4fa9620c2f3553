/*
 * Results as they lie on disk, brought together: a run directory
 * (core/document/run_directory.h), a folder of tare.result/1 files, one such file, or a
 * peer's own report (reports/import/import.h).
 *
 * A folder is read whole or not at all: one bad file is an error that names it.
 */
#ifndef TARE_REPORTS_IMPORT_RESULT_FILES_H
#define TARE_REPORTS_IMPORT_RESULT_FILES_H

#include "reports/results/result_set.h"

/*
 * Fills 'ret' (initialised here). ERR_USAGE for what is not readable as results,
 * ERR_INVALID where a metric of one workload comes in two units.
 */
int result_set_load(struct result_set *ret, const char *path, struct err *err);

/*
 * ERR_INVALID where a metric of a workload is in two units: what keeps values (a baseline, a
 * history) takes none of that. A comparison makes that metric invalid and judges the others.
 */
int result_set_check_units(const struct result_set *s, struct err *err);

#endif
