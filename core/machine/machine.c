#include "core/machine/machine.h"

#include "core/base/clock.h"
#include "core/machine/machine_impl.h"

#include <stddef.h>

static const struct {
	const char *key;
	struct json_object *(*read)(const char *root);
} parts[] = {
	{"identity", machine_identity},
	{"container", machine_container},
	{"confinement", machine_confinement},
	{"cpu", machine_cpu},
	{"mitigations", machine_mitigations},
	{"power", machine_power},
	{"numa", machine_numa},
	{"memory", machine_memory},
	{"kernel", machine_kernel},
	{"clock", machine_clock},
	{"hypervisor", machine_hypervisor},
	{"iommu", machine_iommu},
	{"pci", machine_pci},
	{"xid", machine_xid},
	{"time", machine_time},
	{"libraries", machine_libraries},
};

struct json_object *machine_read(const char *root)
{
	struct json_object *o = json_object_new_object();
	char label[CLOCK_LABEL_SIZE];

	clock_label(clock_wall_ns(), label);
	json_put_text(o, "schema", MACHINE_SCHEMA);
	json_put_text(o, "read", label);
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		json_put(o, parts[i].key, parts[i].read(root));
	machine_put_gpus(o, root);
	return o;
}
