#include "harness/target/ssh_agent.h"

#include "core/base/detached_call.h"
#include "core/base/mem.h"
#include "core/base/stop.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const int64_t patience_ns = 10 * NS_PER_S;

/* SSH_AGENTC_REQUEST_IDENTITIES (draft-miller-ssh-agent, 3 and 4.4): a length and a type. */
static const unsigned char question[] = {0, 0, 0, 1, 11};

static int silent(const char *path, struct err *err)
{
	return err_set_code(
		err, ERR_ENVIRONMENT, "errno", ETIMEDOUT,
		"the ssh-agent at %.200s (SSH_AUTH_SOCK) does not answer: start it anew, "
		"or unset SSH_AUTH_SOCK, or name a key with key_file",
		path);
}

/* 0: something came, or the agent hung up, which libssh sees as well. */
static int await(int fd, const char *path, int64_t deadline_ns, struct err *err)
{
	while (!clock_passed(deadline_ns)) {
		struct pollfd fds[] = {
			{.fd = fd, .events = POLLIN},
			{.fd = stop_fd(), .events = POLLIN},
		};

		if (stop_check(err))
			return -1;
		if (poll(fds, 2, clock_poll_ms(deadline_ns, 1000)) > 0 && fds[0].revents)
			return 0;
	}
	return silent(path, err);
}

/* Where the environment says; -1: nowhere, or nobody listens there (errno). */
static int dial(char path[sizeof(((struct sockaddr_un *)0)->sun_path)])
{
	const char *name = getenv("SSH_AUTH_SOCK");
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd, why;

	errno = ENOENT;
	if (!name || !*name || strlen(name) >= sizeof(a.sun_path))
		return -1;
	snprintf(path, sizeof(a.sun_path), "%s", name);
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", name);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	why = errno;
	close(fd);
	errno = why;
	return -1;
}

int ssh_agent_check(int64_t deadline_ns, struct err *err)
{
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	int64_t until = clock_deadline_ns(patience_ns);
	int fd = dial(path), rc = 0;

	if (fd < 0) /* EAGAIN: others wait in its queue already */
		return errno == EAGAIN ? silent(path, err) : 0;
	if (send(fd, question, sizeof(question), MSG_NOSIGNAL) ==
	    (ssize_t)sizeof(question))
		rc = await(fd, path, until < deadline_ns ? until : deadline_ns, err);
	close(fd);
	return rc;
}

/* ---- while libssh talks to it ---- */

struct ssh_agent_watch {
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	pthread_t thread;
	int fd, end; /* the connection; an eventfd: the watch is to end */
	int64_t deadline_ns;
	struct err why; /* the thread's, until it has ended */
};

static void *watch(void *ctx)
{
	struct ssh_agent_watch *w = ctx;

	/* What it says is for libssh to read: only the end of the watch is looked for. */
	for (;;) {
		struct pollfd fds[] = {
			{.fd = w->end, .events = POLLIN},
			{.fd = stop_fd(), .events = POLLIN},
		};

		(void)poll(fds, 2, clock_poll_ms(w->deadline_ns, 1000));
		if (fds[0].revents)
			return NULL;
		if (stop_check(&w->why) ||
		    (clock_passed(w->deadline_ns) && silent(w->path, &w->why)))
			break;
	}
	/* Only what is read: a request that libssh still writes must raise no SIGPIPE. */
	shutdown(w->fd, SHUT_RD);
	return NULL;
}

struct ssh_agent_watch *ssh_agent_watch(int64_t patience, int *ret_fd)
{
	struct ssh_agent_watch *w = x_calloc(1, sizeof(*w));

	*w = (struct ssh_agent_watch){.deadline_ns = clock_deadline_ns(patience),
				      .why = ERR_INIT};
	w->fd = dial(w->path);
	w->end = w->fd >= 0 ? eventfd(0, EFD_CLOEXEC) : -1;
	if (w->end >= 0 && detached_start(&w->thread, watch, w) == 0) {
		*ret_fd = w->fd;
		return w;
	}
	if (w->end >= 0)
		close(w->end);
	if (w->fd >= 0)
		close(w->fd);
	free(w);
	return NULL;
}

int ssh_agent_watch_end(struct ssh_agent_watch *w, struct err *err)
{
	const uint64_t one = 1;
	int rc;

	if (!w)
		return 0;
	(void)!write(w->end, &one, sizeof(one));
	pthread_join(w->thread, NULL);
	close(w->end);
	rc = w->why.kind == ERR_NONE ? 0 : -1;
	if (rc && err)
		*err = w->why;
	free(w);
	return rc;
}
