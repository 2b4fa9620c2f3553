#include "harness/provision/libvirt/libvirt_connection.h"

#include "core/base/clock.h"
#include "core/base/detached_call.h"
#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/base/proc.h"
#include "harness/provision/provisioner_impl.h"

#include <fcntl.h>
#include <libvirt/virterror.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_TIME (60 * NS_PER_S)
#define IDLE_SECONDS "120"
#define OUTPUT_MAX ((size_t)16384)
#define MAIN_DAEMON "/usr/sbin/libvirtd"
#define LOG_DAEMON "/usr/sbin/virtlogd"
#define QEMU_CONF "/etc/libvirt/qemu.conf"

/* The child's status when it could not make its surroundings. */
enum { NO_NAMESPACE = 99 };

static const char qemu_conf[] = "user = \"root\"\n"
				"group = \"root\"\n"
				"dynamic_ownership = 0\n"
				"security_driver = \"none\"\n"
				"cgroup_controllers = []\n"
				"namespaces = []\n"
				"stdio_handler = \"file\"\n";

/* ---- the daemon, where no service manager starts it ---- */

static int start(const char *program, struct err *err)
{
	const char *const argv[] = {program, "--daemon", "--timeout", IDLE_SECONDS, NULL};
	struct proc_spec spec = {
		.argv = argv,
		.timeout_ns = START_TIME,
		.output_max = OUTPUT_MAX,
	};
	struct proc_outcome outcome;

	/*
	 * A status other than 0 may only mean that another process was quicker; whether
	 * libvirt answers is what counts, and the caller tries that.
	 */
	if (proc_run(&spec, &outcome, err))
		return -1;
	proc_outcome_release(&outcome);
	return 0;
}

/*
 * In a plain chroot "/" is no mount point, so nothing can be said of its mounts. A mount
 * point that is there is made ours alone, and carries a tmpfs with "/" bound into it: that
 * is a mount point, and becomes our root.
 */
static int enter_own_root(void)
{
	if (mount(NULL, "/proc", NULL, MS_PRIVATE, NULL) ||
	    mount("tmpfs", "/proc", "tmpfs", 0, NULL) || mkdir("/proc/root", 0755) ||
	    mount("/", "/proc/root", NULL, MS_BIND | MS_REC, NULL) ||
	    mount(NULL, "/proc/root", NULL, MS_REC | MS_SLAVE, NULL) ||
	    chdir("/proc/root") || chroot("."))
		return -1;
	return umount2("/proc",
		       MNT_DETACH); /* the tmpfs above; the real one shows again */
}

/* Between fork and exec: system calls only. */
static void become_daemon(const char *conf)
{
	char *const argv[] = {(char[]){MAIN_DAEMON}, (char[]){"--daemon"},
			      (char[]){"--timeout"}, (char[]){IDLE_SECONDS}, NULL};
	int null = open("/dev/null", O_RDWR);

	dup2(null, 0);
	dup2(null, 1);
	dup2(null, 2);
	/* Later mounts of the system still show, ours do not leak out. */
	if (unshare(CLONE_NEWNS))
		_exit(NO_NAMESPACE);
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) && enter_own_root())
		_exit(NO_NAMESPACE);
	if (mount(conf, QEMU_CONF, NULL, MS_BIND, NULL))
		_exit(NO_NAMESPACE);
	execv(MAIN_DAEMON, argv);
	_exit(127);
}

