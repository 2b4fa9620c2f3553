#include "probe/probe.h"

#include "core/base/file.h"
#include "core/machine/machine.h"
#include "core/base/mem.h"
#include "core/machine/mig_partition.h"
#include "probe/preflight.h"
#include "probe/machine_table.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* ---- the command line ---- */

#define AT(member) offsetof(struct probe_options, member)

/* Behind "no" as in enum mig_partition_action. */
static const char *const mig_actions[] = {"no",      "list",  "apply",
					  "restore", "clear", NULL};

static const struct field fields[] = {
	{"json", FIELD_FLAG, AT(json), .help = "Print JSON instead of a table."},
	{"output", FIELD_TEXT, AT(output), .arg = "FILE", .letter = 'o',
	 .help = "Also write the JSON document to FILE, whole or not at all."},
	{"root", FIELD_TEXT, AT(root), .arg = "DIR",
	 .help = "Read /proc, /sys and /etc below DIR: a recorded machine."},
	{"check", FIELD_FLAG, AT(check),
	 .help = "Check what decides whether a GPU can be measured here: each item with "
		 "its state, why it matters and the command that mends it."},
	{"bind", FIELD_TEXT, AT(bind), .arg = "DRIVER",
	 .help = "Give the devices to this driver: 'nvidia', 'vfio' (vfio-pci, or "
		 "Grace's own), a driver's name, or 'none'. Undone in full when a step "
		 "fails."},
	{"override", FIELD_TEXT, AT(override), .arg = "DRIVER",
	 .help = "What driver_override says after --bind: a driver's name or 'none'. "
		 "Without it vfio's drivers keep their own, and others have none."},
	{"binding", FIELD_FLAG, AT(binding),
	 .help = "Print which driver has the devices, as --bind does, and change "
		 "nothing."},
	{"device", FIELD_TEXTS, AT(devices), .arg = "ADDRESS",
	 .help = "A PCI address such as 0008:01:00.0, for --bind and --binding; may be "
		 "repeated. For --mig one GPU, by UUID too."},
	{"any-device", FIELD_FLAG, AT(any_device),
	 .help = "Let --bind and --binding take devices that are neither GPU nor "
		 "accelerator."},
	{"mig", FIELD_CHOICE, AT(mig), .unset = "no", .choices = mig_actions,
	 .arg = "ACTION",
	 .help = "MIG partitions of a GPU, for programs; 'tare mig' is for people. "
		 "Prints tare.mig/1, on failure too."},
	{"profile", FIELD_TEXTS, AT(profiles), .arg = "NAME",
	 .help = "--mig apply: a profile of the GPU, or a number of slices; may be "
		 "repeated."},
	{"layout", FIELD_TEXT, AT(layout), .arg = "JSON",
	 .help = "--mig restore: the layout to put back, as 'before' told it."},
	{"switch-mode", FIELD_FLAG, AT(switch_mode),
	 .help = "Let --mig apply switch MIG mode on, and --mig clear off."},
	{"patience", FIELD_SECONDS, AT(patience_ns), .unset = "0", .max = 3600,
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

/* ---- what it does ---- */

static int print_machine(const struct probe_options *o, struct err *err)
{
	struct json_object *machine = machine_read(o->root ? o->root : "");
	int rc = 0;

	if (o->output)
		rc = json_write_file(o->output, machine, 0644, err);
	if (!rc && o->json)
		fputs(json_text(machine), stdout);
	else if (!rc)
		machine_table_show(machine, stdout);
	json_object_put(machine);
	return rc;
}

static int print_checks(const struct probe_options *o, struct err *err)
{
	const char *root = o->root ? o->root : "";
	struct json_object *machine = machine_read(root), *document;
	struct preflight p;
	int rc = 0;

	preflight_run(&p, root, machine);
	document = preflight_to_json(&p);
	if (o->output)
		rc = json_write_file(o->output, document, 0644, err);
	if (!rc && o->json)
		fputs(json_text(document), stdout);
	else if (!rc)
		preflight_show(&p, stdout);
	if (!rc && p.failed)
		rc = EXIT_INVALID;
	json_object_put(document);
	json_object_put(machine);
	preflight_release(&p);
	return rc;
}

/* The document is printed on failure too: its steps belong in somebody's journal. */
static int bind_devices(const struct probe_options *o, const struct binding_host *host,
			struct err *err)
{
	const struct binding_request want = {.addresses = strvec_argv(&o->devices),
					     .driver = o->bind,
					     .override = o->override,
					     .any_device = o->any_device};
	struct json_object *document;
	struct binding b = {0};
	int rc;

	if (!o->devices.nr)
		return err_set(err, ERR_USAGE, "--bind and --binding need --device");
	rc = o->bind ? binding_apply(host, &want, &b, err)
		     : binding_look(host, &want, err);
	document = binding_to_json(host, &want, &b, rc ? err : NULL);
	fputs(json_text(document), stdout);
	(void)fflush(stdout);
	if (o->output && json_write_file(o->output, document, 0644, rc ? NULL : err))
		rc = -1;
	json_object_put(document);
	binding_release(&b);
	return rc;
}

/* As with --bind: the document tells what was there before, whatever came of it. */
static int partition(const struct probe_options *o, struct err *err)
{
	struct json_object *document = NULL, *layout = NULL;
	struct mig_partition_request want = {
		.action = (enum mig_partition_action)(o->mig - 1),
		.device = o->devices.nr ? o->devices.items[0] : NULL,
		.profiles = strvec_argv(&o->profiles),
		.nr = o->profiles.nr,
		.may_switch = o->switch_mode,
		.patience_ns = o->patience_ns,
	};
	int rc;

	if (o->root || o->devices.nr > 1)
		return err_set(err, ERR_USAGE,
			       "--mig is for one --device of this machine: no --root");
	if (want.action == MIG_PARTITION_RESTORE) {
		if (!o->layout)
			return err_set(err, ERR_USAGE, "--mig restore needs --layout");
		layout = json_parse(o->layout, strlen(o->layout), "--layout", err);
		if (!layout)
			return -1;
	}
	want.layout = layout;
	rc = mig_partition_act(&want, &document, err);
	if (document)
		fputs(json_text(document), stdout);
	(void)fflush(stdout);
	if (document && o->output &&
	    json_write_file(o->output, document, 0644, rc ? NULL : err))
		rc = -1;
	json_object_put(document);
	json_object_put(layout);
	return rc;
}

/* An option that nothing looks at was meant for an action that was left out. */
static int check_options(const struct probe_options *o, struct err *err)
{
	const struct {
		bool is_given, is_used;
		const char *name, *needs;
	} rules[] = {
		{o->override != NULL, o->bind != NULL, "override", "--bind"},
		{o->any_device, o->bind || o->binding, "any-device",
		 "--bind or --binding"},
		{o->devices.nr > 0, o->bind || o->binding || o->mig, "device",
		 "--bind, --binding or --mig"},
		{o->profiles.nr > 0, o->mig > 0, "profile", "--mig apply"},
		{o->layout != NULL, o->mig > 0, "layout", "--mig restore"},
		{o->switch_mode, o->mig > 0, "switch-mode", "--mig apply or clear"},
		{o->patience_ns > 0, o->mig > 0, "patience", "--mig"},
	};
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (rules[i].is_given && !rules[i].is_used)
			return err_set(err, ERR_USAGE, "--%s belongs to %s",
				       rules[i].name, rules[i].needs);
	if ((o->bind || o->binding) + (o->mig > 0) + o->check > 1)
		return err_set(err, ERR_USAGE,
			       "give one of --bind, --binding, --mig and --check");
	if (o->root && (stat(o->root, &st) || !S_ISDIR(st.st_mode)))
		return err_set(err, ERR_USAGE,
			       "--root '%s': there is no such folder; it holds a copy of "
			       "a machine's /proc, /sys and /etc",
			       o->root);
	return o->output ? file_can_write(o->output, "--output", err) : 0;
}

int probe_run(const struct probe_options *o, const struct binding_host *host,
	      struct err *err)
{
	if (check_options(o, err))
		return -1;
	if (o->bind || o->binding)
		return bind_devices(o, host, err);
	if (o->mig)
		return partition(o, err);
	if (o->check)
		return print_checks(o, err);
	return print_machine(o, err);
}
