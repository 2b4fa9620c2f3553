/*
 * Waits while the wall clock is an hour ahead of where it was: this program's own
 * clock_gettime() says so. They must go by the monotonic clock: else the limit of errors
 * and Ctrl-C are looked at an hour later. Nothing here asserts a time; a wait that is too
 * long ends by SIGALRM.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/stop.h"
#include "tests/support/load_rig.h"

enum { PATIENCE_S = 60 };

static atomic_bool is_ahead;

int clock_gettime(clockid_t clock, struct timespec *ret)
{
	int rc = (int)syscall(SYS_clock_gettime, clock, ret);

	if (clock == CLOCK_REALTIME && atomic_load(&is_ahead))
		ret->tv_sec += 3600;
	return rc;
}

static void test_errors_are_seen(void **state)
{
	struct load_rig r;

	(void)state;
	load_rig_start(&r, "status=500", NULL);
	r.config.requests_max = 0;
	r.config.duration_ns = 5 * NS_PER_S;
	r.config.errors_max = 1;
	atomic_store(&is_ahead, true);
	load_rig_run(&r);
	atomic_store(&is_ahead, false);
	assert_true(r.outcome.is_aborted);
	load_rig_end(&r);
}

/*
 * While load runs (0), and while its common start is an hour away. A request to stop is
 * never taken back, so these come last.
 */
static void check_stop(int64_t start_at_wall_ns)
{
	struct err err = ERR_INIT;
	struct load_rig r;

	stop_shield_begin();
	load_rig_start(&r, NULL, NULL);
	stop_shield_end();
	r.config.requests_max = 0;
	r.config.duration_ns = 600 * NS_PER_S;
	r.config.start_at_wall_ns = start_at_wall_ns;
	if (!stop_requested()) {
		stop_install();
		raise(SIGINT);
	}
	atomic_store(&is_ahead, !start_at_wall_ns);
	assert_int_equal(stage_run(&r.config, &r.outcome, &err), -1);
	atomic_store(&is_ahead, false);
	assert_int_equal(err.kind, ERR_INTERRUPTED);
	load_rig_end(&r);
}

static void test_stop(void **state)
{
	(void)state;
	check_stop(0);
}

static void test_stop_before_the_start(void **state)
{
	(void)state;
	check_stop(clock_wall_ns() + 3600 * NS_PER_S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors_are_seen),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_stop_before_the_start),
	};

	alarm(PATIENCE_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
