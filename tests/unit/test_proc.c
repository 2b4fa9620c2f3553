#include "core/base/proc.h"

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/base/stop.h"
#include "tests/support/child.h"
#include "tests/support/kernel.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

/* Long enough that only a hang reaches it. */
static const int64_t plenty_ns = 120 * NS_PER_S;
/* What a child sleeps that must be ended by us: longer than 'plenty_ns'. */
#define FOREVER "1000"

/* Runs the script by sh with a million bytes of room. */
static struct proc_outcome sh(const char *script, struct proc_spec spec)
{
	const char *const argv[] = {"sh", "-c", script, "sh", NULL};
	struct proc_outcome o;
	struct err err = ERR_INIT;

	if (!spec.argv)
		spec.argv = argv;
	if (!spec.timeout_ns)
		spec.timeout_ns = plenty_ns;
	if (!spec.output_max)
		spec.output_max = 1000000;
	assert_int_equal(proc_run(&spec, &o, &err), 0);
	return o;
}

static void outputs_and_status_are_told_apart(void **state)
{
	struct proc_outcome o =
		sh("echo out; echo diag >&2; exit 3", (struct proc_spec){0});
	char text[80];

	(void)state;
	assert_int_equal(o.end, PROC_EXITED);
	assert_int_equal(o.code, 3);
	assert_string_equal(o.out.data, "out\n");
	assert_string_equal(o.diag.data, "diag\n");
	assert_true(o.wall_ns > 0);
	assert_string_equal(proc_end_text(&o, text, sizeof(text)), "exit status 3");
	proc_outcome_release(&o);
}

static void arguments_arrive_byte_for_byte(void **state)
{
	const char *const argv[] = {"printf", "[%s]", "a b", "$HOME;'\"",
				    "",       "\n*",  NULL};
	struct proc_outcome o = sh(NULL, (struct proc_spec){.argv = argv});

	(void)state;
	assert_string_equal(o.out.data, "[a b][$HOME;'\"][][\n*]");
	proc_outcome_release(&o);
}

static void environment_is_added_to_and_wins(void **state)
{
	const char *const env[] = {"TARE_A=new", "TARE_B=b=c", NULL};
	struct proc_outcome o;

	(void)state;
	setenv("TARE_A", "old", 1);
	setenv("TARE_AB", "kept", 1);
	o = sh("echo $TARE_A $TARE_B $TARE_AB; env | grep -c ^TARE_A=",
	       (struct proc_spec){.env = env});
	assert_string_equal(o.out.data, "new b=c kept\n1\n");
	proc_outcome_release(&o);
	unsetenv("TARE_A");
	unsetenv("TARE_AB");
}

static void the_folder_can_be_chosen(void **state)
{
	struct proc_outcome o = sh("pwd", (struct proc_spec){.dir = "/"});

	(void)state;
	assert_string_equal(o.out.data, "/\n");
	proc_outcome_release(&o);
}

/* More than a pipe holds in both directions at once: neither side may block for ever. */
static void a_million_bytes_go_through(void **state)
{
	size_t len = 1000000;
	char *bytes = malloc(len);
	struct proc_outcome o;

	(void)state;
	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)(i * 31 >> 3);
	o = sh("cat", (struct proc_spec){.input = bytes, .input_len = len});
	assert_int_equal(o.out.len, len);
	assert_memory_equal(o.out.data, bytes, len);
	proc_outcome_release(&o);
	free(bytes);
}

static void without_input_the_child_reads_nothing(void **state)
{
	struct proc_outcome o = sh("wc -c | tr -d ' '", (struct proc_spec){0});

	(void)state;
	assert_string_equal(o.out.data, "0\n");
	proc_outcome_release(&o);
}

/* The child never reads: writing fails (EPIPE) and that is no failure of the run. */
static void input_that_nobody_reads_is_dropped(void **state)
{
	size_t len = 1000000;
	char *bytes = calloc(len, 1);
	struct proc_outcome o;

	(void)state;
	stop_install(); /* ignores SIGPIPE, as every program of ours does */
	o = sh("exec <&-; echo done",
	       (struct proc_spec){.input = bytes, .input_len = len});
	assert_string_equal(o.out.data, "done\n");
	assert_int_equal(o.code, 0);
	proc_outcome_release(&o);
	free(bytes);
}

struct seen {
	size_t out, diag;
};

static void saw_out(void *ctx, const char *data, size_t len)
{
	(void)data;
	((struct seen *)ctx)->out += len;
}

static void saw_diag(void *ctx, const char *data, size_t len)
{
	(void)data;
	((struct seen *)ctx)->diag += len;
}

