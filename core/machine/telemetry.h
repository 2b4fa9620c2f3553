/*
 * A GPU's state while something runs: a thread of its own reads it ten times a second
 * into memory reserved beforehand, where neighbours are put together when there are more
 * than fit, so that a day is told as well as a minute, only more coarsely. At the begin
 * and the end what the GPU has counted by itself (throttle time, energy, errors, link
 * replays) is read once each, so that those are exact differences and no polling misses a
 * moment.
 *
 * Reading costs the thread about a millisecond ten times a second and the GPU nothing; the
 * host's other threads are not held up.
 */
#ifndef TARE_CORE_MACHINE_TELEMETRY_H
#define TARE_CORE_MACHINE_TELEMETRY_H

#include "core/document/json.h"

#include <stdbool.h>
#include <stdint.h>

#define TELEMETRY_PERIOD_NS INT64_C(100000000)

/*
 * NVML's throttle reasons (nvmlClocksThrottleReason*): power cap, hardware slowdown, sync
 * boost, thermal by software and by hardware, power brake. Not idle, nor clocks that were
 * set.
 */
#define TELEMETRY_SLOWED INT64_C(0xfc)

struct telemetry;

/*
 * Begins to watch the GPU called 'which' (core/machine/nvml.h). NULL, with
 * ERR_ENVIRONMENT, where there is no NVML or no such GPU: a measurement goes on without it.
 */
struct telemetry *telemetry_start(const char *which, struct err *err);

/*
 * The span that the summary is about: from the first call with true to the last with
 * false; without any, from start to stop. Does not wait for the thread.
 */
void telemetry_mark(struct telemetry *t, bool begins);

/* Ends the thread. What was seen stays readable. */
void telemetry_stop(struct telemetry *t);
void telemetry_free(struct telemetry *t); /* stops; NULL is fine */

/*
 * {uuid, period_s, span_s, samples, samples_failed, sm_clock_hz{mean, least, most},
 * memory_clock_hz, power_w, temperature_c, energy_j, throttle_s{sw_power_cap, sync_boost,
 * sw_thermal, hw_thermal, hw_power_brake}, reasons_seen[], ecc{...}, remapped_rows{...},
 * pcie{...}, nvlink{...}, c2c{...}, series{period_s, t_s[], reasons[], sm_clock_hz[],
 * memory_clock_hz[], power_w[], temperature_c[]}}. Counts are differences over the span.
 * The series begins with the watch and ends with it, in at most 3,000 points: each is what
 * was read in 'period_s' from its t_s on, as the mean, and of NVML's reasons every bit
 * that was seen; TELEMETRY_SLOWED has those that mean a lower clock than asked for. What
 * is not told is null. After telemetry_stop(); owned by the caller.
 */
struct json_object *telemetry_json(const struct telemetry *t);

/* Mean SM clock in the span in Hz, or 0 where it is not known. */
double telemetry_mean_sm_clock_hz(const struct telemetry *t);

/*
 * Seconds of the span in which the hardware itself slowed the GPU down (thermal or power
 * brake): a reason to call the measurement invalid. Negative where it is not told.
 */
double telemetry_hardware_slowdown_s(const struct telemetry *t);

/* Uncorrected memory errors in the span. Negative where it is not told. */
double telemetry_uncorrected_errors(const struct telemetry *t);

#endif
