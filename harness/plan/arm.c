/* The plan's arms: where each runs, how it is reached, on which part of its GPU. */
#include "harness/plan/plan_impl.h"

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "harness/provision/host_key.h"
#include "harness/provision/provisioner.h"
#include "harness/provision/ssh_login_fields.h"
#include "harness/provision/kinds/provisioner_kinds.h"

#include <stdlib.h>
#include <string.h>

static const char *const target_names[] = {"local", "ssh", "vm", NULL};
static const char *const driver_names[] = {"as-is", "nvidia", "vfio", NULL};
static const char mig_all[] = "all"; /* "mig": "all": the whole GPU, then each profile */

const struct field arm_fields[] = {
	{"target", FIELD_CHOICE, offsetof(struct arm, target), .choices = target_names,
	 .is_required = true,
	 .help = "Where the arm runs: this machine, a machine over SSH, or one that a "
		 "provisioner lends."},
	{"description", FIELD_TEXT, offsetof(struct arm, description),
	 .help = "What the report says about the arm."},
	{"same_machine_as", FIELD_TEXT, offsetof(struct arm, same_machine_as),
	 .help = "An arm whose machine this is too, on purpose. Without it two arms on one "
		 "machine are a mistake, for they would agree whatever is compared."},
	{"driver", FIELD_CHOICE, offsetof(struct arm, driver), .unset = "as-is",
	 .choices = driver_names,
	 .help = "The driver that the GPU has on its host while the arm is measured: "
		 "the host's own for bare metal, vfio for a VM. Bound before the arm's "
		 "turn, put back at the end. Where no other arm tells which GPU, it is "
		 "only checked."},
	{"host_arm", FIELD_TEXT, offsetof(struct arm, host_arm),
	 .help = "target vm, driver vfio: the arm that is the host of its GPU; without "
		 "it the one that the machine is pinned to, or the only one with a "
		 "driver."},
	{"provisioner", FIELD_TEXT, offsetof(struct arm, provisioner),
	 .help = "target vm: which of the plan's provisioners lends the machine."},
	{"ready_timeout", FIELD_SECONDS, offsetof(struct arm, ready_timeout_ns),
	 .unset = "600", .min = 1, .max = 86400,
	 .help = "Longest wait from asking for a machine to its first SSH answer."},
	{0},
};

const struct field arm_fixed_fields[] = {
	{"gpus", FIELD_TEXTS, offsetof(struct arm, gpus), .arg = "ADDRESS",
	 .help = "With a driver: PCI addresses of GPUs to bind, as in \"0008:01:00.0\", "
		 "beside those that VMs on this machine name themselves."},
	{0},
};

const struct field arm_ssh_fields[] = {
	{"host", FIELD_TEXT, offsetof(struct arm_ssh, host),
	 .help = "Name or address of the machine."},
	ROW_SSH_PORT(offsetof(struct arm_ssh, port)),
	ROW_SSH_USER(offsetof(struct arm_ssh, user)),
	ROW_SSH_KEY_FILE(offsetof(struct arm_ssh, key_file)),
	{"known_hosts_file", FIELD_TEXT, offsetof(struct arm_ssh, known_hosts_file),
	 .help = "Known host keys; without it ~/.ssh/known_hosts."},
	ROW_SSH_HOST_KEY(offsetof(struct arm_ssh, host_key_sha256)),
	{0},
};

const struct field arm_mig_fields[] = {
	{"slices", FIELD_INT, offsetof(struct arm_mig, slices), .max = 16,
	 .help = "The plainest profile of that many compute slices."},
	{"profile", FIELD_TEXT, offsetof(struct arm_mig, profile),
	 .help = "A profile as the driver calls it ('tare mig list'), or \"all\": the "
		 "whole GPU and then each profile that it has, each workload once on "
		 "each."},
	{"gpu", FIELD_TEXT, offsetof(struct arm_mig, gpu),
	 .help = "UUID or PCI address of the GPU; needed where the machine has several."},
	{0},
};

/* The arm's keys that are not ours: its provisioner's, or those of an SSH login. */
static struct json_object *other_keys(struct json_object *o)
{
	struct json_object *rest = json_object_new_object();

	json_object_object_foreach(o, key, value)
	{
		if (!field_find(arm_fields, key) && strcmp(key, "ssh") != 0 &&
		    strcmp(key, "mig") != 0)
			json_put(rest, key, json_object_get(value));
	}
	return rest;
}

