/*
 * The same product on as many multiprocessors as each MIG profile of the GPU has, through
 * green contexts: what a slice should reach at best, without touching MIG. Profiles and
 * their multiprocessors are the driver's own; each number is measured once, in rising
 * order, before the whole GPU. Green contexts come in the hardware's groups, so more
 * multiprocessors than the profile has may have been used: 'used' says how many.
 */
#ifndef TARE_GEMM_SWEEP_H
#define TARE_GEMM_SWEEP_H

#include "core/document/result.h"
#include "gemm/options.h"

#include <stdio.h>

struct sweep_part {
	char profiles[160]; /* "1g.18gb, 1g.18gb+me" */
	unsigned multiprocessors;
	int used;
	double *flops; /* of each timed product */
	int64_t nr;
	bool is_right; /* C was verified */
};

struct sweep {
	struct sweep_part *parts;
	size_t nr, alloc;
	int whole; /* multiprocessors of the GPU */
};

/* ERR_USAGE without a GPU or on one without MIG. After a 0 return: sweep_release(). */
int sweep_measure(const struct gemm_options *o, const struct problem *p,
		  struct sweep *ret, struct err *err);
void sweep_release(struct sweep *s);

/*
 * Adds gemm.flops@smsN of each number, and details.sweep: [{profiles, multiprocessors,
 * multiprocessors_used, sm_ratio, throughput_share}], the whole GPU's at last.
 */
void sweep_report(const struct sweep *s, struct result *r);
void sweep_summary(const struct result *r, FILE *to);

#endif
