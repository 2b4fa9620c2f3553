/*
 * One GPU, held for the life of the program: chosen by UUID, a context and a stream on it,
 * on all of its multiprocessors or on some, through a green context. Every wait has a
 * deadline.
 */
#ifndef TARE_CUDA_DEVICE_H
#define TARE_CUDA_DEVICE_H

#include "core/document/json.h"
#include "cuda/cuda.h"

struct device {
	struct cuda cuda;
	cu_device id;
	char name[128];
	char uuid[48]; /* "GPU-5f9b3a52-...": the whole GPU's, where a MIG part is used */
	char pci[24];  /* "0000:17:00.0" */
	char asked[48]; /* the UUID that was asked for: "MIG-..." differs from 'uuid' */
	int sm_count, major, minor, l2_bytes, clock_khz, driver_version;
	int sm_used; /* less than sm_count in a green context */
	size_t memory_bytes;
	bool is_context_held;
	struct cu_context *context;
	struct cu_green *green;
	struct cu_stream *stream;
	struct cu_event *done;
};

/*
 * 'which': UUID, PCI address, number, or NULL for the first. 'sms' multiprocessors or
 * more, as the hardware groups them; 0: all. ret_none as cuda_open(). On failure nothing
 * is left to close.
 */
int device_open(struct device *d, const char *which, int64_t sms, bool *ret_none,
		struct err *err);
void device_close(struct device *d);
bool device_is_mig(const struct device *d); /* a MIG part was asked for */

int device_alloc(struct device *d, cu_pointer *ret, size_t bytes, const char *what,
		 struct err *err);
void device_free(struct device *d, cu_pointer p); /* 0 is fine */
int64_t device_available_bytes(struct device *d); /* 0 when it cannot be asked */

/* All that was put into the stream is done, within 'timeout_ns'. */
int device_wait(struct device *d, int64_t timeout_ns, const char *what, struct err *err);
int device_wait_event(struct device *d, struct cu_event *e, int64_t timeout_ns,
		      const char *what, struct err *err);

/* {name, uuid, pci, compute_capability, multiprocessors, ...}; owned by the caller. */
struct json_object *device_to_json(const struct device *d);

#endif
