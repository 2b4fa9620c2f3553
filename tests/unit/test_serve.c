/* tare-serve's parts: argument vectors, secrets, log tails, trees of processes. */
#include "inference/serve/serve_config.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/base/proc.h"
#include "core/document/json.h"
#include "inference/serve/serve_process.h"
#include "tests/support/built.h"
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
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static const int64_t patience_ns = 20 * NS_PER_S;

static int bind_config(struct serve_config *c, struct field **fields, const char *json,
		       struct err *err)
{
	struct json_object *o = json_parse(json, strlen(json), "test", err);
	int rc;

	assert_non_null(o);
	*c = (struct serve_config){0};
	*fields = serve_fields();
	fields_init(*fields, c);
	rc = fields_bind_json(*fields, c, o, "test", "", NULL, err);
	json_object_put(o);
	return rc;
}

static void release_config(struct serve_config *c, struct field *fields)
{
	fields_release(fields, c);
	serve_fields_free(fields);
}

/* The line that a person would type for 'vllm serve' (vLLM's own documentation). */
static void vllm_gets_its_arguments(void **state)
{
	static const char *const want[] = {"vllm",
					   "serve",
					   "facebook/opt-2.7b",
					   "--host",
					   "127.0.0.1",
					   "--port",
					   "8001",
					   "--dtype",
					   "bfloat16",
					   "--max-model-len",
					   "2048",
					   "--gpu-memory-utilization",
					   "0.85",
					   "--tensor-parallel-size",
					   "2",
					   "--load-format",
					   "dummy",
					   "--enforce-eager",
					   NULL};
	struct serve_config c;
	struct field *fields;
	struct strvec argv = {0};
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(
		bind_config(
			&c, &fields,
			"{\"kind\":\"vllm\",\"model\":\"facebook/opt-2.7b\",\"dtype\":"
			"\"bfloat16\",\"max_model_len\":2048,\"memory_utilisation\":0.85,"
			"\"tensor_parallel\":2,\"load_format\":\"dummy\",\"vllm_arg\":["
			"\"--enforce-eager\"]}",
			&err),
		0);
	assert_int_equal(serve_config_check(&c, &err), 0);
	serve_argv(&c, 8001, &argv);
	for (size_t i = 0; want[i]; i++)
		assert_string_equal(argv.items[i], want[i]);
	assert_int_equal(argv.nr, 18);
	strvec_release(&argv);
	release_config(&c, fields);
}

static void a_command_has_its_words_filled_in(void **state)
{
	struct serve_config c;
	struct field *fields;
	struct strvec argv = {0};
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(
		bind_config(&c, &fields,
			    "{\"kind\":\"command\",\"command\":[\"run\",\"{port}\","
			    "\"a={address}:{port};{nothing}\",\"{model}\"],"
			    "\"model\":\"m x\"}",
			    &err),
		0);
	serve_argv(&c, 80, &argv);
	assert_string_equal(argv.items[1], "80");
	assert_string_equal(argv.items[2], "a=127.0.0.1:80;{nothing}");
	assert_string_equal(argv.items[3], "m x");
	strvec_release(&argv);
	release_config(&c, fields);
}

static void kinds_need_their_options(void **state)
{
	static const char *const bad[] = {
		"{\"kind\":\"vllm\"}",
		"{\"kind\":\"command\"}",
		"{\"kind\":\"external\"}",
		"{\"kind\":\"mock\",\"command\":[\"x\"]}",
		"{\"kind\":\"mock\",\"url\":\"http://x\"}",
		"{\"kind\":\"mock\",\"dtype\":\"bfloat16\"}",
		"{\"kind\":\"mock\",\"vllm_arg\":[\"--x\"]}",
		"{\"kind\":\"mock\",\"log\":\"x\"}",
		"{\"kind\":\"mock\",\"insecure\":true}",
		"{\"kind\":\"external\",\"url\":\"127.0.0.1:8000\"}",
		"{\"kind\":\"external\",\"url\":\"http://x\",\"directory\":\"/\"}",
		"{\"kind\":\"command\",\"command\":[\"x\"],\"directory\":\"/no/such\"}",
		"{\"kind\":\"command\",\"command\":[\"x\"],\"load_format\":\"dummy\"}",
		"{\"kind\":\"mock\",\"api_key_env\":\"TARE_TEST_IS_NOT_SET\"}",
		"{\"kind\":\"mock\",\"health\":\"x\"}",
		"{\"kind\":\"command\",\"command\":[\"x\"],\"environment\":[\"x\"]}",
		"{\"kind\":\"mock\",\"environment\":[\"x=y\"]}",
		"{\"kind\":\"mock\",\"mock_model_name\":\"llama\"}",
		"{\"kind\":\"mock\",\"mock_fault\":[\"nonsense\"]}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct serve_config c;
		struct field *fields;
		struct err err = ERR_INIT;

		assert_int_equal(bind_config(&c, &fields, bad[i], &err), 0);
		if (!serve_config_check(&c, &err))
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(err.kind, ERR_USAGE);
		release_config(&c, fields);
	}
}

