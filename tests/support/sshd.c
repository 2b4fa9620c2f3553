#include "tests/support/sshd.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/base/proc.h"
#include "core/base/strvec.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static const char server_path[] = "/usr/sbin/sshd";

/* Standard output of a command that must succeed; free(). NULL: it did not. */
static char *output_of(const char *const *argv)
{
	struct proc_outcome o;
	char *text;

	if (proc_run_ok(&(struct proc_spec){.argv = argv,
					    .timeout_ns = 30 * NS_PER_S,
					    .output_max = 65536},
			&o, NULL))
		return NULL;
	text = buf_detach(&o.out);
	proc_outcome_release(&o);
	return text;
}

static char *make_key(const char *dir, const char *name)
{
	char *path = path_join(dir, name);
	const char *argv[] = {"ssh-keygen", "-q", "-t", "ed25519", "-N",
			      "",           "-f", path, NULL};

	free(output_of(argv));
	return path;
}

static char *read_public(const char *key)
{
	char *path = x_asprintf("%s.pub", key);
	struct buf text;

	if (file_read(path, 65536, &text, NULL))
		buf_init(&text, 16);
	free(path);
	return text.data;
}

static void write_text(const char *dir, const char *name, const char *text)
{
	char *path = path_join(dir, name);

	(void)file_write(path, text, strlen(text), 0600, NULL);
	free(path);
}

/* The second word of "256 SHA256:... comment (ED25519)". */
static char *key_fingerprint(const char *key)
{
	const char *argv[] = {"ssh-keygen", "-lf", key, NULL};
	char *line = output_of(argv), *save = NULL, *word, *ret = NULL;

	if (line && strtok_r(line, " ", &save) && (word = strtok_r(NULL, " ", &save)))
		ret = x_strdup(word);
	free(line);
	return ret;
}

static void write_config(struct sshd *s)
{
	char *text = x_asprintf("HostKey %s/host\n"
				"AuthorizedKeysFile %s/authorized_keys\n"
				"StrictModes no\n"
				"UsePAM no\n"
				"PasswordAuthentication no\n"
				"KbdInteractiveAuthentication no\n"
				"PermitRootLogin prohibit-password\n"
				"PidFile none\n"
				"MaxStartups 1000\n"
				"PerSourcePenalties no\n"
				"SetEnv TMPDIR=%s XDG_CACHE_HOME=%s\n",
				s->dir, s->dir, s->tmp, s->cache);
	const char *argv[] = {server_path, "-t", "-f", NULL, NULL};
	char *path = path_join(s->dir, "config"), *penalties;

	argv[3] = path;
	write_text(s->dir, "config", text);
	/* Newer servers slow down whoever fails often; older ones do not know the word.
	 */
	char *ok = output_of(argv);
	if (!ok && (penalties = strstr(text, "PerSourcePenalties no\n"))) {
		memset(penalties, '#', strlen("PerSourcePenalties no"));
		write_text(s->dir, "config", text);
	}
	free(ok);
	free(path);
	free(text);
}

static void write_files(struct sshd *s)
{
	char *host = make_key(s->dir, "host");
	char *public, *line;

	s->key_file = make_key(s->dir, "user");
	s->other_key = make_key(s->dir, "other");
	s->tmp = path_join(s->dir, "tmp");
	s->cache = path_join(s->dir, "cache");
	(void)dir_make(s->tmp, 0700, NULL);
	(void)dir_make(s->cache, 0700, NULL);
	public = read_public(s->key_file);
	write_text(s->dir, "authorized_keys", public);
	free(public);
	public = read_public(host);
	line = x_asprintf("[127.0.0.1]:%u %s", s->port, public);
	write_text(s->dir, "known_hosts", line);
	s->known_hosts = path_join(s->dir, "known_hosts");
	s->host_key_sha256 = key_fingerprint(host);
	write_config(s);
	free(line);
	free(public);
	free(host);
}

static int listen_on_loopback(uint16_t *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 16) ||
	    getsockname(fd, (struct sockaddr *)&a, &len))
		return -1;
	*port = ntohs(a.sin_port);
	return fd;
}

static pid_t start_server(struct sshd *s, int fd)
{
	char *config = path_join(s->dir, "config");
	char *log = path_join(s->dir, "log");
	const char *argv[] = {server_path, "-i", "-f", config, "-E", log, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	pid_t pid = 0;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fd, 0);
	posix_spawn_file_actions_adddup2(&actions, fd, 1);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP);
	if (posix_spawn(&pid, server_path, &actions, &attr, (char *const *)argv, environ))
		pid = 0;
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	free(config);
	free(log);
	return pid;
}

