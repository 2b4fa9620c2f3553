#include "link/copies.h"

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/base/stop.h"
#include "link/metrics.h"
#include "link/numa.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum buffer { HOST_FROM, HOST_TO, PAGEABLE, GPU_FROM, GPU_TO, NR_BUFFERS };

struct transfer {
	enum buffer from, to;
};

/* With two transfers both are at once. */
static const struct way {
	enum link_metric metric;
	int nr;
	struct transfer transfers[2];
	bool is_pageable;
} ways[] = {
	{LINK_H2D, 1, {{HOST_FROM, GPU_TO}}, false},
	{LINK_D2H, 1, {{GPU_FROM, HOST_TO}}, false},
	{LINK_BOTH, 2, {{HOST_FROM, GPU_TO}, {GPU_FROM, HOST_TO}}, false},
	{LINK_LOCAL, 1, {{GPU_FROM, GPU_TO}}, false},
	{LINK_PAGEABLE_H2D, 1, {{PAGEABLE, GPU_TO}}, true},
	{LINK_PAGEABLE_D2H, 1, {{GPU_FROM, PAGEABLE}}, true},
};

struct copies {
	struct gpu *gpu;
	const struct link_options *options;
	struct result *result;
	struct truth *truth;
	void *host[NR_BUFFERS];    /* NULL: on the GPU */
	cu_pointer at[NR_BUFFERS]; /* as the GPU and the driver know it */
	int64_t bytes, loops;      /* of the cell that is being measured */
	const struct way *way;
};

/* A run moves about this much. */
static const int64_t run_bytes = INT64_C(1) << 30, pageable_run_bytes = 1 << 28;

static int64_t loops_of(int64_t bytes, bool is_pageable)
{
	return is_pageable ? link_loops(pageable_run_bytes, bytes, 1)
			   : link_loops(run_bytes, bytes, 4);
}

static int64_t timeout_ns(const struct copies *c)
{
	return (30 + c->bytes * c->loops / 100000000) * NS_PER_S;
}

static int make_buffers(struct copies *c, int64_t bytes, struct err *err)
{
	struct gpu *g = c->gpu;
	int rc;

	numa_prefer(g->node);
	rc = pinned_alloc(g, &c->host[HOST_FROM], &c->at[HOST_FROM], bytes, "copies",
			  err);
	if (rc == 0)
		rc = pinned_alloc(g, &c->host[HOST_TO], &c->at[HOST_TO], bytes, "copies",
				  err);
	if (rc == 0)
		rc = host_alloc(&c->host[PAGEABLE], bytes, "copies (--sizes)", err);
	if (rc == 0)
		memset(c->host[PAGEABLE], 0, (size_t)bytes);
	numa_prefer(-1);
	c->at[PAGEABLE] = (cu_pointer)(uintptr_t)c->host[PAGEABLE];
	if (rc == 0)
		rc = device_alloc(&g->device, &c->at[GPU_FROM], (size_t)bytes,
				  "a buffer (--sizes)", err);
	if (rc == 0)
		rc = device_alloc(&g->device, &c->at[GPU_TO], (size_t)bytes,
				  "a buffer (--sizes)", err);
	return rc;
}

static void free_buffers(struct copies *c)
{
	pinned_free(c->gpu, c->host[HOST_FROM]);
	pinned_free(c->gpu, c->host[HOST_TO]);
	free(c->host[PAGEABLE]);
	device_free(&c->gpu->device, c->at[GPU_FROM]);
	device_free(&c->gpu->device, c->at[GPU_TO]);
}

static int fill(struct copies *c, enum buffer which, struct err *err)
{
	uint64_t seed = (uint64_t)c->options->seed;

	if (!c->host[which])
		return link_kernels_fill(&c->gpu->kernels, c->at[which], c->bytes, seed,
					 err);
	pattern_fill(c->host[which], c->bytes, seed);
	return 0;
}

static int clear(struct copies *c, enum buffer which, struct err *err)
{
	struct device *d = &c->gpu->device;

	if (c->host[which]) {
		memset(c->host[which], 0, (size_t)c->bytes);
		return 0;
	}
	return cuda_ok(
		&d->cuda,
		d->cuda.cuMemsetD8Async(c->at[which], 0, (size_t)c->bytes, d->stream),
		err, "clear a buffer");
}

static int prepare(struct copies *c, struct err *err)
{
	for (int i = 0; i < c->way->nr; i++)
		if (fill(c, c->way->transfers[i].from, err) != 0 ||
		    clear(c, c->way->transfers[i].to, err) != 0)
			return -1;
	return device_wait(&c->gpu->device, timeout_ns(c), "prepare a copy", err);
}

static int verify(struct copies *c, struct err *err)
{
	uint64_t seed = (uint64_t)c->options->seed;

	for (int i = 0; i < c->way->nr; i++) {
		enum buffer to = c->way->transfers[i].to;
		int64_t wrong = 0;

		if (c->host[to])
			wrong = pattern_wrong(c->host[to], c->bytes, seed);
		else if (link_kernels_check(&c->gpu->kernels, c->at[to], c->bytes, seed,
					    &wrong, err) != 0)
			return -1;
		truth_note(c->truth, wrong, c->bytes, "%s of GPU %d",
			   link_metrics[c->way->metric].name, c->gpu->index);
	}
	return 0;
}