static void the_mock_is_configured_through_it(void **state)
{
	struct serve_config c;
	struct field *fields;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(bind_config(&c, &fields,
				     "{\"kind\":\"mock\",\"mock_pace\":\"batch\","
				     "\"mock_step_base\":0.008,\"mock_max_sequences\":7}",
				     &err),
			 0);
	assert_int_equal(c.mock.pace, MOCK_BATCH);
	assert_int_equal(c.mock.step_base_ns, 8 * NS_PER_MS);
	assert_int_equal(c.mock.max_num_seqs, 7);
	release_config(&c, fields);
}

static void secrets_are_recognised(void **state)
{
	(void)state;
	assert_true(serve_is_secret("--api-key", "abc"));
	assert_true(serve_is_secret(NULL, "--api-key=abc"));
	assert_true(serve_is_secret(NULL, "HF_TOKEN=abc"));
	assert_true(serve_is_secret("--password", "abc"));
	assert_false(serve_is_secret("--model", "abc"));
	assert_false(serve_is_secret("--api-key=abc", "serve"));
	assert_false(serve_is_secret("key", "abc"));
	assert_false(serve_is_secret(NULL, "--max-model-len=7"));
}

static void the_last_lines_are_found(void **state)
{
	struct err err = ERR_INIT;
	char *dir = dir_make_temporary("tare-test", &err), *path, *tail;

	(void)state;
	path = path_join(dir, "log");
	assert_int_equal(file_write(path, "one\ntwo\nthree \x1b[1m\n\n", 20, 0644, &err),
			 0);
	tail = serve_log_tail(path, 2);
	assert_string_equal(tail, "two\nthree ?[1m");
	free(tail);
	tail = serve_log_tail(path, 100);
	assert_string_equal(tail, "one\ntwo\nthree ?[1m");
	free(tail);
	tail = serve_log_tail("/nonexistent", 2);
	assert_string_equal(tail, "");
	free(tail);
	dir_remove(dir, NULL);
	free(path);
	free(dir);
}

static void what_cannot_start_is_named(void **state)
{
	struct strvec argv = {0};
	struct serve_child_spec spec = {.argv = &argv, .out_fd = -1};
	struct serve_child c;
	struct err err = ERR_INIT;

	(void)state;
	strvec_add(&argv, "/nonexistent/server");
	assert_int_equal(serve_child_start(&spec, &c, &err), -1);
	assert_non_null(strstr(err.text, "/nonexistent/server"));
	strvec_release(&argv);
	argv = (struct strvec){0};
	strvec_add(&argv, "true");
	spec.directory = "/nonexistent";
	assert_int_equal(serve_child_start(&spec, &c, &err), -1);
	strvec_release(&argv);
}

/*
 * In a process of its own, which becomes the subreaper: a server that ignores SIGTERM, two
 * children of it, and a daemon that left the tree, whose numbers the server says. The exit
 * status tells whether all are gone.
 */
static int end_a_tree(void)
{
	static const char script[] =
		"trap '' TERM; (setsid sleep 300 & echo $!); sleep 301 & echo $!; "
		"sleep 302 & echo $!; wait; while :; do sleep 1; done";
	struct strvec argv = {0};
	struct serve_child_spec spec = {.argv = &argv, .own_session = true};
	struct serve_child c;
	struct err err = ERR_INIT;
	int said[2], pids[3];
	FILE *in;

	for (size_t i = 0; i < 3; i++)
		strvec_add(&argv, (const char *[]){"bash", "-c", script}[i]);
	if (pipe(said))
		return 100;
	spec.out_fd = said[1];
	in = fdopen(said[0], "r");
	if (!in || serve_tree_adopt(&err) || serve_child_start(&spec, &c, &err))
		return 101;
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++)
		if (fscanf(in, "%d", &pids[i]) != 1 || kill(pids[i], 0))
			return 102;
	if (serve_tree_end(20 * NS_PER_MS, &c, &err) || !c.has_ended)
		return 103;
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++)
		if (kill(pids[i], 0) == 0 || errno != ESRCH)
			return 104;
	strvec_release(&argv);
	serve_child_release(&c);
	return WIFSIGNALED(c.status) ? WTERMSIG(c.status) : 105;
}

