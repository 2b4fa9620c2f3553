#include "link/latency.h"

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/base/stop.h"
#include "link/chain.h"
#include "link/numa.h"
#include "link/quantile.h"

#include <stdlib.h>
#include <string.h>

enum {
	MIB = 1 << 20,
	LAUNCHES_IN_A_ROW = 200,
	STOP_EVERY = 1024,
	REPEATS_MIN = 20,
	FORTH_WORD = 64, /* of the GPU's pinned flag, each in a cache line of its own */
	BACK_WORD = 128
};
static const int64_t wait_timeout_ns = 30 * NS_PER_S, pong_timeout_ns = 60 * NS_PER_S;

struct latency {
	struct gpu *gpu;
	const struct link_options *options;
	struct result *result;
	struct cuda *cuda;
	double *values; /* as many as --launches, and REPEATS_MIN at least */
	/* What the item at hand needs. */
	const struct item *item;
	cu_pointer device_word, reserved;
	uint64_t memory;
	void *host;
	cu_pointer chain;
};

/*
 * One thing that is repeated: 'once' is timed, 'settle' is not and may be NULL. All give the
 * driver's own code. 'gpu_bytes' is what it takes of the GPU's memory.
 */
struct item {
	enum link_metric p50; /* the 99th and the 99.9th percentile follow it */
	int64_t share;        /* of --launches: 100 for a hundredth */
	int64_t bytes, gpu_bytes;
	const char *suffix; /* of the cell: "@64Mi" */
	cu_result (*set_up)(struct latency *l);
	cu_result (*once)(struct latency *l);
	cu_result (*settle)(struct latency *l);
	void (*tear_down)(struct latency *l);
};

static cu_result launch(struct latency *l)
{
	return link_kernels_launch_empty(&l->gpu->kernels);
}

static cu_result synchronise(struct latency *l)
{
	return l->cuda->cuStreamSynchronize(l->gpu->device.stream);
}

static cu_result launch_and_synchronise(struct latency *l)
{
	cu_result code = launch(l);

	return code ? code : synchronise(l);
}

static cu_result event_round_trip(struct latency *l)
{
	cu_result code =
		l->cuda->cuEventRecord(l->gpu->device.done, l->gpu->device.stream);

	return code ? code : l->cuda->cuEventSynchronize(l->gpu->device.done);
}

static cu_result make_word(struct latency *l)
{
	return l->cuda->cuMemAlloc_v2(&l->device_word, 4);
}

static void free_word(struct latency *l)
{
	device_free(&l->gpu->device, l->device_word);
	l->device_word = 0;
}

/* Four bytes to the GPU and back, from and to pinned memory. */
static cu_result copy_round_trip(struct latency *l)
{
	cu_pointer host = l->gpu->flag_at + 4 * FORTH_WORD;
	struct cu_stream *s = l->gpu->device.stream;
	cu_result code = l->cuda->cuMemcpyAsync(l->device_word, host, 4, s);

	if (!code)
		code = l->cuda->cuMemcpyAsync(host, l->device_word, 4, s);
	return code ? code : synchronise(l);
}

static cu_result allocate_and_free(struct latency *l)
{
	cu_pointer p;
	cu_result code = l->cuda->cuMemAlloc_v2(&p, (size_t)l->item->bytes);

	return code ? code : l->cuda->cuMemFree_v2(p);
}

static struct cu_location location(const struct latency *l)
{
	return (struct cu_location){CU_LOCATION_DEVICE, l->gpu->device.id};
}

/* Memory and addresses, each by itself, so that mapping alone is timed. */
static cu_result make_memory(struct latency *l)
{
	struct cu_memory_properties p = {.type = CU_MEMORY_PINNED,
					 .location = location(l)};
	size_t bytes = (size_t)l->item->bytes;
	cu_result code = l->cuda->cuMemCreate(&l->memory, bytes, &p, 0);

	if (code)
		return code;
	code = l->cuda->cuMemAddressReserve(&l->reserved, bytes, 0, 0, 0);
	if (code)
		l->cuda->cuMemRelease(l->memory);
	return code;
}

