/* The names in a run directory are a contract between the harness and the reports. */
#include "core/document/run_directory.h"

#include "core/base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void names_sort_by_round(void **state)
{
	char *result = rundir_result_path("runs/x", 2, "vm", "gemm");
	char *machine = rundir_machine_path("runs/x", 12, "metal");

	(void)state;
	assert_string_equal(result, "runs/x/results/r002-vm-gemm.json");
	assert_string_equal(machine, "runs/x/machines/r012-metal.json");
	free(result);
	free(machine);
}

static void a_folder_without_a_plan_holds_no_run(void **state)
{
	char dir[] = "/tmp/tare-rundir-XXXXXX", *plan, *path;
	struct err err = {0};

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_null(rundir_plan_path(dir, &err));
	assert_int_equal(err_exit_status(&err), 2);
	assert_non_null(strstr(err.text, dir));
	plan = path_join(dir, RUNDIR_PLAN);
	assert_int_equal(file_write(plan, "{}", 2, 0600, &err), 0);
	path = rundir_plan_path(dir, &err);
	assert_string_equal(path, plan);
	unlink(plan);
	rmdir(dir);
	free(path);
	free(plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_sort_by_round),
		cmocka_unit_test(a_folder_without_a_plan_holds_no_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