static void key_names(const struct field *fields, struct strvec *ret)
{
	for (const struct field *f = fields; f->name; f++)
		strvec_add(ret, f->name);
}

static int read_vm_arm(struct plan *p, struct arm *a, struct json_object *o,
		       struct json_object *rest, const char *pointer, struct err *err)
{
	const struct provision *from =
		a->provisioner ? plan_provision(p, a->provisioner) : NULL;
	struct json_object *ssh = json_member(o, "ssh");
	struct strvec ours = {0};
	char *at;
	int rc;

	if (!a->provisioner)
		return err_set(
			err, ERR_USAGE,
			"%s: %s: target vm needs 'provisioner', a key of /provisioners",
			p->path, pointer);
	if (!from)
		return err_set(err, ERR_USAGE,
			       "%s: %s/provisioner: the plan has no provisioner '%.60s'",
			       p->path, pointer, a->provisioner);
	if (from->kind->check_machine) {
		rc = from->kind->check_machine(rest, p->path, pointer, err);
	} else {
		key_names(arm_fields, &ours);
		strvec_add(&ours, "ssh");
		rc = fields_check_json(from->kind->machine_fields, rest, p->path, pointer,
				       strvec_argv(&ours), err);
		strvec_release(&ours);
	}
	a->machine = json_object_get(rest);
	if (rc || !ssh)
		return rc;
	at = x_asprintf("%s/ssh", pointer);
	rc = fields_bind_json(arm_ssh_fields, &a->ssh, ssh, p->path, at, NULL, err);
	if (!rc)
		rc = host_key_check(a->ssh.host_key_sha256, p->path, at, err);
	free(at);
	return rc;
}

static int read_ssh_arm(struct plan *p, struct arm *a, struct json_object *rest,
			const char *pointer, struct err *err)
{
	struct strvec ours = {0};
	int rc;

	key_names(arm_fields, &ours);
	key_names(arm_fixed_fields, &ours);
	rc = fields_bind_json(arm_ssh_fields, &a->ssh, rest, p->path, pointer,
			      strvec_argv(&ours), err);
	strvec_release(&ours);
	key_names(arm_ssh_fields, &ours);
	if (!rc)
		rc = fields_bind_json(arm_fixed_fields, a, rest, p->path, pointer,
				      strvec_argv(&ours), err);
	strvec_release(&ours);
	if (!rc)
		rc = host_key_check(a->ssh.host_key_sha256, p->path, pointer, err);
	if (!rc && !a->ssh.host)
		rc = err_set(err, ERR_USAGE, "%s: %s: target ssh needs 'host'", p->path,
			     pointer);
	return rc;
}

/* The machine's own "gpu" object asks for a slice: what is inside cannot be cut again. */
static bool is_slice_already(const struct arm *a)
{
	return json_get_text(json_member(a->machine, "gpu"), "profile", NULL);
}

static int check_mig(const struct plan *p, const struct arm *a, const char *pointer,
		     struct err *err)
{
	const struct arm_mig *m = &a->mig;

	if ((m->slices > 0) == (m->profile != NULL))
		return err_set(err, ERR_USAGE,
			       "%s: %s: either \"all\", or one of 'slices' and 'profile'",
			       p->path, pointer);
	if (is_slice_already(a))
		return err_set(err, ERR_USAGE,
			       "%s: %s: the machine gets a MIG-backed slice "
			       "(gpu.profile) already, which cannot be cut again",
			       p->path, pointer);
	return 0;
}

static int read_mig(const struct plan *p, struct arm *a, struct json_object *o,
		    const char *arm_pointer, struct err *err)
{
	char *pointer;
	int rc = 0;

	if (!o)
		return 0;
	a->mig.is_wanted = true;
	pointer = x_asprintf("%s/mig", arm_pointer);
	if (json_object_is_type(o, json_type_string) &&
	    strcmp(json_object_get_string(o), mig_all) == 0)
		a->mig.profile = x_strdup(mig_all);
	else
		rc = fields_bind_json(arm_mig_fields, &a->mig, o, p->path, pointer, NULL,
				      err);
	if (!rc)
		rc = check_mig(p, a, pointer, err);
	a->mig.is_all = a->mig.profile && strcmp(a->mig.profile, mig_all) == 0;
	free(pointer);
	return rc;
}

