/* Memory of the fake CUDA driver: the host's, counted. */
#include "tests/support/fakes/cuda_state.h"

enum { BLOCKS_MAX = 1024, GRANULARITY = 2 << 20 };

static size_t used_bytes;
static struct fake_block blocks[BLOCKS_MAX];

struct fake_block *fake_cuda_block(cu_pointer p)
{
	for (int i = 0; i < BLOCKS_MAX; i++)
		if (blocks[i].at && p >= blocks[i].at &&
		    p < blocks[i].at + blocks[i].bytes)
			return &blocks[i];
	return NULL;
}

static void note_block(uintptr_t at, size_t bytes)
{
	for (int i = 0; i < BLOCKS_MAX; i++) {
		if (blocks[i].at)
			continue;
		blocks[i] = (struct fake_block){
			.at = at, .bytes = bytes, .owner = fake_cuda_current};
		return;
	}
}

static void forget_block(uintptr_t at)
{
	struct fake_block *b = fake_cuda_block(at);

	if (!b)
		return;
	free(b->mirror);
	*b = (struct fake_block){0};
}

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
	note_block((uintptr_t)*ret, bytes);
	return 0;
}

int cuMemFree_v2(cu_pointer p);
int cuMemFree_v2(cu_pointer p)
{
	size_t *at = (size_t *)(uintptr_t)(p - 64);

	used_bytes -= *at;
	forget_block((uintptr_t)p);
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
	if (!fits(p, bytes))
		return INVALID_VALUE;
	memset((void *)(uintptr_t)p, value, bytes);
	return 0;
}

/* Bytes a second between two places. */
static double rate(const struct fake_block *from, const struct fake_block *to)
{
	double host = 1e6 * (double)fake_number("TARE_FAKE_CUDA_COPY_MB_S", 0);

	if (!from || !to)
		return host;
	return fake_cuda_is_pair("TARE_FAKE_CUDA_SLOW_PAIR", from->owner, to->owner)
		       ? host
		       : 10 * host;
}

int cuMemcpyAsync(cu_pointer to, cu_pointer from, size_t bytes, struct cu_stream *s);
int cuMemcpyAsync(cu_pointer to, cu_pointer from, size_t bytes, struct cu_stream *s)
{
	static long copies;
	long corrupt = fake_number("TARE_FAKE_CUDA_CORRUPT", 0);
	const struct fake_block *a = fake_cuda_block(from), *b = fake_cuda_block(to);

	CALL();
	if ((a && from + bytes > a->at + a->bytes) ||
	    (b && to + bytes > b->at + b->bytes))
		return INVALID_VALUE;
	memcpy((void *)(uintptr_t)to, (void *)(uintptr_t)from, bytes);
	copies++;
	if (corrupt && copies >= corrupt)
		((char *)(uintptr_t)to)[bytes / 2] ^= 1;
	if (rate(a, b) > 0)
		fake_cuda_pass(s, (double)bytes / rate(a, b));
	return 0;
}

int cuMemHostAlloc(void **ret, size_t bytes, unsigned flags);
int cuMemHostAlloc(void **ret, size_t bytes, unsigned flags)
{
	UNUSED(flags);
	CALL();
	*ret = malloc(bytes);
	if (!*ret)
		return CU_OUT_OF_MEMORY;
	fake_cuda_live++;
	return 0;
}

int cuMemFreeHost(void *p);
int cuMemFreeHost(void *p)
{
	free(p);
	fake_cuda_live--;
	CALL();
	return 0;
}

int cuMemHostGetDevicePointer_v2(cu_pointer *ret, void *p, unsigned flags);
int cuMemHostGetDevicePointer_v2(cu_pointer *ret, void *p, unsigned flags)
{
	CALL();
	*ret = (cu_pointer)(uintptr_t)p;
	return flags ? INVALID_VALUE : 0;
}

int cuMemHostRegister_v2(void *p, size_t bytes, unsigned flags);
int cuMemHostRegister_v2(void *p, size_t bytes, unsigned flags)
{
	UNUSED(flags);
	CALL();
	fake_cuda_live++;
	return p && bytes ? 0 : INVALID_VALUE;
}

int cuMemHostUnregister(void *p);
int cuMemHostUnregister(void *p)
{
	fake_cuda_live--;
	CALL();
	return p ? 0 : INVALID_VALUE;
}

/* Memory without an address, and addresses without memory: counted, never touched. */
int cuMemCreate(uint64_t *ret, size_t bytes, const struct cu_memory_properties *p,
		unsigned long long flags);
int cuMemCreate(uint64_t *ret, size_t bytes, const struct cu_memory_properties *p,
		unsigned long long flags)
{
	CALL();
	if (!bytes || bytes % GRANULARITY || flags || p->type != CU_MEMORY_PINNED ||
	    p->location.type != CU_LOCATION_DEVICE)
		return INVALID_VALUE;
	*ret = bytes;
	fake_cuda_live++;
	return 0;
}

int cuMemRelease(uint64_t memory);
int cuMemRelease(uint64_t memory)
{
	UNUSED(memory);
	fake_cuda_live--;
	CALL();
	return 0;
}

int cuMemAddressReserve(cu_pointer *ret, size_t bytes, size_t alignment,
			cu_pointer wanted, unsigned long long flags);
int cuMemAddressReserve(cu_pointer *ret, size_t bytes, size_t alignment,
			cu_pointer wanted, unsigned long long flags)
{
	CALL();
	if (!bytes || bytes % GRANULARITY || alignment || wanted || flags)
		return INVALID_VALUE;
	*ret = GRANULARITY;
	fake_cuda_live++;
	return 0;
}

int cuMemAddressFree(cu_pointer p, size_t bytes);
int cuMemAddressFree(cu_pointer p, size_t bytes)
{
	UNUSED(bytes);
	fake_cuda_live--;
	CALL();
	return p ? 0 : INVALID_VALUE;
}

int cuMemMap(cu_pointer p, size_t bytes, size_t offset, uint64_t memory,
	     unsigned long long flags);
int cuMemMap(cu_pointer p, size_t bytes, size_t offset, uint64_t memory,
	     unsigned long long flags)
{
	CALL();
	if (!p || offset || flags || memory != bytes)
		return INVALID_VALUE;
	fake_cuda_live++;
	return 0;
}

int cuMemUnmap(cu_pointer p, size_t bytes);
int cuMemUnmap(cu_pointer p, size_t bytes)
{
	UNUSED(bytes);
	fake_cuda_live--;
	CALL();
	return p ? 0 : INVALID_VALUE;
}

int cuMemSetAccess(cu_pointer p, size_t bytes, const struct cu_memory_access *access,
		   size_t nr);
int cuMemSetAccess(cu_pointer p, size_t bytes, const struct cu_memory_access *access,
		   size_t nr)
{
	CALL();
	return p && bytes && nr == 1 && access->flags == CU_ACCESS_READ_WRITE
		       ? 0
		       : INVALID_VALUE;
}
