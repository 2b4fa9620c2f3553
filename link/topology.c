#include "link/topology.h"

#include "core/base/mem.h"
#include "core/machine/nvml.h"

#include <stdlib.h>

static struct json_object *pair(struct nvml *n, struct nvml_gpu **found, int a, int b)
{
	struct json_object *o = nvml_pair_json(n, found[a], found[b]);
	struct json_object *gpus = json_object_new_array();

	json_object_array_add(gpus, json_object_new_int(a));
	json_object_array_add(gpus, json_object_new_int(b));
	json_put(o, "gpus", gpus);
	return o;
}

struct json_object *topology_read(const struct gpu *gpus, int nr,
				  struct json_object *facts)
{
	struct nvml *n = nvml_open(NULL);
	struct nvml_gpu **found = x_calloc((size_t)nr + 1, sizeof(struct nvml_gpu *));
	struct json_object *list = n ? json_object_new_array() : NULL;

	for (int i = 0; n && i < nr; i++) {
		struct json_object *o = json_object_array_get_idx(facts, (size_t)i);

		if (nvml_gpu_find(n, gpus[i].device.pci, &found[i], NULL) != 0)
			found[i] = NULL;
		json_put(o, "nvlinks", found[i] ? nvml_links_json(n, found[i]) : NULL);
		for (int k = 0; found[i] && k < i; k++)
			if (found[k])
				json_object_array_add(list, pair(n, found, k, i));
	}
	free(found);
	nvml_close(n);
	return list;
}
