#include "inference/serve/serve_tree.h"

#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const int64_t kill_wait_ns = 10 * NS_PER_S;
enum { LOOK_AGAIN_MS = 20 };

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

size_t serve_tree_list(pid_t root, pid_t **ret)
{
	struct process_list all = {0};
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

static void reap_all(pid_t watched, int *ret_status)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == watched && ret_status)
			*ret_status = status;
}

/* Signals those that are there, again and again as new ones may come; how many remain. */
static size_t end_with(int sig, int64_t deadline, pid_t watched, int *ret_status)
{
	pid_t *pids, *told = NULL;
	size_t nr, told_nr = 0, told_alloc = 0;

	for (;;) {
		reap_all(watched, ret_status);
		nr = serve_tree_list(getpid(), &pids);
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

int serve_tree_end(int64_t grace_ns, pid_t watched, int *ret_status, struct err *err)
{
	struct buf names;
	pid_t *pids;
	size_t nr;

	if (!end_with(SIGTERM, clock_deadline_ns(grace_ns), watched, ret_status) ||
	    !end_with(SIGKILL, clock_deadline_ns(kill_wait_ns), watched, ret_status))
		return 0;
	nr = serve_tree_list(getpid(), &pids);
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
