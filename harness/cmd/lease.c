/* tare lease: machines of a plan's provisioners by hand. */
#include "harness/cmd/cmd.h"

#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/document/run_directory.h"
#include "core/base/stop.h"
#include "harness/cmd/command.h"
#include "harness/cmd/clean.h"
#include "harness/cmd/rows.h"
#include "harness/run/arm_lease.h"
#include "harness/run/gpu_driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lease_command_options {
	char *output;
	bool json;
};

#define AT(member) offsetof(struct lease_command_options, member)

static const struct field fields[] = {
	ROW_OUTPUT_DIR(AT(output), "up: folder of the lease, with its journal and what "
				   "the machine needs here (disk, keys); it must not "
				   "hold a run. Without it: runs/lease-ARM-ID."),
	{"json", FIELD_FLAG, AT(json), .help = "up, list: print JSON."},
	{0},
};

static const struct opt_text examples[] = {
	{"tare lease up -o runs/try plan.json vm", "Get the machine of the arm 'vm'."},
	{"tare lease list plan.json",
	 "Machines that any run of tare has from this plan's provisioners."},
	{"tare lease down runs/try", "Give it back."},
	{0},
};

static const struct opt_command command = {
	.name = "tare lease",
	.summary = "machines of a plan's provisioners by hand",
	.usage = "up|list|down [OPTION]... [PLAN ARM|PLAN|DIR...]",
	.about = "'up' gets the machine of an arm as a run would, with its GPU bound to "
		 "the arm's driver, says how to log in, and leaves it there. 'list' "
		 "shows the machines that runs of tare have from a plan's provisioners, "
		 "or, of a folder, those of its run. 'down' gives back what the run or "
		 "lease in a folder has, as 'tare clean' does, and may be repeated. "
		 "Nothing ends a machine that is up but 'down'.",
	.fields = fields,
	.examples = examples,
	.positional_min = 1,
	.positional_max = -1,
	.positional_kind = "file",
};

static void no_arm(const struct plan *p, const char *name, struct err *err)
{
	struct buf names;

	buf_init(&names, 400);
	for (size_t i = 0; i < p->arms_nr; i++)
		buf_printf(&names, "%s%s", i ? ", " : "", p->arms[i].name);
	err_set(err, ERR_USAGE, "%s: the plan has no arm '%.60s'; it has %s", p->path,
		name, names.data);
	buf_release(&names);
}

static const struct arm *find_arm(const struct plan *p, const char *name, struct err *err)
{
	const struct arm *arm = plan_arm(p, name);

	if (!arm)
		no_arm(p, name, err);
	else if (arm->target != ARM_VM)
		err_set(err, ERR_USAGE,
			"%s: the arm '%s' has a machine of its own: only target vm is "
			"leased",
			p->path, name);
	else
		return arm;
	return NULL;
}

static void print_lease(const struct lease_info *i, const char *dir, bool json)
{
	struct json_object *o = arm_lease_json(i);

	json_put_text(o, "dir", dir);
	if (json)
		fputs(json_text(o), stdout);
	else
		printf("%s at %s port %u%s%s%s%s\ngive it back: tare lease down %s\n",
		       i->name, i->address, (unsigned)i->port, i->user ? ", user " : "",
		       i->user ? i->user : "", i->key_file ? ", key " : "",
		       i->key_file ? i->key_file : "", dir);
	json_object_put(o);
}

/* Nothing stays behind of a lease that did not come up, nor behind a Ctrl-C. */
static void take_back(struct session *s, const struct arm *arm, struct lease *lease)
{
	struct step_at at = {.arm = arm->name};
	struct err err = ERR_INIT;

	if (arm_lease_give_back(s, &at, arm, lease, &err))
		log_error("%s; 'tare lease down %s' gives it back", err.text, s->dir);
	err_clear(&err);
	if (gpu_driver_restore(s, NULL, &err))
		log_error("%s; 'tare lease down %s' tries that again", err.text, s->dir);
}

