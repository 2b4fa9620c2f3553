#include "link/gpu.h"

#include "core/base/clock.h"
#include "core/base/stop.h"
#include "core/machine/sysfs.h"

#include <string.h>

enum { FLAG_BYTES = 4096 };
static const int64_t gate_timeout_ns = 20 * NS_PER_S;

static int numa_node(const char *pci)
{
	int64_t node = -1;

	return sysfs_int(&node, "", "/sys/bus/pci/devices/%s/numa_node", pci) ? (int)node
									      : -1;
}

static int set_up(struct gpu *g, bool is_named, struct err *err)
{
	struct cuda *c = &g->device.cuda;
	void *flag = NULL;

	if (whole_device_read(&g->device, is_named, &g->whole, err) != 0 ||
	    link_kernels_load(&g->kernels, &g->device, err) != 0 ||
	    cuda_ok(c, c->cuStreamCreate(&g->other, CU_STREAM_UNBLOCKED), err,
		    "make a second stream") != 0 ||
	    cuda_ok(c, c->cuEventCreate(&g->joined, CU_EVENT_TIMED), err,
		    "make an event") != 0 ||
	    timer_reserve(&g->timer, &g->device, 1, err) != 0 ||
	    pinned_alloc(g, &flag, &g->flag_at, FLAG_BYTES, "a flag", err) != 0)
		return -1;
	g->flag = flag;
	memset(g->flag, 0, FLAG_BYTES);
	return 0;
}

int gpu_open(struct gpu *g, int index, const char *which, bool is_named, bool *ret_none,
	     struct err *err)
{
	*g = (struct gpu){.index = index};
	if (device_open(&g->device, which, 0, ret_none, err) != 0)
		return -1;
	g->node = numa_node(g->device.pci);
	if (set_up(g, is_named, err) != 0) {
		gpu_close(g);
		return -1;
	}
	return 0;
}

void gpu_close(struct gpu *g)
{
	struct cuda *c = &g->device.cuda;

	if (!g->device.context)
		return;
	c->cuCtxSetCurrent(g->device.context);
	pinned_free(g, g->flag);
	if (g->joined)
		c->cuEventDestroy_v2(g->joined);
	if (g->other)
		c->cuStreamDestroy_v2(g->other);
	timer_release(&g->timer);
	link_kernels_unload(&g->kernels);
	device_close(&g->device);
	*g = (struct gpu){0};
}

int gpu_use(struct gpu *g, struct err *err)
{
	return cuda_ok(&g->device.cuda, g->device.cuda.cuCtxSetCurrent(g->device.context),
		       err, "use the context of GPU %d", g->index);
}

static int gate_close(struct gpu *g, struct err *err)
{
	unsigned value = ++g->turn;
	uint64_t timeout_ns = (uint64_t)gate_timeout_ns;
	void *arguments[] = {&g->flag_at, &value, &timeout_ns};

	return link_kernels_launch(&g->kernels, KERNEL_WAIT, 1, 1, arguments, err);
}

int gate_run(struct gpu *g, gate_queue *queue, void *ctx, int64_t timeout_ns,
	     double *ret_seconds, struct err *err)
{
	volatile unsigned *flag = g->flag;
	int rc = -1;

	if (stop_check(err) != 0 || gate_close(g, err) != 0)
		return -1;
	if (timer_begin(&g->timer, 0, err) == 0 && queue(ctx, err) == 0)
		rc = timer_end(&g->timer, 0, err);
	flag[0] = g->turn; /* whatever failed: the kernel must end */
	if (rc != 0 || timer_wait(&g->timer, 0, timeout_ns, "copy", err) != 0)
		return -1;
	if (flag[1] == g->turn)
		return err_set(err, ERR_INVALID,
			       "GPU %d waited %.0f s for work to be queued: this machine "
			       "is held back too much to measure",
			       g->index, (double)gate_timeout_ns / 1e9);
	if (timer_seconds(&g->timer, 0, ret_seconds, err) != 0)
		return -1;
	return *ret_seconds > 0 ? 0
				: err_set(err, ERR_INVALID,
					  "no time passed on GPU %d between the events "
					  "around a piece of work",
					  g->index);
}

int gpu_fork(struct gpu *g, struct err *err)
{
	struct cuda *c = &g->device.cuda;

	return cuda_ok(c, c->cuStreamWaitEvent(g->other, g->timer.begins[0], 0), err,
		       "order a stream behind another");
}

int gpu_join(struct gpu *g, struct err *err)
{
	struct cuda *c = &g->device.cuda;

	if (cuda_ok(c, c->cuEventRecord(g->joined, g->other), err, "record an event") !=
	    0)
		return -1;
	return cuda_ok(c, c->cuStreamWaitEvent(g->device.stream, g->joined, 0), err,
		       "order a stream behind another");
}

int64_t link_loops(int64_t run_bytes, int64_t bytes, int64_t least)
{
	int64_t loops = run_bytes / bytes, most = GATE_WORK_MAX / 2 - 8;

	return loops > most ? most : loops < least ? least : loops;
}

int pinned_alloc(struct gpu *g, void **ret, cu_pointer *ret_at, int64_t bytes,
		 const char *what, struct err *err)
{
	struct cuda *c = &g->device.cuda;

	if (cuda_ok(c,
		    c->cuMemHostAlloc(ret, (size_t)bytes,
				      CU_HOST_PORTABLE | CU_HOST_MAPPED),
		    err, "allocate %.2f GiB of pinned host memory for %s",
		    (double)bytes / 0x1p30, what) != 0)
		return -1;
	if (cuda_ok(c, c->cuMemHostGetDevicePointer_v2(ret_at, *ret, 0), err,
		    "map %s for the GPU", what) == 0)
		return 0;
	pinned_free(g, *ret);
	*ret = NULL;
	return -1;
}

void pinned_free(struct gpu *g, void *p)
{
	if (p)
		g->device.cuda.cuMemFreeHost(p);
}
