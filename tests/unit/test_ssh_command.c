/*
 * The SSH target: running commands, and how they end (tests/support/ssh_rig.h).
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
#include "core/base/rng.h"
#include "core/base/stop.h"
#include "tests/support/child.h"
#include "tests/support/ssh_rig.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void test_arguments_arrive_as_they_are(void **state)
{
	struct target *t = ssh_rig_connect(ssh_rig(state)->server);
	struct rng rng;
	const char *words[42] = {"printf", "%s\\0"};
	struct buf want;
	struct proc_outcome o;

	rng_init(&rng, 7);
	buf_init(&want, BUF_UNBOUNDED);
	for (int i = 2; i < 41; i++) {
		size_t len = (size_t)rng_below(&rng, i == 40 ? 4096 : 200);

		char *word = x_calloc(1, len + 1);

		for (size_t k = 0; k < len; k++)
			word[k] = (char)(1 + rng_below(&rng, 255));
		buf_add(&want, word, len + 1);
		words[i] = word;
	}
	o = ssh_rig_run(t, words);
	assert_int_equal(o.out.len, want.len);
	assert_memory_equal(o.out.data, want.data, want.len);
	for (int i = 2; i < 41; i++)
		free((char *)words[i]);
	buf_release(&want);
	proc_outcome_release(&o);
	ssh_rig_close(t);
}

static void test_environment_folder_input(void **state)
{
	struct target *t = ssh_rig_connect(ssh_rig(state)->server);
	const char *argv[] = {"sh", "-c", "pwd; printf '%s|' \"$A\" \"$B\"; cat", NULL};
	const char *env[] = {"A=it's $HOME", "B=two\nlines", NULL};
	const char *bad[] = {"A-B=1", NULL};
	struct proc_spec spec = {.argv = argv,
				 .env = env,
				 .dir = "/usr/lib",
				 .input = "in\0put",
				 .input_len = 6,
				 .timeout_ns = 60 * NS_PER_S,
				 .output_max = 4096};
	static const char want[] = "/usr/lib\nit's $HOME|two\nlines|in\0put";
	struct err err = ERR_INIT;
	struct proc_outcome o;

	if (target_run(t, &spec, &o, &err))
		fail_msg("%s", err.text);
	assert_int_equal(o.out.len, sizeof(want) - 1);
	assert_memory_equal(o.out.data, want, sizeof(want) - 1);
	proc_outcome_release(&o);
	spec.env = bad;
	assert_int_equal(target_run(t, &spec, &o, &err), -1);
	assert_non_null(strstr(err.text, "A-B"));
	spec.env = NULL;
	spec.dir = "/not/there";
	assert_int_equal(target_run(t, &spec, &o, &err), -1);
	assert_non_null(strstr(err.text, "working folder"));
	ssh_rig_close(t);
}

static void test_no_such_program(void **state)
{
	struct target *t = ssh_rig_connect(ssh_rig(state)->server);
	const char *argv[] = {"no-such-program-here", NULL};
	const char *own[] = {"sh", "-c", "exit 127", NULL};
	struct err err = ERR_INIT;
	struct proc_outcome o;

	assert_int_equal(target_run(t,
				    &(struct proc_spec){.argv = argv,
							.timeout_ns = 60 * NS_PER_S,
							.output_max = 4096},
				    &o, &err),
			 -1);
	assert_non_null(strstr(err.text, "cannot start no-such-program-here"));
	o = ssh_rig_run(t, own);
	assert_int_equal(o.code, 127); /* its own word, and no error of ours */
	proc_outcome_release(&o);
	ssh_rig_close(t);
}

static void count(void *ctx, const char *data, size_t len)
{
	(void)data;
	*(size_t *)ctx += len;
}

static void test_output_bounds(void **state)
{
	struct target *t = ssh_rig_connect(ssh_rig(state)->server);
	const char *argv[] = {"sh", "-c", "head -c 20000000 /dev/zero; echo end >&2",
			      NULL};
	size_t seen = 0;
	struct err err = ERR_INIT;
	struct proc_outcome o;

	if (target_run(t,
		       &(struct proc_spec){.argv = argv,
					   .timeout_ns = 60 * NS_PER_S,
					   .output_max = 1000,
					   .on_out = count,
					   .sink_ctx = &seen},
		       &o, &err))
		fail_msg("%s", err.text);
	assert_int_equal(o.out.len, 1000);
	assert_int_equal(o.out.dropped, 20000000 - 1000);
	assert_int_equal(seen, 20000000);
	assert_string_equal(o.diag.data, "end\n");
	proc_outcome_release(&o);
	ssh_rig_close(t);
}

/* True once nobody has the file locked any more: the process that held it is gone. */
static bool lock_is_free_by(const char *path, int64_t deadline_ns)
{
	const char *argv[] = {"flock", "-w", "60", path, "true", NULL};
	struct proc_outcome o;
	int rc = proc_run_ok(
		&(struct proc_spec){.argv = argv,
				    .timeout_ns = clock_left_ns(deadline_ns) + 1,
				    .output_max = 4096},
		&o, NULL);

	if (!rc)
		proc_outcome_release(&o);
	return rc == 0;
}

