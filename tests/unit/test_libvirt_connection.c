/*
 * The connection to libvirt where this process gets no thread: nothing of it may stay
 * registered with libvirt, whose event loop lives on. libvirt's own daemon is not needed:
 * the event loop is one of this test, which counts.
 */
#include "harness/provision/libvirt/libvirt_connection.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

struct watches {
	int added, removed, last;
};

/* libvirt's registration has no argument of ours. */
static struct watches seen;

static int add_handle(int fd, int events, virEventHandleCallback cb, void *opaque,
		      virFreeCallback ff)
{
	(void)fd;
	(void)events;
	(void)cb;
	(void)opaque;
	(void)ff;
	return seen.last = 100 + seen.added++;
}

static void update_handle(int watch, int events)
{
	(void)watch;
	(void)events;
}

static int remove_handle(int watch)
{
	assert_int_equal(watch, seen.last);
	seen.removed++;
	return 0;
}

static int add_timeout(int ms, virEventTimeoutCallback cb, void *opaque,
		       virFreeCallback ff)
{
	(void)ms;
	(void)cb;
	(void)opaque;
	(void)ff;
	return 0;
}

static void update_timeout(int timer, int ms)
{
	(void)timer;
	(void)ms;
}

static int remove_timeout(int timer)
{
	(void)timer;
	return 0;
}

static void no_thread_leaves_no_watch(void **state)
{
	struct libvirt_connection c = {0};
	struct err err = ERR_INIT;
	pthread_attr_t was, huge;

	(void)state;
	virEventRegisterImpl(add_handle, update_handle, remove_handle, add_timeout,
			     update_timeout, remove_timeout);
	/* More stack than any address space has: no thread starts. */
	assert_int_equal(pthread_getattr_default_np(&was), 0);
	assert_int_equal(pthread_attr_init(&huge), 0);
	assert_int_equal(pthread_attr_setstacksize(&huge, SIZE_MAX / 4096 * 1024), 0);
	assert_int_equal(pthread_setattr_default_np(&huge), 0);
	assert_int_equal(libvirt_connect(&c, "qemu:///system", false, &err), -1);
	assert_int_equal(pthread_setattr_default_np(&was), 0);
	pthread_attr_destroy(&huge);
	pthread_attr_destroy(&was);

	assert_int_equal(err.kind, ERR_ENVIRONMENT);
	assert_non_null(strstr(err.text, "no event loop"));
	assert_int_equal(seen.added, 1);
	assert_int_equal(seen.removed, 1);
	libvirt_disconnect(&c);
	assert_int_equal(seen.removed, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_thread_leaves_no_watch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
