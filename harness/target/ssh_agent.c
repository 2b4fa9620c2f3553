#include "harness/target/ssh_agent.h"

#include "core/clock.h"
#include "core/stop.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const int64_t patience_ns = 10 * NS_PER_S;

/* SSH_AGENTC_REQUEST_IDENTITIES (draft-miller-ssh-agent, 3 and 4.4): a length and a type. */
static const unsigned char question[] = {0, 0, 0, 1, 11};

static int silent(const char *path, struct err *err)
{
	return err_set_code(err, ERR_ENVIRONMENT, "errno", ETIMEDOUT,
			    "the ssh-agent at %.200s (SSH_AUTH_SOCK) does not answer: "
			    "start it anew, or unset SSH_AUTH_SOCK, or name a key with "
			    "key_file",
			    path);
}

/* 0: something came, or the agent hung up, which libssh sees as well. */
static int await(int fd, const char *path, int64_t deadline_ns, bool ignores_stop,
		 struct err *err)
{
	while (!clock_passed(deadline_ns)) {
		struct pollfd fds[] = {
			{.fd = fd, .events = POLLIN},
			{.fd = ignores_stop ? -1 : stop_fd(), .events = POLLIN},
		};

		if (!ignores_stop && stop_check(err))
			return -1;
		if (poll(fds, 2, clock_poll_ms(deadline_ns, 1000)) > 0 && fds[0].revents)
			return 0;
	}
	return silent(path, err);
}

int ssh_agent_check(int64_t deadline_ns, bool ignores_stop, struct err *err)
{
	const char *path = getenv("SSH_AUTH_SOCK");
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int64_t until = clock_deadline_ns(patience_ns);
	int fd, rc = 0;

	if (!path || !*path || strlen(path) >= sizeof(a.sun_path))
		return 0;
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_errno(err, "socket");
	if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0) {
		if (send(fd, question, sizeof(question), MSG_NOSIGNAL) ==
		    (ssize_t)sizeof(question))
			rc = await(fd, path, until < deadline_ns ? until : deadline_ns,
				   ignores_stop, err);
	} else if (errno == EAGAIN) { /* others wait in its queue already */
		rc = silent(path, err);
	}
	close(fd);
	return rc;
}
