#include "reports/verdict/gpu_part_alike.h"

#include "core/base/mem.h"

#include <string.h>

static const struct {
	const char *route, *words;
} routes[] = {
	{"host", "cut by its host"},
	{"guest", "cut inside the guest that has the whole GPU"},
	{"opennebula", "a MIG-backed vGPU that OpenNebula gave"},
};

static const char *text_of(const struct result *r, const char *key)
{
	return json_get_text(json_member(r->details, "mig"), key, NULL);
}

static const char *words_of(const char *route)
{
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++)
		if (strcmp(routes[i].route, route) == 0)
			return routes[i].words;
	return route;
}

bool part_is_of_sweep(const struct result *r)
{
	return text_of(r, "whole") != NULL;
}

char *part_mismatch(const struct result *a, const char *label_a, const struct result *b,
		    const char *label_b)
{
	const char *part_a = text_of(a, "profile"), *part_b = text_of(b, "profile");
	const char *route_a = text_of(a, "route"), *route_b = text_of(b, "route");

	if (!part_a && !part_b)
		return NULL;
	if (part_a && part_b && route_a && route_b && strcmp(route_a, route_b) != 0)
		return x_asprintf("mig-route: never alike: %s ran on %s, %s; %s on %s, "
				  "%s",
				  label_a, part_a, words_of(route_a), label_b, part_b,
				  words_of(route_b));
	if (!part_a || !part_b || strcmp(part_a, part_b) != 0)
		return x_asprintf("mig-part: %s ran on %s and %s on %s", label_a,
				  part_a ? part_a : "a whole GPU", label_b,
				  part_b ? part_b : "a whole GPU");
	return NULL;
}