/* The exit status of a child that ends soon; a child that does not is killed. */
static int wait_child(pid_t pid)
{
	int64_t deadline = clock_deadline_ns(START_TIME);
	int status = 0;
	pid_t ended;

	while ((ended = waitpid(pid, &status, WNOHANG)) == 0) {
		if (clock_passed(deadline))
			kill(pid, SIGKILL);
		clock_sleep_until(clock_deadline_ns(5 * NS_PER_MS));
	}
	return ended == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* 1: started; 0: cannot be done here; -1: an error. */
static int start_apart(struct err *err)
{
	char *dir = dir_make_temporary("tare-libvirt", err);
	char *conf;
	int rc = -1;

	if (!dir)
		return -1;
	conf = path_join(dir, "qemu.conf");
	if (file_write(conf, qemu_conf, strlen(qemu_conf), 0644, err) == 0) {
		pid_t pid = fork();

		if (pid == 0)
			become_daemon(conf);
		if (pid < 0)
			err_errno(err, "start %s", MAIN_DAEMON);
		else
			rc = wait_child(pid) != NO_NAMESPACE;
	}
	/* The mount keeps the file for the daemon. */
	dir_remove(dir, NULL);
	free(conf);
	free(dir);
	return rc;
}

/*
 * Where no service manager starts libvirtd, as in a container, we do. It gets --timeout, so
 * that it ends by itself when nobody has used it for two minutes. That one is there already
 * is no error.
 *
 * The daemon sees a qemu.conf of ours in place of the system's, in a mount namespace of its
 * own where one can be made: QEMU as root without control groups, namespaces and security
 * drivers, which a container may not have, and logs written without virtlogd. Where QEMU's
 * account cannot open /dev/kvm, libvirt would otherwise ask QEMU anew for its abilities at
 * every step of every start: 100 s for one machine as against 1 s. Without a namespace,
 * virtlogd and libvirtd start as they are.
 */
static int start_daemon(struct err *err)
{
	int rc;

	if (file_exists("/run/systemd/system"))
		return err_set(err, ERR_ENVIRONMENT,
			       "libvirt's service does not run; start it with "
			       "'systemctl start libvirtd'");
	if (geteuid() != 0)
		return err_set(err, ERR_ENVIRONMENT,
			       "libvirt does not run and only root can start it: run "
			       "'virtlogd --daemon' and 'libvirtd --daemon' as root");
	if (!file_exists(MAIN_DAEMON) || !file_exists(QEMU_CONF))
		return err_set(
			err, ERR_ENVIRONMENT,
			"libvirt is not installed (packages libvirt-daemon-system, "
			"libvirt-daemon-driver-qemu); 'scripts/setup --install "
			"demo' installs it");
	rc = start_apart(err);
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	return start(LOG_DAEMON, err) || start(MAIN_DAEMON, err) ? -1 : 0;
}

static const int64_t daemon_time_ns = 20 * NS_PER_S;

enum { KEEPALIVE_S = 5, KEEPALIVE_MISSES = 3 }; /* together LIBVIRT_SILENCE */

int libvirt_failed(struct err *err, const char *what)
{
	const virError *e = virGetLastError();

	return err_set_code(err, ERR_ENVIRONMENT, "libvirt", e ? e->code : 0, "%s: %s",
			    what, e && e->message ? e->message : "no reason given");
}

/* libvirt's default prints every error on stderr, expected ones too. */
static void keep_quiet(void *ctx, virErrorPtr e)
{
	(void)ctx;
	(void)e;
}

/* Once a process, and before any connection: libvirt keeps it for good. */
static void set_up(void)
{
	virSetErrorFunc(NULL, keep_quiet);
	virEventRegisterDefaultImpl();
}

/* ---- opening, with a deadline ---- */

struct opening {
	char *uri;
	virConnectPtr conn;
	struct err why;
};

static void opening_free(void *ctx)
{
	struct opening *o = ctx;

	if (o->conn)
		virConnectClose(o->conn);
	free(o->uri);
	free(o);
}

static void open_it(void *ctx)
{
	struct opening *o = ctx;

	o->conn = virConnectOpen(o->uri);
	if (!o->conn)
		libvirt_failed(&o->why, o->uri);
}

static int not_opened(const char *uri, enum detached_end end, struct err *err)
{
	if (end == DETACHED_STOPPED)
		return err_set(err, ERR_INTERRUPTED, "interrupted");
	if (end == DETACHED_NO_THREAD)
		return err_set(err, ERR_ENVIRONMENT, "no thread for libvirt");
	return err_set(err, ERR_ENVIRONMENT,
		       "%s: libvirt's daemon took the connection and has not "
		       "answered for %d s; restart it",
		       uri, (int)(LIBVIRT_OPEN_TIME / NS_PER_S));
}

/* Opens, or gives up at the deadline. *ret is NULL after an error. */
static int open_in_time(const char *uri, virConnectPtr *ret, struct err *err)
{
	static const struct detached_call call = {.run = open_it,
						  .release = opening_free};
	struct opening *o = x_calloc(1, sizeof(*o));
	enum detached_end end;

	*ret = NULL;
	*o = (struct opening){.uri = x_strdup(uri), .why = ERR_INIT};
	end = detached_call_run(&call, o, clock_deadline_ns(LIBVIRT_OPEN_TIME));
	if (end != DETACHED_DONE)
		return not_opened(uri, end, err);
	*ret = o->conn;
	if (!o->conn && err)
		*err = o->why;
	o->conn = NULL;
	opening_free(o);
	return *ret ? 0 : -1;
}

/* ---- the event loop, for keepalive ---- */

/* Does nothing: it only wakes the loop, and run_loop() looks at the pipe. */
static void on_wake(int watch, int fd, int events, void *ctx)
{
	(void)watch;
	(void)fd;
	(void)events;
	(void)ctx;
}

/* Ends when the pipe's other end is closed. */
static void *run_loop(void *ctx)
{
	int fd = *(int *)ctx;
	struct pollfd end = {.fd = fd, .events = POLLIN};

	free(ctx);
	while (poll(&end, 1, 0) == 0 && virEventRunDefaultImpl() == 0)
		;
	return NULL;
}

/* Before the pipe is closed: its number may soon be another file's. */
static void drop_watch(struct libvirt_connection *c)
{
	if (c->watch >= 0)
		virEventRemoveHandle(c->watch);
	c->watch = -1;
}

static int start_loop(struct libvirt_connection *c, struct err *err)
{
	int *fd;

	if (pipe2(c->wake, O_CLOEXEC))
		return err_errno(err, "pipe");
	fd = x_malloc(sizeof(*fd));
	*fd = c->wake[0];
	/* Wakes the loop; without it a loop that waits would not see the pipe's end. */
	c->watch = virEventAddHandle(c->wake[0],
				     VIR_EVENT_HANDLE_READABLE | VIR_EVENT_HANDLE_HANGUP,
				     on_wake, NULL, NULL);
	if (c->watch < 0 || detached_start(&c->loop, run_loop, fd)) {
		drop_watch(c);
		free(fd);
		close(c->wake[0]);
		close(c->wake[1]);
		return err_set(err, ERR_ENVIRONMENT, "no event loop for libvirt");
	}
	c->has_loop = true;
	return 0;
}

static void end_loop(struct libvirt_connection *c)
{
	if (!c->has_loop)
		return;
	close(c->wake[1]);
	pthread_join(c->loop, NULL);
	drop_watch(c);
	close(c->wake[0]);
	c->has_loop = false;
}

/* ---- connecting ---- */

static int try_open(struct libvirt_connection *c, const char *uri, struct err *err)
{
	size_t len = strcspn(uri, "?");

	if (open_in_time(uri, &c->conn, err))
		return -1;
	c->is_system = len >= 7 && strncmp(uri + len - 7, "/system", 7) == 0;
	/* An old daemon refuses this; then calls have no time limit. */
	(void)virConnectSetKeepAlive(c->conn, KEEPALIVE_S, KEEPALIVE_MISSES);
	return 0;
}

static int start_and_open(struct libvirt_connection *c, struct err *err)
{
	int64_t deadline = clock_deadline_ns(daemon_time_ns);
	struct err why = ERR_INIT;

	if (start_daemon(err))
		return -1;
	for (;;) {
		err_clear(&why);
		if (!try_open(c, "qemu:///system", &why))
			return 0;
		if (clock_passed(deadline)) {
			*err = why;
			return err_wrap(err, "libvirtd was started but does not answer");
		}
		if (lease_pause(100 * NS_PER_MS, err))
			return -1;
	}
}

static int open_any(struct libvirt_connection *c, const char *uri, bool starts_daemon,
		    struct err *err)
{
	struct err why = ERR_INIT, later = ERR_INIT;

	if (uri)
		return try_open(c, uri, err);
	if (!try_open(c, "qemu:///system", &why) ||
	    (geteuid() != 0 && !try_open(c, "qemu:///session", &later)))
		return 0;
	/* Only if libvirt itself says that no daemon runs: starting another helps neither
	 * against a silent one nor after Ctrl-C. */
	if (!starts_daemon || !why.origin) {
		if (err)
			*err = why;
		return -1;
	}
	return start_and_open(c, err);
}

int libvirt_connect(struct libvirt_connection *c, const char *uri, bool starts_daemon,
		    struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	if (c->conn && virConnectIsAlive(c->conn) == 1)
		return 0;
	libvirt_disconnect(c);
	pthread_once(&once, set_up);
	if (start_loop(c, err))
		return -1;
	if (!open_any(c, uri, starts_daemon, err))
		return 0;
	libvirt_disconnect(c);
	return -1;
}

void libvirt_disconnect(struct libvirt_connection *c)
{
	if (c->conn)
		virConnectClose(c->conn);
	c->conn = NULL;
	end_loop(c);
}
