/*
 * Products through cuBLASLt: the only way to FP8, and the only real choice of algorithm on
 * current GPUs. A plan is one problem's descriptors with one algorithm out of those that
 * the library's heuristics rank.
 */
#ifndef TARE_GEMM_BLASLT_H
#define TARE_GEMM_BLASLT_H

#include "cuda/device.h"
#include "gemm/cublas_api.h"
#include "gemm/problem.h"

#define BLASLT_CANDIDATES 32

struct blaslt {
	struct device *device;  /* borrowed */
	struct cublas_api *api; /* borrowed */
	const struct problem *problem;
	struct cublaslt *handle;
	struct lt_desc *desc;
	struct lt_layout *a, *b, *c;
	struct lt_preference *preference;
	struct lt_heuristic candidates[BLASLT_CANDIDATES];
	int nr_candidates, chosen;
	cu_pointer workspace; /* borrowed */
	size_t workspace_bytes;
};

/*
 * ERR_ENVIRONMENT, with cuBLASLt's own words, where it has no algorithm for the problem.
 * The first candidate is chosen. On failure nothing is left to close.
 */
int blaslt_open(struct blaslt *lt, struct device *d, struct cublas_api *api,
		const struct problem *p, cu_pointer workspace, size_t workspace_bytes,
		struct err *err);
void blaslt_close(struct blaslt *lt);

/* One product with the chosen algorithm, ordered in the device's stream. */
int blaslt_multiply(struct blaslt *lt, cu_pointer a, cu_pointer b, cu_pointer c,
		    struct err *err);

/* alpha and beta in the type that the compute type scales with. */
union scale {
	float f;
	double d;
	int32_t i;
};
union scale scale_of(const struct arithmetic *a, double value);

#endif