static int copy(struct copies *c, int which, struct cu_stream *stream, struct err *err)
{
	const struct transfer *t = &c->way->transfers[which];
	struct cuda *cuda = &c->gpu->device.cuda;

	return cuda_ok(cuda,
		       cuda->cuMemcpyAsync(c->at[t->to], c->at[t->from], (size_t)c->bytes,
					   stream),
		       err, "copy %" PRId64 " bytes (%s)", c->bytes,
		       link_metrics[c->way->metric].name);
}

static int queue(void *ctx, struct err *err)
{
	struct copies *c = ctx;
	bool is_both = c->way->nr == 2;

	if (is_both && gpu_fork(c->gpu, err) != 0)
		return -1;
	for (int64_t i = 0; i < c->loops; i++)
		if (copy(c, 0, c->gpu->device.stream, err) != 0 ||
		    (is_both && copy(c, 1, c->gpu->other, err) != 0))
			return -1;
	return is_both ? gpu_join(c->gpu, err) : 0;
}

/* The driver copies pageable memory through its own pinned buffers, and waits: no gate. */
static int run_pageable(struct copies *c, double *ret_seconds, struct err *err)
{
	struct cuda *cuda = &c->gpu->device.cuda;
	struct cu_stream *stream = c->gpu->device.stream;
	int64_t begin;

	if (stop_check(err) != 0)
		return -1;
	begin = clock_mono_ns();
	for (int64_t i = 0; i < c->loops; i++)
		if (copy(c, 0, stream, err) != 0)
			return -1;
	if (cuda_ok(cuda, cuda->cuStreamSynchronize(stream), err, "wait for a copy") != 0)
		return -1;
	*ret_seconds = (double)(clock_mono_ns() - begin) / 1e9;
	return 0;
}

static int run(struct copies *c, double *ret_seconds, struct err *err)
{
	return c->way->is_pageable
		       ? run_pageable(c, ret_seconds, err)
		       : gate_run(c->gpu, queue, c, timeout_ns(c), ret_seconds, err);
}

static void add_cell(struct copies *c, const double *values, int64_t largest)
{
	enum link_metric m = c->way->metric;
	char size[32];

	if (c->bytes == largest) {
		cell_add(c->result, m, values, c->options->samples, "gpu%d",
			 c->gpu->index);
		return;
	}
	cell_add(c->result, m, values, c->options->samples, "gpu%d@%s", c->gpu->index,
		 size_text(c->bytes, size, sizeof(size)));
}

static int measure_cell(struct copies *c, int64_t largest, double *values,
			struct err *err)
{
	double seconds;

	c->loops = loops_of(c->bytes, c->way->is_pageable);
	if (prepare(c, err) != 0 || run(c, &seconds, err) != 0) /* the warm-up */
		return -1;
	for (int64_t i = 0; i < c->options->samples; i++) {
		if (run(c, &seconds, err) != 0)
			return -1;
		values[i] = (double)c->bytes * (double)(c->loops * c->way->nr) / seconds;
	}
	if (verify(c, err) != 0)
		return -1;
	add_cell(c, values, largest);
	return 0;
}

static int measure_all(struct copies *c, struct err *err)
{
	const struct int_list *sizes = &c->options->sizes;
	double *values = x_calloc((size_t)c->options->samples, sizeof(*values));
	int rc = 0;

	for (size_t w = 0; w < ARRAY_SIZE(ways) && rc == 0; w++) {
		c->way = &ways[w];
		for (size_t i = 0; i < sizes->nr && rc == 0; i++) {
			c->bytes = sizes->items[i];
			rc = measure_cell(c, sizes->items[sizes->nr - 1], values, err);
		}
	}
	free(values);
	return rc;
}

/* Where the host's buffers were wanted and where they are. */
static void put_nodes(const struct copies *c, struct json_object *facts)
{
	int pinned = numa_node_of(c->host[HOST_FROM]);
	int pageable = numa_node_of(c->host[PAGEABLE]);

	json_put(facts, "numa_node",
		 c->gpu->node < 0 ? NULL : json_object_new_int(c->gpu->node));
	json_put(facts, "pinned_memory_node",
		 pinned < 0 ? NULL : json_object_new_int(pinned));
	json_put(facts, "pageable_memory_node",
		 pageable < 0 ? NULL : json_object_new_int(pageable));
}

int copies_measure(struct gpu *g, const struct link_options *o, struct result *r,
		   struct json_object *facts, struct truth *t, struct err *err)
{
	struct copies c = {.gpu = g, .options = o, .result = r, .truth = t};
	int rc = make_buffers(&c, o->sizes.items[o->sizes.nr - 1], err);

	if (rc == 0) {
		put_nodes(&c, facts);
		rc = measure_all(&c, err);
	}
	free_buffers(&c);
	return rc;
}
