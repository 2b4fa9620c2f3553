/*
 * What tare-gemm is measured against: nothing but a loop around cblas_sgemm and a clock.
 * Prints the seconds of each product. Usage: gemm_bare N WARMUP_SECONDS ITERATIONS
 */
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static float *matrix(int n)
{
	void *at = NULL;

	if (posix_memalign(&at, 4096, (size_t)n * (size_t)n * sizeof(float)) != 0)
		exit(5);
	for (size_t i = 0; i < (size_t)n * (size_t)n; i++)
		((float *)at)[i] = (float)(i * 2654435761u % 4001) / 2000 - 1;
	return at;
}

int main(int argc, char **argv)
{
	int n = argc == 4 ? (int)strtol(argv[1], NULL, 10) : 0;
	double warmup = argc == 4 ? strtod(argv[2], NULL) : 0, begin = now();
	int iterations = argc == 4 ? (int)strtol(argv[3], NULL, 10) : 0;
	float *a, *b, *c;

	if (n < 1 || iterations < 1)
		return 2;
	a = matrix(n);
	b = matrix(n);
	c = matrix(n);
	while (now() - begin < warmup)
		cblas_sgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1, a, n,
			    b, n, 1, c, n);
	for (int i = 0; i < iterations; i++) {
		double start = now();

		cblas_sgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1, a, n,
			    b, n, 1, c, n);
		printf("%.9f\n", now() - start);
	}
	free(a);
	free(b);
	free(c);
	return 0;
}
