/*
 * The addresses of a name where no name server answers: the resolver is this test's own and
 * comes back only when it is let.
 */
#include "core/base/resolve.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "core/base/stop.h"
#include "tests/support/child.h"

static struct {
	sem_t may_end, was_freed;
	bool stops; /* Ctrl-C as soon as it is asked */
	struct sockaddr_in place;
	struct addrinfo answer;
} deaf;

/* In place of the C library's, which serves every other name. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
		struct addrinfo **ret)
{
	int (*real)(const char *, const char *, const struct addrinfo *,
		    struct addrinfo **);

	*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo"); /* as dlsym(3) advises */
	if (strcmp(node, "deaf") != 0)
		return real(node, service, hints, ret);
	if (hints->ai_flags & AI_NUMERICHOST)
		return EAI_NONAME;
	if (deaf.stops)
		kill(getpid(), SIGINT);
	while (sem_wait(&deaf.may_end) != 0)
		;
	deaf.answer = (struct addrinfo){.ai_family = AF_INET,
					.ai_addr = (struct sockaddr *)&deaf.place,
					.ai_addrlen = sizeof(deaf.place)};
	*ret = &deaf.answer;
	return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
	void (*real)(struct addrinfo *);

	*(void **)&real = dlsym(RTLD_NEXT, "freeaddrinfo");
	if (list == &deaf.answer)
		sem_post(&deaf.was_freed);
	else
		real(list);
}

/* The one that was left behind comes back with an answer, and frees what it has. */
static void let_go(void)
{
	struct timespec until;

	assert_int_equal(sem_post(&deaf.may_end), 0);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += 60;
	assert_int_equal(sem_clockwait(&deaf.was_freed, CLOCK_MONOTONIC, &until), 0);
}

static int set_up(void **state)
{
	(void)state;
	stop_install();
	return sem_init(&deaf.may_end, 0, 0) || sem_init(&deaf.was_freed, 0, 0);
}

static void ends_at_its_deadline(void **state)
{
	struct addrinfo *found = NULL;
	struct err err = ERR_INIT;

	(void)state;
	deaf.stops = false;
	assert_int_equal(
		resolve("deaf", 22, clock_deadline_ns(NS_PER_S / 10), &found, &err), -1);
	assert_int_equal(err.kind, ERR_ENVIRONMENT);
	assert_int_equal(err.code, ETIMEDOUT);
	assert_non_null(strstr(err.text, "'deaf': no name server answers in time"));
	let_go();
}

static void ends_on_a_stop_request_body(void **state)
{
	struct addrinfo *found = NULL;
	struct err err = ERR_INIT;

	(void)state;
	deaf.stops = true;
	assert_int_equal(resolve("deaf", 22, CLOCK_NEVER, &found, &err), -1);
	assert_int_equal(err.kind, ERR_INTERRUPTED);
	let_go();
	/* A clean-up behind a stop goes on, to its own deadline. */
	deaf.stops = false;
	err_clear(&err);
	stop_shield_begin();
	assert_int_equal(
		resolve("deaf", 22, clock_deadline_ns(NS_PER_S / 10), &found, &err), -1);
	assert_int_equal(err.code, ETIMEDOUT);
	stop_shield_end();
	let_go();
}

static void ends_on_a_stop_request(void **state)
{
	child_run(ends_on_a_stop_request_body, state);
}

static void gives_what_comes_in_time(void **state)
{
	struct addrinfo *found = NULL;
	struct err err = ERR_INIT;

	(void)state;
	deaf.stops = false;
	sem_post(&deaf.may_end);
	if (resolve("deaf", 22, clock_deadline_ns(60 * NS_PER_S), &found, &err))
		fail_msg("%s", err.text);
	assert_ptr_equal(found, &deaf.answer);
	freeaddrinfo(found);
	assert_int_equal(sem_trywait(&deaf.was_freed), 0);
}

/* RFC 6761, 6.4: ".invalid" is never a name. */
static void says_what_is_wrong(void **state)
{
	const int64_t deadline = clock_deadline_ns(60 * NS_PER_S);
	struct addrinfo *found = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(resolve("no-such.invalid", 22, deadline, &found, &err), -1);
	assert_int_equal(err.kind, ERR_ENVIRONMENT);
	assert_non_null(strstr(err.text, "'no-such.invalid'"));
	assert_int_equal(resolve("127.0.0.1", 2222, deadline, &found, NULL), 0);
	assert_int_equal(found->ai_family, AF_INET);
	assert_int_equal(((struct sockaddr_in *)(void *)found->ai_addr)->sin_port,
			 htons(2222));
	freeaddrinfo(found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_at_its_deadline),
		cmocka_unit_test(ends_on_a_stop_request),
		cmocka_unit_test(gives_what_comes_in_time),
		cmocka_unit_test(says_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
