#include "inference/mock/mock.h"

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/stop.h"
#include "inference/mock/mock_server.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const int64_t stop_grace_ns = 5 * NS_PER_S;

enum { URL_SIZE = 80 };

struct mock {
	struct mock_config config; /* our copy */
	struct mock_server server;
	enum mock_place place;
	pthread_t thread;
	pid_t pid;
	int listen_fd;
	int stop_read, stop_write; /* a byte, or the end of it, ends the server */
	FILE *truth;
	char url[URL_SIZE];
};

static void copy_config(struct mock_config *to, const struct mock_config *from)
{
	*to = *from;
	to->address = x_strdup(from->address);
	to->model = x_strdup(from->model);
	to->truth_file = x_strdup(from->truth_file);
	to->faults = (struct strvec){0};
	strvec_add_all(&to->faults, strvec_argv(&from->faults));
}

static socklen_t make_address(const struct mock_config *c, struct sockaddr_storage *ret)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;

	*ret = (struct sockaddr_storage){0};
	if (inet_pton(AF_INET, c->address, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)c->port);
		return sizeof(*v4);
	}
	inet_pton(AF_INET6, c->address, &v6->sin6_addr);
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons((uint16_t)c->port);
	return sizeof(*v6);
}

/*
 * Set on the listening socket, whose connections inherit them: a request can be there
 * before its connection is accepted, and shall have a stamp too. Both are refinements.
 */
static void configure(int fd)
{
	int on = 1;
	int stamps = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &stamps, sizeof(stamps));
}

