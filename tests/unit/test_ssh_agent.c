/*
 * Logins by ssh-agent (tests/support/ssh_rig.h): a real one, one that says nothing, and one
 * that lists a key which may log in and then never signs.
 */
#include "harness/target/ssh_agent.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "core/base/detached_call.h"
#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/base/stop.h"
#include "tests/support/child.h"
#include "tests/support/ssh_rig.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* draft-miller-ssh-agent, 4: what the fake one knows. */
enum { REQUEST_IDENTITIES = 11, IDENTITIES_ANSWER = 12, SIGN_REQUEST = 13 };

/* An agent that never comes to an end of what it is asked, until 'end' is closed. */
struct fake_agent {
	int listener, end[2];
	pthread_t thread;
	unsigned char key[1024]; /* listed; none: it does not even list */
	size_t key_len;
	bool stops; /* Ctrl-C as soon as a signature is asked for */
};

/* True when 'fd' can be read, false at the end. */
static bool await(const struct fake_agent *a, int fd)
{
	struct pollfd fds[] = {{.fd = a->end[0], .events = POLLIN},
			       {.fd = fd, .events = POLLIN}};

	(void)poll(fds, 2, 600000);
	return !fds[0].revents && fds[1].revents;
}

static bool read_all(const struct fake_agent *a, int fd, unsigned char *to, size_t len)
{
	while (len) {
		ssize_t got = await(a, fd) ? read(fd, to, len) : 0;

		if (got <= 0)
			return false;
		to += got;
		len -= (size_t)got;
	}
	return true;
}

static unsigned char *put_number(unsigned char *to, size_t n)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		*to++ = (unsigned char)(n >> shift);
	return to;
}

static void list_key(const struct fake_agent *a, int fd)
{
	unsigned char reply[sizeof(a->key) + 32];
	unsigned char *end = put_number(reply, 1 + 4 + 4 + a->key_len + 4);

	*end++ = IDENTITIES_ANSWER;
	end = put_number(put_number(end, 1), a->key_len);
	memcpy(end, a->key, a->key_len);
	end = put_number(end + a->key_len, 0);
	assert_int_equal(write(fd, reply, (size_t)(end - reply)), end - reply);
}

static void serve(const struct fake_agent *a, int fd)
{
	unsigned char head[5], body[4096];

	while (read_all(a, fd, head, sizeof(head))) {
		size_t len = ((size_t)head[2] << 8 | head[3]) - 1;

		if (len > sizeof(body) || !read_all(a, fd, body, len))
			break;
		if (head[4] == REQUEST_IDENTITIES && a->key_len) {
			list_key(a, fd);
			continue;
		}
		if (head[4] == SIGN_REQUEST && a->stops)
			kill(getpid(), SIGINT);
		(void)await(a, -1);
	}
	close(fd);
}

static void *be_agent(void *arg)
{
	struct fake_agent *a = arg;

	while (await(a, a->listener))
		serve(a, accept(a->listener, NULL, NULL));
	close(a->listener); /* who waits in its queue is let go too */
	return NULL;
}

static void agent_start(struct fake_agent *a, const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	a->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(a->listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(a->listener, 4), 0);
	assert_int_equal(pipe(a->end), 0);
	setenv("SSH_AUTH_SOCK", path, 1);
	assert_int_equal(detached_start(&a->thread, be_agent, a), 0);
}

static void agent_end(struct fake_agent *a)
{
	close(a->end[1]);
	pthread_join(a->thread, NULL);
	close(a->end[0]);
	unsetenv("SSH_AUTH_SOCK");
}

/* RFC 4648, 4; the second word of "ssh-ed25519 AAAA... comment". */
static void read_key(struct fake_agent *a, const char *key_file)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	char *path = x_asprintf("%s.pub", key_file);
	unsigned bits = 0, held = 0;
	struct buf text;

	assert_int_equal(file_read(path, 1024, &text, NULL), 0);
	for (const char *c = strchr(text.data, ' ') + 1; strchr(digits, *c); c++) {
		bits = bits << 6 | (unsigned)(strchr(digits, *c) - digits);
		held += 6;
		if (held >= 8)
			a->key[a->key_len++] = (unsigned char)(bits >> (held -= 8));
	}
	buf_release(&text);
	free(path);
}

/* Who is too busy to get as far as the agent in that time is given more. */
static void refused_in_time(struct ssh_params *p, const char *why)
{
	struct err err = ERR_INIT;

	for (p->connect_timeout_ns = 3 * NS_PER_S; p->connect_timeout_ns < 60 * NS_PER_S;
	     p->connect_timeout_ns *= 2) {
		assert_null(target_ssh_new(p, &err));
		assert_int_equal(err.kind, ERR_ENVIRONMENT);
		if (strstr(err.text, why))
			return;
	}
	fail_msg("'%s' is not in: %s", why, err.text);
}

