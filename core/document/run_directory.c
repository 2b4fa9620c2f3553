#include "core/document/run_directory.h"

#include "core/base/file.h"
#include "core/base/mem.h"

#include <stdlib.h>
#include <unistd.h>

char *rundir_plan_path(const char *dir, struct err *err)
{
	char *path = path_join(dir, RUNDIR_PLAN);

	if (access(path, F_OK) == 0)
		return path;
	free(path);
	err_set(err, ERR_USAGE,
		"%s: no run is kept there, for it holds no " RUNDIR_PLAN
		"; 'tare run' prints the folder that it writes",
		dir);
	return NULL;
}

char *rundir_result_path(const char *dir, int round, const char *arm,
			 const char *workload)
{
	return x_asprintf("%s/" RUNDIR_RESULTS "/r%03d-%s-%s.json", dir, round, arm,
			  workload);
}

char *rundir_machine_path(const char *dir, int round, const char *arm)
{
	return x_asprintf("%s/" RUNDIR_MACHINES "/r%03d-%s.json", dir, round, arm);
}
