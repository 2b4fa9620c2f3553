#include "core/base/proc.h"

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/base/stop.h"
#include "core/base/strvec.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static const int64_t kill_grace_ns = 2 * NS_PER_S;

/* Our ends of the child's three pipes, and a descriptor that tells its end. */
struct child {
	pid_t pid;
	int in, out, diag, pidfd;
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static bool same_name(const char *a, const char *b)
{
	size_t len = strcspn(a, "=");

	return strncmp(a, b, len + 1) == 0;
}

/* Ours plus the additions, which win. */
static void build_env(const char *const *add, struct strvec *env)
{
	for (char **e = environ; *e; e++) {
		bool overridden = false;

		for (size_t i = 0; add && add[i]; i++)
			overridden |= same_name(add[i], *e);
		if (!overridden)
			strvec_add(env, *e);
	}
	for (size_t i = 0; add && add[i]; i++)
		strvec_add(env, add[i]);
}

static int spawn_with(const struct proc_spec *spec, int pipes[3][2], pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, defaults;
	struct strvec env = {0};
	int rc;

	sigemptyset(&none);
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, pipes[0][0], 0);
	posix_spawn_file_actions_adddup2(&actions, pipes[1][1], 1);
	posix_spawn_file_actions_adddup2(&actions, pipes[2][1], 2);
	if (spec->dir)
		posix_spawn_file_actions_addchdir_np(&actions, spec->dir);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &defaults);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
						POSIX_SPAWN_SETSIGDEF);
	build_env(spec->env, &env);
	rc = posix_spawnp(pid, spec->argv[0], &actions, &attr, (char *const *)spec->argv,
			  (char *const *)strvec_argv(&env));
	strvec_release(&env);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return rc;
}

static int child_start(const struct proc_spec *spec, struct child *c, struct err *err)
{
	int pipes[3][2] = {{-1, -1}, {-1, -1}, {-1, -1}};
	int rc = 0;

	for (int i = 0; i < 3 && !rc; i++)
		rc = pipe2(pipes[i], O_CLOEXEC) ? errno : 0;
	if (!rc)
		rc = spawn_with(spec, pipes, &c->pid);
	close_fd(&pipes[0][0]);
	close_fd(&pipes[1][1]);
	close_fd(&pipes[2][1]);
	if (rc) {
		close_fd(&pipes[0][1]);
		close_fd(&pipes[1][0]);
		close_fd(&pipes[2][0]);
		errno = rc;
		return err_errno(err, "cannot start %s", spec->argv[0]);
	}
	c->in = pipes[0][1];
	c->out = pipes[1][0];
	c->diag = pipes[2][0];
	c->pidfd = (int)syscall(SYS_pidfd_open, c->pid, 0);
	(void)fcntl(c->in, F_SETFL, O_NONBLOCK);
	return 0;
}

/* Moves what is there from the pipe to the buffer and the sink; closes it at its end. */
static void drain(int *fd, struct buf *into, proc_sink *sink, void *ctx)
{
	char chunk[16384];
	ssize_t got = read(*fd, chunk, sizeof(chunk));

	if (got > 0) {
		buf_add(into, chunk, (size_t)got);
		if (sink)
			sink(ctx, chunk, (size_t)got);
	} else if (got == 0 || errno != EINTR) {
		close_fd(fd);
	}
}

static void feed(struct child *c, const struct proc_spec *spec, size_t *sent)
{
	ssize_t put = 0;

	if (*sent < spec->input_len)
		put = write(c->in, (const char *)spec->input + *sent,
			    spec->input_len - *sent);
	if (put > 0)
		*sent += (size_t)put;
	if (*sent >= spec->input_len || (put < 0 && errno != EAGAIN && errno != EINTR))
		close_fd(&c->in);
}

/* True once the child has ended; it stays a zombie, so its group's number stays ours. */
static bool has_ended(const struct child *c)
{
	siginfo_t info = {0};

	return waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == c->pid;
}

/*
 * Until both outputs are closed or the deadline. A grandchild that keeps a pipe open
 * must not hold us once the child itself is gone: a look at the pipes after its end that
 * finds them empty is the last.
 */
static enum proc_end pump(struct child *c, const struct proc_spec *spec,
			  int64_t deadline_ns, struct proc_outcome *o)
{
	const int cap_ms = c->pidfd >= 0 ? 1000 : 20;
	bool was_gone = false;
	size_t sent = 0;

	while (c->out >= 0 || c->diag >= 0) {
		struct pollfd fds[] = {
			{.fd = c->out, .events = POLLIN},
			{.fd = c->diag, .events = POLLIN},
			{.fd = c->in, .events = POLLOUT},
			{.fd = was_gone ? -1 : c->pidfd, .events = POLLIN},
			{.fd = stop_fd(), .events = POLLIN},
		};
		int ready;

		if (stop_requested())
			return PROC_STOPPED;
		if (clock_passed(deadline_ns))
			return PROC_TIMED_OUT;
		ready = poll(fds, ARRAY_SIZE(fds),
			     was_gone ? 0 : clock_poll_ms(deadline_ns, cap_ms));
		if (ready < 0)
			continue;
		if (fds[0].revents)
			drain(&c->out, &o->out, spec->on_out, spec->sink_ctx);
		if (fds[1].revents)
			drain(&c->diag, &o->diag, spec->on_diag, spec->sink_ctx);
		if (c->in >= 0 && fds[2].revents)
			feed(c, spec, &sent);
		if (was_gone && !fds[0].revents && !fds[1].revents)
			break;
		was_gone = was_gone || has_ended(c);
	}
	return PROC_EXITED;
}