static void output_is_bounded_and_the_rest_counted(void **state)
{
	struct seen seen = {0};
	struct proc_outcome o = sh("head -c 300000 /dev/zero; head -c 7 /dev/zero >&2",
				   (struct proc_spec){
					   .output_max = 1000,
					   .on_out = saw_out,
					   .on_diag = saw_diag,
					   .sink_ctx = &seen,
				   });

	(void)state;
	assert_int_equal(o.code, 0);
	assert_int_equal(o.out.len, 1000);
	assert_int_equal(o.out.dropped, 299000);
	assert_int_equal(o.diag.len, 7);
	assert_int_equal(seen.out, 300000);
	assert_int_equal(seen.diag, 7);
	proc_outcome_release(&o);
}

static void a_missing_program_is_an_error(void **state)
{
	const char *const argv[] = {"tare-no-such-program", NULL};
	struct proc_spec spec = {.argv = argv, .timeout_ns = plenty_ns, .output_max = 10};
	struct proc_outcome o;
	struct err err = ERR_INIT;

	(void)state;
	if (!kernel_shares_vfork())
		skip();
	assert_int_equal(proc_run(&spec, &o, &err), -1);
	assert_int_equal(err.kind, ERR_ENVIRONMENT);
	assert_int_equal(err.code, ENOENT);
	assert_string_equal(
		err.text, "cannot start tare-no-such-program: No such file or directory");
}

static void a_signal_is_told(void **state)
{
	struct proc_outcome o = sh("kill -9 $$", (struct proc_spec){0});
	char text[80];

	(void)state;
	assert_int_equal(o.end, PROC_KILLED);
	assert_int_equal(o.code, SIGKILL);
	assert_string_equal(proc_end_text(&o, text, sizeof(text)),
			    "killed by signal 9 (Killed)");
	proc_outcome_release(&o);
}

/*
 * Orphans come to this process (PR_SET_CHILD_SUBREAPER), so that their end can be waited
 * for instead of being guessed after a while.
 */
static bool all_orphans_end(void)
{
	int64_t deadline = clock_deadline_ns(plenty_ns);

	while (!clock_passed(deadline)) {
		pid_t pid = waitpid(-1, NULL, WNOHANG);

		if (pid < 0)
			return true;
		if (pid == 0)
			clock_sleep_until(clock_deadline_ns(NS_PER_MS));
	}
	return false;
}

static void check_deadline(const char *script)
{
	struct proc_outcome o =
		sh(script, (struct proc_spec){.timeout_ns = NS_PER_S / 5});
	char text[80];

	assert_int_equal(o.end, PROC_TIMED_OUT);
	assert_memory_equal(proc_end_text(&o, text, sizeof(text)), "not done within ",
			    16);
	proc_outcome_release(&o);
	assert_true(all_orphans_end());
}

static void adopt_orphans(void)
{
	if (kernel_has_subreaper())
		assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
}

static void the_deadline_ends_child_and_grandchildren(void **state)
{
	(void)state;
	adopt_orphans();
	check_deadline("exec sleep " FOREVER);
	check_deadline("sleep " FOREVER " & sleep " FOREVER " & wait");
	/* Deaf to the polite signal. */
	check_deadline("trap '' TERM; sleep " FOREVER "; sleep " FOREVER);
	/* Both outputs closed: only its end could tell. */
	check_deadline("exec >&- 2>&-; sleep " FOREVER "; :");
}

/* Gone itself, but somebody it started holds its output open. */
static void a_background_grandchild_does_not_hold_us(void **state)
{
	struct proc_outcome o = sh("sleep " FOREVER " & echo $!", (struct proc_spec){0});
	int pid;

	(void)state;
	assert_int_equal(o.end, PROC_EXITED);
	assert_int_equal(o.code, 0);
	assert_int_equal(sscanf(o.out.data, "%d", &pid), 1);
	kill(pid, SIGKILL);
	proc_outcome_release(&o);
	assert_true(all_orphans_end());
}

static void stop_when_told(void *ctx, const char *data, size_t len)
{
	(void)ctx;
	(void)data;
	(void)len;
	raise(SIGTERM);
}

static void a_stop_request_ends_it_body(void **state)
{
	struct proc_outcome o;

	(void)state;
	adopt_orphans();
	stop_install();
	o = sh("echo up; sleep " FOREVER, (struct proc_spec){.on_out = stop_when_told});
	assert_int_equal(o.end, PROC_STOPPED);
	proc_outcome_release(&o);
	assert_true(stop_requested());
	assert_true(all_orphans_end());
}

static void a_stop_request_ends_it(void **state)
{
	child_run(a_stop_request_ends_it_body, state);
}

/*
 * No output is left to wait for: the request comes while we wait for the end alone. It comes
 * from the child, when it sees both our ends of its outputs closed.
 */
