#include "probe/probe_options.h"

#define AT(member) offsetof(struct probe_options, member)

/* Behind "no" as in enum mig_partition_action. */
static const char *const mig_actions[] = {"no",      "list",  "apply",
					  "restore", "clear", NULL};

static const struct field fields[] = {
	{.name = "json",
	 .kind = FIELD_FLAG,
	 .offset = AT(json),
	 .help = "Print JSON instead of a table."},
	{.name = "output",
	 .kind = FIELD_TEXT,
	 .offset = AT(output),
	 .arg = "FILE",
	 .letter = 'o',
	 .help = "Also write the JSON document to FILE, whole or not at all."},
	{.name = "root",
	 .kind = FIELD_TEXT,
	 .offset = AT(root),
	 .arg = "DIR",
	 .help = "Read /proc, /sys and /etc below DIR: a recorded machine."},
	{.name = "check",
	 .kind = FIELD_FLAG,
	 .offset = AT(check),
	 .help = "Check what decides whether a GPU can be measured here: each item with "
		 "its "
		 "state, why it matters and the command that mends it."},
	{.name = "bind",
	 .kind = FIELD_TEXT,
	 .offset = AT(bind),
	 .arg = "DRIVER",
	 .help = "Give the devices to this driver: 'nvidia', 'vfio' (vfio-pci, or "
		 "Grace's "
		 "own), a driver's name, or 'none'. Undone in full when a step fails."},
	{.name = "override",
	 .kind = FIELD_TEXT,
	 .offset = AT(override),
	 .arg = "DRIVER",
	 .help = "What driver_override says after --bind: a driver's name or 'none'. "
		 "Without it vfio's drivers keep their own, and others have none."},
	{.name = "binding",
	 .kind = FIELD_FLAG,
	 .offset = AT(binding),
	 .help = "Print which driver has the devices, as --bind does, and change "
		 "nothing."},
	{.name = "device",
	 .kind = FIELD_TEXTS,
	 .offset = AT(devices),
	 .arg = "ADDRESS",
	 .help = "A PCI address such as 0008:01:00.0, for --bind and --binding; "
		 "may be repeated. For --mig one GPU, by UUID too."},
	{.name = "any-device",
	 .kind = FIELD_FLAG,
	 .offset = AT(any_device),
	 .help = "Let --bind and --binding take devices that are neither GPU nor "
		 "accelerator."},
	{.name = "mig",
	 .kind = FIELD_CHOICE,
	 .offset = AT(mig),
	 .choices = mig_actions,
	 .unset = "no",
	 .arg = "ACTION",
	 .help = "MIG partitions of a GPU, for programs; 'tare mig' is for people. "
		 "Prints "
		 "tare.mig/1, on failure too."},
	{.name = "profile",
	 .kind = FIELD_TEXTS,
	 .offset = AT(profiles),
	 .arg = "NAME",
	 .help = "--mig apply: a profile of the GPU, or a number of slices; may be "
		 "repeated."},
	{.name = "layout",
	 .kind = FIELD_TEXT,
	 .offset = AT(layout),
	 .arg = "JSON",
	 .help = "--mig restore: the layout to put back, as 'before' told it."},
	{.name = "switch-mode",
	 .kind = FIELD_FLAG,
	 .offset = AT(switch_mode),
	 .help = "Let --mig apply switch MIG mode on, and --mig clear off."},
	{.name = "patience",
	 .kind = FIELD_SECONDS,
	 .offset = AT(patience_ns),
	 .min = 0,
	 .max = 3600,
	 .unset = "0",
	 .arg = "SECONDS",
	 .help = "--mig: how long to wait for processes to leave the GPU."},
	{0},
};

static const struct opt_text examples[] = {
	{"tare-probe", "what this machine is, for people"},
	{"tare-probe --json", "the same as tare.machine/1, for programs"},
	{"tare-probe --check", "is this machine fit to measure on?"},
	{"tare-probe --bind vfio --device 0008:01:00.0", "make a GPU ready for a VM"},
	{"tare-probe --mig list", "what MIG can cut the GPUs into, and how they are cut"},
	{0},
};

static const struct opt_text sections[] = {
	{"EXIT STATUS", "0: done; with --check, no item failed. 4: with --check, an item "
			"failed. 2: wrong "
			"usage. 5: the machine refused."},
	{0},
};

const struct opt_command probe_command = {
	.name = "tare-probe",
	.summary = "facts of this machine that decide how fast work runs on it",
	.usage = "[OPTION]...",
	.about =
		"Reads what the kernel and the GPU's driver say of this machine: CPU, "
		"NUMA, memory, kernel, hypervisor as the guest sees it, clock source, "
		"frequency governor, steal time, huge pages, mitigations, IOMMU, display "
		"and accelerator devices, GPUs and library versions. What cannot be read "
		"is null. Only --bind and --mig change anything.",
	.fields = fields,
	.examples = examples,
	.sections = sections,
};
