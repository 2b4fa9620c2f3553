/*
 * Is this machine fit to measure a GPU on, as a host or as a guest? A table of checks,
 * each with a state, the evidence as it was read, why it matters and the command that
 * mends it. The list follows what acceptance tools and the platforms' own guides ask for
 * (Grace performance tuning guide; NVIDIA's VM configuration guide for HGX; Linux
 * Documentation/driver-api/vfio.rst).
 *
 * A check that does not concern this machine (no GPU, a guest, another architecture) is
 * "not applicable"; what cannot be read is "unknown" and never "ok".
 */
#ifndef TARE_PROBE_PREFLIGHT_H
#define TARE_PROBE_PREFLIGHT_H

#include "core/document/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum preflight_state {
	PREFLIGHT_OK,
	PREFLIGHT_WARN,
	PREFLIGHT_FAIL,
	PREFLIGHT_UNKNOWN,
	PREFLIGHT_NOT_APPLICABLE
};

struct preflight_row {
	const char *id;    /* "host.iommu" */
	const char *title; /* "IOMMU" */
	const char *why;   /* one sentence */
	const char *mend;  /* a command, or what to do; shown unless it is ok */
	enum preflight_state state;
	char *evidence; /* what was read */
};

struct preflight {
	struct preflight_row *rows;
	size_t nr;
	size_t failed, warned, unknown;
};

/* 'machine': a tare.machine/1 of the same root. */
void preflight_run(struct preflight *ret, const char *root, struct json_object *machine);
void preflight_release(struct preflight *p);

/* {schema: "tare.preflight/1", failed, warned, unknown, checks: [{id, title, state,
 * evidence, why, mend}]}; state: "ok", "warn", "fail", "unknown", "not applicable" */
struct json_object *preflight_to_json(const struct preflight *p);
/* A table for people; what does not apply is left out. */
void preflight_show(const struct preflight *p, FILE *to);

#endif