static void free_memory(struct latency *l)
{
	l->cuda->cuMemAddressFree(l->reserved, (size_t)l->item->bytes);
	l->cuda->cuMemRelease(l->memory);
}

static cu_result map_and_unmap(struct latency *l)
{
	struct cu_memory_access access = {location(l), CU_ACCESS_READ_WRITE};
	size_t bytes = (size_t)l->item->bytes;
	cu_result code = l->cuda->cuMemMap(l->reserved, bytes, 0, l->memory, 0);
	cu_result unmapped;

	if (code)
		return code;
	code = l->cuda->cuMemSetAccess(l->reserved, bytes, &access, 1);
	unmapped = l->cuda->cuMemUnmap(l->reserved, bytes);
	return code ? code : unmapped;
}

static cu_result make_host(struct latency *l)
{
	if (host_alloc(&l->host, l->item->bytes, "registration", NULL) != 0)
		return CU_OUT_OF_MEMORY;
	memset(l->host, 0, (size_t)l->item->bytes);
	return CU_SUCCESS;
}

static void free_host(struct latency *l)
{
	free(l->host);
	l->host = NULL;
}

static cu_result register_host(struct latency *l)
{
	cu_result code =
		l->cuda->cuMemHostRegister_v2(l->host, (size_t)l->item->bytes, 0);

	return code ? code : l->cuda->cuMemHostUnregister(l->host);
}

static cu_result make_context(struct latency *l)
{
	struct cu_context *c;
	cu_result code = l->cuda->cuCtxCreate_v2(&c, 0, l->gpu->device.id);

	return code ? code : l->cuda->cuCtxDestroy_v2(c);
}

/* Making a context left another one current. */
static cu_result use_ours(struct latency *l)
{
	return l->cuda->cuCtxSetCurrent(l->gpu->device.context);
}

static const struct item items[] = {
	{.p50 = LINK_LAUNCH_P50, .share = 1, .once = launch, .settle = synchronise},
	{.p50 = LINK_LAUNCH_SYNC_P50, .share = 1, .once = launch_and_synchronise},
	{.p50 = LINK_EVENT_P50, .share = 10, .once = event_round_trip},
	{.p50 = LINK_SMALL_COPY_P50,
	 .share = 10,
	 .set_up = make_word,
	 .once = copy_round_trip,
	 .tear_down = free_word},
	{.p50 = LINK_ALLOC_P50,
	 .share = 100,
	 .bytes = 2 * MIB,
	 .gpu_bytes = 2 * MIB,
	 .once = allocate_and_free},
	{.p50 = LINK_MAP_P50,
	 .share = 100,
	 .bytes = 2 * MIB,
	 .gpu_bytes = 2 * MIB,
	 .set_up = make_memory,
	 .once = map_and_unmap,
	 .tear_down = free_memory},
	{.p50 = LINK_MAP_P50,
	 .share = 100,
	 .bytes = 64 * MIB,
	 .gpu_bytes = 64 * MIB,
	 .suffix = "@64Mi",
	 .set_up = make_memory,
	 .once = map_and_unmap,
	 .tear_down = free_memory},
	{.p50 = LINK_REGISTER_P50,
	 .share = 100,
	 .bytes = MIB,
	 .set_up = make_host,
	 .once = register_host,
	 .tear_down = free_host},
	{.p50 = LINK_CONTEXT_P50,
	 .share = 5000,
	 .once = make_context,
	 .settle = use_ours},
};

