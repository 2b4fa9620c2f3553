#include "harness/target/dial.h"

#include "core/base/clock.h"
#include "core/base/resolve.h"
#include "core/base/stop.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { KEEP_IDLE_S = 10, KEEP_EVERY_S = 5, KEEP_TRIES = 4, SILENCE_MS = 30000 };

static void watch_over(int fd)
{
	static const struct {
		int level, option, value;
	} options[] = {
		{SOL_SOCKET, SO_KEEPALIVE, 1},
		{IPPROTO_TCP, TCP_NODELAY, 1},
		{IPPROTO_TCP, TCP_KEEPIDLE, KEEP_IDLE_S},
		{IPPROTO_TCP, TCP_KEEPINTVL, KEEP_EVERY_S},
		{IPPROTO_TCP, TCP_KEEPCNT, KEEP_TRIES},
		{IPPROTO_TCP, TCP_USER_TIMEOUT, SILENCE_MS},
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		(void)setsockopt(fd, options[i].level, options[i].option,
				 &options[i].value, sizeof(options[i].value));
}

/* errno says why when it is -1; EINTR for a stop request. */
static int await(int fd, int64_t deadline_ns)
{
	for (;;) {
		struct pollfd fds[] = {
			{.fd = fd, .events = POLLOUT},
			{.fd = stop_fd(), .events = POLLIN},
		};
		int failed = 0;
		socklen_t len = sizeof(failed);

		errno = EINTR;
		if (stop_requested())
			return -1;
		errno = ETIMEDOUT;
		if (clock_passed(deadline_ns))
			return -1;
		if (poll(fds, 2, clock_poll_ms(deadline_ns, 1000)) <= 0 ||
		    !fds[0].revents)
			continue;
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &len))
			return -1;
		errno = failed;
		return failed ? -1 : 0;
	}
}

static int dial_one(const struct addrinfo *a, int64_t deadline_ns)
{
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int why;

	if (fd < 0)
		return -1;
	watch_over(fd);
	if (connect(fd, a->ai_addr, a->ai_addrlen) == 0)
		return fd;
	if (errno == EINPROGRESS && await(fd, deadline_ns) == 0)
		return fd;
	why = errno;
	close(fd);
	errno = why;
	return -1;
}

static int explain(const char *host, uint16_t port, int why, struct err *err)
{
	if (why == EINTR)
		return err_set(err, ERR_INTERRUPTED, "interrupted");
	errno = why;
	err_errno(err, "cannot connect to %s port %u", host, port);
	if (why == ECONNREFUSED && err)
		err_set_code(err, ERR_ENVIRONMENT, "errno", why,
			     "cannot connect to %s port %u: refused; is an SSH server "
			     "running there, and on this port?",
			     host, port);
	if (why == ETIMEDOUT && err)
		err_set_code(err, ERR_ENVIRONMENT, "errno", why,
			     "cannot connect to %s port %u: no answer in time; is the "
			     "machine up and no firewall between?",
			     host, port);
	return -1;
}

static int count(const struct addrinfo *a)
{
	int nr = 0;

	for (; a; a = a->ai_next)
		nr++;
	return nr;
}

int dial_tcp(const char *host, uint16_t port, int64_t deadline_ns, struct err *err)
{
	struct addrinfo *found;
	int fd = -1, why = ENOENT, left;

	if (resolve(host, port, deadline_ns, &found, err))
		return -1;
	/* One that nobody answers at must not take the time of the others. */
	left = count(found);
	for (struct addrinfo *a = found; a && fd < 0; a = a->ai_next) {
		int64_t share_ns = clock_left_ns(deadline_ns) / left--;

		fd = dial_one(a, clock_deadline_ns(share_ns));
		why = errno;
		if (fd < 0 && (why == EINTR || clock_passed(deadline_ns)))
			break;
	}
	freeaddrinfo(found);
	return fd >= 0 ? fd : explain(host, port, why, err);
}
