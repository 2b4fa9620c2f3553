/*
 * Which driver has a GPU: the host's own (so that bare metal can be measured) or vfio (so
 * that a VM can have it). By sysfs, as in Linux Documentation/ABI/testing/sysfs-bus-pci:
 * driver_override, unbind, drivers_probe. Runs on the machine under test, as root.
 *
 * Everything is checked before anything is touched, and refused with a sentence: a device
 * that is no GPU or accelerator (unless 'any_device'), no IOMMU group, another device of
 * the group in use, a process that has it open, a display on it, virtual functions, mediated
 * devices or MIG slices below it. Each step is then
 * verified by what the kernel shows afterwards. When one fails, all before it are undone
 * in reverse order; what could not be undone is in the error and in the steps.
 *
 * "vfio" means nvgrace_gpu_vfio_pci for the GPUs of Grace superchips, whose memory plain
 * vfio-pci does not pass on, and vfio-pci for everything else.
 */
#ifndef TARE_PROBE_BINDING_H
#define TARE_PROBE_BINDING_H

#include "core/base/err.h"
#include "core/document/json.h"

#include <stdbool.h>
#include <stddef.h>

/* How the kernel is reached; tests put their own in. Both give 0 or an errno value. */
struct binding_host {
	const char *root; /* in front of /sys, /proc and /dev; "" is the real machine */
	int (*write)(void *ctx, const char *path, const char *text); /* without root */
	int (*load)(void *ctx, const char *module);
	void *ctx;
};

/* The real machine: write(2), and modprobe by argument vector. */
struct binding_host binding_real_host(void);

struct binding_request {
	const char *const
		*addresses; /* "0008:01:00.0", NULL-terminated; together or none */
	const char *driver; /* "nvidia", "vfio", a driver's own name, or BINDING_NONE */
	bool any_device;    /* also what is no GPU or accelerator */
	/* What driver_override says afterwards, or BINDING_NONE, so that a device can be
	 * put back exactly. NULL: vfio's driver keeps its own, others need none. */
	const char *override;
};

#define BINDING_NONE "none" /* no driver at all */

enum binding_state {
	BINDING_DONE,
	BINDING_FAILED,
	BINDING_UNDONE,
	BINDING_LEFT /* could not be undone */
};

struct binding_step {
	const char *what; /* "load", "override", "unbind", "probe", "clear" */
	char *address;    /* NULL for "load" */
	char *value;      /* module, driver name */
	char *before;     /* what undoing it puts back; NULL: nothing */
	enum binding_state state;
};

struct binding {
	struct binding_step *steps;
	size_t nr, alloc;
	bool is_changed; /* something was done and stands */
};

/* 'ret' is filled in on failure too: binding_release() either way. */
int binding_apply(const struct binding_host *host, const struct binding_request *want,
		  struct binding *ret, struct err *err);
void binding_release(struct binding *b);
/* Touches nothing: are the devices there, and such as binding_apply() would take? Then
 * binding_to_json() tells which driver each has. want->driver may be NULL. */
int binding_look(const struct binding_host *host, const struct binding_request *want,
		 struct err *err);

/*
 * {schema: "tare.binding/1", changed, steps: [{step, address, value, before, state}],
 * devices: [{address, driver, override}], error}; 'err' may be NULL.
 */
struct json_object *binding_to_json(const struct binding_host *host,
				    const struct binding_request *want,
				    const struct binding *b, const struct err *err);

#endif
