/*
 * The numbers that fill what is copied: word i of a buffer follows from the seed and i alone,
 * so that host and device make and check the same ones, and a word at the wrong place is wrong.
 * For C and for CUDA.
 */
#ifndef TARE_LINK_PATTERN_H
#define TARE_LINK_PATTERN_H

#include <stdint.h>

#ifdef __CUDACC__
#define PATTERN_FUNCTION static __host__ __device__ __forceinline__
#else
#define PATTERN_FUNCTION static inline
#endif

/* Fibonacci hashing (Knuth, TAOCP 6.4): one product, every bit of the index in the upper half. */
PATTERN_FUNCTION uint64_t pattern_word(uint64_t seed, uint64_t i)
{
	uint64_t x = (seed + i) * UINT64_C(0x9e3779b97f4a7c15);

	return x ^ x >> 32;
}

#endif
