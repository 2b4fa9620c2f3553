/*
 * A fault for tests: loaded with LD_PRELOAD, it refuses system calls as an old kernel does
 * (TARE_TEST_REFUSE=ENOSYS) or a container's filter (EPERM): pidfd_open, epoll_pwait2,
 * close_range, eventfd. Without that variable nothing is refused.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

/* 0 when calls are let through. */
static int refusal(void)
{
	const char *how = getenv("TARE_TEST_REFUSE");

	return !how ? 0 : strcmp(how, "EPERM") == 0 ? EPERM : ENOSYS;
}

static int refuse(void)
{
	errno = refusal();
	return -1;
}

long syscall(long number, ...)
{
	long (*real)(long, ...);
	long a[6];
	va_list args;

	if (number == SYS_pidfd_open && refusal())
		return refuse();
	*(void **)&real = dlsym(RTLD_NEXT, "syscall"); /* as dlsym(3) advises */
	va_start(args, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(args, long);
	va_end(args);
	return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int epoll_pwait2(int fd, struct epoll_event *events, int max,
		 const struct timespec *timeout, const sigset_t *mask)
{
	int (*real)(int, struct epoll_event *, int, const struct timespec *,
		    const sigset_t *);

	if (refusal())
		return refuse();
	*(void **)&real = dlsym(RTLD_NEXT, "epoll_pwait2");
	return real(fd, events, max, timeout, mask);
}

int close_range(unsigned first, unsigned last, int flags)
{
	int (*real)(unsigned, unsigned, int);

	if (refusal())
		return refuse();
	*(void **)&real = dlsym(RTLD_NEXT, "close_range");
	return real(first, last, flags);
}

int eventfd(unsigned value, int flags)
{
	int (*real)(unsigned, int);

	if (refusal())
		return refuse();
	*(void **)&real = dlsym(RTLD_NEXT, "eventfd");
	return real(value, flags);
}
