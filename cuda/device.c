#include "cuda/device.h"

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/base/stop.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int fail(struct device *d, cu_result code, struct err *err, const char *what)
{
	return cuda_ok(&d->cuda, code, err, "%s", what);
}

static void uuid_text(const struct cu_uuid *uuid, char text[48])
{
	const char *prefix = "GPU-";
	size_t at = 4;

	memcpy(text, prefix, 5);
	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			text[at++] = '-';
		snprintf(text + at, 3, "%02x", (unsigned char)uuid->bytes[i]);
		at += 2;
	}
}

static int read_facts(struct device *d, struct err *err)
{
	int bus = 0, slot = 0, domain = 0;
	struct cu_uuid uuid;
	const struct {
		int attribute, *ret;
	} facts[] = {
		{CU_ATTRIBUTE_SM_COUNT, &d->sm_count},
		{CU_ATTRIBUTE_MAJOR, &d->major},
		{CU_ATTRIBUTE_MINOR, &d->minor},
		{CU_ATTRIBUTE_L2_BYTES, &d->l2_bytes},
		{CU_ATTRIBUTE_CLOCK_KHZ, &d->clock_khz},
		{CU_ATTRIBUTE_PCI_BUS, &bus},
		{CU_ATTRIBUTE_PCI_DEVICE, &slot},
		{CU_ATTRIBUTE_PCI_DOMAIN, &domain},
	};

	if (fail(d, d->cuda.cuDeviceGetName(d->name, sizeof(d->name), d->id), err,
		 "ask for the GPU's name") != 0 ||
	    fail(d, d->cuda.cuDeviceGetUuid(&uuid, d->id), err,
		 "ask for the GPU's UUID") != 0 ||
	    fail(d, d->cuda.cuDeviceTotalMem_v2(&d->memory_bytes, d->id), err,
		 "ask for the GPU's memory") != 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
		if (fail(d,
			 d->cuda.cuDeviceGetAttribute(facts[i].ret, facts[i].attribute,
						      d->id),
			 err, "ask for the GPU's attributes") != 0)
			return -1;
	uuid_text(&uuid, d->uuid);
	snprintf(d->pci, sizeof(d->pci), "%04x:%02x:%02x.0", (unsigned)domain,
		 (unsigned)bus, (unsigned)slot);
	d->sm_used = d->sm_count;
	return 0;
}

static bool is_mig(const char *which)
{
	return strncasecmp(which, "MIG-", 4) == 0;
}

static bool is_uuid(const char *which)
{
	return strncasecmp(which, "GPU-", 4) == 0 || is_mig(which);
}

bool device_is_mig(const struct device *d)
{
	return is_mig(d->asked);
}

static bool matches(const struct device *d, const char *which, int ordinal)
{
	char number[16];

	/* With only one device visible, CUDA itself has matched the UUID. */
	if (is_mig(which))
		return true;
	snprintf(number, sizeof(number), "%d", ordinal);
	return strcasecmp(which, d->uuid) == 0 || strcasecmp(which, d->pci) == 0 ||
	       strcmp(which, number) == 0;
}

static int choose(struct device *d, const char *which, bool *ret_none, struct err *err)
{
	int nr = 0;

	if (fail(d, d->cuda.cuDeviceGetCount(&nr), err, "count the GPUs") != 0)
		return -1;
	for (int i = 0; i < nr; i++) {
		if (fail(d, d->cuda.cuDeviceGet(&d->id, i), err, "choose a GPU") != 0 ||
		    read_facts(d, err) != 0)
			return -1;
		if (!which || matches(d, which, i))
			return 0;
	}
	*ret_none = nr == 0;
	if (nr == 0)
		return err_set(err, ERR_ENVIRONMENT,
			       "CUDA sees no GPU%s%s; nvidia-smi -L lists "
			       "what the driver has",
			       which ? " that matches " : "", which ? which : "");
	return err_set(err, ERR_ENVIRONMENT,
		       "no such device '%.64s' among %d; nvidia-smi -L lists their UUIDs",
		       which, nr);
}

/* A context on the first group of multiprocessors that has at least as many as asked. */
static int make_green(struct device *d, int64_t sms, struct err *err)
{
	struct cu_resource whole, part, rest;
	struct cu_resource_desc *desc;
	unsigned nr = 1;

	if (!d->cuda.cuGreenCtxCreate || !d->cuda.cuDevSmResourceSplitByCount ||
	    !d->cuda.cuDeviceGetDevResource || !d->cuda.cuDevResourceGenerateDesc ||
	    !d->cuda.cuCtxFromGreenCtx)
		return err_set(
			err, ERR_ENVIRONMENT,
			"a part of the multiprocessors (--sms) needs green contexts, "
			"which this driver lacks; install one for CUDA 12.4 or later");
	if (sms > d->sm_count)
		return err_set(err, ERR_USAGE,
			       "--sms %" PRId64 " is more than the %d that the GPU has",
			       sms, d->sm_count);
	if (fail(d, d->cuda.cuDeviceGetDevResource(d->id, &whole, CU_RESOURCE_SM), err,
		 "ask for the multiprocessors") != 0 ||
	    fail(d,
		 d->cuda.cuDevSmResourceSplitByCount(&part, &nr, &whole, &rest, 0,
						     (unsigned)sms),
		 err, "split the multiprocessors") != 0 ||
	    fail(d, d->cuda.cuDevResourceGenerateDesc(&desc, &part, 1), err,
		 "describe the multiprocessors") != 0 ||
	    fail(d,
		 d->cuda.cuGreenCtxCreate(&d->green, desc, d->id,
					  CU_GREEN_DEFAULT_STREAM),
		 err, "make a green context") != 0 ||
	    fail(d, d->cuda.cuCtxFromGreenCtx(&d->context, d->green), err,
		 "use the green context") != 0)
		return -1;
	d->sm_used = (int)part.of.sm.count;
	if (nr == 0 || d->sm_used < sms)
		return err_set(err, ERR_ENVIRONMENT,
			       "the driver made no group of %" PRId64
			       " multiprocessors (--sms); ask for more",
			       sms);
	return 0;
}

static int open_context(struct device *d, int64_t sms, struct err *err)
{
	if (fail(d, d->cuda.cuDevicePrimaryCtxRetain(&d->context, d->id), err,
		 "make a context on the GPU") != 0)
		return -1;
	d->is_context_held = true;
	if (sms > 0 && make_green(d, sms, err) != 0)
		return -1;
	if (fail(d, d->cuda.cuCtxSetCurrent(d->context), err, "use the GPU's context") !=
		    0 ||
	    fail(d, d->cuda.cuStreamCreate(&d->stream, CU_STREAM_UNBLOCKED), err,
		 "make a stream") != 0)
		return -1;
	return fail(d, d->cuda.cuEventCreate(&d->done, CU_EVENT_TIMED), err,
		    "make an event");
}

int device_open(struct device *d, const char *which, int64_t sms, bool *ret_none,
		struct err *err)
{
	*d = (struct device){0};
	/* A UUID is all that CUDA is to see: MIG parts can be reached in no other way. */
	if (which && is_uuid(which)) {
		if (setenv("CUDA_VISIBLE_DEVICES", which, 1) != 0)
			return err_errno(err, "set CUDA_VISIBLE_DEVICES");
		snprintf(d->asked, sizeof(d->asked), "%s", which);
	}
	if (cuda_open(&d->cuda, ret_none, err) != 0 ||
	    choose(d, which, ret_none, err) != 0)
		return -1;
	d->cuda.cuDriverGetVersion(&d->driver_version);
	if (open_context(d, sms, err) != 0) {
		device_close(d);
		return -1;
	}
	return 0;
}

/* Failures while closing have nobody to help; the driver takes back what is left. */
void device_close(struct device *d)
{
	if (d->done)
		d->cuda.cuEventDestroy_v2(d->done);
	if (d->stream)
		d->cuda.cuStreamDestroy_v2(d->stream);
	if (d->green && d->cuda.cuGreenCtxDestroy)
		d->cuda.cuGreenCtxDestroy(d->green);
	if (d->is_context_held)
		d->cuda.cuDevicePrimaryCtxRelease_v2(d->id);
	*d = (struct device){0};
}

int64_t device_available_bytes(struct device *d)
{
	size_t available = 0, total = 0;

	if (d->cuda.cuMemGetInfo_v2(&available, &total) != CU_SUCCESS)
		return 0;
	return (int64_t)available;
}

int device_alloc(struct device *d, cu_pointer *ret, size_t bytes, const char *what,
		 struct err *err)
{
	cu_result code = d->cuda.cuMemAlloc_v2(ret, bytes);

	if (code == CU_OUT_OF_MEMORY) {
		*ret = 0;
		return cuda_ok(
			&d->cuda, code, err,
			"out of memory on the GPU: %s needs %.2f GiB and %.2f GiB are "
			"free; ask for less",
			what, (double)bytes / 0x1p30,
			(double)device_available_bytes(d) / 0x1p30);
	}
	return cuda_ok(&d->cuda, code, err, "allocate %s", what);
}

void device_free(struct device *d, cu_pointer p)
{
	if (p)
		d->cuda.cuMemFree_v2(p);
}

int device_wait_event(struct device *d, struct cu_event *e, int64_t timeout_ns,
		      const char *what, struct err *err)
{
	int64_t deadline = clock_deadline_ns(timeout_ns);
	cu_result code;

	while ((code = d->cuda.cuEventQuery(e)) == CU_NOT_READY) {
		if (stop_requested())
			return stop_check(err);
		if (clock_passed(deadline))
			return err_set(err, ERR_ENVIRONMENT,
				       "the GPU did not finish to %s within %.0f s; it "
				       "may hang: "
				       "look for Xid messages in the kernel's log",
				       what, (double)timeout_ns / 1e9);
		clock_sleep_until(clock_mono_ns() + 50 * NS_PER_US);
	}
	return fail(d, code, err, what);
}

int device_wait(struct device *d, int64_t timeout_ns, const char *what, struct err *err)
{
	if (fail(d, d->cuda.cuEventRecord(d->done, d->stream), err, what) != 0)
		return -1;
	return device_wait_event(d, d->done, timeout_ns, what, err);
}

struct json_object *device_to_json(const struct device *d)
{
	struct json_object *o = json_object_new_object();
	char capability[16];

	snprintf(capability, sizeof(capability), "%d.%d", d->major, d->minor);
	json_put_text(o, "name", d->name);
	json_put_text(o, "uuid", d->uuid);
	json_put_text(o, "asked", d->asked[0] ? d->asked : NULL);
	json_put_text(o, "pci", d->pci);
	json_put_text(o, "compute_capability", capability);
	json_put_int(o, "multiprocessors", d->sm_count);
	json_put_int(o, "multiprocessors_used", d->sm_used);
	json_put_int(o, "l2_bytes", d->l2_bytes);
	json_put_int(o, "memory_bytes", (int64_t)d->memory_bytes);
	json_put_real(o, "max_clock_hz", (double)d->clock_khz * 1e3);
	json_put_int(o, "cuda_driver_version", d->driver_version);
	return o;
}
