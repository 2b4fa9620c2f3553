/*
 * tare-probe over a FAKE kernel (tests/support/fake_kernel.h), for end-to-end tests: the
 * folder TARE_TEST_TREE is its machine, which it reads and whose drivers it changes. A
 * file /fail-bind there makes every --bind fail with the text in it, /fail-back only what
 * puts a driver back (with --override); a file /busy-mig makes the fake NVML refuse what
 * --mig restore is to take away. MIG is otherwise as tare-probe has it, and needs the fake
 * NVML.
 */
#include "core/base/mem.h"
#include "core/options/program.h"
#include "core/base/stop.h"
#include "core/machine/mig_partition.h"
#include "probe/probe.h"
#include "tests/support/fake_kernel.h"
#include "tests/support/tree.h"

#include <stdlib.h>

static int act(void *options, const struct strvec *rest, struct err *err)
{
	struct probe_options *o = options;
	const char *root = getenv("TARE_TEST_TREE");
	struct fake_kernel kernel = {.root = x_strdup(root ? root : "/nonexistent")};
	const struct binding_host host = fake_kernel_host(&kernel);
	char *why = tree_get(kernel.root, o->override ? "/fail-back" : "/fail-bind");
	char *busy = tree_get(kernel.root, "/busy-mig");
	int rc;

	(void)rest;
	if (busy && o->mig == 1 + MIG_PARTITION_RESTORE)
		setenv("TARE_FAKE_NVML_BUSY", "1", 1);
	free(o->root); /* ours goes with the options */
	o->root = o->mig ? NULL : x_strdup(kernel.root);
	rc = why && o->bind ? err_set(err, ERR_ENVIRONMENT, "%s", why)
			    : probe_run(o, &host, err);
	free(why);
	free(busy);
	free(kernel.root);
	return rc;
}

int main(int argc, char **argv)
{
	struct probe_options o;

	stop_install();
	return program_run(&probe_command, &o, act, argc, argv);
}
