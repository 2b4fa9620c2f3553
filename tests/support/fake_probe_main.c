/*
 * tare-probe over a FAKE kernel (tests/support/fake_kernel.h), for end-to-end tests: the
 * folder TARE_TEST_TREE is its machine, which it reads and whose drivers it changes. A
 * file /fail-bind there makes every --bind fail with the text in it.
 */
#include "core/log.h"
#include "core/mem.h"
#include "core/stop.h"
#include "harness/probe/probe.h"
#include "tests/support/fake_kernel.h"
#include "tests/support/tree.h"

#include <stdlib.h>

static int act(struct probe_options *o, int *ret_status, struct err *err)
{
	const char *root = getenv("TARE_TEST_TREE");
	struct fake_kernel kernel = {.root = x_strdup(root ? root : "/nonexistent")};
	const struct binding_host host = fake_kernel_host(&kernel);
	char *why = tree_get(kernel.root, "/fail-bind");
	int rc;

	free(o->root);
	o->root = x_strdup(kernel.root);
	rc = why && o->bind ? err_set(err, ERR_ENVIRONMENT, "%s", why)
			    : probe_run(o, &host, ret_status, err);
	free(why);
	free(kernel.root);
	return rc;
}

int main(int argc, char **argv)
{
	struct probe_options o;
	struct strvec rest = {0};
	struct err err = ERR_INIT;
	int status = EXIT_PASS;

	stop_install();
	switch (opt_parse(&probe_command, argc, argv, &o, &rest, &err)) {
	case OPT_RUN:
		if (act(&o, &status, &err))
			status = log_failure(&err);
		break;
	case OPT_DONE:
		break;
	case OPT_ERROR:
		status = log_failure(&err);
		break;
	}
	fields_release(probe_command.fields, &o);
	strvec_release(&rest);
	return status;
}
