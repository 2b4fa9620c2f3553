/*
 * What continuing or cleaning a run gives back, in which order, and what does
 * not keep it from that. The journal of the earlier process is written by hand,
 * tare-probe is a script that plays a machine with one GPU whose MIG only the
 * host's driver shows (as NVML does).
 */
#include "harness/run/recover.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/base/stop.h"
#include "harness/plan/workload_kind.h"
#include "tests/support/child.h"

static const char gemm_script[] =
	"#!/bin/sh\necho '{\"name\": \"tare-gemm\", \"options\": []}'\n";

static const char probe_script[] =
	"#!/bin/sh\n"
	"cd \"$TARE_TEST_MACHINE\" || exit 5\n"
	"case $1 in\n"
	"--bind) for s in $TARE_TEST_SIGNALS; do kill -s $s $TARE_TEST_PID; done\n"
	"	echo \"$2\" >driver ;;\n"
	"--mig=restore)\n"
	"	[ \"$(cat driver)\" = nvidia ] ||\n"
	"		{ echo '{\"error\": \"the driver shows 0 GPUs\"}'; exit 5; }\n"
	"	echo before >layout; echo '{}'; exit 0 ;;\n"
	"esac\n"
	"printf '{\"devices\": [{\"address\": \"0008:01:00.0\", \"driver\": "
	"\"%s\"}]}' "
	"\"$(cat driver)\"\n";

/* Port 1 of this machine answers nobody. */
#define PLAN                                                                   \
	"{'name': 'x', 'baseline': 'metal', 'workloads': [{'gemm': {}}],"      \
	" 'provisioners': {"                                                   \
	"  'lab': {'kind': 'list', 'lock_dir': '%s/lab', 'machines':"          \
	"          [{'address': '127.0.0.1', 'port': 1}]},"                    \
	"  'den': {'kind': 'list', 'lock_dir': '%s/den', 'machines':"          \
	"          [{'address': '127.0.0.1', 'port': 1}]}},"                   \
	" 'arms': {"                                                           \
	"  'metal': {'target': 'local', 'driver': 'nvidia', 'gpus': "          \
	"'0008:01:00.0'},"                                                     \
	"  'lent': {'target': 'vm', 'provisioner': 'lab', 'driver': 'nvidia'," \
	"           'ssh': {'host_key_sha256': "                               \
	"'SHA256:xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'}},"              \
	"  'vm': {'target': 'vm', 'provisioner': 'den', 'driver': 'vfio'}}}"

#define RUN "{'seq': 1, 'event': 'begin', 'step': 'run', 'data': {'run_id': 'r1'}}\n"
#define CUT(arm, lease)                                                          \
	"{'seq': 2, 'event': 'begin', 'step': 'mig', 'round': 1, 'arm': '" arm   \
	"', 'data': {'gpu': 'GPU-1', 'before': {'gpu': 'GPU-1'}, 'stays': true," \
	" 'lease': " lease "}}\n"
#define MENDED(arm) "{'seq': 3, 'event': 'end', 'step': 'mig', 'arm': '" arm "'}\n"
#define TAKEN                                                                     \
	"{'seq': 2, 'event': 'note', 'step': 'bind', 'arm': 'metal', 'data':"     \
	" {'action': 'take', 'host_arm': 'metal', 'scheduling': null, 'devices':" \
	"  [{'address': '0008:01:00.0', 'driver': 'vfio-pci'}]}}\n"
#define LEASE "{'address': '127.0.0.1', 'port': 1}"

struct rig {
	char *dir, *run;
	struct plan plan;
};

/* JSON with single quotes, for the eye. */
static char *quoted(const char *text)
{
	char *copy = x_strdup(text);

	for (char *c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	return copy;
}

static void put_mode(const struct rig *r, const char *name, const char *text,
		     unsigned mode)
{
	char *path = path_join(r->dir, name);

	assert_int_equal(file_write(path, text, strlen(text), mode, NULL), 0);
	free(path);
}

static void put(const struct rig *r, const char *name, const char *text)
{
	char *json = quoted(text);

	put_mode(r, name, json, 0644);
	free(json);
}

static void assert_holds(const struct rig *r, const char *name, const char *text)
{
	char *path = path_join(r->dir, name);
	struct err err = ERR_INIT;
	struct buf b;

	if (file_read(path, 1 << 20, &b, &err))
		fail_msg("%s", err.text);
	if (!strstr(b.data, text))
		fail_msg("%s: '%s' and not '%s'", name, b.data, text);
	buf_release(&b);
	free(path);
}

static bool has(const struct rig *r, const char *name)
{
	char *path = path_join(r->dir, name);
	bool is = file_exists(path);

	free(path);
	return is;
}

static void read_plan(struct rig *r)
{
	char *single = x_asprintf(PLAN, r->dir, r->dir), *text = quoted(single);
	struct err err = ERR_INIT;
	struct json_object *o = json_parse(text, strlen(text), "plan", &err);

	if (!o || plan_from_json(&r->plan, o, "plan", &err))
		fail_msg("%s", err.text);
	json_object_put(o);
	free(text);
	free(single);
}

static int set_up(void **state)
{
	static const char *const folders[] = {"bin", "lab", "den", "run"};
	struct rig *r = x_calloc(1, sizeof(*r));

	r->dir = dir_make_temporary("tare-test-session", NULL);
	r->run = path_join(r->dir, "run");
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		char *path = path_join(r->dir, folders[i]);

		if (dir_make(path, 0755, NULL))
			return -1;
		free(path);
	}
	put_mode(r, "bin/tare-gemm", gemm_script, 0755);
	put_mode(r, "bin/tare-probe", probe_script, 0755);
	put(r, "driver", "vfio-pci\n");
	put(r, "layout", "cut\n");
	put(r, "lab/127.0.0.1-1.json", "{'name': 'tare-r1-a', 'run_id': 'r1'}");
	put(r, "den/127.0.0.1-1.json", "{'name': 'tare-r1-b', 'run_id': 'r1'}");
	setenv("TARE_TEST_MACHINE", r->dir, 1);
	*state = path_join(r->dir, "bin");
	setenv(PROGRAM_DIR_VARIABLE, *state, 1);
	free(*state);
	read_plan(r);
	*state = r;
	return 0;
}

