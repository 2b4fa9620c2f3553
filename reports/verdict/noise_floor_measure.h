/* The noise floor of a set-up (reports/verdict/noise_floor.h), out of a run of 'tare aa'. */
#ifndef TARE_REPORTS_VERDICT_NOISE_FLOOR_MEASURE_H
#define TARE_REPORTS_VERDICT_NOISE_FLOOR_MEASURE_H

#include "reports/verdict/noise_floor.h"

/* Judges the run by its own margins. ERR_USAGE where its two arms are not the same one. */
int noise_floor_measure(struct noise_floor *ret, const char *aa_dir, struct err *err);

#endif