static void add_quantiles(struct latency *l, enum link_metric p50, const char *suffix,
			  int64_t nr)
{
	static const double quantiles[] = {0.5, 0.99, 0.999};
	double found[QUANTILE_PARTS];

	for (size_t i = 0; i < ARRAY_SIZE(quantiles); i++) {
		int parts = quantile_of_parts(l->values, nr, quantiles[i], found);

		if (parts > 0)
			cell_add(l->result, p50 + (enum link_metric)i, found, parts,
				 "gpu%d%s", l->gpu->index, suffix ? suffix : "");
	}
}

static bool has_room(const struct latency *l, int64_t bytes)
{
	return !l->options->memory_bytes || bytes <= l->options->memory_bytes;
}

/* The item once, untimed, with a deadline for what it left in the stream. */
static cu_result once_and_settle(struct latency *l)
{
	cu_result code = l->item->once(l);

	return code || !l->item->settle ? code : l->item->settle(l);
}

static int repeat(struct latency *l, int64_t nr, struct err *err)
{
	const struct item *item = l->item;
	cu_result code = once_and_settle(l);

	for (int64_t i = 0; i < nr && !code; i++) {
		int64_t begin, end;

		if (i % STOP_EVERY == 0 && stop_check(err) != 0)
			return -1;
		begin = clock_mono_ns();
		code = item->once(l);
		end = clock_mono_ns();
		if (!code && item->settle)
			code = item->settle(l);
		l->values[i] = (double)(end - begin) / 1e9;
	}
	return cuda_ok(l->cuda, code, err, "%s of GPU %d", link_metrics[item->p50].name,
		       l->gpu->index);
}

static int64_t repeats_of(const struct latency *l, int64_t share)
{
	int64_t nr = l->options->launches / share;

	return nr > REPEATS_MIN ? nr : REPEATS_MIN;
}

static int measure_item(struct latency *l, const struct item *item, struct err *err)
{
	int64_t nr = repeats_of(l, item->share);
	int rc;

	l->item = item;
	if (!has_room(l, item->gpu_bytes))
		return 0;
	if (item->set_up && cuda_ok(l->cuda, item->set_up(l), err, "prepare %s",
				    link_metrics[item->p50].name) != 0)
		return -1;
	rc = repeat(l, nr, err);
	if (item->tear_down)
		item->tear_down(l);
	if (rc == 0)
		add_quantiles(l, item->p50, item->suffix, nr);
	return rc;
}

/* ---- by the GPU's clock ---- */

static int queue_launches(void *ctx, struct err *err)
{
	struct latency *l = ctx;
	cu_result code = CU_SUCCESS;

	for (int i = 0; i < LAUNCHES_IN_A_ROW && !code; i++)
		code = launch(l);
	return cuda_ok(l->cuda, code, err, "launch a kernel");
}

static int queue_loads(void *ctx, struct err *err)
{
	struct latency *l = ctx;

	return chain_queue(l->gpu, l->chain, err);
}

/* A value for each of --samples, after one that does not count. */
static int by_gate(struct latency *l, enum link_metric metric, gate_queue *queue, int nr,
		   struct err *err)
{
	double seconds;

	for (int64_t i = -1; i < l->options->samples; i++) {
		if (gate_run(l->gpu, queue, l, wait_timeout_ns, &seconds, err) != 0)
			return -1;
		if (i >= 0)
			l->values[i] = seconds / nr;
	}
	cell_add(l->result, metric, l->values, l->options->samples, "gpu%d",
		 l->gpu->index);
	return 0;
}

static int loads_of_host(struct latency *l, struct err *err)
{
	void *words = NULL;
	int rc;

	numa_prefer(l->gpu->node);
	rc = pinned_alloc(l->gpu, &words, &l->chain, CHAIN_BYTES, "a chain of addresses",
			  err);
	if (rc == 0)
		memset(words, 0, CHAIN_BYTES);
	numa_prefer(-1);
	if (rc != 0)
		return -1;
	chain_write(words, l->chain);
	rc = by_gate(l, LINK_LOAD_HOST, queue_loads, CHAIN_LOADS, err);
	pinned_free(l->gpu, words);
	return rc;
}

