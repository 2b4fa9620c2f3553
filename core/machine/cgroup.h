/*
 * What confines this process: the control groups that it is in, of version 2 or 1 (Linux
 * Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/). A limit of any group above counts
 * as one of its own, as far up as this process can see. 'root' as in core/machine/machine.h.
 */
#ifndef TARE_CORE_MACHINE_CGROUP_H
#define TARE_CORE_MACHINE_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

struct cgroup_limits {
	const char
		*source; /* "cgroup v2", "cgroup v1"; NULL: not known, nor is the rest */
	double cpus;     /* of the tightest quota; 0: there is none */
	int64_t memory_bytes; /* the tightest; 0: there is none */
	char *cpuset;         /* "0-3"; NULL: none */
};

void cgroup_limits_read(struct cgroup_limits *ret, const char *root);
void cgroup_limits_release(struct cgroup_limits *l);

/* How often a quota held its group back since the group was made. */
struct cgroup_throttling {
	int64_t periods, throttled;
	double seconds; /* summed over the group's processors */
};

enum { CGROUP_LEVELS = 16 };

struct cgroup_history {
	int nr; /* groups, the innermost first; -1: not known */
	struct cgroup_throttling levels[CGROUP_LEVELS];
};

void cgroup_history_read(struct cgroup_history *ret, const char *root);
/*
 * Of the group that was held back longest in between; without any quota all 0. False where
 * it is not known.
 */
bool cgroup_held_back(const struct cgroup_history *begin,
		      const struct cgroup_history *end, struct cgroup_throttling *ret);

#endif
