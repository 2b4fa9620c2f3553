/*
 * A name with two addresses, of which the first answers nobody: a listener whose queue is
 * full, so that Linux drops what else comes. The resolver is this test's own.
 */
#include "harness/target/dial.h"

#include <netdb.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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

/*
 * The deaf one takes half of the time; a machine that is too busy for the rest gets more, but
 * less than the 30 s after which the kernel gives up by itself.
 */
static void the_second_address_is_tried(void **state)
{
	int fd = -1;
	struct err err = ERR_INIT;
	struct sockaddr_in peer;
	socklen_t len = sizeof(peer);

	(void)state;
	two_addresses_open(&two);
	for (int64_t s = 4; fd < 0 && s <= 16; s *= 4)
		fd = dial_tcp("two", 22, clock_deadline_ns(s * NS_PER_S), &err);
	if (fd < 0)
		fail_msg("%s", err.text);
	assert_int_equal(getpeername(fd, (struct sockaddr *)&peer, &len), 0);
	assert_int_equal(peer.sin_port, two.places[1].sin_port);
	close(fd);
	two_addresses_close(&two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_second_address_is_tried),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
