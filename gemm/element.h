/*
 * One element of a matrix: which number a seed gives it, and how a number is stored in
 * and read back from each type. The same source is compiled for the host (C) and for the
 * device (CUDA C, kernels.cu), and every step is exact or rounded once by IEEE 754, so a
 * matrix has the same bits wherever it was filled.
 *
 * Normal numbers come without log() and cos(), whose last bit differs between libraries:
 * the ones in 64 random bits, a binomial number of deviation 4, plus a triangular one on
 * (-1, 1) of 32 bits that fills the steps, over the deviation of the sum, sqrt(16 + 1/6).
 * Excess kurtosis is -0.03 and the tails end at 8 deviations. Uniform ones have 53 bits
 * on [-1, 1).
 *
 * Narrow floats round to the nearest, ties to even (IEEE 754 binary16; bfloat16; FP8 E4M3
 * of Micikevicius et al., "FP8 formats for deep learning", arXiv 2209.05433).
 */
#ifndef TARE_GEMM_ELEMENT_H
#define TARE_GEMM_ELEMENT_H

#include <stdint.h>

#ifdef __CUDACC__
#define ELEMENT_FN static __device__ __forceinline__
#define element_ones(bits) __popcll(bits)
#else
#define ELEMENT_FN static inline
#define element_ones(bits) __builtin_popcountll(bits)
#endif

enum element_type {
	ELEMENT_F64,
	ELEMENT_F32,
	ELEMENT_F16,
	ELEMENT_BF16,
	ELEMENT_E4M3,
	ELEMENT_I8,
	ELEMENT_I32
};

enum element_fill { FILL_NORMAL, FILL_UNIFORM, FILL_ZEROS };

/* Integers take the normal number times 32 and the uniform one times 127. */
#define ELEMENT_I8_NORMAL 32.0
#define ELEMENT_I8_UNIFORM 127.0

