#include "core/base/rng.h"

#include <math.h>

static const uint64_t golden_gamma = UINT64_C(0x9e3779b97f4a7c15);
static const double two_pi = 6.283185307179586476925286766559;

static uint64_t mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static uint64_t rotl(uint64_t x, int k)
{
	return (x << k) | (x >> (64 - k));
}

uint64_t rng_at(uint64_t seed, uint64_t index)
{
	return mix(seed + (index + 1) * golden_gamma);
}

void rng_init(struct rng *r, uint64_t seed)
{
	for (uint64_t i = 0; i < 4; i++)
		r->s[i] = rng_at(seed, i);
}

uint64_t rng_u64(struct rng *r)
{
	uint64_t *s = r->s;
	uint64_t out = rotl(s[0] + s[3], 23) + s[0];
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);
	return out;
}

uint64_t rng_below(struct rng *r, uint64_t bound)
{
	uint64_t floor =
		-bound % bound; /* 2^64 mod bound: below it numbers are drawn again */
	uint64_t x;

	do {
		x = rng_u64(r);
	} while (x < floor);
	return x % bound;
}

double rng_unit(struct rng *r)
{
	return ((double)(rng_u64(r) >> 12) + 0.5) * 0x1p-52;
}

double rng_normal(struct rng *r)
{
	double radius = sqrt(-2 * log(rng_unit(r)));

	return radius * cos(two_pi * rng_unit(r));
}

double rng_exponential(struct rng *r)
{
	return -log(rng_unit(r));
}
