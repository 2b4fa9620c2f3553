#include "tests/support/kernel.h"

#include "core/base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { UNKNOWN_FORMAT = 99 };

static bool no(const char *what, const char *why)
{
	printf("this kernel %s: %s\n", what, why);
	fflush(stdout);
	return false;
}

/* In the child. What is there for us and not for execve() has a loader that is not. */
static int start(const char *path)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	execl(path, path, "--version", (char *)NULL);
	if (errno == ENOEXEC || (errno == ENOENT && access(path, X_OK) == 0))
		return UNKNOWN_FORMAT;
	return 0;
}

bool kernel_starts(const char *path)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(start(path));
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
	    WEXITSTATUS(status) != UNKNOWN_FORMAT)
		return true;
	return no("cannot start", path);
}

bool kernel_starts_loader(const char *path)
{
	if (access(path, X_OK))
		return no("does not see the loader", path);
	return kernel_starts(path);
}

bool kernel_shares_vfork(void)
{
	volatile int shared = 0;
	pid_t pid = vfork();

	if (pid == 0) {
		shared = 1;
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	return shared || no("makes a fork() of vfork()",
			    "posix_spawn() cannot say why a program did not start");
}

bool kernel_has_subreaper(void)
{
	int before = 0;

	if (prctl(PR_GET_CHILD_SUBREAPER, &before) || prctl(PR_SET_CHILD_SUBREAPER, 1))
		return no("has no PR_SET_CHILD_SUBREAPER", strerror(errno));
	prctl(PR_SET_CHILD_SUBREAPER, before);
	return true;
}

/* Two ends of a TCP connection; both -1 when there is none to be had. */
static void connect_pair(int ends[2])
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ends[0] = ends[1] = -1;
	if (bind(listener, (struct sockaddr *)&a, len) || listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&a, &len)) {
		close(listener);
		return;
	}
	ends[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(ends[0], (struct sockaddr *)&a, len) == 0)
		ends[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	close(listener);
}

/* One byte through; was it stamped? */
static bool stamps_a_byte(const int ends[2])
{
	char byte = 'x', control[256];
	struct iovec piece = {.iov_base = &byte, .iov_len = 1};
	struct msghdr m = {.msg_iov = &piece,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};

	if (send(ends[0], &byte, 1, MSG_NOSIGNAL) != 1 || recvmsg(ends[1], &m, 0) != 1)
		return false;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPING)
			return true;
	}
	return false;
}

/* The first socket that asks switches the stamps on for all, and that takes a moment. */
bool kernel_stamps_arrivals(void)
{
	int flags = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE, ends[2];
	int64_t deadline = clock_deadline_ns(10 * NS_PER_S);
	bool stamped = false;

	connect_pair(ends);
	if (setsockopt(ends[1], SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof(flags)) == 0)
		while (!(stamped = stamps_a_byte(ends)) && !clock_passed(deadline))
			clock_sleep_until(clock_deadline_ns(NS_PER_MS));
	close(ends[0]);
	close(ends[1]);
	return stamped || no("stamps no arrival", "SO_TIMESTAMPING has no effect");
}
