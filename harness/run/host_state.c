#include "harness/run/host_state.h"

#include "core/base/mem.h"
#include "core/base/stop.h"

#include <stdlib.h>
#include <string.h>

static const char none[] = "none";

void host_state_release(struct host_state *h)
{
	for (size_t i = 0; i < h->gpus_nr; i++) {
		free(h->gpus[i].address);
		free(h->gpus[i].driver);
		free(h->gpus[i].override);
	}
	stop_leaves_end(h->leaves);
	free(h->gpus);
	free(h->host_arm);
	free(h->scheduling);
	*h = (struct host_state){0};
}

void host_state_read_gpus(struct host_state *ret, struct json_object *devices)
{
	ret->gpus_nr = json_length(devices);
	ret->gpus = x_calloc(ret->gpus_nr + 1, sizeof(*ret->gpus));
	for (size_t i = 0; i < ret->gpus_nr; i++) {
		struct json_object *d = json_object_array_get_idx(devices, i);

		ret->gpus[i] = (struct gpu_state){
			.address = x_strdup(json_get_text(d, "address", "")),
			.driver = x_strdup(json_get_text(d, "driver", none)),
			.override = x_strdup(json_get_text(d, "override", none)),
		};
	}
}

void host_state_read(struct host_state *ret, struct json_object *take)
{
	struct json_object *scheduling = json_member(take, "scheduling");

	*ret = (struct host_state){.host_arm =
					   x_strdup(json_get_text(take, "host_arm", ""))};
	host_state_read_gpus(ret, json_member(take, "devices"));
	if (scheduling)
		ret->scheduling = x_strdup(json_get_text(scheduling, "was", "enabled"));
}

static const char *name_or_null(const char *name)
{
	return strcmp(name, none) == 0 ? NULL : name;
}

struct json_object *host_state_to_json(const struct host_state *h,
				       const struct gpu_host *host)
{
	struct json_object *o = json_object_new_object(), *scheduling = NULL;
	struct json_object *devices = json_object_new_array();

	for (size_t i = 0; i < h->gpus_nr; i++) {
		struct json_object *d = json_object_new_object();

		json_put_text(d, "address", h->gpus[i].address);
		json_put_text(d, "driver", name_or_null(h->gpus[i].driver));
		json_put_text(d, "override", name_or_null(h->gpus[i].override));
		json_object_array_add(devices, d);
	}
	if (h->scheduling) {
		scheduling = json_object_new_object();
		json_put_text(scheduling, "provisioner", host->provisioner);
		json_put_text(scheduling, "host", host->name);
		json_put_text(scheduling, "was", h->scheduling);
	}
	json_put_text(o, "action", "take");
	json_put_text(o, "host_arm", h->host_arm);
	json_put(o, "scheduling", scheduling);
	json_put(o, "devices", devices);
	return o;
}

bool gpu_state_is_same(const struct gpu_state *a, const struct gpu_state *b)
{
	return strcmp(a->driver, b->driver) == 0 && strcmp(a->override, b->override) == 0;
}
