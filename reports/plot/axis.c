#include "reports/plot/axis.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "core/base/mem.h"

struct axis axis_for(double value, const char *unit)
{
	static const struct {
		double scale;
		const char *prefix;
	} steps[] = {{1e15, "P"}, {1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}};
	static const struct {
		double scale;
		const char *prefix;
	} small[] = {{1, ""}, {1e-3, "m"}, {1e-6, "µ"}, {1e-9, "n"}};
	struct axis a = {.scale = 1};

	snprintf(a.label, sizeof(a.label), "%.40s", unit);
	if (strcmp(unit, "s") == 0) {
		for (size_t i = 0; i < ARRAY_SIZE(small); i++) {
			a.scale = small[i].scale;
			snprintf(a.label, sizeof(a.label), "%s%.40s", small[i].prefix,
				 unit);
			if (value >= small[i].scale)
				break;
		}
		return a;
	}
	if (strcmp(unit, "FLOP/s") != 0 && strcmp(unit, "Hz") != 0 &&
	    strncmp(unit, "byte", 4) != 0)
		return a;
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		if (value < steps[i].scale)
			continue;
		a.scale = steps[i].scale;
		snprintf(a.label, sizeof(a.label), "%s%.40s", steps[i].prefix, unit);
		break;
	}
	return a;
}