static void arm_init(struct arm *a, const char *name)
{
	*a = (struct arm){0};
	fields_init(arm_fields, a);
	fields_init(arm_fixed_fields, a);
	fields_init(arm_ssh_fields, &a->ssh);
	fields_init(arm_mig_fields, &a->mig);
	a->name = x_strdup(name);
}

/* The keys that arm_fields leaves to others: 'rest' of other_keys(), "ssh" and "mig". */
static struct strvec keys_of_others(struct json_object *o, struct json_object *rest)
{
	struct strvec keys = {0};

	if (rest) {
		json_object_object_foreach(rest, key, value)
		{
			(void)value;
			strvec_add(&keys, key);
		}
	}
	if (json_member(o, "ssh"))
		strvec_add(&keys, "ssh");
	if (json_member(o, "mig"))
		strvec_add(&keys, "mig");
	return keys;
}

static int read_arm(struct plan *p, const char *name, struct json_object *o,
		    struct err *err)
{
	struct arm *a = &p->arms[p->arms_nr++];
	char *pointer = x_asprintf("/arms/%s", name);
	struct json_object *rest =
		json_object_is_type(o, json_type_object) ? other_keys(o) : NULL;
	struct strvec unread = keys_of_others(o, rest);
	int rc;

	arm_init(a, name);
	rc = fields_bind_json(arm_fields, a, o, p->path, pointer, strvec_argv(&unread),
			      err);
	if (!rc && a->target == ARM_VM)
		rc = read_vm_arm(p, a, o, rest, pointer, err);
	else if (!rc && a->target == ARM_SSH)
		rc = read_ssh_arm(p, a, rest, pointer, err);
	else if (!rc)
		rc = fields_bind_json(arm_fixed_fields, a, rest, p->path, pointer, NULL,
				      err);
	if (!rc)
		rc = read_mig(p, a, json_member(o, "mig"), pointer, err);
	if (!rc && a->target != ARM_VM && a->provisioner)
		rc = err_set(err, ERR_USAGE,
			     "%s: %s/provisioner: only target vm takes one", p->path,
			     pointer);
	strvec_release(&unread);
	json_object_put(rest);
	free(pointer);
	return rc;
}

int plan_read_arms(struct plan *p, struct json_object *o, struct err *err)
{
	if (!json_object_is_type(o, json_type_object))
		return err_set(err, ERR_USAGE, "%s: /arms: expected an object, found %s",
			       p->path, json_type_words(o));
	p->arms = x_calloc((size_t)json_object_object_length(o), sizeof(*p->arms));
	json_object_object_foreach(o, name, value)
	{
		if (plan_check_name(name, p->path, "/arms", err) ||
		    read_arm(p, name, value, err))
			return -1;
	}
	return 0;
}

void arm_release(struct arm *a)
{
	fields_release(arm_fields, a);
	fields_release(arm_fixed_fields, a);
	fields_release(arm_ssh_fields, &a->ssh);
	fields_release(arm_mig_fields, &a->mig);
	json_object_put(a->machine);
	free(a->name);
}

static void merge(struct json_object *into, struct json_object *from)
{
	json_object_object_foreach(from, key, value)
	{
		json_put(into, key, json_object_get(value));
	}
}

static struct json_object *mig_to_json(const struct arm *a)
{
	struct json_object *o = json_object_new_object();

	if (a->mig.slices)
		json_put_int(o, "slices", a->mig.slices);
	if (a->mig.profile)
		json_put_text(o, "profile", a->mig.profile);
	if (a->mig.gpu)
		json_put_text(o, "gpu", a->mig.gpu);
	return o;
}

struct json_object *arm_to_json(const struct arm *a)
{
	struct json_object *o = fields_to_json(arm_fields, a);
	struct json_object *ssh = fields_to_json(arm_ssh_fields, &a->ssh);

	struct json_object *fixed = fields_to_json(arm_fixed_fields, a);

	if (a->target == ARM_SSH)
		merge(o, ssh);
	if (a->target != ARM_VM && a->gpus.nr)
		merge(o, fixed);
	json_object_put(fixed);
	if (a->target == ARM_VM) {
		merge(o, a->machine);
		json_put(o, "ssh", json_object_get(ssh));
	}
	if (a->mig.is_wanted)
		json_put(o, "mig", mig_to_json(a));
	json_object_put(ssh);
	return o;
}
