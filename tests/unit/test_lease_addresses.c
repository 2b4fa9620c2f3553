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

#include "core/clock.h"

enum { FILLERS = 4 };

static struct sockaddr_in places[2];
static struct addrinfo answers[2];

/* In place of the C library's. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
		struct addrinfo **ret)
{
	(void)node;
	(void)service;
	(void)hints;
	for (int i = 0; i < 2; i++)
		answers[i] = (struct addrinfo){
			.ai_family = AF_INET,
			.ai_socktype = SOCK_STREAM,
			.ai_addr = (struct sockaddr *)&places[i],
			.ai_addrlen = sizeof(places[i]),
			.ai_next = i ? NULL : &answers[1],
		};
	*ret = answers;
	return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
	assert_ptr_equal(list, answers);
}

static int listen_on(struct sockaddr_in *a, in_addr_t address, int backlog)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(*a);

	*a = (struct sockaddr_in){.sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(address)};
	assert_int_equal(bind(fd, (struct sockaddr *)a, sizeof(*a)), 0);
	assert_int_equal(listen(fd, backlog), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)a, &len), 0);
	return fd;
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
	int deaf = listen_on(&places[0], INADDR_LOOPBACK, 0);
	int live = listen_on(&places[1], INADDR_LOOPBACK, 4);
	int fillers[FILLERS];
	struct err err = ERR_INIT;
	pthread_t thread;

	(void)state;
	for (int i = 0; i < FILLERS; i++) {
		fillers[i] =
			socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void)connect(fillers[i], (struct sockaddr *)&places[0],
			      sizeof(places[0]));
	}
	assert_int_equal(pthread_create(&thread, NULL, greet, &live), 0);
	if (lease_wait_ssh("two", 22, clock_deadline_ns(6 * NS_PER_S), &err))
		fail_msg("%s", err.text);
	shutdown(live, SHUT_RDWR);
	pthread_join(thread, NULL);
	for (int i = 0; i < FILLERS; i++)
		close(fillers[i]);
	close(deaf);
	close(live);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_second_address_is_tried),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