static const char *remedy_of(int code)
{
	static const struct {
		int code;
		const char *remedy;
	} remedies[] = {
		{EADDRINUSE, " (another program has it; --port 0 takes a free one)"},
		{EADDRNOTAVAIL, " (--address must be one of this machine's)"},
		{EACCES, " (ports below 1024 are root's; --port takes another)"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(remedies); i++)
		if (remedies[i].code == code)
			return remedies[i].remedy;
	return "";
}

/* A listening socket; -1 with err. 'url' says where. */
static int listen_at(const struct mock_config *c, char url[URL_SIZE], struct err *err)
{
	struct sockaddr_storage a;
	socklen_t len = make_address(c, &a);
	bool is_v4 = a.ss_family == AF_INET;
	int on = 1;
	int fd = socket(a.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_errno(err, "mock: cannot make a socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	configure(fd);
	if (bind(fd, (struct sockaddr *)&a, len) || listen(fd, 4096) ||
	    getsockname(fd, (struct sockaddr *)&a, &len)) {
		err_errno(err, "mock: cannot listen on %s port %lld%s", c->address,
			  (long long)c->port, remedy_of(errno));
		close(fd);
		return -1;
	}
	snprintf(url, URL_SIZE, is_v4 ? "http://%s:%d" : "http://[%s]:%d", c->address,
		 ntohs(is_v4 ? ((struct sockaddr_in *)&a)->sin_port
			     : ((struct sockaddr_in6 *)&a)->sin6_port));
	return fd;
}

static int open_truth(const struct mock_config *c, FILE **ret, struct err *err)
{
	*ret = NULL;
	if (!c->truth_file)
		return 0;
	*ret = fopen(c->truth_file, "we");
	if (!*ret)
		return err_errno(err, "mock: cannot write %s", c->truth_file);
	setvbuf(*ret, NULL, _IOFBF, 1 << 20);
	return 0;
}

/* A truth with a hole must not pass for the whole: on a full disk, say. */
static int close_truth(struct mock *m, struct err *err)
{
	bool failed = m->truth && ferror(m->truth);

	failed = (m->truth && fclose(m->truth)) || failed;
	m->truth = NULL;
	if (failed)
		return err_set(err, ERR_ENVIRONMENT,
			       "mock: cannot write all of %s; is there room for it?",
			       m->config.truth_file);
	return 0;
}

static void *thread_main(void *arg)
{
	struct mock *m = arg;

	mock_server_run(&m->server);
	return NULL;
}

static int start_thread(struct mock *m, struct err *err)
{
	sigset_t all, old;
	int rc;

	/* Signals are the program's affair, not this thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&m->thread, NULL, thread_main, m);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc) {
		errno = rc;
		return err_errno(err, "mock: cannot start a thread");
	}
	return 0;
}

/* Closes what the child inherited beside 'keep': the parent's files and their locks. */
static void close_others(const int *keep, size_t nr)
{
	DIR *d = opendir("/proc/self/fd");
	struct dirent *e;

	while (d && (e = readdir(d))) {
		int fd = (int)strtol(e->d_name, NULL, 10);
		bool is_kept = fd <= STDERR_FILENO || fd == dirfd(d);

		for (size_t i = 0; i < nr; i++)
			is_kept = is_kept || fd == keep[i];
		if (!is_kept)
			close(fd);
	}
	if (d)
		closedir(d);
}

static void child_main(struct mock *m)
{
	const int keep[] = {m->server.net.epoll_fd, m->listen_fd, m->stop_read,
			    m->truth ? fileno(m->truth) : -1};
	struct err err = ERR_INIT;

	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	signal(SIGINT, SIG_IGN); /* Ctrl-C reaches the parent, which then ends us */
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	close(m->stop_write); /* else the pipe stays open when our parent dies */
	close_others(keep, ARRAY_SIZE(keep));
	mock_server_run(&m->server);
	mock_server_release(&m->server);
	_exit(close_truth(m, &err) ? log_failure(&err) : 0);
}

static int start_process(struct mock *m, struct err *err)
{
	m->pid = fork();
	if (m->pid < 0)
		return err_errno(err, "mock: cannot fork");
	if (m->pid == 0)
		child_main(m);
	close(m->listen_fd); /* once the child has gone, nobody listens */
	m->listen_fd = -1;
	return 0;
}

static void mock_free(struct mock *m)
{
	const int fds[] = {m->listen_fd, m->stop_read, m->stop_write};
	struct err err = ERR_INIT;

	mock_server_release(&m->server);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	if (close_truth(m, &err))
		log_warn("%s", err.text);
	fields_release(mock_fields, &m->config);
	free(m);
}

/* Listens, but does not serve yet. */
static struct mock *mock_new(const struct mock_config *config, struct err *err)
{
	struct mock *m;

	if (mock_config_check(config, err))
		return NULL;
	m = x_calloc(1, sizeof(*m));
	m->server.net.epoll_fd = m->stop_read = m->stop_write = -1;
	copy_config(&m->config, config);
	m->listen_fd = listen_at(config, m->url, err);
	if (m->listen_fd >= 0 && open_truth(config, &m->truth, err) == 0)
		return m;
	mock_free(m);
	return NULL;
}

static int start(struct mock *m, struct err *err)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		return err_errno(err, "mock: cannot make a pipe");
	m->stop_read = fds[0];
	m->stop_write = fds[1];
	if (mock_server_init(&m->server, &m->config, m->listen_fd, m->stop_read, m->truth,
			     err))
		return -1;
	return m->place == MOCK_THREAD ? start_thread(m, err) : start_process(m, err);
}

struct mock *mock_start(const struct mock_config *config, enum mock_place place,
			struct err *err)
{
	struct mock *m = mock_new(config, err);

	if (!m)
		return NULL;
	m->place = place;
	if (start(m, err)) {
		mock_free(m);
		return NULL;
	}
	return m;
}

pid_t mock_pid(const struct mock *m)
{
	return m->pid;
}

const char *mock_url(const struct mock *m)
{
	return m->url;
}

/* Its own end, or SIGKILL after the grace; who is not gone by then is left to the kernel. */
static void reap(pid_t pid)
{
	int64_t grace = clock_deadline_ns(stop_grace_ns);
	int64_t deadline = clock_deadline_ns(2 * stop_grace_ns);
	bool is_killed = false;
	/* -1 where the kernel refuses it: then poll() is only a pause between two looks. */
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd end = {.fd = fd, .events = POLLIN};

	while (waitpid(pid, NULL, WNOHANG) == 0 && !clock_passed(deadline)) {
		if (!is_killed && clock_passed(grace))
			is_killed = kill(pid, SIGKILL) == 0;
		poll(&end, fd >= 0,
		     clock_poll_ms(is_killed ? deadline : grace, fd >= 0 ? 1000 : 5));
	}
	if (fd >= 0)
		close(fd);
}

void mock_stop(struct mock *m)
{
	if (!m)
		return;
	/* Not by the pipe's end alone: another child of ours may hold it open. */
	(void)!write(m->stop_write, "", 1);
	if (m->place == MOCK_THREAD)
		pthread_join(m->thread, NULL);
	else
		reap(m->pid);
	mock_free(m);
}

int mock_serve(const struct mock_config *config,
	       void (*on_ready)(void *ctx, const char *url), void *ctx, struct err *err)
{
	struct mock *m = mock_new(config, err);
	int rc;

	if (!m)
		return -1;
	rc = mock_server_init(&m->server, &m->config, m->listen_fd, stop_fd(), m->truth,
			      err);
	if (!rc) {
		if (on_ready)
			on_ready(ctx, m->url);
		mock_server_run(&m->server);
	}
	mock_server_release(&m->server);
	m->server = (struct mock_server){.net.epoll_fd = -1};
	if (close_truth(m, rc ? NULL : err))
		rc = -1;
	mock_free(m);
	return rc;
}
