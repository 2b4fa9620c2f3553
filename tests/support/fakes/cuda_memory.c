/* Memory of the fake CUDA driver: the host's, counted. */
#include "tests/support/fakes/cuda_state.h"

static size_t used_bytes;

int cuMemGetInfo_v2(size_t *available, size_t *total);
int cuMemGetInfo_v2(size_t *available, size_t *total)
{
	CALL();
	*total = fake_cuda_memory();
	*available = fake_cuda_memory() - used_bytes;
	return 0;
}

/* The size stands in front of what the caller gets. */
int cuMemAlloc_v2(cu_pointer *ret, size_t bytes);
int cuMemAlloc_v2(cu_pointer *ret, size_t bytes)
{
	size_t *at;

	CALL();
	if (used_bytes + bytes > fake_cuda_memory())
		return CU_OUT_OF_MEMORY;
	at = malloc(bytes + 64);
	if (!at)
		return CU_OUT_OF_MEMORY;
	*at = bytes;
	used_bytes += bytes;
	fake_cuda_live++;
	*ret = (cu_pointer)(uintptr_t)at + 64;
	return 0;
}

int cuMemFree_v2(cu_pointer p);
int cuMemFree_v2(cu_pointer p)
{
	size_t *at = (size_t *)(uintptr_t)(p - 64);

	used_bytes -= *at;
	fake_cuda_live--;
	free(at);
	CALL();
	return 0;
}

/* A block's beginning, as all copies here have it. */
static int fits(cu_pointer p, size_t bytes)
{
	return *(const size_t *)(uintptr_t)(p - 64) >= bytes;
}

int cuMemcpyDtoH_v2(void *to, cu_pointer from, size_t bytes);
int cuMemcpyDtoH_v2(void *to, cu_pointer from, size_t bytes)
{
	CALL();
	if (!fits(from, bytes))
		return INVALID_VALUE;
	memcpy(to, (void *)(uintptr_t)from, bytes);
	return 0;
}

int cuMemcpyHtoD_v2(cu_pointer to, const void *from, size_t bytes);
int cuMemcpyHtoD_v2(cu_pointer to, const void *from, size_t bytes)
{
	CALL();
	if (!fits(to, bytes))
		return INVALID_VALUE;
	memcpy((void *)(uintptr_t)to, from, bytes);
	return 0;
}

int cuMemsetD8Async(cu_pointer p, unsigned char value, size_t bytes, struct cu_stream *s);
int cuMemsetD8Async(cu_pointer p, unsigned char value, size_t bytes, struct cu_stream *s)
{
	UNUSED(s);
	CALL();
	memset((void *)(uintptr_t)p, value, bytes);
	return 0;
}
