/*
 * The buckets of a histogram of durations that is fine for short ones and goes far: a value
 * below 2^bits has its own; above, every octave (2^n to 2^(n+1)) has 2^bits of one width, so
 * that a bucket is never wider than 1/2^bits of what it holds. 'bits' is a constant where
 * these are called, and the compiler makes shifts of it all.
 */
#ifndef TARE_INFERENCE_LOAD_ENGINE_BUCKET_H
#define TARE_INFERENCE_LOAD_ENGINE_BUCKET_H

#include <stdint.h>

/* How many there are for values below 2^top_bit. */
#define BUCKETS_BELOW(top_bit, bits) (((top_bit) - (bits) + 1) << (bits))

static inline unsigned bucket_of(uint64_t v, unsigned bits)
{
	unsigned shift;

	if (v >> bits == 0)
		return (unsigned)v;
	shift = 63 - (unsigned)__builtin_clzll(v) - bits;
	return (shift << bits) + (unsigned)(v >> shift);
}

static inline uint64_t bucket_width(unsigned bucket, unsigned bits)
{
	unsigned octave = bucket >> bits;

	return octave ? UINT64_C(1) << (octave - 1) : 1;
}

/* The least value that it holds. */
static inline uint64_t bucket_low(unsigned bucket, unsigned bits)
{
	uint64_t part = bucket & ((1u << bits) - 1);

	return bucket >> bits ? (part + (1u << bits)) * bucket_width(bucket, bits) : part;
}

#endif
