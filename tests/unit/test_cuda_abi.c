/*
 * cuda/cuda.h and gemm/cublas_api.h declare what they need of CUDA by themselves. Where the
 * toolkit's headers are installed, they are the independent source to compare with.
 */
#include "cuda/cuda.h"
#include "gemm/cublas_api.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#ifdef TARE_WITH_CUDA

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wstrict-prototypes"
#include <cublasLt.h>
#include <cublas_v2.h>
#include <cuda.h>
#pragma GCC diagnostic pop

#include "gemm/problem.h"

static void test_numbers(void **state)
{
	(void)state;
	assert_int_equal(CU_SUCCESS, CUDA_SUCCESS);
	assert_int_equal(CU_OUT_OF_MEMORY, CUDA_ERROR_OUT_OF_MEMORY);
	assert_int_equal(CU_NO_DEVICE, CUDA_ERROR_NO_DEVICE);
	assert_int_equal(CU_NOT_READY, CUDA_ERROR_NOT_READY);
	assert_int_equal(CU_ATTRIBUTE_SM_COUNT, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
	assert_int_equal(CU_ATTRIBUTE_PCI_BUS, CU_DEVICE_ATTRIBUTE_PCI_BUS_ID);
	assert_int_equal(CU_ATTRIBUTE_PCI_DEVICE, CU_DEVICE_ATTRIBUTE_PCI_DEVICE_ID);
	assert_int_equal(CU_ATTRIBUTE_PCI_DOMAIN, CU_DEVICE_ATTRIBUTE_PCI_DOMAIN_ID);
	assert_int_equal(CU_ATTRIBUTE_CLOCK_KHZ, CU_DEVICE_ATTRIBUTE_CLOCK_RATE);
	assert_int_equal(CU_ATTRIBUTE_L2_BYTES, CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE);
	assert_int_equal(CU_ATTRIBUTE_MAJOR,
			 CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
	assert_int_equal(CU_ATTRIBUTE_MINOR,
			 CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
	assert_int_equal(CU_STREAM_UNBLOCKED, CU_STREAM_NON_BLOCKING);
	assert_int_equal(CU_EVENT_TIMED, CU_EVENT_DEFAULT);
	assert_int_equal(CU_PEER_ACCESS_ALREADY, CUDA_ERROR_PEER_ACCESS_ALREADY_ENABLED);
	assert_int_equal(CU_HOST_PORTABLE, CU_MEMHOSTALLOC_PORTABLE);
	assert_int_equal(CU_HOST_MAPPED, CU_MEMHOSTALLOC_DEVICEMAP);
	assert_int_equal(CU_MEMORY_PINNED, CU_MEM_ALLOCATION_TYPE_PINNED);
	assert_int_equal(CU_LOCATION_DEVICE, CU_MEM_LOCATION_TYPE_DEVICE);
	assert_int_equal(CU_ACCESS_READ_WRITE, CU_MEM_ACCESS_FLAGS_PROT_READWRITE);
	assert_int_equal(CU_RESOURCE_SM, CU_DEV_RESOURCE_TYPE_SM);
	assert_int_equal(CU_GREEN_DEFAULT_STREAM, CU_GREEN_CTX_DEFAULT_STREAM);
	assert_int_equal(BLAS_OP_N, CUBLAS_OP_N);
	assert_int_equal(BLAS_OP_T, CUBLAS_OP_T);
	assert_int_equal(CUBLASLT_MATMUL_DESC_TRANSA, 3);
	assert_int_equal(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, 1);
}

static void test_structs(void **state)
{
	(void)state;
	assert_int_equal(sizeof(struct cu_resource), sizeof(CUdevResource));
	assert_int_equal(offsetof(struct cu_resource, of), offsetof(CUdevResource, sm));
	assert_int_equal(sizeof(struct cu_uuid), sizeof(CUuuid));
	assert_int_equal(sizeof(struct cu_memory_properties),
			 sizeof(CUmemAllocationProp));
	assert_int_equal(offsetof(struct cu_memory_properties, location),
			 offsetof(CUmemAllocationProp, location));
	assert_int_equal(sizeof(struct cu_memory_access), sizeof(CUmemAccessDesc));
	assert_int_equal(offsetof(struct cu_memory_access, flags),
			 offsetof(CUmemAccessDesc, flags));
	assert_int_equal(sizeof(struct lt_algo), sizeof(cublasLtMatmulAlgo_t));
	assert_int_equal(sizeof(struct lt_heuristic),
			 sizeof(cublasLtMatmulHeuristicResult_t));
	assert_int_equal(offsetof(struct lt_heuristic, status),
			 offsetof(cublasLtMatmulHeuristicResult_t, state));
	assert_int_equal(offsetof(struct lt_heuristic, workspace_bytes),
			 offsetof(cublasLtMatmulHeuristicResult_t, workspaceSize));
	assert_int_equal(sizeof(cu_pointer), sizeof(CUdeviceptr));
	assert_int_equal(sizeof(cu_device), sizeof(CUdevice));
}

static void check(enum precision p, enum compute c, int compute, int ab, int type_c,
		  int scale)
{
	const struct arithmetic *a = arithmetic_find(p, c);

	assert_int_equal(a->cublas_compute, compute);
	assert_int_equal(a->cuda_ab, ab);
	assert_int_equal(a->cuda_c, type_c);
	assert_int_equal(a->cuda_scale, scale);
}

static void test_arithmetic(void **state)
{
	(void)state;
	check(PRECISION_FP32, COMPUTE_AUTO, CUBLAS_COMPUTE_32F, CUDA_R_32F, CUDA_R_32F,
	      CUDA_R_32F);
	check(PRECISION_FP32, COMPUTE_PEDANTIC, CUBLAS_COMPUTE_32F_PEDANTIC, CUDA_R_32F,
	      CUDA_R_32F, CUDA_R_32F);
	check(PRECISION_FP32, COMPUTE_BF16, CUBLAS_COMPUTE_32F_FAST_16BF, CUDA_R_32F,
	      CUDA_R_32F, CUDA_R_32F);
	check(PRECISION_FP32, COMPUTE_FP16, CUBLAS_COMPUTE_32F_FAST_16F, CUDA_R_32F,
	      CUDA_R_32F, CUDA_R_32F);
	check(PRECISION_TF32, COMPUTE_AUTO, CUBLAS_COMPUTE_32F_FAST_TF32, CUDA_R_32F,
	      CUDA_R_32F, CUDA_R_32F);
#if CUBLAS_VERSION >= 120900
	check(PRECISION_FP32, COMPUTE_BF16X9, CUBLAS_COMPUTE_32F_EMULATED_16BFX9,
	      CUDA_R_32F, CUDA_R_32F, CUDA_R_32F);
#endif
	check(PRECISION_BF16, COMPUTE_AUTO, CUBLAS_COMPUTE_32F, CUDA_R_16BF, CUDA_R_16BF,
	      CUDA_R_32F);
	check(PRECISION_FP16, COMPUTE_AUTO, CUBLAS_COMPUTE_32F, CUDA_R_16F, CUDA_R_16F,
	      CUDA_R_32F);
	check(PRECISION_FP64, COMPUTE_AUTO, CUBLAS_COMPUTE_64F, CUDA_R_64F, CUDA_R_64F,
	      CUDA_R_64F);
	check(PRECISION_FP64, COMPUTE_PEDANTIC, CUBLAS_COMPUTE_64F_PEDANTIC, CUDA_R_64F,
	      CUDA_R_64F, CUDA_R_64F);
	check(PRECISION_FP8, COMPUTE_AUTO, CUBLAS_COMPUTE_32F, CUDA_R_8F_E4M3,
	      CUDA_R_16BF, CUDA_R_32F);
	check(PRECISION_INT8, COMPUTE_AUTO, CUBLAS_COMPUTE_32I, CUDA_R_8I, CUDA_R_32I,
	      CUDA_R_32I);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_structs),
		cmocka_unit_test(test_arithmetic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
	puts("no CUDA headers here (CUDA_HOME)");
	return 77;
}

#endif
