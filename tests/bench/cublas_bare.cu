/*
 * What tare-gemm on cuBLAS is measured against: a bare loop around cublasGemmEx between
 * events, with CUDA's runtime. The matrices are tare-gemm's, bit for bit, and C is filled
 * anew before the timed products: other numbers draw other power, and at the power limit
 * that is another clock. Prints the milliseconds of each product.
 *   nvcc -O2 -I. tests/bench/cublas_bare.cu -lcublas -o build/bench/cublas_bare
 *   build/bench/cublas_bare N WARMUP_SECONDS ITERATIONS [zeros]
 */
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include <cublas_v2.h>
#include <cuda_runtime.h>

#include "gemm/element.h"

#define MUST(call)                                                                       \
	do {                                                                             \
		int status = (int)(call);                                                \
		if (status != 0) {                                                       \
			fprintf(stderr, "%s: %d\n", #call, status);                      \
			exit(5);                                                         \
		}                                                                        \
	} while (0)

#define SEED 1 /* tare-gemm's default */

static __global__ void fill(float *x, size_t nr, int how, int which)
{
	uint64_t seed = element_bits(SEED, which);

	for (size_t i = blockIdx.x * (size_t)blockDim.x + threadIdx.x; i < nr;
	     i += gridDim.x * (size_t)blockDim.x)
		x[i] = (float)element_value(how, seed, i);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	int n = argc > 3 ? atoi(argv[1]) : 0, iterations = argc > 3 ? atoi(argv[3]) : 0;
	double warmup = argc > 3 ? atof(argv[2]) : 0, begin;
	size_t nr = (size_t)n * n;
	int how = argc > 4 ? FILL_ZEROS : FILL_NORMAL;
	float *m[3], one = 1, ms;
	cudaEvent_t start[1000], stop[1000];
	cublasHandle_t handle;

	if (n < 1 || iterations < 1 || iterations > 1000)
		return 2;
	for (int i = 0; i < 3; i++) {
		MUST(cudaMalloc(&m[i], nr * sizeof(float)));
		fill<<<2048, 256>>>(m[i], nr, how, i);
	}
	MUST(cublasCreate(&handle));
	for (int i = 0; i < iterations; i++) {
		MUST(cudaEventCreate(&start[i]));
		MUST(cudaEventCreate(&stop[i]));
	}
#define PRODUCT()                                                                        \
	MUST(cublasGemmEx(handle, CUBLAS_OP_N, CUBLAS_OP_N, n, n, n, &one, m[0], CUDA_R_32F, \
			  n, m[1], CUDA_R_32F, n, &one, m[2], CUDA_R_32F, n,             \
			  CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT))
	for (begin = now(); now() - begin < warmup;) {
		PRODUCT();
		MUST(cudaDeviceSynchronize());
	}
	fill<<<2048, 256>>>(m[2], nr, how, 2);
	for (int i = 0; i < iterations; i++) {
		MUST(cudaEventRecord(start[i]));
		PRODUCT();
		MUST(cudaEventRecord(stop[i]));
	}
	MUST(cudaDeviceSynchronize());
	for (int i = 0; i < iterations; i++) {
		MUST(cudaEventElapsedTime(&ms, start[i], stop[i]));
		printf("%.6f\n", ms);
	}
	return 0;
}