static void a_tree_ends_with_all_its_leaves(void **state)
{
	pid_t pid;
	int status;

	(void)state;
	if (!kernel_has_subreaper())
		skip();
	pid = fork();
	if (pid == 0)
		_exit(end_a_tree());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), SIGKILL);
}

/* A command whose system calls are refused with 'how'. */
static void run_refused(const char *how, const char *const *argv,
			struct proc_outcome *ret)
{
	char *refuser = built_path("tests/support/refuse_calls.so");
	char *preload = x_asprintf("LD_PRELOAD=%s", refuser);
	char *refusal = x_asprintf("TARE_TEST_REFUSE=%s", how);
	/* A sanitizer wants to be the first library. */
	const char *const env[] = {preload, refusal,
				   "ASAN_OPTIONS=verify_asan_link_order=0", NULL};
	const struct proc_spec spec = {
		.argv = argv, .env = env, .timeout_ns = patience_ns, .output_max = 4096};
	struct err err = ERR_INIT;

	if (proc_run(&spec, ret, &err))
		fail_msg("%s", err.text);
	free(refusal);
	free(preload);
	free(refuser);
}

/*
 * Kernels before 5.3 have no pidfd_open, those before 5.11 no epoll_pwait2, those before
 * 5.9 no close_range (man-pages); filters of containers answer EPERM. The client's status
 * comes back all the same, and the mock has its own pipe alone, not its starter's too.
 */
static void refused_system_calls_are_done_without(void **state)
{
	static const char *const how[] = {"ENOSYS", "EPERM"};
	static const char client[] =
		"pid=$(sed -n 's/.*\"pid\": *\\([0-9]*\\).*/\\1/p' "
		"\"$TARE_SERVER_JSON\")\n"
		"for fd in /proc/$pid/fd/*; do\n"
		"[ ${fd##*/} -le 2 ] || readlink $fd\ndone | grep -c pipe:\nexit 7";

	char *program = built_path("tare-serve");
	const char *const argv[] = {program, "--kind", "mock", "--",
				    "sh",    "-c",     client, NULL};

	(void)state;
	if (!kernel_has_subreaper())
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(how); i++) {
		struct proc_outcome o;

		run_refused(how[i], argv, &o);
		if (o.end != PROC_EXITED || o.code != 7)
			fail_msg("%s: end %d, status %d: %s", how[i], o.end, o.code,
				 o.diag.len ? o.diag.data : "");
		assert_string_equal(o.out.data, "1\n");
		proc_outcome_release(&o);
	}
	free(program);
}

/* Without eventfd nothing tells a poll() of Ctrl-C; the signal itself must do. */
static void the_mock_ends_on_ctrl_c_without_eventfd(void **state)
{
	static const char script[] = "\"$0\" | { read -r line; pid=${line##*:}; "
				     "kill -INT ${pid%?}; cat; }";
	char *program = built_path("tare-mock");
	const char *const argv[] = {"sh", "-c", script, program, NULL};
	struct proc_outcome o;

	(void)state;
	run_refused("ENOSYS", argv, &o);
	if (o.end != PROC_EXITED || o.code != 0)
		fail_msg("end %d, status %d: %s", o.end, o.code,
			 o.diag.len ? o.diag.data : "");
	proc_outcome_release(&o);
	free(program);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vllm_gets_its_arguments),
		cmocka_unit_test(a_command_has_its_words_filled_in),
		cmocka_unit_test(kinds_need_their_options),
		cmocka_unit_test(the_mock_is_configured_through_it),
		cmocka_unit_test(secrets_are_recognised),
		cmocka_unit_test(the_last_lines_are_found),
		cmocka_unit_test(what_cannot_start_is_named),
		cmocka_unit_test(a_tree_ends_with_all_its_leaves),
		cmocka_unit_test(refused_system_calls_are_done_without),
		cmocka_unit_test(the_mock_ends_on_ctrl_c_without_eventfd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
