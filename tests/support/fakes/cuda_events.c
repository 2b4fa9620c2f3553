/* Streams of the fake CUDA driver, which do everything at once, and its clock: events. */
#include "tests/support/fakes/cuda_state.h"

#include <time.h>

struct cu_event {
	double ms;
	bool hangs;
};

int cuStreamCreate(struct cu_stream **ret, unsigned flags);
int cuStreamCreate(struct cu_stream **ret, unsigned flags)
{
	UNUSED(flags);
	CALL();
	*ret = calloc(1, sizeof(**ret));
	fake_cuda_live++;
	return 0;
}

void fake_cuda_pass(struct cu_stream *s, double seconds)
{
	s->ms += seconds * 1e3;
}

int cuStreamSynchronize(struct cu_stream *s);
int cuStreamSynchronize(struct cu_stream *s)
{
	UNUSED(s);
	CALL();
	return 0;
}

int cuStreamWaitEvent(struct cu_stream *s, struct cu_event *e, unsigned flags);
int cuStreamWaitEvent(struct cu_stream *s, struct cu_event *e, unsigned flags)
{
	CALL();
	if (flags)
		return INVALID_VALUE;
	if (s->ms < e->ms)
		s->ms = e->ms;
	return 0;
}

int cuStreamDestroy_v2(struct cu_stream *s);
int cuStreamDestroy_v2(struct cu_stream *s)
{
	free(s);
	fake_cuda_live--;
	CALL();
	return 0;
}

int cuEventCreate(struct cu_event **ret, unsigned flags);
int cuEventCreate(struct cu_event **ret, unsigned flags)
{
	UNUSED(flags);
	CALL();
	*ret = calloc(1, sizeof(**ret));
	fake_cuda_live++;
	return 0;
}

int cuEventDestroy_v2(struct cu_event *e);
int cuEventDestroy_v2(struct cu_event *e)
{
	free(e);
	fake_cuda_live--;
	CALL();
	return 0;
}

int cuEventRecord(struct cu_event *e, struct cu_stream *s);
int cuEventRecord(struct cu_event *e, struct cu_stream *s)
{
	static double steady_ms, stretch;
	struct timespec t;

	CALL();
	e->hangs = s->hangs;
	if (fake_number("TARE_FAKE_CUDA_COPY_MB_S", 0)) {
		e->ms = s->ms;
		return 0;
	}
	clock_gettime(CLOCK_MONOTONIC, &t);
	if (fake_number("TARE_FAKE_CUDA_EVENT_MS", 0)) {
		if (stretch == 0)
			stretch = 1 +
				  1e-6 * (double)fake_number("TARE_FAKE_CUDA_JITTER", 0) *
					  (double)(t.tv_nsec % 1000);
		steady_ms += (double)fake_number("TARE_FAKE_CUDA_EVENT_MS", 0) * stretch *
			     H200_SM_COUNT / fake_cuda_multiprocessors();
		e->ms = steady_ms;
		return 0;
	}
	e->ms = (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
	return 0;
}

int cuEventQuery(struct cu_event *e);
int cuEventQuery(struct cu_event *e)
{
	static long asked;

	CALL();
	if (e->hangs)
		return CU_NOT_READY;
	if (asked++ < fake_number("TARE_FAKE_CUDA_SLOW", 0))
		return CU_NOT_READY;
	asked = 0;
	return fake_number("TARE_FAKE_CUDA_HANGS", 0) ? CU_NOT_READY : 0;
}

int cuEventSynchronize(struct cu_event *e);
int cuEventSynchronize(struct cu_event *e)
{
	UNUSED(e);
	CALL();
	return 0;
}

int cuEventElapsedTime(float *ret_ms, struct cu_event *from, struct cu_event *to);
int cuEventElapsedTime(float *ret_ms, struct cu_event *from, struct cu_event *to)
{
	CALL();
	*ret_ms = (float)(to->ms - from->ms);
	return 0;
}