static void a_stop_request_ends_a_silent_child_body(void **state)
{
	static const char script[] = "open() { ls /proc/$PPID/fd | wc -l; }\n"
				     "n=$(open); exec >&- 2>&-\n"
				     "while [ $(open) -gt $((n - 2)) ]; do :; done\n"
				     "kill -TERM $PPID; sleep " FOREVER "; :";
	struct proc_outcome o;

	(void)state;
	adopt_orphans();
	stop_install();
	o = sh(script, (struct proc_spec){0});
	assert_int_equal(o.end, PROC_STOPPED);
	proc_outcome_release(&o);
	assert_true(all_orphans_end());
}

static void a_stop_request_ends_a_silent_child(void **state)
{
	child_run(a_stop_request_ends_a_silent_child_body, state);
}

static void nothing_starts_after_a_stop_request_body(void **state)
{
	const char *const argv[] = {"true", NULL};
	struct proc_spec spec = {.argv = argv, .timeout_ns = plenty_ns, .output_max = 10};
	struct proc_outcome o;
	struct err err = ERR_INIT;

	(void)state;
	stop_install();
	raise(SIGINT);
	assert_int_equal(proc_run(&spec, &o, &err), -1);
	assert_int_equal(err.kind, ERR_INTERRUPTED);
}

static void nothing_starts_after_a_stop_request(void **state)
{
	child_run(nothing_starts_after_a_stop_request_body, state);
}

/* Started by something that ignores SIGCHLD, as some service managers do. */
static void an_ignored_sigchld_does_not_lose_the_status(void **state)
{
	struct proc_outcome o;

	(void)state;
	signal(SIGCHLD, SIG_IGN);
	o = sh("exit 7", (struct proc_spec){0});
	signal(SIGCHLD, SIG_DFL);
	assert_int_equal(o.end, PROC_EXITED);
	assert_int_equal(o.code, 7);
	proc_outcome_release(&o);
}

static int run_ok(const char *script, int64_t timeout_ns, struct proc_outcome *o,
		  struct err *err)
{
	const char *const argv[] = {"sh", "-c", script, NULL};
	struct proc_spec spec = {
		.argv = argv,
		.timeout_ns = timeout_ns,
		.output_max = 1000,
	};

	return proc_run_ok(&spec, o, err);
}

static void success_can_be_demanded(void **state)
{
	struct proc_outcome o;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(run_ok("echo x", plenty_ns, &o, &err), 0);
	assert_string_equal(o.out.data, "x\n");
	proc_outcome_release(&o);
	assert_int_equal(run_ok("echo one >&2; echo two >&2; echo >&2; exit 4", plenty_ns,
				&o, &err),
			 -1);
	assert_int_equal(err.kind, ERR_ENVIRONMENT);
	assert_string_equal(err.text, "sh: exit status 4: two");
	assert_int_equal(run_ok("exit 4", plenty_ns, &o, &err), -1);
	assert_string_equal(err.text, "sh: exit status 4");
	assert_int_equal(run_ok("exec sleep " FOREVER, NS_PER_S / 10, &o, &err), -1);
	assert_int_equal(err.kind, ERR_ENVIRONMENT);
	assert_non_null(strstr(err.text, "sh: not done within"));
}

static void the_last_line_is_found(void **state)
{
	static const struct {
		const char *diag, *want;
	} cases[] = {
		{"", ""},
		{"\n \n", ""},
		{"one", "one"},
		{"one\ntwo", "two"},
		{"one\ntwo\n\n", "two"},
		{"10 %\r20 %\rlast\r\n", "last"},
		{"a rather long line that is cut", "a rather long l"},
	};
	char line[16];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct buf b;

		buf_init(&b, 100);
		buf_puts(&b, cases[i].diag);
		assert_string_equal(proc_last_line(&b, line, sizeof(line)),
				    cases[i].want);
		buf_release(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outputs_and_status_are_told_apart),
		cmocka_unit_test(arguments_arrive_byte_for_byte),
		cmocka_unit_test(environment_is_added_to_and_wins),
		cmocka_unit_test(the_folder_can_be_chosen),
		cmocka_unit_test(a_million_bytes_go_through),
		cmocka_unit_test(without_input_the_child_reads_nothing),
		cmocka_unit_test(input_that_nobody_reads_is_dropped),
		cmocka_unit_test(output_is_bounded_and_the_rest_counted),
		cmocka_unit_test(a_missing_program_is_an_error),
		cmocka_unit_test(a_signal_is_told),
		cmocka_unit_test(the_deadline_ends_child_and_grandchildren),
		cmocka_unit_test(a_background_grandchild_does_not_hold_us),
		cmocka_unit_test(a_stop_request_ends_it),
		cmocka_unit_test(a_stop_request_ends_a_silent_child),
		cmocka_unit_test(nothing_starts_after_a_stop_request),
		cmocka_unit_test(an_ignored_sigchld_does_not_lose_the_status),
		cmocka_unit_test(success_can_be_demanded),
		cmocka_unit_test(the_last_line_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
