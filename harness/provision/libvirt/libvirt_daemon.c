#include "harness/provision/libvirt/libvirt_daemon.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/base/proc.h"

#include <fcntl.h>
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

int libvirt_daemon_start(struct err *err)
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
