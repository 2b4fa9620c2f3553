#include "probe/machine_table.h"

#include "core/base/mem.h"

#include <string.h>

enum unit { PLAIN, BYTES, HERTZ };

static const struct {
	const char *label, *path;
	enum unit unit;
} rows[] = {
	{"Machine", "kernel/hostname", PLAIN},
	{"System", "kernel/os", PLAIN},
	{"Kernel", "kernel/release", PLAIN},
	{"Command line", "kernel/cmdline", PLAIN},
	{"Hypervisor", "hypervisor/kind", PLAIN},
	{"Product", "hypervisor/dmi_product", PLAIN},
	{"Container", "container/kind", PLAIN},
	{"CPUs allowed", "confinement/affinity", PLAIN},
	{"CPU", "cpu/model", PLAIN},
	{"Architecture", "cpu/architecture", PLAIN},
	{"Sockets", "cpu/sockets", PLAIN},
	{"Cores", "cpu/cores", PLAIN},
	{"Threads", "cpu/threads", PLAIN},
	{"Instruction sets", "cpu/isa", PLAIN},
	{"Maximum clock", "cpu/clock_max_hz", HERTZ},
	{"Governor", "power/governor", PLAIN},
	{"Clock source", "clock/source", PLAIN},
	{"Steal ratio", "clock/steal_ratio", PLAIN},
	{"Memory", "memory/total_bytes", BYTES},
	{"Page size", "memory/page_size_bytes", BYTES},
	{"Huge pages", "memory/thp_enabled", PLAIN},
	{"NUMA nodes", "numa/count", PLAIN},
	{"NUMA balancing", "numa/balancing", PLAIN},
	{"IOMMU", "iommu/kind", PLAIN},
	{"OpenBLAS", "libraries/openblas", PLAIN},
	{"cuBLAS", "libraries/cublas", PLAIN},
};

static void print_value(struct json_object *v, enum unit unit, FILE *to)
{
	if (!v)
		fputs("unknown\n", to);
	else if (json_object_is_type(v, json_type_boolean))
		fprintf(to, "%s\n", json_object_get_boolean(v) ? "on" : "off");
	else if (unit == BYTES && json_object_get_double(v) >= 1073741824.0)
		fprintf(to, "%.1f GiB\n", json_object_get_double(v) / 1073741824.0);
	else if (unit == BYTES)
		fprintf(to, "%.0f KiB\n", json_object_get_double(v) / 1024.0);
	else if (unit == HERTZ)
		fprintf(to, "%.2f GHz\n", json_object_get_double(v) / 1e9);
	else if (json_object_is_type(v, json_type_double))
		fprintf(to, "%.4g\n", json_object_get_double(v));
	else
		fprintf(to, "%s\n", json_object_get_string(v));
}

static void show_device(struct json_object *d, FILE *to)
{
	struct json_object *link = json_member(d, "link");

	fprintf(to, "%-18s%s %s:%s, driver %s, IOMMU group %s", "Device",
		json_get_text(d, "address", "?"), json_get_text(d, "vendor", "?"),
		json_get_text(d, "device", "?"), json_get_text(d, "driver", "none"),
		json_get_text(d, "iommu_group", "none"));
	if (json_member(link, "speed_gt_per_s"))
		fprintf(to, ", %g GT/s x%lld", json_get_real(link, "speed_gt_per_s", 0),
			(long long)json_get_int(link, "width", 0));
	fputc('\n', to);
}

static void show_gpu(struct json_object *g, FILE *to)
{
	if (json_member(g, "error")) {
		fprintf(to, "%-18s%s\n", "GPU", json_get_text(g, "error", ""));
		return;
	}
	fprintf(to, "%-18s%s, %s, driver %s\n", "GPU",
		json_get_text(g, "name", "unknown"), json_get_text(g, "uuid", "no UUID"),
		json_get_text(g, "driver_version", "unknown"));
}

static void show_list(struct json_object *list,
		      void (*show)(struct json_object *, FILE *), FILE *to)
{
	for (size_t i = 0; i < json_length(list); i++)
		show(json_object_array_get_idx(list, i), to);
}

void machine_table_show(struct json_object *machine, FILE *to)
{
	struct json_object *count = json_member(machine, "gpu_count");

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fprintf(to, "%-18s", rows[i].label);
		print_value(json_at(machine, rows[i].path), rows[i].unit, to);
	}
	show_list(json_member(machine, "pci"), show_device, to);
	show_list(json_member(machine, "gpus"), show_gpu, to);
	/* What is there and cannot be asked must not be passed over. */
	if (json_get_int(count, "pci", 0) && !json_length(json_member(machine, "gpus")))
		fprintf(to, "%-18s%lld on the bus, none can be asked: %s\n", "GPU",
			(long long)json_get_int(count, "pci", 0),
			json_get_text(count, "nvml_error", "the driver shows none"));
}
