/* This machine as a target: nothing is uploaded, programs are used where they are. */
#include "harness/target/target.h"

#include "core/base/file.h"
#include "core/base/mem.h"
#include "harness/target/target_impl.h"

#include <sys/stat.h>

static int local_run(struct target *t, const struct proc_spec *spec,
		     struct proc_outcome *ret, struct err *err)
{
	(void)t;
	return proc_run(spec, ret, err);
}

static int local_place(struct target *t, const struct bundle *b, int64_t timeout_ns,
		       const char **ret_path, struct err *err)
{
	(void)t;
	(void)timeout_ns;
	if (!file_exists(b->program))
		return err_set(err, ERR_ENVIRONMENT, "%s is not there any more; run make",
			       b->program);
	*ret_path = b->program;
	return 0;
}

static int local_get(struct target *t, const char *remote, const char *local,
		     int64_t timeout_ns, struct err *err)
{
	struct stat st;

	(void)t;
	(void)timeout_ns;
	if (!stat(remote, &st) && S_ISREG(st.st_mode) && st.st_size > TARGET_GET_MAX)
		return err_set(err, ERR_ENVIRONMENT, "%s: larger than %lld bytes", remote,
			       (long long)TARGET_GET_MAX);
	return file_copy(remote, local, 0644, err);
}

static char *local_make_workdir(struct target *t, struct err *err)
{
	(void)t;
	return dir_make_temporary("tare", err);
}

static int local_remove_workdir(struct target *t, const char *path, struct err *err)
{
	(void)t;
	return dir_remove(path, err);
}

static void local_free(struct target *t)
{
	(void)t;
}

static const struct target_ops local_ops = {
	.kind = "local",
	.is_here = true,
	.run = local_run,
	.place = local_place,
	.get = local_get,
	.make_workdir = local_make_workdir,
	.remove_workdir = local_remove_workdir,
	.free = local_free,
};

struct target *target_local_new(void)
{
	struct target *t = x_calloc(1, sizeof(*t));

	t->ops = &local_ops;
	t->name = x_strdup("local");
	return t;
}
