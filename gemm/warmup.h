/*
 * When a warm-up has lasted long enough: for the time asked for, and where clocks take
 * seconds to settle until times are steady, but no longer than three times that. Steady: the
 * mean times of two stretches of half a second or more, one after the other, differ by less
 * than 0.2 %.
 */
#ifndef TARE_GEMM_WARMUP_H
#define TARE_GEMM_WARMUP_H

#include <stdbool.h>
#include <stdint.h>

enum { WARMUP_BATCH_MAX = 64 };

/* Zeroed at first. */
struct warmup {
	double seconds; /* of the stretch that is being filled */
	int64_t products;
	double last_mean; /* seconds a product in the stretch before; 0: there is none */
	bool is_steady;
};

void warmup_add(struct warmup *w, double seconds, int64_t products);
bool warmup_is_over(const struct warmup *w, bool wants_steady, int64_t passed_ns,
		    int64_t asked_ns);

/* How many products to do at a time, so that it can be looked at ten times a second. */
int64_t warmup_batch(double seconds_per_product);

#endif
