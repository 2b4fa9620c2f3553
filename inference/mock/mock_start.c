#include "inference/mock/mock_impl.h"

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/base/stop.h"

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
	int stop_write; /* closed or written to end it */
	int port;
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

/* A listening socket; -1 with err. 'url' and 'port' say where. */
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

static int listen_at(const struct mock_config *c, char url[URL_SIZE], int *port,
		     struct err *err)
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
	*port = ntohs(is_v4 ? ((struct sockaddr_in *)&a)->sin_port
			    : ((struct sockaddr_in6 *)&a)->sin6_port);
	snprintf(url, URL_SIZE, is_v4 ? "http://%s:%d" : "http://[%s]:%d", c->address,
		 *port);
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

static void config_release(struct mock_config *c)
{
	fields_release(mock_fields, c);
}

static void *thread_main(void *arg)
{
	struct mock *m = arg;

	mock_loop_run(&m->server);
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

/* Descriptors of the parent that are none of our business: its own, and their locks. */
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
	const int keep[] = {m->server.epoll_fd, m->server.listen_fd, m->server.stop_fd,
			    m->truth ? fileno(m->truth) : -1};

	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	signal(SIGINT, SIG_IGN); /* Ctrl-C reaches the parent, which then ends us */
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	close_others(keep, ARRAY_SIZE(keep));
	mock_loop_run(&m->server);
	mock_loop_release(&m->server);
	if (m->truth)
		fclose(m->truth);
	_exit(0);
}

static int start_process(struct mock *m, struct err *err)
{
	m->pid = fork();
	if (m->pid < 0)
		return err_errno(err, "mock: cannot fork");
	if (m->pid == 0) {
		close(m->stop_write); /* or the end of our parent would not be seen */
		child_main(m);
	}
	close(m->server.listen_fd); /* once the child has gone, nobody listens */
	m->server.listen_fd = -1;
	return 0;
}

static void mock_free(struct mock *m)
{
	mock_loop_release(&m->server);
	if (m->server.listen_fd >= 0)
		close(m->server.listen_fd);
	if (m->server.stop_fd >= 0)
		close(m->server.stop_fd);
	if (m->truth)
		fclose(m->truth);
	config_release(&m->config);
	free(m);
}

struct mock *mock_start(const struct mock_config *config, enum mock_place place,
			struct err *err)
{
	struct mock *m;
	int stop_fds[2] = {-1, -1}, listen_fd, rc;

	if (mock_config_check(config, err))
		return NULL;
	m = x_calloc(1, sizeof(*m));
	m->place = place;
	m->stop_write = -1;
	copy_config(&m->config, config);
	listen_fd = listen_at(config, m->url, &m->port, err);
	if (listen_fd < 0 || open_truth(config, &m->truth, err) ||
	    pipe2(stop_fds, O_CLOEXEC)) {
		if (listen_fd >= 0 && stop_fds[0] < 0 &&
		    (!config->truth_file || m->truth))
			err_errno(err, "mock: cannot make a pipe");
		m->server = (struct mock_server){
			.epoll_fd = -1, .listen_fd = listen_fd, .stop_fd = -1};
		mock_free(m);
		return NULL;
	}
	m->stop_write = stop_fds[1];
	rc = mock_loop_init(&m->server, &m->config, listen_fd, stop_fds[0], m->truth,
			    err);
	if (!rc)
		rc = place == MOCK_THREAD ? start_thread(m, err) : start_process(m, err);
	if (rc) {
		close(m->stop_write);
		mock_free(m);
		return NULL;
	}
	return m;
}

int mock_port(const struct mock *m)
{
	return m->port;
}

pid_t mock_pid(const struct mock *m)
{
	return m->pid;
}

const char *mock_url(const struct mock *m)
{
	return m->url;
}

static void reap(pid_t pid)
{
	int64_t deadline = clock_deadline_ns(stop_grace_ns);
	/* Where the kernel refuses it, poll() only paces the looks. */
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd end = {.fd = fd, .events = POLLIN};

	while (waitpid(pid, NULL, WNOHANG) == 0) {
		if (clock_passed(deadline)) {
			kill(pid, SIGKILL);
			deadline = CLOCK_NEVER;
		}
		poll(&end, fd >= 0, clock_poll_ms(deadline, fd >= 0 ? 1000 : 5));
	}
	if (fd >= 0)
		close(fd);
}

void mock_stop(struct mock *m)
{
	if (!m)
		return;
	(void)!write(m->stop_write, "", 1); /* another child may hold the pipe open */
	close(m->stop_write);
	if (m->place == MOCK_THREAD) {
		pthread_join(m->thread, NULL);
	} else {
		reap(m->pid);
		/* The child wrote the file; what our copy of the stream holds is nothing.
		 */
	}
	mock_free(m);
}

int mock_serve(const struct mock_config *config,
	       void (*on_ready)(void *ctx, const char *url), void *ctx, struct err *err)
{
	struct mock_server s;
	char url[URL_SIZE];
	FILE *truth;
	int port, rc;
	int fd = mock_config_check(config, err) ? -1 : listen_at(config, url, &port, err);

	if (fd < 0)
		return -1;
	if (open_truth(config, &truth, err)) {
		close(fd);
		return -1;
	}
	rc = mock_loop_init(&s, config, fd, stop_fd(), truth, err);
	if (!rc) {
		if (on_ready)
			on_ready(ctx, url);
		mock_loop_run(&s);
	}
	mock_loop_release(&s);
	if (truth && fclose(truth) && !rc)
		rc = err_errno(err, "mock: cannot write %s", config->truth_file);
	close(fd);
	return rc;
}
