/*
 * What happened to this process and its machine while something was measured: read once
 * before the timed span and once behind it, nothing in between. Fills 'span', 'cpu' and
 * 'identity' of the result's evidence.
 */
#ifndef TARE_CORE_MACHINE_AROUND_H
#define TARE_CORE_MACHINE_AROUND_H

#include "core/document/evidence.h"
#include "core/document/result.h"
#include "core/machine/cgroup.h"

struct around {
	const char *root; /* borrowed; as in core/machine/machine.h */
	char affinity[1024];
	int64_t mono_ns, wall_ns, wall_offset_ns;
	int64_t steal_ticks; /* -1: not told */
	struct cgroup_history throttling;
};

/* As late before the span as can be; takes some 0.1 ms. 'root' is "" but in tests. */
void around_begin(struct around *a, const char *root);
/* As early behind the span as can be. */
void around_end(const struct around *a, struct evidence *e);

/*
 * The part of the span, on all processors together, that a CPU quota may hold back a
 * measurement: what is less cannot move a figure by more than the usual margin of 1 %.
 */
#define AROUND_HELD_BACK_MAX 0.01

/*
 * Puts the evidence into the result, with the check 'cpu-not-held-back' where it is known
 * whether a quota throttled.
 */
void around_report(const struct evidence *e, struct result *r);

#endif
