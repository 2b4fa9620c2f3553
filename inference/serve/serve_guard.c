#include "inference/serve/serve_guard.h"

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/stop.h"
#include "inference/serve/serve_run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Beyond the grace: SIGKILL's own wait, and what a client needs to print. */
static const int64_t margin_ns = 20 * NS_PER_S;

static int supervise(const struct serve_config *config, const struct strvec *client,
		     int lifeline)
{
	struct err err = ERR_INIT;
	int status = 0;

	setsid();
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	if (serve_run(config, client, lifeline, &status, &err))
		return log_failure(&err);
	return status;
}

/* stdin closed; what it says is read over. */
static bool has_closed(int fd)
{
	char over[4096];
	ssize_t got = read(fd, over, sizeof(over));

	return got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN);
}

/* Waits for the supervisor's end, 'pidfd'; tells it once when we are to stop. */
static void attend(int pidfd, int *lifeline, bool has_client, int64_t grace_ns, pid_t pid)
{
	int64_t deadline = CLOCK_NEVER;

	for (;;) {
		bool runs = *lifeline >= 0;
		struct pollfd fds[] = {
			{.fd = pidfd, .events = POLLIN},
			{.fd = runs ? stop_fd() : -1, .events = POLLIN},
			{.fd = runs && !has_client ? STDIN_FILENO : -1, .events = POLLIN},
			{.fd = runs && has_client ? STDOUT_FILENO : -1},
		};

		(void)poll(fds, ARRAY_SIZE(fds), clock_poll_ms(deadline, 1000));
		if (fds[0].revents)
			return;
		if (runs &&
		    (stop_requested() || (fds[2].revents && has_closed(STDIN_FILENO)) ||
		     fds[3].revents & (POLLERR | POLLHUP))) {
			close(*lifeline);
			*lifeline = -1;
			deadline = clock_deadline_ns(grace_ns + margin_ns);
		}
		if (clock_passed(deadline)) {
			log_warn("the supervisor (process %d) does not end", (int)pid);
			return;
		}
	}
}

int serve_guard(const struct serve_config *config, const struct strvec *client)
{
	struct stop_leaves *left;
	struct err err = ERR_INIT;
	int line[2], pidfd, status = 0;
	pid_t pid;

	if (pipe2(line, O_CLOEXEC)) {
		err_errno(&err, "cannot make a pipe");
		return log_failure(&err);
	}
	pid = fork();
	if (pid == 0) {
		close(line[1]);
		status = supervise(config, client, line[0]);
		fflush(stdout);
		_exit(status);
	}
	close(line[0]);
	if (pid < 0) {
		err_errno(&err, "cannot fork");
		close(line[1]);
		return log_failure(&err);
	}
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	left = stop_leaves_begin("process %d, which ends the server by itself", (int)pid);
	attend(pidfd, &line[1], client->nr > 0, config->grace_ns, pid);
	stop_leaves_end(left);
	if (line[1] >= 0)
		close(line[1]);
	if (waitpid(pid, &status, WNOHANG) != pid)
		return EXIT_ENVIRONMENT;
	close(pidfd);
	if (stop_requested())
		return EXIT_INTERRUPTED;
	if (!client->nr && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_INTERRUPTED) {
		log_error("standard input ended before the server was ready, and with it "
			  "the server: keep it open, or give a COMMAND behind '--'");
		return EXIT_ENVIRONMENT;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_BUG;
}
