/* tare-link's command line (core/options/opt.h), and what is measured because of it. */
#ifndef TARE_LINK_OPTIONS_H
#define TARE_LINK_OPTIONS_H

#include "core/options/opt.h"

struct link_options {
	char *what, *device, *output;
	struct int_list sizes; /* ascending; after link_options_resolve() not empty */
	int64_t samples, launches, memory_bytes, triad_bytes, seed;
	bool quick, json, telemetry, exclusive;
	unsigned asked; /* bits 1 << enum link_part */
};

/* In the order in which they are measured. */
enum link_part { PART_COPIES, PART_LATENCY, PART_PEERS, PART_MEMORY, LINK_PARTS };
extern const char *const link_part_names[LINK_PARTS];

extern const struct opt_command link_command;

static inline bool link_options_has(const struct link_options *o, enum link_part part)
{
	return o->asked & 1u << part;
}

/* --what, and what --quick and --memory leave of the defaults. ERR_USAGE. */
int link_options_resolve(struct link_options *o, struct err *err);

/* Parts that need a GPU; without one only the others are measured, where none was named. */
bool link_options_need_gpu(const struct link_options *o);
void link_options_without_gpu(struct link_options *o);

/*
 * The parameters after defaults: equal work has equal parameters on every machine. 'backend' is
 * "cuda", or "host" without a GPU.
 */
struct json_object *link_options_params(const struct link_options *o,
					const char *backend);

#endif
