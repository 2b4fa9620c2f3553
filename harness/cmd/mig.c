/* tare mig: the MIG partitions of this machine's GPUs, by hand. */
#include "harness/cmd/cmd.h"

#include "core/base/file.h"
#include "core/base/log.h"
#include "core/document/metric.h"
#include "core/base/stop.h"
#include "harness/cmd/command.h"
#include "core/machine/mig_partition.h"

#include <stdio.h>
#include <unistd.h>

struct mig_command_options {
	char *device, *output;
	bool json, switch_mode, dry_run;
};

#define AT(member) offsetof(struct mig_command_options, member)

static const struct field fields[] = {
	{"device", FIELD_TEXT, AT(device), .arg = "GPU",
	 .help = "UUID, PCI address or number of the GPU. Needed where there are "
		 "several and something is to change; 'list' shows all without it."},
	{"switch-mode", FIELD_FLAG, AT(switch_mode),
	 .help = "Let 'apply' switch MIG mode on where it is off, and 'clear' off "
		 "again. On A100 that needs a reset of the GPU, and the error says so."},
	{"dry-run", FIELD_FLAG, AT(dry_run), .letter = 'n',
	 .help = "Say what would be done, or why it would be refused, and stop."},
	{"json", FIELD_FLAG, AT(json),
	 .help = "Print the document tare.mig/1 instead of a table."},
	{"output", FIELD_TEXT, AT(output), .arg = "FILE", .letter = 'o',
	 .help = "Also write that document to FILE, when a change failed half-way too: "
		 "what 'restore' puts back."},
	{0},
};

static const struct opt_text examples[] = {
	{"tare mig list", "Profiles of every GPU here, and how each is cut now."},
	{"tare mig apply -o before.json 3g.71gb 1g.18gb 1g.18gb",
	 "Cut the machine's only GPU into three, as root."},
	{"tare mig restore before.json", "Put back what was there before that."},
	{"tare mig clear --switch-mode", "No instances, and no MIG mode."},
	{0},
};

static const struct opt_text sections[] = {
	{"WHAT IT REFUSES",
	 "Names that the driver does not know; a GPU whose MIG mode is off, unless "
	 "--switch-mode; a GPU on which processes compute; profiles that do not fit "
	 "together. Changing anything needs root. When a part of it fails, what was there "
	 "is put back."},
	{0},
};

static const struct opt_command command = {
	.name = "tare mig",
	.summary = "MIG partitions of this machine's GPUs",
	.usage = "list|apply|restore|clear [OPTION]... [PROFILE...|FILE]",
	.about = "'list' shows what the driver can cut a GPU into and how it is cut now. "
		 "'apply' makes the instances named, by profile or number of slices, in "
		 "place of those there. 'restore' puts back the layout of a file that "
		 "'apply -o' wrote. 'clear' removes every instance. Plans do all of this "
		 "themselves, for an arm with \"mig\".",
	.fields = fields,
	.examples = examples,
	.sections = sections,
	.positional_min = 1,
	.positional_max = -1,
	.positional_kind = "file",
};

/* ---- for people ---- */

static void show_profile(struct json_object *p, int64_t whole)
{
	int64_t sms = json_get_int(p, "multiprocessors", 0);
	char memory[32], share[16] = "";

	if (whole)
		snprintf(share, sizeof(share), " %5.1f %%",
			 100.0 * (double)sms / (double)whole);
	unit_human((double)json_get_int(p, "memory_bytes", 0), "byte", memory,
		   sizeof(memory));
	printf("  %-16s id %-3lld %4lld SMs%s %12s  %lld fit on an empty GPU\n",
	       json_get_text(p, "name", "?"), (long long)json_get_int(p, "id", 0),
	       (long long)sms, share, memory, (long long)json_get_int(p, "instances", 0));
}

static void show_instance(struct json_object *i)
{
	printf("  made: %-16s at %lld of 8, %s\n", json_get_text(i, "profile", "?"),
	       (long long)json_get_int(i, "start", 0),
	       json_get_text(i, "uuid", "no compute instance"));
}

