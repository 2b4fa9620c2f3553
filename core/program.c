#include "core/program.h"

#include "core/log.h"

#include <stdio.h>

int program_finish(int status)
{
	struct err err = ERR_INIT;

	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	err_errno(&err, "standard output");
	return log_failure(&err);
}

int program_run(const struct opt_command *c, void *options, program_work *work, int argc,
		char **argv)
{
	struct strvec rest = {0};
	struct err err = ERR_INIT;
	int status = EXIT_PASS;

	switch (opt_parse(c, argc, argv, options, &rest, &err)) {
	case OPT_ERROR:
		status = -1;
		break;
	case OPT_DONE:
		break;
	case OPT_RUN:
		status = work(options, &rest, &err);
	}
	if (status < 0)
		status = log_failure(&err);
	fields_release(c->fields, options);
	strvec_release(&rest);
	return program_finish(status);
}