/* Carries one piece; false at the end of the line. */
static bool carry(struct sshd *s, int from, int to, long long *carried)
{
	char chunk[65536];
	size_t want = sizeof(chunk), put = 0;
	ssize_t got;

	if (atomic_load(&s->fault) != SSHD_SOUND) {
		long long left = atomic_load(&s->fault_after) - *carried;

		if (left <= 0)
			return false;
		if ((unsigned long long)left < want)
			want = (size_t)left;
	}
	got = read(from, chunk, want);
	if (got <= 0)
		return false;
	*carried += got;
	while (put < (size_t)got) {
		ssize_t n = send(to, chunk + put, (size_t)got - put, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		put += (size_t)n;
	}
	return true;
}

/* A line that went silent stays open until the client gives up or the test ends. */
static void stay_silent(struct sshd *s, int client)
{
	struct pollfd gone = {.fd = client, .events = POLLRDHUP};

	while (!atomic_load(&s->is_ending) && atomic_load(&s->fault) == SSHD_SILENT &&
	       poll(&gone, 1, 50) == 0)
		;
}

static void serve(struct sshd *s, int client)
{
	int pair[2], fault, on = 1;
	long long carried = 0;
	bool open = true;

	(void)setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return;
	pid_t pid = start_server(s, pair[1]);

	close(pair[1]);
	atomic_store(&s->server, pid);
	while (open && !atomic_load(&s->is_ending)) {
		struct pollfd fds[] = {{.fd = client, .events = POLLIN},
				       {.fd = pair[0], .events = POLLIN}};

		if (poll(fds, 2, 50) < 0)
			break;
		fault = atomic_load(&s->fault);
		if (fault != SSHD_SOUND && carried >= atomic_load(&s->fault_after)) {
			if (fault == SSHD_SILENT)
				stay_silent(s, client);
			break;
		}
		if (fds[0].revents)
			open = carry(s, client, pair[0], &carried);
		if (open && fds[1].revents)
			open = carry(s, pair[0], client, &carried);
	}
	close(pair[0]);
	if (pid > 0) {
		atomic_store(&s->server, 0);
		waitpid(pid, NULL, 0);
	}
}

static void set_serving(struct sshd *s, bool serving)
{
	pthread_mutex_lock(&s->lock);
	s->is_serving = serving;
	pthread_cond_broadcast(&s->idle);
	pthread_mutex_unlock(&s->lock);
}

void sshd_wait_idle(struct sshd *s)
{
	struct pollfd waiting = {.fd = s->listener, .events = POLLIN};

	pthread_mutex_lock(&s->lock);
	while (s->is_serving || poll(&waiting, 1, 0) > 0)
		pthread_cond_wait(&s->idle, &s->lock);
	pthread_mutex_unlock(&s->lock);
}

static void *listen_thread(void *arg)
{
	struct sshd *s = arg;

	while (!atomic_load(&s->is_ending)) {
		struct pollfd fd = {.fd = s->listener, .events = POLLIN};
		int client;

		if (poll(&fd, 1, 50) <= 0)
			continue;
		set_serving(s, true);
		client = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
		if (client >= 0) {
			atomic_fetch_add(&s->connections, 1);
			serve(s, client);
			close(client);
		}
		set_serving(s, false);
	}
	return NULL;
}

struct sshd *sshd_start(void)
{
	struct sshd *s;

	if (access(server_path, X_OK) || access("/usr/bin/ssh-keygen", X_OK))
		return NULL;
	if (geteuid() == 0)
		(void)mkdir("/run/sshd",
			    0755); /* the server wants it for its privileges */
	s = x_calloc(1, sizeof(*s));
	s->dir = dir_make_temporary("tare-sshd", NULL);
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->idle, NULL);
	s->listener = listen_on_loopback(&s->port);
	write_files(s);
	pthread_create(&s->thread, NULL, listen_thread, s);
	return s;
}

void sshd_stop(struct sshd *s)
{
	if (!s)
		return;
	atomic_store(&s->is_ending, true);
	pthread_join(s->thread, NULL);
	close(s->listener);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->idle);
	(void)dir_remove(s->dir, NULL);
	free(s->dir);
	free(s->key_file);
	free(s->other_key);
	free(s->known_hosts);
	free(s->host_key_sha256);
	free(s->tmp);
	free(s->cache);
	free(s);
}

struct ssh_params sshd_params(const struct sshd *s)
{
	return (struct ssh_params){
		.host = "127.0.0.1",
		.port = s->port,
		.key_file = s->key_file,
		.known_hosts_file = s->known_hosts,
		.connect_timeout_ns = 20 * NS_PER_S,
	};
}

void sshd_set_fault(struct sshd *s, enum sshd_fault fault, long long after_bytes)
{
	atomic_store(&s->fault_after, after_bytes);
	atomic_store(&s->fault, fault);
}

void sshd_kill(struct sshd *s)
{
	int pid = atomic_load(&s->server);

	if (pid > 0)
		kill(-pid, SIGKILL);
}
