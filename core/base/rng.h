/*
 * Random numbers from a recorded seed: the same seed gives the same numbers on every
 * machine and architecture.
 *
 * Stream: xoshiro256++ 1.0 (Blackman and Vigna, "Scrambled linear pseudorandom number
 * generators", ACM TOMS 47, 2021), seeded through SplitMix64 as its authors advise.
 * Counter: rng_at() is SplitMix64's output function at (seed + (index+1) * golden gamma)
 * (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014):
 * any element of a sequence without those before it, which is what filling a matrix on a
 * device needs.
 */
#ifndef TARE_CORE_BASE_RNG_H
#define TARE_CORE_BASE_RNG_H

#include <stdint.h>

struct rng {
	uint64_t s[4];
};

void rng_init(struct rng *r, uint64_t seed);
uint64_t rng_u64(struct rng *r);
uint64_t rng_below(struct rng *r, uint64_t bound); /* uniform in 0..bound-1, unbiased */
double rng_unit(struct rng *r);                    /* uniform in (0, 1), never 0 or 1 */
double rng_normal(struct rng *r);      /* mean 0, deviation 1 (Box and Muller) */
double rng_exponential(struct rng *r); /* mean 1 */

uint64_t rng_at(uint64_t seed, uint64_t index);

#endif
