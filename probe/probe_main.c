#include "core/options/program.h"
#include "core/base/stop.h"
#include "probe/probe.h"

static int act(void *options, const struct strvec *rest, struct err *err)
{
	const struct binding_host host = binding_real_host();
	const struct probe_options *o = options;

	stop_install();
	(void)rest;
	if (o->bind && o->root)
		return err_set(err, ERR_USAGE, "--bind changes this machine: no --root");
	return probe_run(o, &host, err);
}

int main(int argc, char **argv)
{
	struct probe_options o;

	return program_run(&probe_command, &o, act, argc, argv);
}