/* PROC_EXITED once the child has ended; it is not reaped yet. */
static enum proc_end await_end(const struct child *c, int64_t deadline_ns)
{
	while (!has_ended(c)) {
		struct pollfd fds[] = {
			{.fd = c->pidfd, .events = POLLIN},
			{.fd = stop_fd(), .events = POLLIN},
		};

		if (stop_requested())
			return PROC_STOPPED;
		if (clock_passed(deadline_ns))
			return PROC_TIMED_OUT;
		poll(fds, ARRAY_SIZE(fds),
		     clock_poll_ms(deadline_ns, c->pidfd >= 0 ? 1000 : 20));
	}
	return PROC_EXITED;
}

static int finish(struct child *c, enum proc_end end, int64_t deadline_ns,
		  struct proc_outcome *o)
{
	int status = 0;

	if (end == PROC_EXITED)
		end = await_end(c, deadline_ns);
	if (end != PROC_EXITED) {
		kill(-c->pid, SIGTERM);
		stop_shield_begin();
		await_end(c, clock_deadline_ns(kill_grace_ns));
		stop_shield_end();
		kill(-c->pid, SIGKILL); /* also what the child started and left */
	}
	while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (end == PROC_EXITED && WIFSIGNALED(status))
		end = PROC_KILLED;
	o->end = end;
	return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

void proc_want_statuses(void)
{
	struct sigaction sa;

	sigaction(SIGCHLD, NULL, &sa);
	if (sa.sa_handler == SIG_IGN || (sa.sa_flags & SA_NOCLDWAIT))
		signal(SIGCHLD, SIG_DFL);
}

int proc_run(const struct proc_spec *spec, struct proc_outcome *ret, struct err *err)
{
	int64_t start = clock_mono_ns();
	int64_t deadline = clock_deadline_ns(spec->timeout_ns);
	struct child c = {.in = -1, .out = -1, .diag = -1, .pidfd = -1};
	enum proc_end end;

	*ret = (struct proc_outcome){0};
	proc_want_statuses();
	if (stop_check(err) || child_start(spec, &c, err))
		return -1;
	buf_init(&ret->out, spec->output_max);
	buf_init(&ret->diag, spec->output_max);
	if (!spec->input)
		close_fd(&c.in);
	end = pump(&c, spec, deadline, ret);
	close_fd(&c.in);
	ret->code = finish(&c, end, deadline, ret);
	close_fd(&c.out);
	close_fd(&c.diag);
	close_fd(&c.pidfd);
	ret->wall_ns = clock_mono_ns() - start;
	return 0;
}

void proc_outcome_release(struct proc_outcome *o)
{
	buf_release(&o->out);
	buf_release(&o->diag);
}

const char *proc_end_text(const struct proc_outcome *o, char *text, size_t size)
{
	char took[32];

	switch (o->end) {
	case PROC_EXITED:
		snprintf(text, size, "exit status %d", o->code);
		break;
	case PROC_KILLED:
		snprintf(text, size, "killed by signal %d (%s)", o->code,
			 strsignal(o->code));
		break;
	case PROC_TIMED_OUT:
		snprintf(text, size, "not done within %s",
			 clock_human(o->wall_ns, took, sizeof(took)));
		break;
	case PROC_STOPPED:
		snprintf(text, size, "stopped on request");
		break;
	}
	return text;
}

const char *proc_last_line(const struct buf *diag, char *line, size_t size)
{
	size_t end = diag->len, start;

	while (end && strchr("\r\n \t", diag->data[end - 1]))
		end--;
	start = end;
	while (start && diag->data[start - 1] != '\n' && diag->data[start - 1] != '\r')
		start--;
	snprintf(line, size, "%.*s", (int)(end - start),
		 diag->data ? diag->data + start : "");
	return line;
}

int proc_run_ok(const struct proc_spec *spec, struct proc_outcome *ret, struct err *err)
{
	struct proc_outcome o;
	char how[80], why[400];

	if (proc_run(spec, &o, err))
		return -1;
	if (o.end == PROC_EXITED && o.code == 0) {
		*ret = o;
		return 0;
	}
	err_set(err, o.end == PROC_STOPPED ? ERR_INTERRUPTED : ERR_ENVIRONMENT,
		"%s: %s%s%s", spec->argv[0], proc_end_text(&o, how, sizeof(how)),
		o.diag.len ? ": " : "", proc_last_line(&o.diag, why, sizeof(why)));
	proc_outcome_release(&o);
	return -1;
}
