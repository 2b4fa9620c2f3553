#include "harness/run/arm_lease.h"

#include "core/base/log.h"

#include <stdio.h>
#include <string.h>

struct notes {
	struct progress progress;
	char last[200];
};

/* A new step becomes a line of the log; the same step told again only moves progress. */
static void on_note(void *ctx, const char *what)
{
	struct notes *n = ctx;

	if (strncmp(n->last, what, sizeof(n->last) - 1) == 0) {
		progress_update(&n->progress, 0, what);
		return;
	}
	snprintf(n->last, sizeof(n->last), "%s", what);
	progress_step(&n->progress, what);
}

struct json_object *arm_lease_json(const struct lease_info *info)
{
	struct json_object *o = json_object_new_object();

	json_put_text(o, "id", info->id);
	json_put_text(o, "name", info->name);
	json_put_text(o, "address", info->address);
	json_put_int(o, "port", info->port);
	json_put_text(o, "user", info->user);
	json_put_text(o, "key_file", info->key_file);
	json_put_text(o, "host_key_sha256", info->host_key_sha256);
	if (info->boot_ns)
		json_put_real(o, "boot_s", (double)info->boot_ns / 1e9);
	if (info->facts)
		json_put(o, "facts", json_object_get(info->facts));
	return o;
}

static int acquire(struct session *s, const struct arm *arm, const char *label,
		   struct lease **ret, struct err *err)
{
	struct notes notes = {.last = ""};
	struct lease_request want = {
		.run_id = s->run_id,
		.label = label,
		.machine = arm->machine,
		.workdir = s->workdir,
		.ssh_port = (uint16_t)arm->ssh.port,
		.timeout_ns = arm->ready_timeout_ns,
		.note = on_note,
		.note_ctx = &notes,
	};
	struct provisioner *from = session_provisioner(s, arm->provisioner, err);
	int rc;

	if (!from)
		return -1;
	progress_start(&notes.progress, "lease", 0);
	rc = provisioner_acquire(from, &want, ret, err);
	progress_end(&notes.progress);
	return rc ? err_wrap(err, "lease") : 0;
}

int arm_lease_take(struct session *s, const struct step_at *at, const struct arm *arm,
		   const char *label, struct lease **ret, struct err *err)
{
	struct json_object *data = json_object_new_object();
	struct journal_step st;

	*ret = NULL;
	json_put_text(data, "label", label);
	json_put_text(data, "provisioner", arm->provisioner);
	if (journal_step_begin(&st, s->journal, STEP_LEASE, at, data, err))
		return -1;
	if (acquire(s, arm, label, ret, err))
		return journal_step_end(&st, -1, NULL, err);
	return journal_step_end(&st, 0, arm_lease_json(lease_info(*ret)), err);
}

int arm_lease_give_back(struct session *s, const struct step_at *at,
			const struct arm *arm, struct lease *lease, struct err *err)
{
	struct err why = ERR_INIT;
	struct provisioner *from;
	struct journal_step st;
	int rc;

	if (!lease)
		return 0;
	/* A journal that takes no more must not keep the machine, nor hide that it stayed. */
	rc = journal_step_begin(&st, s->journal, STEP_RELEASE, at, NULL, err);
	from = session_provisioner(s, arm->provisioner, NULL); /* it is open already */
	rc = first_failure(rc, provisioner_release(from, lease, &why), &why, err);
	return journal_step_end(&st, rc, NULL, err);
}
