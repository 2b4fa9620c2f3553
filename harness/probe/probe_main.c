#include "core/log.h"
#include "core/stop.h"
#include "harness/probe/probe.h"

static int act(const struct probe_options *o, int *ret_status, struct err *err)
{
	const struct binding_host host = binding_real_host();

	if (o->bind && o->root)
		return err_set(err, ERR_USAGE, "--bind changes this machine: no --root");
	return probe_run(o, &host, ret_status, err);
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
