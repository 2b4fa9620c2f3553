/* For the files that hold checks; everyone else includes preflight.h. */
#ifndef TARE_PROBE_PREFLIGHT_IMPL_H
#define TARE_PROBE_PREFLIGHT_IMPL_H

#include "core/base/buf.h"
#include "probe/preflight.h"

/* What a check looks at and where it writes down what it saw. */
struct preflight_look {
	const char *root;
	struct json_object *machine;
	bool is_guest, is_arm;
	bool has_grace_gpu; /* a GPU of a Grace superchip, whatever driver has it */
	struct buf evidence;
};

struct preflight_check {
	const char *id, *title, *why, *mend;
	enum preflight_side side;
	enum preflight_state (*look)(struct preflight_look *l);
};

/* Each table ends with {0}. */
extern const struct preflight_check preflight_device_checks[];
extern const struct preflight_check preflight_system_checks[];
extern const struct preflight_check preflight_gpu_checks[];

/* Calls 'visit' for every accelerator in the machine's PCI list of vendor NVIDIA; gives
 * the worst state it gave, 'not applicable' when there is none. */
typedef enum preflight_state preflight_visit(struct preflight_look *l,
					     struct json_object *device);
enum preflight_state preflight_each_gpu(struct preflight_look *l, preflight_visit *visit);

/* The worse of two: fail, warn, unknown, ok, not applicable. */
enum preflight_state preflight_worse(enum preflight_state a, enum preflight_state b);

/* Adds "; "-separated evidence. */
void preflight_note(struct preflight_look *l, const char *fmt, ...) ERR_PRINTF(2, 3);

#endif