/* The 64 bits at 'index' of the sequence of 'seed': rng_at() of core/base/rng.h. */
ELEMENT_FN uint64_t element_bits(uint64_t seed, uint64_t index)
{
	uint64_t z = seed + (index + 1) * 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

ELEMENT_FN double element_normal(uint64_t seed, uint64_t index)
{
	uint64_t fine = element_bits(seed, 2 * index + 1);
	int64_t step = (int64_t)element_ones(element_bits(seed, 2 * index)) - 32;
	int64_t within =
		(int64_t)(fine >> 32) + (int64_t)(fine & 0xffffffffu) - 0xffffffff;

	/* 2^-32 / sqrt(16 + 1/6) */
	return (double)(step * 0x100000000 + within) * 5.7906844114629427e-11;
}

ELEMENT_FN double element_uniform(uint64_t seed, uint64_t index)
{
	int64_t bits = (int64_t)(element_bits(seed, index) >> 11);

	return (double)(bits - 0x10000000000000) * (1.0 / 0x10000000000000);
}

/* The real number for an element before it is stored. */
ELEMENT_FN double element_value(int fill, uint64_t seed, uint64_t index)
{
	if (fill == FILL_ZEROS)
		return 0;
	return fill == FILL_NORMAL ? element_normal(seed, index)
				   : element_uniform(seed, index);
}

/* 'x' is zero or of a normal float's size, as everything that element_value() gives. */
ELEMENT_FN uint32_t element_narrow(float x, int exponent_bits, int fraction_bits)
{
	union {
		float f;
		uint32_t u;
	} v;
	uint32_t sign, magnitude, whole, kept, rest, half;
	int exponent, drop = 23 - fraction_bits;

	v.f = x;
	sign = v.u >> 31 << (exponent_bits + fraction_bits);
	magnitude = v.u & 0x7fffffff;
	whole = (magnitude & 0x7fffff) | (magnitude >> 23 ? 0x800000 : 0);
	exponent = (int)(magnitude >> 23) - 127 + (1 << (exponent_bits - 1)) - 1;
	if (exponent <=
	    0) { /* becomes subnormal: the hidden bit moves into the fraction */
		drop += 1 - exponent;
		exponent = 1;
		if (drop > 24)
			return sign;
	}
	kept = whole >> drop;
	rest = whole & ((1u << drop) - 1);
	half = 1u << (drop - 1);
	if (rest > half || (rest == half && (kept & 1)))
		kept++;
	/* A carry out of the fraction counts up the exponent by itself. */
	if (kept >> fraction_bits)
		kept += (uint32_t)(exponent - 1) << fraction_bits;
	return sign | kept;
}

/* Exact. Infinities and NaN are not told apart here. */
ELEMENT_FN double element_widen(uint32_t code, int exponent_bits, int fraction_bits)
{
	union {
		uint64_t u;
		double f;
	} power;
	uint32_t fraction = code & ((1u << fraction_bits) - 1);
	int exponent = (int)(code >> fraction_bits) & ((1 << exponent_bits) - 1);
	double sign = code >> (exponent_bits + fraction_bits) & 1 ? -1 : 1;

	if (exponent)
		fraction += 1u << fraction_bits;
	else
		exponent = 1;
	/* The weight of the last fraction bit, as a double of its own. */
	power.u = (uint64_t)(exponent - (1 << (exponent_bits - 1)) + 1 - fraction_bits +
			     1023)
		  << 52;
	return sign * (double)fraction * power.f;
}

/* 65536 is the first power of two that becomes infinity. */
ELEMENT_FN uint16_t element_to_f16(double x)
{
	x = x > 65536 ? 65536 : x < -65536 ? -65536 : x;
	return (uint16_t)element_narrow((float)x, 5, 10);
}

ELEMENT_FN uint16_t element_to_bf16(double x)
{
	return (uint16_t)element_narrow((float)x, 8, 7);
}

/* E4M3 has no infinity: too large becomes the largest. */
ELEMENT_FN uint8_t element_to_e4m3(double x)
{
	x = x > 448 ? 448 : x < -448 ? -448 : x;
	return (uint8_t)element_narrow((float)x, 4, 3);
}

ELEMENT_FN int8_t element_to_i8(double x)
{
	double half = x < 0 ? -0.5 : 0.5;

	if (x > 127)
		x = 127;
	if (x < -127)
		x = -127;
	return (int8_t)(x + half);
}

ELEMENT_FN void element_store(int type, void *matrix, uint64_t at, int fill, double x)
{
	double scale = fill == FILL_NORMAL ? ELEMENT_I8_NORMAL : ELEMENT_I8_UNIFORM;

	switch (type) {
	case ELEMENT_F64:
		((double *)matrix)[at] = x;
		break;
	case ELEMENT_F32:
		((float *)matrix)[at] = (float)x;
		break;
	case ELEMENT_F16:
		((uint16_t *)matrix)[at] = element_to_f16(x);
		break;
	case ELEMENT_BF16:
		((uint16_t *)matrix)[at] = element_to_bf16(x);
		break;
	case ELEMENT_E4M3:
		((uint8_t *)matrix)[at] = element_to_e4m3(x);
		break;
	case ELEMENT_I8:
		((int8_t *)matrix)[at] = element_to_i8(x * scale);
		break;
	default:
		((int32_t *)matrix)[at] = element_to_i8(x * scale);
	}
}

ELEMENT_FN double element_load(int type, const void *matrix, uint64_t at)
{
	switch (type) {
	case ELEMENT_F64:
		return ((const double *)matrix)[at];
	case ELEMENT_F32:
		return ((const float *)matrix)[at];
	case ELEMENT_F16:
		return element_widen(((const uint16_t *)matrix)[at], 5, 10);
	case ELEMENT_BF16:
		return element_widen(((const uint16_t *)matrix)[at], 8, 7);
	case ELEMENT_E4M3:
		return element_widen(((const uint8_t *)matrix)[at], 4, 3);
	case ELEMENT_I8:
		return ((const int8_t *)matrix)[at];
	default:
		return ((const int32_t *)matrix)[at];
	}
}

/* Element 'at' as a whole number of its own bits, for digests. */
ELEMENT_FN uint64_t element_word(int bytes, const void *matrix, uint64_t at)
{
	switch (bytes) {
	case 8:
		return ((const uint64_t *)matrix)[at];
	case 4:
		return ((const uint32_t *)matrix)[at];
	case 2:
		return ((const uint16_t *)matrix)[at];
	default:
		return ((const uint8_t *)matrix)[at];
	}
}

/*
 * What element 'at' adds to the digest of a matrix. The digest is two sums modulo 2^64 of
 * these, with lane 0 and 1: sums can be taken in any order, so a device gives the same as
 * a host. It finds any accident; it is no protection against intent.
 */
ELEMENT_FN uint64_t element_digest(uint64_t word, uint64_t at, uint64_t lane)
{
	return element_bits(word ^ element_bits(0x74617265 + lane, at), lane);
}

#endif
