#include "inference/serve/serve_process.h"

#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/base/mem.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const int64_t kill_wait_ns = 10 * NS_PER_S;
enum { LOOK_AGAIN_MS = 20, WAIT_MAX = 8 };

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
	serve_child_watch(ret, ret->pid);
	return 0;
}

/* All that ended, ours and adopted; notes the statuses of these. */
static void reap(struct serve_child *const *children, size_t nr)
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

void serve_child_watch(struct serve_child *c, pid_t pid)
{
	*c = (struct serve_child){.pid = pid,
				  .pidfd = (int)syscall(SYS_pidfd_open, pid, 0)};
}

void serve_wait(struct pollfd *fds, size_t nr, struct serve_child *const *children,
		size_t children_nr, int64_t deadline_ns)
{
	struct pollfd all[WAIT_MAX];
	int cap_ms = 1000;

	assert(nr + children_nr <= WAIT_MAX);
	if (nr)
		memcpy(all, fds, nr * sizeof(*fds));
	for (size_t i = 0; i < children_nr; i++) {
		const struct serve_child *c = children[i];
		bool runs = c->pid && !c->has_ended;

		all[nr + i] =
			(struct pollfd){.fd = runs ? c->pidfd : -1, .events = POLLIN};
		/* Old kernels and containers' filters refuse pidfd_open. */
		if (runs && c->pidfd < 0)
			cap_ms = LOOK_AGAIN_MS;
	}
	if (poll(all, nr + children_nr, clock_poll_ms(deadline_ns, cap_ms)) < 0)
		memset(all, 0, sizeof(all));
	for (size_t i = 0; i < nr; i++)
		fds[i].revents = all[i].revents;
	reap(children, children_nr);
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

/* --- the tree --- */

struct process {
	pid_t pid, parent;
	bool is_zombie, is_ours;
};

struct process_list {
	struct process *items;
	size_t nr, alloc;
};

int serve_tree_adopt(struct err *err)
{
	if (prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L))
		return err_errno(err, "cannot adopt orphaned descendants");
	return 0;
}

/* "pid (name) state parent ...": the name may hold anything, also ')'. */
static bool read_process(const char *pid, struct process *p)
{
	char path[64], text[512];
	const char *behind;
	FILE *f;
	size_t len;
	int parent;
	char state;

	snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	len = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[len] = '\0';
	behind = strrchr(text, ')');
	if (!behind || sscanf(behind + 1, " %c %d", &state, &parent) != 2)
		return false;
	*p = (struct process){.pid = (pid_t)strtol(pid, NULL, 10),
			      .parent = parent,
			      .is_zombie = state == 'Z' || state == 'X'};
	return true;
}

static void read_all(struct process_list *all)
{
	DIR *d = opendir("/proc");
	struct dirent *e;

	while (d && (e = readdir(d))) {
		struct process p;

		if (e->d_name[0] < '1' || e->d_name[0] > '9' ||
		    !read_process(e->d_name, &p))
			continue;
		GROW(all->items, all->nr, all->alloc);
		all->items[all->nr++] = p;
	}
	if (d)
		closedir(d);
}

static bool is_child_of(const struct process_list *all, const struct process *p,
			pid_t root)
{
	if (p->parent == root)
		return true;
	for (size_t i = 0; i < all->nr; i++)
		if (all->items[i].is_ours && all->items[i].pid == p->parent)
			return true;
	return false;
}

/* All living descendants of this process, zombies left out; free() *ret. */
static size_t list_descendants(pid_t **ret)
{
	struct process_list all = {0};
	pid_t root = getpid();
	size_t nr = 0;
	bool found = true;

	read_all(&all);
	while (found) {
		found = false;
		for (size_t i = 0; i < all.nr; i++) {
			struct process *p = &all.items[i];

			if (p->is_ours || !is_child_of(&all, p, root))
				continue;
			p->is_ours = found = true;
		}
	}
	*ret = x_calloc(all.nr + 1, sizeof(**ret));
	for (size_t i = 0; i < all.nr; i++)
		if (all.items[i].is_ours && !all.items[i].is_zombie)
			(*ret)[nr++] = all.items[i].pid;
	free(all.items);
	return nr;
}

/* Signals those that are there, again and again as new ones may come; how many remain. */
static size_t end_with(int sig, int64_t deadline, struct serve_child *watched)
{
	pid_t *pids, *told = NULL;
	size_t nr, told_nr = 0, told_alloc = 0;

	for (;;) {
		reap(&watched, 1);
		nr = list_descendants(&pids);
		for (size_t i = 0; i < nr; i++) {
			bool is_told = false;

			for (size_t j = 0; j < told_nr; j++)
				is_told |= told[j] == pids[i];
			if (is_told && sig != SIGKILL)
				continue; /* a second SIGTERM means 'at once' to some */
			kill(pids[i], sig);
			GROW(told, told_nr, told_alloc);
			told[told_nr++] = pids[i];
		}
		free(pids);
		if (!nr || clock_passed(deadline))
			break;
		poll(NULL, 0, LOOK_AGAIN_MS);
	}
	free(told);
	return nr;
}

int serve_tree_end(int64_t grace_ns, struct serve_child *watched, struct err *err)
{
	struct buf names;
	pid_t *pids;
	size_t nr;

	if (!end_with(SIGTERM, clock_deadline_ns(grace_ns), watched) ||
	    !end_with(SIGKILL, clock_deadline_ns(kill_wait_ns), watched))
		return 0;
	nr = list_descendants(&pids);
	buf_init(&names, 400);
	buf_puts(&names, "");
	for (size_t i = 0; i < nr; i++)
		buf_printf(&names, "%s%d", i ? ", " : "", (int)pids[i]);
	err_set(err, ERR_ENVIRONMENT,
		"%zu process(es) of the server do not end even on SIGKILL: %s; see their "
		"state in /proc/PID/stack",
		nr, names.data);
	buf_release(&names);
	free(pids);
	return nr ? -1 : 0;
}
