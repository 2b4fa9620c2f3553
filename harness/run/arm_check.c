#include "harness/run/arm_check.h"

#include "core/base/log.h"
#include "core/base/mem.h"
#include "harness/run/arm_target.h"
#include "harness/run/probe_call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Preflight's words, and those of every other report of 'tare check'. */
static const char *const states[][2] = {
	{"ok", "ok"}, {"warn", "warning"}, {"fail", "failed"}, {"unknown", "unknown"}};

static const char *state_of(struct json_object *row)
{
	const char *state = json_get_text(row, "state", "unknown");

	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		if (strcmp(states[i][0], state) == 0)
			return states[i][1];
	return NULL;
}

static void add(struct json_object *checks, const char *name, const char *state,
		const char *text, const char *why, const char *remedy)
{
	struct json_object *o = json_object_new_object();

	json_put_text(o, "name", name);
	json_put_text(o, "state", state);
	json_put_text(o, "text", text);
	json_put_text(o, "why", why);
	json_put_text(o, "remedy", strcmp(state, "ok") == 0 ? NULL : remedy);
	json_object_array_add(checks, o);
}

static void add_preflight(struct json_object *checks, struct json_object *preflight)
{
	struct json_object *rows = json_member(preflight, "checks");

	for (size_t i = 0; i < json_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);
		const char *state = state_of(row);
		char *text;

		if (!state)
			continue;
		text = x_asprintf("%s: %s", json_get_text(row, "title", "?"),
				  json_get_text(row, "evidence", "nothing seen"));
		add(checks, json_get_text(row, "id", "?"), state, text,
		    json_get_text(row, "why", NULL), json_get_text(row, "mend", NULL));
		free(text);
	}
}

static struct json_object *find_device(struct json_object *machine, const char *address)
{
	struct json_object *list = json_member(machine, "pci");

	for (size_t i = 0; i < json_length(list); i++) {
		struct json_object *d = json_object_array_get_idx(list, i);

		if (strcmp(json_get_text(d, "address", ""), address) == 0)
			return d;
	}
	return NULL;
}

static void add_drivers(struct json_object *checks, struct json_object *machine,
			const struct gpu_host *host)
{
	for (size_t i = 0; host && i < host->gpus.nr; i++) {
		const char *address = host->gpus.items[i];
		struct json_object *d = find_device(machine, address);
		char *text =
			d ? x_asprintf("%s has %s now; a run binds it to what each arm "
				       "needs, and puts this back",
				       address, json_get_text(d, "driver", "no driver"))
			  : x_asprintf("%s: the machine has no such device", address);

		add(checks, "driver", d ? "ok" : "failed", text, NULL,
		    "lspci -D lists them; name another in the VM's pin or in 'gpus'");
		free(text);
	}
}

/* The GPU that the arm's "mig" is about; NULL: which one is not clear, or none. */
static struct json_object *find_gpu(struct json_object *machine, const char *which)
{
	struct json_object *list = json_member(machine, "gpus");
	size_t nr = json_length(list);

	for (size_t i = 0; i < nr; i++) {
		struct json_object *gpu = json_object_array_get_idx(list, i);

		if (which ? !strcasecmp(json_get_text(gpu, "uuid", ""), which) ||
				    !strcasecmp(json_get_text(gpu, "pci_address", ""),
						which)
			  : nr == 1)
			return gpu;
	}
	return NULL;
}

/* The profiles' names, and whether the arm's is among them. */
static bool match_profiles(struct json_object *profiles, const struct arm_mig *want,
			   struct buf *names)
{
	bool found = want->is_all;

	for (size_t i = 0; i < json_length(profiles); i++) {
		struct json_object *p = json_object_array_get_idx(profiles, i);
		const char *name = json_get_text(p, "name", "?");

		buf_printf(names, "%s%s (%lld SMs)", i ? ", " : "", name,
			   (long long)json_get_int(p, "multiprocessors", 0));
		found = found ||
			(want->profile ? strcmp(name, want->profile) == 0
				       : json_get_int(p, "slices", 0) == want->slices);
	}
	return found;
}

static void add_mig(struct json_object *checks, struct json_object *machine,
		    const struct arm_mig *want)
{
	struct json_object *gpu = find_gpu(machine, want->gpu);
	struct json_object *profiles = json_member(gpu, "mig_profiles");
	struct buf names;
	char *text;
	bool is_there;

	if (!want->is_wanted)
		return;
	buf_init(&names, 2048);
	is_there = profiles && match_profiles(profiles, want, &names);
	if (!gpu)
		text = x_asprintf("the machine shows no such GPU, or several");
	else if (!profiles)
		text = x_asprintf("%s has no MIG", json_get_text(gpu, "name", "the GPU"));
	else
		text = x_asprintf("%s has %s", json_get_text(gpu, "uuid", "?"),
				  names.data);
	add(checks, "mig", is_there ? "ok" : "failed", text,
	    "the arm is measured on parts of its GPU, made in its turn and taken away",
	    gpu ? "name one of these profiles in the arm's \"mig\""
		: "name one in the arm's \"mig\": {\"gpu\": UUID}; nvidia-smi -L lists "
		  "them");
	buf_release(&names);
	free(text);
}

