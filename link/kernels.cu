/*
 * What runs on the device: waiting for the host, filling and checking buffers, dependent loads,
 * nothing at all. scripts/ptx turns this into kernels.ptx.
 */
#include "link/pattern.h"

static __device__ __forceinline__ uint64_t now_ns(void)
{
	uint64_t ns;

	asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(ns));
	return ns;
}

/* Until the host writes 'value', or for so long: then the word behind the flag is 'value'. */
extern "C" __global__ void link_wait(volatile unsigned *flag, unsigned value,
				     uint64_t timeout_ns)
{
	uint64_t begin = now_ns();

	while (*flag != value) {
		if (now_ns() - begin > timeout_ns) {
			flag[1] = value;
			return;
		}
	}
}

extern "C" __global__ void link_empty(void)
{
}

extern "C" __global__ void link_fill(uint64_t *to, uint64_t words, uint64_t seed)
{
	uint64_t step = (uint64_t)gridDim.x * blockDim.x;

	for (uint64_t i = (uint64_t)blockIdx.x * blockDim.x + threadIdx.x; i < words;
	     i += step)
		to[i] = pattern_word(seed, i);
	__threadfence_system();
}

/* Volatile: what is read is in the memory, not in a cache of this multiprocessor. */
extern "C" __global__ void link_check(const volatile uint64_t *from, uint64_t words,
				      uint64_t seed, unsigned long long *wrong)
{
	uint64_t step = (uint64_t)gridDim.x * blockDim.x;
	unsigned long long found = 0;

	for (uint64_t i = (uint64_t)blockIdx.x * blockDim.x + threadIdx.x; i < words;
	     i += step)
		found += from[i] != pattern_word(seed, i);
	if (found)
		atomicAdd(wrong, found);
}

/* Each word holds the address of the next. The last address keeps the loads alive. */
extern "C" __global__ void link_chase(const volatile uint64_t *at, uint64_t steps,
				      uint64_t *last)
{
	for (uint64_t i = 0; i < steps; i++)
		at = (const volatile uint64_t *)*at;
	*last = (uint64_t)at;
}

/* Answers in 'back' every number that the host writes into 'forth', from 1 on. */
extern "C" __global__ void link_pong(volatile unsigned *forth, volatile unsigned *back,
				     unsigned rounds, uint64_t timeout_ns)
{
	uint64_t begin = now_ns();

	for (unsigned i = 1; i <= rounds; i++) {
		while (*forth != i)
			if (now_ns() - begin > timeout_ns)
				return;
		*back = i;
		__threadfence_system();
	}
}
