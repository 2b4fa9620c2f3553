#include "harness/probe/probe.h"

static int act(struct probe_options *o, int *ret_status, struct err *err)
{
	const struct binding_host host = binding_real_host();

	if (o->bind && o->root)
		return err_set(err, ERR_USAGE, "--bind changes this machine: no --root");
	return probe_run(o, &host, ret_status, err);
}

int main(int argc, char **argv)
{
	return probe_main(argc, argv, act);
}