static void test_a_mute_agent(void **state)
{
	struct ssh_params p = sshd_params(ssh_rig(state)->server);
	char *path = path_join(ssh_rig(state)->dir, "mute");
	struct fake_agent a = {.key_len = 0};
	struct target *t;

	agent_start(&a, path);
	t = target_ssh_new(&p, NULL); /* with a key of its own nobody asks the agent */
	assert_non_null(t);
	ssh_rig_close(t);
	p.key_file = NULL;
	refused_in_time(&p, "does not answer");
	refused_in_time(&p, path);
	agent_end(&a);
	free(path);
}

static void test_an_agent_that_never_signs(void **state)
{
	struct ssh_params p = sshd_params(ssh_rig(state)->server);
	char *path = path_join(ssh_rig(state)->dir, "unwilling");
	struct fake_agent a = {.key_len = 0};
	struct err err = ERR_INIT;
	int files;

	read_key(&a, p.key_file);
	sshd_wait_idle(ssh_rig(state)->server);
	files = ssh_rig_open_files();
	agent_start(&a, path);
	p.key_file = NULL;
	p.agent_timeout_ns = NS_PER_S / 10;
	assert_null(target_ssh_new(&p, &err));
	assert_int_equal(err.kind, ERR_ENVIRONMENT);
	if (!strstr(err.text, path))
		fail_msg("the agent is not blamed: %s", err.text);
	agent_end(&a);
	sshd_wait_idle(ssh_rig(state)->server);
	assert_int_equal(ssh_rig_open_files(), files);
	free(path);
}

static void test_a_stop_while_it_signs_body(void **state)
{
	struct ssh_params p = sshd_params(ssh_rig(state)->server);
	char *path = path_join(ssh_rig(state)->dir, "stopped");
	struct fake_agent a = {.stops = true};
	struct err err = ERR_INIT;

	read_key(&a, p.key_file);
	agent_start(&a, path);
	p.key_file = NULL;
	assert_null(target_ssh_new(&p, &err));
	assert_int_equal(err.kind, ERR_INTERRUPTED);
	agent_end(&a);
	free(path);
}

static void test_a_stop_while_it_signs(void **state)
{
	child_run(test_a_stop_while_it_signs_body, state);
}

static void run_ok(const char *const *argv, struct proc_outcome *ret)
{
	const struct proc_spec spec = {
		.argv = argv, .timeout_ns = 30 * NS_PER_S, .output_max = 4096};
	struct err err = ERR_INIT;

	if (proc_run_ok(&spec, ret, &err))
		fail_msg("%s", err.text);
}

/* OpenSSH's own. It says "SSH_AGENT_PID=123;" and goes on in the background. */
static void test_an_agent_that_signs(void **state)
{
	struct ssh_params p = sshd_params(ssh_rig(state)->server);
	char *path = path_join(ssh_rig(state)->dir, "real");
	const char *const start[] = {"ssh-agent", "-s", "-a", path, NULL};
	const char *const add[] = {"ssh-add", "-q", p.key_file, NULL};
	struct proc_outcome said, added;
	struct target *t;
	int files;
	long pid;

	if (access("/usr/bin/ssh-agent", X_OK) || access("/usr/bin/ssh-add", X_OK))
		skip();
	run_ok(start, &said);
	pid = strtol(strstr(said.out.data, "SSH_AGENT_PID=") + 14, NULL, 10);
	assert_true(pid > 1);
	setenv("SSH_AUTH_SOCK", path, 1);
	run_ok(add, &added);
	p.key_file = NULL;
	sshd_wait_idle(ssh_rig(state)->server);
	files = ssh_rig_open_files();
	t = target_ssh_new(&p, NULL);
	unsetenv("SSH_AUTH_SOCK");
	kill((pid_t)pid, SIGTERM);
	assert_non_null(t);
	ssh_rig_close(t);
	sshd_wait_idle(ssh_rig(state)->server);
	assert_int_equal(ssh_rig_open_files(), files);
	proc_outcome_release(&said);
	proc_outcome_release(&added);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_agent_that_signs),
		cmocka_unit_test(test_a_mute_agent),
		cmocka_unit_test(test_an_agent_that_never_signs),
		cmocka_unit_test(test_a_stop_while_it_signs),
	};

	if (ssh_rig_missing())
		return 77;
	return cmocka_run_group_tests(tests, ssh_rig_set_up, ssh_rig_tear_down);
}
