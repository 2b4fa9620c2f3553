#include "harness/run/gpu_taken.h"

#include <string.h>

struct json_object *gpu_taken_find(const struct session *s, const char *host_arm)
{
	for (size_t i = 0; s->taken && i < json_object_array_length(s->taken); i++) {
		struct json_object *o = json_object_array_get_idx(s->taken, i);

		if (strcmp(json_get_text(o, "host_arm", ""), host_arm) == 0)
			return o;
	}
	return NULL;
}

void gpu_taken_add(struct session *s, struct json_object *take)
{
	if (!s->taken)
		s->taken = json_object_new_array();
	json_object_array_add(s->taken, json_object_get(take));
}

void gpu_taken_remove(struct session *s, const char *host_arm)
{
	for (size_t i = 0; s->taken && i < json_object_array_length(s->taken); i++) {
		struct json_object *o = json_object_array_get_idx(s->taken, i);

		if (strcmp(json_get_text(o, "host_arm", ""), host_arm) == 0) {
			json_object_array_del_idx(s->taken, i, 1);
			return;
		}
	}
}