static int tear_down(void **state)
{
	struct rig *r = *state;
	int rc = dir_remove(r->dir, NULL);

	unsetenv(PROGRAM_DIR_VARIABLE);
	unsetenv("TARE_TEST_MACHINE");
	plan_release(&r->plan);
	free(r->dir);
	free(r->run);
	free(r);
	return rc;
}

/*
 * The GPU was cut, could not be put back, and went to vfio again, where it had
 * been at first: to mend it, it has to come to the host's driver once more, and
 * go back.
 */
static void a_layout_comes_back_behind_the_first_driver(void **state)
{
	struct rig *r = *state;
	struct err err = ERR_INIT;
	struct recovered back;
	struct session s;

	put(r, "run/journal.jsonl", RUN CUT("metal", "null"));
	if (recover_begin(&s, &r->plan, r->run, &back, &err))
		fail_msg("%s", err.text);
	assert_int_equal(back.layouts, 1);
	assert_int_equal(back.hosts, 1);
	assert_int_equal(back.machines, 2);
	session_end(&s);
	assert_holds(r, "layout", "before");
	assert_holds(r, "driver", "vfio-pci");
	assert_false(has(r, "lab/127.0.0.1-1.json"));
}

/* A process was killed in between: what was first is known, not what is there
 * now. */
static void the_first_driver_is_the_journals(void **state)
{
	struct rig *r = *state;
	struct err err = ERR_INIT;
	struct recovered back;
	struct session s;

	put(r, "driver", "nvidia\n");
	put(r, "run/journal.jsonl", RUN TAKEN CUT("metal", "null"));
	if (recover_begin(&s, &r->plan, r->run, &back, &err))
		fail_msg("%s", err.text);
	session_end(&s);
	assert_holds(r, "layout", "before");
	assert_holds(r, "driver", "vfio-pci");
}

/* Whoever had the machine next would find its GPU cut; its key is needed to mend that. */
static void a_machine_whose_gpu_is_cut_stays_on_loan(void **state)
{
	struct rig *r = *state;
	struct err err = ERR_INIT;
	struct recovered back;
	struct session s;
	char *work = path_join(r->run, "work"), *key = path_join(work, "key");

	put(r, "run/journal.jsonl", RUN CUT("lent", LEASE));
	assert_int_equal(dir_make(work, 0700, NULL), 0);
	assert_int_equal(file_write(key, "secret", 6, 0600, NULL), 0);
	assert_int_equal(recover_begin(&s, &r->plan, r->run, &back, &err), -1);
	assert_non_null(strstr(err.text, "arm 'lent'"));
	assert_true(has(r, "lab/127.0.0.1-1.json"));
	assert_true(file_exists(key));
	assert_false(has(r, "den/127.0.0.1-1.json"));

	put(r, "run/journal.jsonl", RUN CUT("lent", LEASE) MENDED("lent"));
	err_clear(&err);
	if (recover_begin(&s, &r->plan, r->run, &back, &err))
		fail_msg("%s", err.text);
	session_end(&s);
	assert_false(has(r, "lab/127.0.0.1-1.json"));
	assert_false(file_exists(key));
	free(key);
	free(work);
}

/* No line can be written, not the run's own either: all is given back, and it
 * is said. */
static void a_full_disk_keeps_no_machine(void **state)
{
	struct rig *r = *state;
	struct rlimit was, none = {0};
	struct err err = ERR_INIT;
	struct recovered back;
	struct session s;
	int rc;

	put(r, "run/journal.jsonl",
	    RUN "{'seq': 2, 'event': 'begin', 'step': 'mig', 'round': 1, 'arm': 'lent',"
		" 'data': {'gpu': 'GPU-1', 'stays': false}}\n");
	put(r, "lab/.lock", "");
	put(r, "den/.lock", "");
	getrlimit(RLIMIT_FSIZE, &was);
	none.rlim_max = was.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &none);
	rc = recover_begin(&s, &r->plan, r->run, &back, &err);
	setrlimit(RLIMIT_FSIZE, &was);
	assert_int_equal(rc, -1);
	assert_int_equal(err.kind, ERR_ENVIRONMENT);
	assert_non_null(strstr(err.text, "journal cannot be written"));
	assert_false(has(r, "lab/127.0.0.1-1.json"));
	assert_false(has(r, "den/127.0.0.1-1.json"));
}

