/*
 * A run directory that was never measured: numbers from a seed, labelled as synthetic in
 * every document, for tests of what reads run directories and for looking at reports.
 */
#ifndef TARE_TESTS_SUPPORT_SYNTHETIC_H
#define TARE_TESTS_SUPPORT_SYNTHETIC_H

#include <stdbool.h>
#include <stdint.h>

struct synthetic_metric {
	const char *name, *unit, *better; /* "higher", "lower" or "none" */
	bool gate;
	double mean;      /* of the baseline */
	double ratio;     /* true ratio of the candidate */
	double round_sd;  /* relative, between rounds */
	double sample_sd; /* relative, within a round */
	int samples;      /* a round; 0: the metric has no values */
};

struct synthetic_workload {
	const char *name, *kind;
	struct synthetic_metric metrics[8]; /* ends with an empty name */
	bool is_mock;
	bool has_stages, has_telemetry, has_gpu; /* synthetic_details.h */
	double ratio;                            /* of the stages' throughput; 0: 1 */
	const char *part; /* the MIG profile it ran on; NULL: the whole GPU */
};

struct synthetic_run {
	const char *name;       /* of the plan, and in the title */
	const char *arms[4];    /* the first is the baseline */
	int rounds, rounds_max; /* done; the plan's maximum (0: as many as done) */
	uint64_t seed;
	bool is_emulated;            /* the candidates are QEMU TCG guests */
	bool has_gpu, has_other_gpu; /* other: the candidates' GPU has another UUID */
	struct synthetic_workload workloads[6]; /* ends with an empty name */
};

/* Writes 'dir' (made here). Fails the test on an error. */
void synthetic_write(const char *dir, const struct synthetic_run *run);

/* Runs to look at: "demo" (emulated VM, far from 1), "gpu", "large" (12 rounds, 8 metrics),
 * "mock", "markup" (strings that try to be markup); NULL for another name. */
const struct synthetic_run *synthetic_named(const char *name);

#endif