static void put_summary(struct json_object *report, const struct target *t)
{
	struct json_object *checks = json_member(report, "checks");
	size_t failed = 0, warned = 0, nr = json_length(checks);
	char text[200];

	for (size_t i = 0; i < nr; i++) {
		const char *state =
			json_get_text(json_object_array_get_idx(checks, i), "state", "");

		failed += strcmp(state, "failed") == 0;
		warned += strcmp(state, "warning") == 0;
	}
	snprintf(text, sizeof(text), "%.80s: %zu of %zu checks failed, %zu to look at",
		 target_name(t), failed, nr, warned);
	json_put_text(report, "summary", text);
}

int arm_check(struct session *s, const struct arm *arm, struct json_object **ret,
	      struct err *err)
{
	static const char *const facts[] = {"--json", NULL};
	static const char *const checks[] = {"--check", "--json", NULL};
	struct target *t = arm_target_open(arm, NULL, err);
	struct json_object *machine = NULL, *preflight = NULL, *list;
	struct err ignored = ERR_INIT;
	int rc;

	rc = !t || probe_call(s, t, facts, EXIT_PASS, &machine, err) ||
	     probe_call(s, t, checks, EXIT_INVALID, &preflight, err);
	if (!rc) {
		*ret = json_object_new_object();
		list = json_object_new_array();
		json_put(*ret, "checks", list);
		add_preflight(list, preflight);
		add_drivers(list, machine, arm->gpu_host);
		add_mig(list, machine, &arm->mig);
		put_summary(*ret, t);
		json_put(*ret, "machine", json_object_get(machine));
		json_put(*ret, "preflight", json_object_get(preflight));
	}
	json_object_put(machine);
	json_object_put(preflight);
	if (target_close(t, &ignored))
		log_warn("%s", ignored.text);
	return rc ? err_wrap(err, "arm '%s'", arm->name) : 0;
}

/* ---- in a turn: the driver that the arm asks for ---- */

/* The facts list whatever vfio has, network cards too. Class as sysfs has it: 0x030200. */
static bool is_gpu(struct json_object *d)
{
	const char *class = json_get_text(d, "class", NULL);
	unsigned long code = class ? strtoul(class, NULL, 16) : 0;

	return !class || code >> 16 == 0x03 || code >> 16 == 0x12 || code >> 8 == 0x0b40;
}

static bool has_driver(struct json_object *d, int driver)
{
	const char *is = json_get_text(d, "driver", "");

	return driver == ARM_DRIVER_VFIO ? strstr(is, "vfio") != NULL
					 : strcmp(is, "nvidia") == 0;
}

static int wrong_driver(const char *name, const char *address, struct json_object *d,
			struct err *err)
{
	if (!d)
		return err_set(err, ERR_ENVIRONMENT,
			       "the machine does not show the GPU %s that the plan "
			       "names; lspci -D there lists them",
			       address);
	return err_set(err, ERR_ENVIRONMENT,
		       "the GPU %s has the driver '%s', not the '%s' that the arm asks "
		       "for; as root on the machine: tare-probe --bind %s --device %s",
		       address, json_get_text(d, "driver", "none"), name, name, address);
}

/* Any GPU will do where the plan names none. */
static int check_any(struct json_object *list, int driver, const char *name,
		     struct err *err)
{
	const char *other = NULL;

	for (size_t i = 0; i < json_length(list); i++) {
		struct json_object *d = json_object_array_get_idx(list, i);

		if (is_gpu(d) && has_driver(d, driver))
			return 0;
		if (!other && strcmp(json_get_text(d, "vendor", ""), "0x10de") == 0)
			other = json_get_text(d, "address", "?");
	}
	if (!other)
		return err_set(err, ERR_ENVIRONMENT,
			       "the arm asks for a GPU with the driver '%s' and the "
			       "machine shows no GPU",
			       name);
	return err_set(err, ERR_ENVIRONMENT,
		       "no GPU has the driver '%s' that the arm asks for; as root on the "
		       "machine: tare-probe --bind %s --device %s",
		       name, name, other);
}

int arm_check_driver(const struct arm *arm, struct json_object *facts, struct err *err)
{
	const char *name = arm->driver == ARM_DRIVER_VFIO ? "vfio" : "nvidia";
	struct json_object *list = json_member(facts, "pci");
	/* A guest's GPU has another address than its host's, which is what a plan pins. */
	const struct gpu_host *pinned = arm->target == ARM_VM ? NULL : arm->gpu_host;

	if (arm->driver == ARM_DRIVER_ASIS ||
	    (arm->driver == ARM_DRIVER_VFIO && arm->target == ARM_VM))
		return 0;
	if (!pinned)
		return check_any(list, arm->driver, name, err);
	for (size_t i = 0; i < pinned->gpus.nr; i++) {
		struct json_object *d = find_device(facts, pinned->gpus.items[i]);

		if (!d || !has_driver(d, arm->driver))
			return wrong_driver(name, pinned->gpus.items[i], d, err);
	}
	return 0;
}
