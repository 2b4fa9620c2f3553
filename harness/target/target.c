#include "harness/target/target.h"

#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/base/stop.h"
#include "harness/target/target_impl.h"

#include <stdlib.h>

static int check_spec(const struct proc_spec *spec, struct err *err)
{
	if (!spec->argv || !spec->argv[0] || !spec->argv[0][0])
		return err_set(err, ERR_INTERNAL, "target_run: no program given");
	if (spec->timeout_ns <= 0)
		return err_set(err, ERR_INTERNAL, "target_run %s: no deadline given",
			       spec->argv[0]);
	return 0;
}

int target_run(struct target *t, const struct proc_spec *spec, struct proc_outcome *ret,
	       struct err *err)
{
	if (check_spec(spec, err))
		return -1;
	if (t->ops->run(t, spec, ret, err))
		return err_wrap(err, "%s", t->name);
	return 0;
}

int target_place(struct target *t, const struct bundle *b, int64_t timeout_ns,
		 const char **ret_path, struct err *err)
{
	if (t->ops->place(t, b, timeout_ns, ret_path, err))
		return err_wrap(err, "%s: placing %s", t->name, path_base(b->program));
	return 0;
}

int target_get(struct target *t, const char *remote, const char *local,
	       int64_t timeout_ns, struct err *err)
{
	if (t->ops->get(t, remote, local, timeout_ns, err))
		return err_wrap(err, "%s: fetching %s", t->name, remote);
	return 0;
}

const char *target_workdir(struct target *t, struct err *err)
{
	if (!t->workdir) {
		t->workdir = t->ops->make_workdir(t, err);
		if (!t->workdir)
			err_wrap(err, "%s: making a working folder", t->name);
	}
	return t->workdir;
}

bool target_is_here(const struct target *t)
{
	return t->ops->is_here;
}

const char *target_name(const struct target *t)
{
	return t->name;
}

int target_close(struct target *t, struct err *err)
{
	int rc = 0;

	if (!t)
		return 0;
	stop_shield_begin();
	if (t->workdir && t->ops->remove_workdir(t, t->workdir, err))
		rc = err_wrap(err,
			      "%s: the folder %s may be left behind; remove it by hand",
			      t->name, t->workdir);
	t->ops->free(t);
	stop_shield_end();
	free(t->workdir);
	free(t->name);
	free(t);
	return rc;
}