static int loads_of_gpu(struct latency *l, struct err *err)
{
	struct device *d = &l->gpu->device;
	int rc;

	if (!has_room(l, CHAIN_BYTES))
		return 0;
	if (device_alloc(d, &l->chain, CHAIN_BYTES, "a chain of addresses", err) != 0)
		return -1;
	rc = chain_store(l->gpu, l->chain, err);
	if (rc == 0)
		rc = by_gate(l, LINK_LOAD_LOCAL, queue_loads, CHAIN_LOADS, err);
	device_free(d, l->chain);
	return rc;
}

/* ---- a flag to and fro ---- */

/* Until the GPU has answered with 'turn'. */
static bool wait_for_answer(const volatile unsigned *back, unsigned turn,
			    int64_t deadline)
{
	for (unsigned spins = 1; *back != turn; spins++)
		if (spins % STOP_EVERY == 0 &&
		    (clock_passed(deadline) || stop_requested()))
			return false;
	return true;
}

static int play(struct latency *l, int64_t rounds, struct err *err)
{
	volatile unsigned *forth = l->gpu->flag + FORTH_WORD;
	volatile unsigned *back = l->gpu->flag + BACK_WORD;
	int64_t deadline = clock_deadline_ns(pong_timeout_ns);

	for (unsigned i = 1; i <= rounds; i++) {
		int64_t begin = clock_mono_ns();

		*forth = i;
		if (!wait_for_answer(back, i, deadline)) {
			if (stop_check(err) != 0)
				return -1;
			return err_set(err, ERR_INVALID,
				       "GPU %d did not see what the host wrote into "
				       "memory that both have, within %.0f s",
				       l->gpu->index, (double)pong_timeout_ns / 1e9);
		}
		l->values[i - 1] = (double)(clock_mono_ns() - begin) / 1e9;
	}
	return 0;
}

static int flag_to_and_fro(struct latency *l, struct err *err)
{
	struct gpu *g = l->gpu;
	unsigned rounds = (unsigned)repeats_of(l, 10);
	uint64_t timeout_ns = (uint64_t)pong_timeout_ns;
	cu_pointer forth = g->flag_at + 4 * FORTH_WORD, back = g->flag_at + 4 * BACK_WORD;
	void *arguments[] = {&forth, &back, &rounds, &timeout_ns};

	g->flag[FORTH_WORD] = g->flag[BACK_WORD] = 0;
	if (link_kernels_launch(&g->kernels, KERNEL_PONG, 1, 1, arguments, err) != 0 ||
	    play(l, rounds, err) != 0 ||
	    device_wait(&g->device, wait_timeout_ns, "answer", err) != 0)
		return -1;
	add_quantiles(l, LINK_FLAG_P50, NULL, rounds);
	return 0;
}

static int measure_all(struct latency *l, struct err *err)
{
	/* One that hangs is found here, where there is a deadline. */
	if (cuda_ok(l->cuda, launch(l), err, "launch a kernel") != 0 ||
	    device_wait(&l->gpu->device, wait_timeout_ns, "run an empty kernel", err) !=
		    0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(items); i++)
		if (measure_item(l, &items[i], err) != 0)
			return -1;
	return by_gate(l, LINK_LAUNCH_IN_A_ROW, queue_launches, LAUNCHES_IN_A_ROW, err) ||
			       loads_of_gpu(l, err) || loads_of_host(l, err)
		       ? -1
		       : flag_to_and_fro(l, err);
}

int latency_measure(struct gpu *g, const struct link_options *o, struct result *r,
		    struct err *err)
{
	struct latency l = {.gpu = g, .options = o, .result = r, .cuda = &g->device.cuda};
	int64_t nr = o->launches > o->samples ? o->launches : o->samples;
	int rc;

	l.values = x_calloc((size_t)(nr + REPEATS_MIN), sizeof(*l.values));
	rc = measure_all(&l, err);
	free(l.values);
	return rc;
}
