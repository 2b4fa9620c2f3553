#include "core/options/program.h"

#include "core/base/log.h"
#include "core/base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

void program_begin(void)
{
	proc_want_statuses();
	/* The lowest free descriptor is the one that was found closed. */
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			(void)!open("/dev/null",
				    fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

int program_finish(int status)
{
	struct err err = ERR_INIT;
	bool failed_before = ferror(stdout) != 0; /* errno is another's by now */

	if (fflush(stdout) != 0)
		err_errno(&err, "standard output");
	else if (failed_before)
		err_set(&err, ERR_ENVIRONMENT,
			"standard output did not take all that was printed: is it "
			"closed, or its disk full?");
	else
		return status;
	return log_failure(&err);
}

int program_run(const struct opt_command *c, void *options, program_work *work, int argc,
		char **argv)
{
	struct strvec rest = {0};
	struct err err = ERR_INIT;
	int status = EXIT_PASS;

	program_begin();
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
