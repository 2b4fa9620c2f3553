/*
 * The SSH target: host keys and logins (tests/support/ssh_rig.h).
 */
#include "harness/target/target.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "core/clock.h"
#include "core/file.h"
#include "core/mem.h"
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

static void refused(struct ssh_params *p, const char *why)
{
	struct err err = ERR_INIT;
	struct target *t = target_ssh_new(p, &err);

	assert_null(t);
	assert_int_equal(err.kind, ERR_ENVIRONMENT);
	if (!strstr(err.text, why))
		fail_msg("'%s' is not in: %s", why, err.text);
}

static void test_login_and_exit_status(void **state)
{
	struct target *t = ssh_rig_connect(ssh_rig(state)->server);
	const char *argv[] = {"sh", "-c", "echo out; echo diag >&2; exit 7", NULL};
	const char *high[] = {"sh", "-c", "exit 130", NULL};
	const char *killed[] = {"sh", "-c", "kill -SEGV $$", NULL};
	struct proc_outcome o = ssh_rig_run(t, argv);

	assert_int_equal(o.end, PROC_EXITED);
	assert_int_equal(o.code, 7);
	assert_string_equal(o.out.data, "out\n");
	assert_string_equal(o.diag.data, "diag\n");
	assert_true(o.wall_ns > 0);
	proc_outcome_release(&o);
	o = ssh_rig_run(t, high);
	assert_int_equal(o.end, PROC_EXITED);
	assert_int_equal(o.code, 130);
	proc_outcome_release(&o);
	o = ssh_rig_run(t, killed);
	assert_int_equal(o.end, PROC_KILLED);
	assert_int_equal(o.code, SIGSEGV);
	proc_outcome_release(&o);
	ssh_rig_close(t);
}

static void test_unknown_host_key(void **state)
{
	struct sshd *s = ssh_rig(state)->server;
	struct ssh_params p = sshd_params(s);
	char *none = path_join(ssh_rig(state)->dir, "nobody_known");

	p.known_hosts_file = none;
	refused(&p, "host key refused");
	refused(&p, s->host_key_sha256);
	assert_false(file_exists(none)); /* nor was it added in silence */
	free(none);
}

static void test_changed_host_key(void **state)
{
	struct sshd *s = ssh_rig(state)->server;
	struct ssh_params p = sshd_params(s);
	char *file = path_join(ssh_rig(state)->dir, "changed");
	char *public = x_asprintf("%s.pub", s->other_key);
	struct buf key;
	char *line;

	assert_int_equal(file_read(public, 4096, &key, NULL), 0);
	line = x_asprintf("[127.0.0.1]:%u %s", s->port, key.data);
	assert_int_equal(file_write(file, line, strlen(line), 0600, NULL), 0);
	p.known_hosts_file = file;
	refused(&p, "not the one in");
	refused(&p, s->host_key_sha256);
	free(line);
	buf_release(&key);
	free(public);
	free(file);
}

static void test_pinned_fingerprint(void **state)
{
	struct sshd *s = ssh_rig(state)->server;
	struct ssh_params p = sshd_params(s);
	struct err err = ERR_INIT;
	struct target *t;

	p.known_hosts_file = "/dev/null";
	p.host_key_sha256 = s->host_key_sha256;
	t = target_ssh_new(&p, &err);
	assert_non_null(t);
	ssh_rig_close(t);
	p.host_key_sha256 = s->host_key_sha256 + strlen("SHA256:");
	t = target_ssh_new(&p, &err);
	assert_non_null(t);
	ssh_rig_close(t);
	p.known_hosts_file = s->known_hosts; /* a pin wins over what is known */
	p.host_key_sha256 = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
	refused(&p, s->host_key_sha256);
	p.host_key_sha256 = "";
	refused(&p, "host key refused");
}

static void test_login_refused(void **state)
{
	struct sshd *s = ssh_rig(state)->server;
	struct ssh_params p = sshd_params(s);
	char *locked = path_join(ssh_rig(state)->dir, "locked");
	const char *argv[] = {"ssh-keygen", "-q", "-t",   "ed25519", "-N",
			      "secret",     "-f", locked, NULL};
	struct proc_outcome o;

	p.key_file = s->other_key;
	refused(&p, "login refused with the key");
	p.key_file = "/not/there";
	refused(&p, "/not/there");
	assert_int_equal(proc_run_ok(&(struct proc_spec){.argv = argv,
							 .timeout_ns = 20 * NS_PER_S,
							 .output_max = 4096},
				     &o, NULL),
			 0);
	proc_outcome_release(&o);
	p.key_file = locked;
	refused(&p, "passphrase");
	free(locked);
}

/* An agent that takes a connection and says nothing until 'end'. */
struct mute_agent {
	int listener, end[2];
	pthread_t thread;
};

static void *be_mute(void *arg)
{
	struct mute_agent *a = arg;
	int fd = accept(a->listener, NULL, NULL);
	struct pollfd end = {.fd = a->end[0], .events = POLLIN};

	(void)poll(&end, 1, 600000);
	close(fd);
	close(a->listener); /* who waits in its queue is let go too */
	return NULL;
}

static void mute_agent_start(struct mute_agent *a, const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	a->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(a->listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(a->listener, 4), 0);
	assert_int_equal(pipe(a->end), 0);
	assert_int_equal(pthread_create(&a->thread, NULL, be_mute, a), 0);
}

static void mute_agent_end(struct mute_agent *a)
{
	close(a->end[1]);
	pthread_join(a->thread, NULL);
	close(a->end[0]);
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
	char *path = path_join(ssh_rig(state)->dir, "agent");
	struct mute_agent a;
	struct target *t;

	mute_agent_start(&a, path);
	setenv("SSH_AUTH_SOCK", path, 1);
	t = target_ssh_new(&p, NULL); /* with a key of its own nobody asks the agent */
	assert_non_null(t);
	ssh_rig_close(t);
	p.key_file = NULL;
	refused_in_time(&p, "does not answer");
	refused_in_time(&p, path);
	unsetenv("SSH_AUTH_SOCK");
	mute_agent_end(&a);
	free(path);
}

static void test_nobody_listens(void **state)
{
	struct ssh_params p = sshd_params(ssh_rig(state)->server);

	p.port = 1; /* tcpmux: nothing has it */
	refused(&p, "refused");
	p.host = "no-such-name.invalid";
	refused(&p, "check the name");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_login_and_exit_status),
		cmocka_unit_test(test_unknown_host_key),
		cmocka_unit_test(test_changed_host_key),
		cmocka_unit_test(test_pinned_fingerprint),
		cmocka_unit_test(test_login_refused),
		cmocka_unit_test(test_a_mute_agent),
		cmocka_unit_test(test_nobody_listens),
	};

	if (ssh_rig_missing())
		return 77;
	return cmocka_run_group_tests(tests, ssh_rig_set_up, ssh_rig_tear_down);
}
