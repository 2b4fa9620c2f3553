#include "core/base/stop.h"
#include "tests/support/child.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
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

static void assert_requested(bool is)
{
	struct err err = ERR_INIT;

	assert_int_equal(stop_requested(), is);
	assert_int_equal(readable(stop_fd()), is);
	assert_int_equal(stop_check(&err), is ? -1 : 0);
	assert_int_equal(err_exit_status(&err), is ? EXIT_INTERRUPTED : EXIT_PASS);
}

static void one_signal(void **state)
{
	stop_install();
	stop_install(); /* again: the same descriptor */
	assert_requested(false);
	raise(*(int *)*state);
	assert_requested(true);
}

static void each_signal_asks(void **state)
{
	int signals[] = {SIGINT, SIGTERM, SIGHUP};

	for (int i = 0; i < 3; i++) {
		*state = &signals[i];
		child_run(one_signal, state);
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

/* Two signals, one before and one behind a shield in a shield; both came "at once". */
static void shielded(void **state)
{
	(void)state;
	stop_install();
	stop_shield_begin();
	assert_requested(false);
	raise(SIGINT);
	assert_requested(false);
	assert_int_equal(stop_fd(), -1);
	stop_shield_begin();
	raise(SIGTERM);
	stop_shield_end();
	assert_requested(false);
	stop_shield_end();
	assert_requested(true);
	stop_shield_begin(); /* one that begins behind it */
	assert_requested(false);
	stop_shield_end();
	assert_requested(true);
}

static void clean_up_sees_no_request_and_loses_none(void **state)
{
	char text[1000];

	assert_int_equal(child_outcome(shielded, state, text, sizeof(text)), 0);
	assert_string_equal(text, "tare: stopping; what was begun is cleaned up first "
				  "(one more signal ends this at once and leaves it "
				  "behind)\n");
}

static void three_signals(void **state)
{
	struct stop_leaves *gone, *machine;

	(void)state;
	stop_install();
	machine = stop_leaves_begin("machine %s", "tare-a-r1");
	gone = stop_leaves_begin("a folder");
	(void)stop_leaves_begin("run a; 'tare clean DIR'\033[2J");
	stop_leaves_end(gone);
	stop_leaves_end(NULL);
	raise(SIGINT);
	raise(SIGINT);
	stop_shield_begin();
	raise(SIGTERM);
	stop_leaves_end(machine);
}

static void the_third_signal_names_what_is_left(void **state)
{
	char text[1000];

	assert_int_equal(child_outcome(three_signals, state, text, sizeof(text)),
			 EXIT_INTERRUPTED);
	assert_non_null(strstr(text, "\ntare: ended at once by a third signal\n"
				     "tare: left behind: run a; 'tare clean DIR' [2J\n"
				     "tare: left behind: machine tare-a-r1\n"));
	assert_null(strstr(text, "folder"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(before_installing_nothing_is_requested),
		cmocka_unit_test(each_signal_asks),
		cmocka_unit_test(a_closed_pipe_is_an_error_not_a_death),
		cmocka_unit_test(clean_up_sees_no_request_and_loses_none),
		cmocka_unit_test(the_third_signal_names_what_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
