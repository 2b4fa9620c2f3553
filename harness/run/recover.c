#include "harness/run/recover.h"

#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/stop.h"
#include "harness/run/gpu_driver.h"
#include "harness/run/mig_turn.h"

static void say_kept(struct session *s, const char *name)
{
	struct provisioner *p = session_provisioner(s, name, NULL);
	struct strvec machines = {0};

	if (p && !provisioner_list(p, s->run_id, &machines, NULL))
		for (size_t i = 0; i < machines.nr; i++)
			log_warn("'%s' has %s on loan still, for its GPU is not as "
				 "before; 'tare clean %s' gives it back when it is",
				 name, machines.items[i], s->dir);
	strvec_release(&machines);
}

/* Gives back the run's machines, except those of the provisioners named in 'kept'. */
static int sweep_machines(struct session *s, const struct strvec *kept, size_t *ret_nr,
			  struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < s->plan->provisions_nr; i++) {
		const char *name = s->plan->provisions[i].name;
		struct err one = ERR_INIT;
		struct provisioner *p;
		size_t nr = 0;

		if (strvec_has(kept, name)) {
			say_kept(s, name);
			continue;
		}
		p = session_provisioner(s, name, &one);

		/* One that does not answer must not keep the others' machines. */
		if (!p || provisioner_sweep(p, s->run_id, &nr, &one)) {
			err_wrap(&one, "giving back machines of '%s'", name);
			rc = first_failure(rc, -1, &one, err);
		}
		*ret_nr += nr;
	}
	return rc;
}

/* MIG while its machine is ours and its driver there, then machines. */
static int sweep(struct session *s, struct recovered *ret, int rc, struct err *err)
{
	struct strvec kept = {0};
	struct err why = ERR_INIT;
	int cut, held;

	rc = first_failure(rc, gpu_driver_recall(s, &why), &why, err);
	cut = mig_turn_recall(s, &ret->layouts, &kept, &why);
	rc = first_failure(rc, cut, &why, err);
	held = sweep_machines(s, &kept, &ret->machines, &why);
	rc = first_failure(rc, held, &why, err);
	/* Disks, keys and logs of machines that are gone now. */
	if (!cut && !held)
		rc = first_failure(rc,
				   dir_remove(s->workdir, &why) ||
					   dir_make(s->workdir, 0700, &why),
				   &why, err);
	strvec_release(&kept);
	return rc;
}

/*
 * 'rc' and *err: what went wrong before. A journal that takes no line must not keep
 * machines and GPUs from being given back; it is said when that is done.
 */
static int put_back(struct session *s, struct recovered *ret, int rc, struct err *err)
{
	struct json_object *data = json_object_new_object();
	struct err why = ERR_INIT;
	struct journal_step st;

	rc = first_failure(
		rc, journal_step_begin(&st, s->journal, STEP_SWEEP, NULL, NULL, &why),
		&why, err);
	rc = sweep(s, ret, rc, err);
	json_put_int(data, "machines", (int64_t)ret->machines);
	json_put_int(data, "mig_layouts", (int64_t)ret->layouts);
	if (ret->machines)
		log_info("gave back %zu machine%s that an earlier process had left",
			 ret->machines, ret->machines == 1 ? "" : "s");
	rc = journal_step_end(&st, rc, data, err);
	/* After the machines, which have the GPUs; tried even when one is still there. */
	return first_failure(rc, gpu_driver_restore(s, &ret->hosts, &why), &why, err);
}

int recover_begin(struct session *s, const struct plan *plan, const char *dir,
		  struct recovered *ret, struct err *err)
{
	int rc;

	*ret = (struct recovered){0};
	if (session_open(s, plan, dir, true, err))
		return -1;
	rc = session_write_begin(s, err);
	stop_shield_begin();
	rc = put_back(s, ret, rc, err);
	stop_shield_end();
	if (rc)
		session_end(s);
	return rc;
}
