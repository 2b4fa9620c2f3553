#include "core/base/stop.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static bool readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

static void before_installing_nothing_is_requested(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(stop_fd(), -1);
	assert_false(stop_requested());
	assert_int_equal(stop_check(&err), 0);
	assert_int_equal(err.kind, ERR_NONE);
}

static void each_signal_asks_once_and_can_be_cleared(void **state)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};

	(void)state;
	stop_install();
	stop_install(); /* again: the same descriptor */
	for (int i = 0; i < 3; i++) {
		struct err err = ERR_INIT;

		assert_false(stop_requested());
		assert_false(readable(stop_fd()));
		raise(signals[i]);
		assert_true(stop_requested());
		assert_true(readable(stop_fd()));
		assert_int_equal(stop_check(&err), -1);
		assert_int_equal(err_exit_status(&err), EXIT_INTERRUPTED);
		stop_clear();
		assert_false(stop_requested());
		assert_false(readable(stop_fd()));
	}
}

static void a_closed_pipe_is_an_error_not_a_death(void **state)
{
	int fds[2];

	(void)state;
	stop_install();
	assert_int_equal(pipe(fds), 0);
	close(fds[0]);
	assert_int_equal(write(fds[1], "x", 1), -1);
	close(fds[1]);
}

static void the_second_signal_ends_the_process(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		stop_install();
		raise(SIGINT);
		raise(SIGTERM);
		_exit(99);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EXIT_INTERRUPTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(before_installing_nothing_is_requested),
		cmocka_unit_test(each_signal_asks_once_and_can_be_cleared),
		cmocka_unit_test(a_closed_pipe_is_an_error_not_a_death),
		cmocka_unit_test(the_second_signal_ends_the_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
