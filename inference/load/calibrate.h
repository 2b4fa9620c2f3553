/*
 * The client measured against the truth before it measures anything: the built-in mock, in
 * a process of its own on this machine, streams at the run's widest concurrency and at
 * the token rate that the first small request showed (at most CALIBRATE_CHUNKS_PER_S in
 * all), with its send time in every chunk. What arrives later than that is this client's
 * error.
 *
 * The mock takes CPU time from the client, so the error is the upper one of the two.
 */
#ifndef TARE_INFERENCE_LOAD_CALIBRATE_H
#define TARE_INFERENCE_LOAD_CALIBRATE_H

#include "inference/load/load_run.h"

enum { CALIBRATE_CHUNKS_PER_S = 20000 };

int calibrate(const struct load_run *r, struct calibration *ret, struct err *err);

#endif
