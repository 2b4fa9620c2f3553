#include "probe/preflight_check.h"

#include "probe/pci_device.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum preflight_state preflight_worse(enum preflight_state a, enum preflight_state b)
{
	static const int weight[] = {
		[PREFLIGHT_NOT_APPLICABLE] = 0, [PREFLIGHT_OK] = 1,
		[PREFLIGHT_UNKNOWN] = 2,        [PREFLIGHT_WARN] = 3,
		[PREFLIGHT_FAIL] = 4,
	};

	return weight[a] >= weight[b] ? a : b;
}

void preflight_note(struct preflight_look *l, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	buf_printf(&l->evidence, "%s%s", l->evidence.len ? "; " : "", text);
}

enum preflight_state preflight_not_told(struct preflight_look *l, const char *name)
{
	preflight_note(l, "%s: not told", name);
	return PREFLIGHT_UNKNOWN;
}

int64_t preflight_pci_code(struct json_object *device, const char *key)
{
	return strtoll(json_get_text(device, key, "0"), NULL, 16);
}

static enum preflight_state each_pci_gpu(struct preflight_look *l,
					 preflight_look_at *look)
{
	struct json_object *list = json_member(l->machine, "pci");
	enum preflight_state worst = PREFLIGHT_NOT_APPLICABLE;

	for (size_t i = 0; i < json_length(list); i++) {
		struct json_object *d = json_object_array_get_idx(list, i);

		if (preflight_pci_code(d, "vendor") == 0x10de &&
		    pci_device_is_accelerator(preflight_pci_code(d, "class")))
			worst = preflight_worse(
				worst, look(l, d, json_get_text(d, "address", "?")));
	}
	return worst;
}

int64_t preflight_grace_gpus(struct preflight_look *l)
{
	struct json_object *list = json_member(l->machine, "pci");
	int64_t nr = 0;

	for (size_t i = 0; i < json_length(list); i++) {
		struct json_object *d = json_object_array_get_idx(list, i);

		nr += pci_device_is_grace_gpu(preflight_pci_code(d, "vendor"),
					      preflight_pci_code(d, "device"));
	}
	return nr;
}

int64_t preflight_gpus_expected(struct preflight_look *l)
{
	struct json_object *count = json_member(l->machine, "gpu_count");

	return json_get_int(count, "pci", 0) - json_get_int(count, "pci_elsewhere", 0);
}

/* A host whose GPUs vfio has shows none, and that is right; a guest was given one. */
enum preflight_state preflight_each_gpu(struct preflight_look *l, preflight_look_at *look)
{
	struct json_object *gpus = json_member(l->machine, "gpus");
	enum preflight_state worst = PREFLIGHT_NOT_APPLICABLE;

	if (!json_length(gpus) &&
	    (preflight_gpus_expected(l) > 0 || (!gpus && l->is_guest)))
		return preflight_not_told(l, "the GPU's driver");
	for (size_t i = 0; i < json_length(gpus); i++) {
		struct json_object *gpu = json_object_array_get_idx(gpus, i);
		const char *uuid = json_get_text(gpu, "uuid", NULL);
		char number[32];

		snprintf(number, sizeof(number), "GPU %zu", i);
		worst = preflight_worse(worst, look(l, gpu,
						    json_get_text(gpu, "pci_address",
								  uuid ? uuid : number)));
	}
	return worst;
}

enum preflight_state preflight_look(const struct preflight_check *c,
				    struct preflight_look *l)
{
	if (c->side == (l->is_guest ? SIDE_HOST : SIDE_GUEST) ||
	    c->platform == (l->has_grace_gpu ? PLATFORM_NOT_GRACE : PLATFORM_GRACE))
		return PREFLIGHT_NOT_APPLICABLE;
	if (c->machine)
		return c->machine(l);
	return c->pci_gpu ? each_pci_gpu(l, c->pci_gpu)
			  : preflight_each_gpu(l, c->driver_gpu);
}
