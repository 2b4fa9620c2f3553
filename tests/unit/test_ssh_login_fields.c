/*
 * The SSH target: host keys and logins (tests/support/ssh_rig.h).
 */
#include "harness/target/target.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/mem.h"
#include "tests/support/ssh_rig.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
		cmocka_unit_test(test_nobody_listens),
	};

	if (ssh_rig_missing())
		return 77;
	return cmocka_run_group_tests(tests, ssh_rig_set_up, ssh_rig_tear_down);
}
