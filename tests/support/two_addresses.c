#include "tests/support/two_addresses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

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

/* The queue holds one more than its length: the first filler fills it, once it is there. */
static void await_full(const struct two_addresses *t)
{
	struct pollfd p = {.fd = t->deaf, .events = POLLIN};

	assert_int_equal(poll(&p, 1, 60000), 1);
}

void two_addresses_open(struct two_addresses *t)
{
	t->deaf = listen_on(&t->places[0], INADDR_LOOPBACK, 0);
	t->live = listen_on(&t->places[1], INADDR_LOOPBACK, 4);
	for (int i = 0; i < TWO_ADDRESSES_FILLERS; i++) {
		t->fillers[i] =
			socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void)connect(t->fillers[i], (struct sockaddr *)&t->places[0],
			      sizeof(t->places[0]));
		if (i == 0)
			await_full(t);
	}
}

void two_addresses_close(struct two_addresses *t)
{
	for (int i = 0; i < TWO_ADDRESSES_FILLERS; i++)
		close(t->fillers[i]);
	close(t->deaf);
	close(t->live);
}

int two_addresses_answer(struct two_addresses *t, struct addrinfo **ret)
{
	for (int i = 0; i < 2; i++)
		t->answers[i] = (struct addrinfo){
			.ai_family = AF_INET,
			.ai_socktype = SOCK_STREAM,
			.ai_addr = (struct sockaddr *)&t->places[i],
			.ai_addrlen = sizeof(t->places[i]),
			.ai_next = i ? NULL : &t->answers[1],
		};
	*ret = t->answers;
	return 0;
}

void two_addresses_forget(const struct two_addresses *t, const struct addrinfo *list)
{
	assert_ptr_equal(list, t->answers);
}
