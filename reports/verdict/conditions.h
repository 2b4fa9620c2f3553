/*
 * Were two sides measured under like conditions? What the results themselves tell of that,
 * beside the machines' facts (core/document/likeness.h) and the part of the GPU
 * (reports/verdict/gpu_part_alike.h).
 */
#ifndef TARE_REPORTS_VERDICT_CONDITIONS_H
#define TARE_REPORTS_VERDICT_CONDITIONS_H

#include "core/document/result.h"

#include <stddef.h>

/*
 * Why two loads were not on alike servers, as a reason that begins with "server-version:",
 * "server-model:", "model-revision:", "server-limit:" or "server-mock:"; NULL where they
 * were, or where one side does not say. free().
 */
char *server_mismatch(const struct result *a, const char *label_a, const struct result *b,
		      const char *label_b);

/* The results of one side. */
struct conditions_side {
	const char *label;
	const struct result *results;
	size_t nr;
};

/*
 * Why the clocks of one side were held down and those of the other were not, as a reason
 * that begins with "throttled:": heat, power brake or sync boost in at least 5 % of the
 * timed span on one side and less than a quarter of that share on the other. A power cap is
 * no such reason (the limit is a fact that must agree, and whoever does more meets it
 * sooner): where one side met it four times as much, *ret_note (free()) says so. NULL
 * where the clocks were alike or nobody watched them. free().
 */
char *throttle_mismatch(const struct conditions_side *a, const struct conditions_side *b,
			char **ret_note);

#endif