/*
 * A stubborn process that holds a lock for as long as it lives, and says when it has it.
 * An ignored signal stays ignored over exec.
 */
static const char stubborn[] = "trap '' TERM; flock 9 && echo ready; exec sleep 600";

static void start_stubborn(const char *lock, const char **argv, char **script)
{
	*script = x_asprintf("exec 9>'%s'; %s", lock, stubborn);
	argv[0] = "sh";
	argv[1] = "-c";
	argv[2] = *script;
	argv[3] = NULL;
}

/* A busy machine may take its time to come so far; then it gets twice as long. */
static void test_deadline_ends_the_command(void **state)
{
	int64_t timeout_ns = NS_PER_S;
	struct target *t = ssh_rig_connect(ssh_rig(state)->server);
	char *lock = path_join(ssh_rig(state)->dir, "lock-deadline"), *script;
	const char *argv[4];
	struct err err = ERR_INIT;
	struct proc_outcome o;

	start_stubborn(lock, argv, &script);
	for (;; timeout_ns *= 2) {
		if (target_run(t,
			       &(struct proc_spec){.argv = argv,
						   .timeout_ns = timeout_ns,
						   .output_max = 4096},
			       &o, &err))
			fail_msg("%s", err.text);
		assert_int_equal(o.end, PROC_TIMED_OUT);
		assert_true(lock_is_free_by(lock, clock_deadline_ns(80 * NS_PER_S)));
		if (strcmp(o.out.data, "ready\n") == 0)
			break;
		assert_string_equal(o.out.data, "");
		assert_true(timeout_ns < 60 * NS_PER_S);
		proc_outcome_release(&o);
	}
	proc_outcome_release(&o);
	free(script);
	free(lock);
	ssh_rig_close(t);
}

static void stop_us(void *ctx, const char *data, size_t len)
{
	(void)ctx;
	(void)data;
	(void)len;
	raise(SIGINT);
}

static void test_stop_ends_the_command_body(void **state)
{
	struct target *t = ssh_rig_connect(ssh_rig(state)->server);
	char *lock = path_join(ssh_rig(state)->dir, "lock-stop"), *script;
	const char *argv[4];
	struct err err = ERR_INIT;
	struct proc_outcome o;

	assert_non_null(target_workdir(t, &err));
	start_stubborn(lock, argv, &script);
	if (target_run(t,
		       &(struct proc_spec){.argv = argv,
					   .timeout_ns = 60 * NS_PER_S,
					   .output_max = 4096,
					   .on_out = stop_us},
		       &o, &err))
		fail_msg("%s", err.text);
	assert_int_equal(o.end, PROC_STOPPED);
	proc_outcome_release(&o);
	ssh_rig_close(t); /* the clean-up works although a stop was requested */
	stop_shield_begin();
	assert_true(lock_is_free_by(lock, clock_deadline_ns(80 * NS_PER_S)));
	free(script);
	free(lock);
}

static void test_stop_ends_the_command(void **state)
{
	/* A child that has ends of an earlier connection keeps it from ending. */
	sshd_wait_idle(ssh_rig(state)->server);
	child_run(test_stop_ends_the_command_body, state);
}

static void kill_server(void *ctx, const char *data, size_t len)
{
	(void)data;
	(void)len;
	sshd_kill(ctx);
}

static void test_server_killed(void **state)
{
	struct sshd *s = ssh_rig(state)->server;
	struct target *t = ssh_rig_connect(s);
	char *lock = path_join(ssh_rig(state)->dir, "lock-killed"), *script;
	const char *argv[4], *dir;
	struct err err = ERR_INIT;
	struct proc_outcome o;
	const char *check[] = {"test", "-d", NULL, NULL};

	dir = target_workdir(t, &err);
	assert_non_null(dir);
	start_stubborn(lock, argv, &script);
	assert_int_equal(target_run(t,
				    &(struct proc_spec){.argv = argv,
							.timeout_ns = 60 * NS_PER_S,
							.output_max = 4096,
							.on_out = kill_server,
							.sink_ctx = s},
				    &o, &err),
			 -1);
	assert_non_null(strstr(err.text, "connection lost"));
	assert_true(lock_is_free_by(lock, clock_deadline_ns(80 * NS_PER_S)));
	check[2] = dir;
	o = ssh_rig_run(t, check); /* connected anew */
	assert_int_equal(o.code, 0);
	proc_outcome_release(&o);
	char *was = x_strdup(dir);

	ssh_rig_close(t);
	assert_false(file_exists(was));
	free(was);
	free(script);
	free(lock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arguments_arrive_as_they_are),
		cmocka_unit_test(test_environment_folder_input),
		cmocka_unit_test(test_no_such_program),
		cmocka_unit_test(test_output_bounds),
		cmocka_unit_test(test_deadline_ends_the_command),
		cmocka_unit_test(test_stop_ends_the_command),
		cmocka_unit_test(test_server_killed),
	};

	if (ssh_rig_missing())
		return 77;
	return cmocka_run_group_tests(tests, ssh_rig_set_up, ssh_rig_tear_down);
}