static void show_gpu(struct json_object *gpu, bool with_profiles)
{
	struct json_object *profiles = json_member(gpu, "profiles");
	struct json_object *layout = json_member(gpu, "layout");
	struct json_object *made = json_member(layout, "instances");
	int64_t whole = json_get_int(gpu, "multiprocessors", 0);

	printf("%s  %s  %s\n", json_get_text(gpu, "uuid", "?"),
	       json_get_text(gpu, "name", "?"), json_get_text(gpu, "pci_address", "?"));
	if (!layout) {
		printf("  no MIG: %s\n", json_get_text(gpu, "why_no_layout", "?"));
		return;
	}
	printf("  MIG mode %s%s, %lld processes\n",
	       json_get_bool(layout, "enabled", false) ? "on" : "off",
	       json_get_bool(layout, "enabled", false) ==
			       json_get_bool(layout, "pending", false)
		       ? ""
		       : " (another is pending: reset the GPU)",
	       (long long)json_get_int(gpu, "processes", 0));
	for (size_t i = 0; with_profiles && i < json_length(profiles); i++)
		show_profile(json_object_array_get_idx(profiles, i), whole);
	for (size_t i = 0; i < json_length(made); i++)
		show_instance(json_object_array_get_idx(made, i));
}

/* ---- the actions ---- */

static void tell(const char *what)
{
	log_info("%s", what);
}

/* A change that failed half-way is the one whose 'before' is needed. */
static int keep(const char *path, struct json_object *document, int rc, struct err *err)
{
	struct err later = ERR_INIT;

	if (!json_write_file(path, document, 0644, &later))
		return rc;
	if (rc)
		log_warn("%s", later.text);
	else
		*err = later;
	return -1;
}

static int act(const struct mig_command_options *o, struct mig_partition_request *want,
	       struct err *err)
{
	struct json_object *document, *gpus;
	int rc;

	if (o->output && want->action != MIG_PARTITION_LIST &&
	    access(o->output, F_OK) == 0)
		return err_set(err, ERR_USAGE,
			       "%s is there already and may be what 'tare mig restore' "
			       "needs; name a new file for -o",
			       o->output);
	/* What 'restore' needs must not be lost when the GPU is cut already. */
	if (o->output && file_can_write(o->output, "--output", err))
		return -1;
	stop_install();
	want->device = o->device;
	want->may_switch = o->switch_mode;
	want->is_dry = o->dry_run;
	want->tell = tell;
	rc = mig_partition_act(want, &document, err);
	if (o->output && (!rc || json_get_bool(document, "changed", false)))
		rc = keep(o->output, document, rc, err);
	gpus = json_member(document, "gpus");
	if (document && o->json)
		fputs(json_text(document), stdout);
	for (size_t i = 0; !rc && !o->json && i < json_length(gpus); i++)
		show_gpu(json_object_array_get_idx(gpus, i),
			 want->action == MIG_PARTITION_LIST);
	json_object_put(document);
	return rc;
}

static int list(void *options, const struct strvec *rest, struct err *err)
{
	struct mig_partition_request want = {.action = MIG_PARTITION_LIST};

	(void)rest;
	return act(options, &want, err);
}

static int apply(void *options, const struct strvec *rest, struct err *err)
{
	struct mig_partition_request want = {.action = MIG_PARTITION_APPLY,
					     .profiles = strvec_argv(rest),
					     .nr = rest->nr};

	return act(options, &want, err);
}

static int restore(void *options, const struct strvec *rest, struct err *err)
{
	struct mig_partition_request want = {.action = MIG_PARTITION_RESTORE};
	struct json_object *kept;
	int rc = -1;

	if (file_check_given(rest->items[0], "a file that 'tare mig apply -o' wrote",
			     err))
		return -1;
	kept = json_read_file(rest->items[0], JSON_FILE_MAX, err);
	if (!kept)
		return -1;
	want.layout = json_member(kept, "before");
	if (want.layout)
		rc = act(options, &want, err);
	else
		err_set(err, ERR_USAGE,
			"%s: not what 'tare mig apply -o' writes: it has no 'before'",
			rest->items[0]);
	json_object_put(kept);
	return rc;
}

static int clear(void *options, const struct strvec *rest, struct err *err)
{
	struct mig_partition_request want = {.action = MIG_PARTITION_CLEAR};

	(void)rest;
	return act(options, &want, err);
}

static int mig(void *options, const struct strvec *rest, struct err *err)
{
	static const struct command_action actions[] = {
		{"list", list, 0, 0, ""},
		{"apply", apply, 1, 16, "PROFILE..."},
		{"restore", restore, 1, 1, "FILE"},
		{"clear", clear, 0, 0, ""},
		{0},
	};

	return command_act(&command, actions, options, rest, err);
}

const struct subcommand cmd_mig = {&command, mig, sizeof(struct mig_command_options)};
