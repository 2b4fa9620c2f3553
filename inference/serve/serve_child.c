#include "inference/serve/serve_child.h"

#include "core/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void redirect(int out_fd)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (out_fd < 0)
		return;
	dup2(null, 0);
	dup2(out_fd, 1);
	dup2(out_fd, 2);
}

/* In the child; 'tell' gets errno when it cannot become the program. */
static void become(const struct serve_child_spec *spec, pid_t starter, int tell)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGCHLD};
	int why;

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		signal(signals[i], SIG_DFL);
	if (spec->own_session)
		setsid();
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != starter)
		_exit(1); /* it died in between: no signal would come */
	redirect(spec->out_fd);
	for (size_t i = 0; spec->environment && i < spec->environment->nr; i++)
		putenv(spec->environment->items[i]);
	if (!spec->directory || chdir(spec->directory) == 0)
		execvp(spec->argv->items[0], spec->argv->items);
	why = errno;
	(void)!write(tell, &why, sizeof(why));
	_exit(127);
}

int serve_child_start(const struct serve_child_spec *spec, struct serve_child *ret,
		      struct err *err)
{
	int told[2], why = 0;
	pid_t starter = getpid();
	ssize_t got;

	*ret = (struct serve_child){.pidfd = -1};
	if (pipe2(told, O_CLOEXEC))
		return err_errno(err, "cannot make a pipe");
	ret->pid = fork();
	if (ret->pid == 0)
		become(spec, starter, told[1]);
	close(told[1]);
	if (ret->pid < 0) {
		close(told[0]);
		ret->pid = 0;
		return err_errno(err, "cannot fork");
	}
	do
		got = read(told[0], &why, sizeof(why)); /* ends when exec closes it */
	while (got < 0 && errno == EINTR);
	close(told[0]);
	if (got > 0) {
		waitpid(ret->pid, NULL, 0);
		ret->pid = 0;
		errno = why;
		return err_errno(err, "cannot start %s%s", spec->argv->items[0],
				 why == ENOENT && !strchr(spec->argv->items[0], '/')
					 ? " (no program of that name in PATH)"
					 : "");
	}
	ret->pidfd = (int)syscall(SYS_pidfd_open, ret->pid, 0);
	return 0;
}

void serve_children_reap(struct serve_child *const *children, size_t nr)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (size_t i = 0; i < nr; i++)
			if (children[i]->pid == pid) {
				children[i]->has_ended = true;
				children[i]->status = status;
			}
}

void serve_child_release(struct serve_child *c)
{
	if (c->pidfd >= 0)
		close(c->pidfd);
	c->pidfd = -1;
}

const char *serve_end_text(int status, char *text, size_t size)
{
	if (WIFSIGNALED(status))
		snprintf(text, size, "killed by signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else
		snprintf(text, size, "exit status %d", WEXITSTATUS(status));
	return text;
}

char *serve_log_tail(const char *path, int lines)
{
	enum { TAIL_MAX = 4096 };
	char text[TAIL_MAX + 1];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	ssize_t got = 0;
	size_t start;

	if (fd < 0)
		return x_strdup("");
	if (fstat(fd, &st) == 0)
		got = pread(fd, text, TAIL_MAX,
			    st.st_size > TAIL_MAX ? st.st_size - TAIL_MAX : 0);
	close(fd);
	if (got < 0)
		got = 0;
	while (got && text[got - 1] == '\n')
		got--;
	text[got] = '\0';
	start = (size_t)got;
	while (start && (text[start - 1] != '\n' || --lines > 0))
		start--;
	for (char *c = text + start; *c; c++)
		if ((unsigned char)*c < ' ' && *c != '\n' && *c != '\t')
			*c = '?';
	return x_strdup(text + start);
}