/* What the call says on standard error goes into the file 'said'. */
static int begin_aloud(const struct rig *r, struct session *s, struct err *err)
{
	char *path = path_join(r->dir, "said");
	struct recovered back;
	int kept = dup(STDERR_FILENO);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	int rc;

	assert_true(kept >= 0 && fd >= 0);
	dup2(fd, STDERR_FILENO);
	rc = recover_begin(s, &r->plan, r->run, &back, err);
	dup2(kept, STDERR_FILENO);
	close(kept);
	close(fd);
	free(path);
	return rc;
}

/* Locks that cannot be taken: the first failure comes back, the second is said.
 */
static void every_failure_is_told(void **state)
{
	struct rig *r = *state;
	struct err err = ERR_INIT;
	struct session s;
	char *lab = path_join(r->dir, "lab/.lock"), *den = path_join(r->dir, "den/.lock");

	put(r, "run/journal.jsonl", RUN);
	assert_int_equal(dir_make(lab, 0755, NULL), 0);
	assert_int_equal(dir_make(den, 0755, NULL), 0);
	assert_int_equal(begin_aloud(r, &s, &err), -1);
	assert_non_null(strstr(err.text, lab));
	assert_holds(r, "said", den);
	free(lab);
	free(den);
}

/* Nothing happened there yet, not even its plan was written. */
static void a_run_that_never_began_is_none(void **state)
{
	struct rig *r = *state;
	struct err err = ERR_INIT;
	struct session s;

	put(r, "run/journal.jsonl", "");
	if (session_begin(&s, &r->plan, r->run, &err))
		fail_msg("%s", err.text);
	session_end(&s);
	assert_holds(r, "run/plan.json", "metal");
	assert_int_equal(session_begin(&s, &r->plan, r->run, &err), -1);
	assert_non_null(strstr(err.text, "holds a run already"));
}

/* Two that begin in one folder: the plan is that of the one that has the journal. */
static void the_plan_is_the_one_of_the_run(void **state)
{
	struct rig *r = *state;
	struct err err = ERR_INIT;
	struct journal *first = journal_open(r->run, &err);
	struct session s;

	assert_non_null(first);
	put(r, "run/plan.json", "the first one's");
	assert_int_equal(session_begin(&s, &r->plan, r->run, &err), -1);
	assert_non_null(strstr(err.text, "another tare is at work"));
	assert_holds(r, "run/plan.json", "the first one");
	journal_close(first);
}

/* Each --bind presses Ctrl-C, in signals that cannot merge into one. */
static void recover_interrupted(void **state)
{
	struct rig *r = *state;
	char pid[24];
	struct err err = ERR_INIT;
	struct recovered back;
	struct session s;

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("TARE_TEST_PID", pid, 1);
	stop_install();
	if (recover_begin(&s, &r->plan, r->run, &back, &err))
		fail_msg("%s", err.text);
	assert_true(stop_requested());
	assert_int_equal(back.hosts, 1);
	session_end(&s);
}

static void two_signals_leave_nothing(void **state)
{
	struct rig *r = *state;

	put(r, "driver", "nvidia\n");
	put(r, "run/journal.jsonl", RUN TAKEN);
	setenv("TARE_TEST_SIGNALS", "INT TERM", 1);
	child_run(recover_interrupted, state);
	unsetenv("TARE_TEST_SIGNALS");
	assert_holds(r, "driver", "vfio-pci");
}

static void a_third_signal_names_what_it_leaves(void **state)
{
	struct rig *r = *state;
	char said[8192];

	put(r, "driver", "nvidia\n");
	put(r, "run/journal.jsonl", RUN TAKEN);
	setenv("TARE_TEST_SIGNALS", "INT TERM HUP", 1);
	assert_int_equal(child_outcome(recover_interrupted, state, said, sizeof(said)),
			 EXIT_INTERRUPTED);
	unsetenv("TARE_TEST_SIGNALS");
	if (!strstr(said, "left behind: the driver of 0008:01:00.0 on the machine of "
			  "'metal'") ||
	    !strstr(said, "left behind: run r1; 'tare clean "))
		fail_msg("%s", said);
}

#define IN_RIG(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_RIG(a_layout_comes_back_behind_the_first_driver),
		IN_RIG(the_first_driver_is_the_journals),
		IN_RIG(a_machine_whose_gpu_is_cut_stays_on_loan),
		IN_RIG(a_full_disk_keeps_no_machine),
		IN_RIG(every_failure_is_told),
		IN_RIG(two_signals_leave_nothing),
		IN_RIG(a_third_signal_names_what_it_leaves),
		IN_RIG(a_run_that_never_began_is_none),
		IN_RIG(the_plan_is_the_one_of_the_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
