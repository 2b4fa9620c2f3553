/*
 * One check of the preflight: its row in a table, what it is given, and what all checks use.
 * For the files that hold checks; everyone else includes preflight.h.
 */
#ifndef TARE_PROBE_PREFLIGHT_CHECK_H
#define TARE_PROBE_PREFLIGHT_CHECK_H

#include "core/base/buf.h"
#include "probe/preflight.h"

enum preflight_side { SIDE_BOTH, SIDE_HOST, SIDE_GUEST };
enum preflight_platform { PLATFORM_ANY, PLATFORM_GRACE, PLATFORM_NOT_GRACE };

/* What a check looks at and where it writes down what it saw. */
struct preflight_look {
	const char *root;
	struct json_object *machine;
	bool is_guest, is_arm;
	bool has_grace_gpu; /* preflight_grace_gpus() are some */
	struct buf evidence;
};

typedef enum preflight_state preflight_look_at(struct preflight_look *l,
					       struct json_object *gpu, const char *name);

struct preflight_check {
	const char *id, *title, *why, *mend;
	enum preflight_side side;
	enum preflight_platform platform;
	/* One of these: the machine as a whole; each accelerator of NVIDIA's on the PCI bus,
	 * by its address; each GPU that its driver shows. The worst of several counts. */
	enum preflight_state (*machine)(struct preflight_look *l);
	preflight_look_at *pci_gpu, *driver_gpu;
};

/* 'not applicable' on the other side, on another platform and without a GPU. */
enum preflight_state preflight_look(const struct preflight_check *c,
				    struct preflight_look *l);

/* How many GPUs the bus has that are not given to another driver: those to be asked. */
int64_t preflight_gpus_expected(struct preflight_look *l);

/*
 * Each GPU that its driver shows, the worst. Where the bus has more and none can be asked
 * that is unknown, and in a guest without a driver too.
 */
enum preflight_state preflight_each_gpu(struct preflight_look *l,
					preflight_look_at *look);

/* The worse of two: fail, warn, unknown, ok, not applicable. */
enum preflight_state preflight_worse(enum preflight_state a, enum preflight_state b);

/* Adds "; "-separated evidence. */
void preflight_note(struct preflight_look *l, const char *fmt, ...) ERR_PRINTF(2, 3);
/* Unknown: the machine does not tell it of 'name'. */
enum preflight_state preflight_not_told(struct preflight_look *l, const char *name);

/* How many GPUs of Grace superchips the bus has, whatever driver has them. */
int64_t preflight_grace_gpus(struct preflight_look *l);

/* The vendor's or another code of a PCI device of the document, 0 where it is not there. */
int64_t preflight_pci_code(struct json_object *device, const char *key);

#endif