static int lease_up(struct session *s, const struct arm *arm, bool json, struct err *err)
{
	struct step_at at = {.arm = arm->name};
	struct lease *lease = NULL;

	if (gpu_driver_prepare(s, 0, arm, err) ||
	    arm_lease_take(s, &at, arm, arm->name, &lease, err) || stop_check(err)) {
		take_back(s, arm, lease);
		return -1;
	}
	print_lease(lease_info(lease), s->dir, json);
	provisioner_keep(session_provisioner(s, arm->provisioner, NULL), lease);
	return EXIT_PASS;
}

static int up(void *options, const struct strvec *rest, struct err *err)
{
	const struct lease_command_options *o = options;
	const struct arm *arm;
	struct session s;
	struct plan plan;
	char *dir, *name;
	int status = -1;

	stop_install();
	if (plan_read(&plan, rest->items[0], err))
		return -1;
	arm = find_arm(&plan, rest->items[1], err);
	if (arm) {
		name = x_asprintf("lease-%s", arm->name);
		dir = o->output ? x_strdup(o->output) : session_new_dir(name);
		free(name);
		if (!session_begin(&s, &plan, dir, err)) {
			status = lease_up(&s, arm, o->json, err);
			session_end(&s);
		}
		free(dir);
	}
	plan_release(&plan);
	return status;
}

static void print_names(const char *provisioner, const struct strvec *names,
			struct json_object *all, bool json)
{
	for (size_t i = 0; i < names->nr; i++) {
		struct json_object *o = json_object_new_object();

		json_put_text(o, "provisioner", provisioner);
		json_put_text(o, "name", names->items[i]);
		json_object_array_add(all, o);
		if (!json)
			printf("%-16s %s\n", provisioner, names->items[i]);
	}
}

/* One provisioner that does not answer must not hide the others' machines. */
static int list_all(const struct plan *plan, const char *run_id, bool json)
{
	struct json_object *all = json_object_new_array();
	int status = EXIT_PASS;
	struct session s;

	session_begin_unwritten(&s, plan);
	for (size_t i = 0; i < plan->provisions_nr; i++) {
		const char *name = plan->provisions[i].name;
		struct err err = ERR_INIT;
		struct provisioner *p = session_provisioner(&s, name, &err);
		struct strvec names = {0};

		if (!p || provisioner_list(p, run_id, &names, &err))
			status = log_failure(&err);
		print_names(name, &names, all, json);
		strvec_release(&names);
	}
	if (json)
		fputs(json_text(all), stdout);
	else if (!json_length(all) && status == EXIT_PASS)
		log_info("%s: %s", plan->path,
			 plan->provisions_nr ? "no machine is on loan"
					     : "it has no provisioners");
	json_object_put(all);
	session_end(&s);
	return status;
}

static int list(void *options, const struct strvec *rest, struct err *err)
{
	const struct lease_command_options *o = options;
	char *inside = path_join(rest->items[0], RUNDIR_PLAN);
	bool is_run = file_exists(inside);
	char *run_id = is_run ? journal_run_id(rest->items[0], err) : x_strdup("");
	struct plan plan;
	int status = -1;

	stop_install();
	if (run_id && !plan_read(&plan, is_run ? inside : rest->items[0], err)) {
		status = list_all(&plan, run_id, o->json);
		plan_release(&plan);
	}
	free(run_id);
	free(inside);
	return status;
}

static int down(void *options, const struct strvec *rest, struct err *err)
{
	(void)options;
	(void)err;
	return clean_runs(rest);
}

static int lease(void *options, const struct strvec *rest, struct err *err)
{
	static const struct command_action actions[] = {
		{"up", up, 2, 2, "PLAN ARM"},
		{"list", list, 1, 1, "PLAN|DIR"},
		{"down", down, 1, 1000, "DIR..."},
		{0},
	};

	return command_act(&command, actions, options, rest, err);
}

const struct subcommand cmd_lease = {&command, lease,
				     sizeof(struct lease_command_options)};
