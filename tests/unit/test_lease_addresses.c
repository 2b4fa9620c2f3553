/*
 * The wait for SSH at a name with two addresses, of which the first answers nobody: a
 * listener whose queue is full, so that Linux drops what else comes. The resolver is this
 * test's own.
 */
#include "harness/provision/provisioner_impl.h"

#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "tests/support/two_addresses.h"

static struct two_addresses two;

/* In place of the C library's. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
		struct addrinfo **ret)
{
	(void)node;
	(void)service;
	(void)hints;
	return two_addresses_answer(&two, ret);
}

void freeaddrinfo(struct addrinfo *list)
{
	two_addresses_forget(&two, list);
}

/* The other machine: greets as RFC 4253, 4.2 has it, until the listener is shut. */
static void *greet(void *arg)
{
	static const char hello[] = "SSH-2.0-test\r\n";
	int fd;

	while ((fd = accept(*(int *)arg, NULL, NULL)) >= 0) {
		if (write(fd, hello, sizeof(hello) - 1) < 0)
			perror("greet");
		close(fd);
	}
	return NULL;
}

static void the_second_address_is_tried(void **state)
{
	struct err err = ERR_INIT;
	pthread_t thread;

	(void)state;
	two_addresses_open(&two);
	assert_int_equal(pthread_create(&thread, NULL, greet, &two.live), 0);
	if (lease_wait_ssh("two", 22, clock_deadline_ns(60 * NS_PER_S), &err))
		fail_msg("%s", err.text);
	shutdown(two.live, SHUT_RDWR);
	pthread_join(thread, NULL);
	two_addresses_close(&two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_second_address_is_tried),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
