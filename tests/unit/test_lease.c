/*
 * Leases by the kinds 'list' and 'fake', names, and the wait for SSH, against a server on
 * a loopback port that greets as RFC 4253, 4.2 has it.
 */
#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/document/json.h"
#include "core/base/mem.h"
#include "core/base/stop.h"
#include "harness/provision/list/list.h"
#include "harness/provision/provisioner_impl.h"
#include "harness/provision/kinds/provisioner_kinds.h"
#include "tests/support/child.h"
#include "tests/support/fake_provisioner.h"

#include <dirent.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

/* Answers each connection with the next of 'greetings', the last one for ever. */
struct greeter {
	const char *const *greetings; /* NULL-terminated */
	int listener;
	uint16_t port;
	pthread_t thread;
	atomic_bool is_ending;
};

static void *greet(void *arg)
{
	struct greeter *g = arg;
	const char *const *next = g->greetings;

	while (!g->is_ending) {
		struct pollfd p = {.fd = g->listener, .events = POLLIN};
		int fd;

		if (poll(&p, 1, 50) <= 0 || (fd = accept(g->listener, NULL, NULL)) < 0)
			continue;
		if (write(fd, *next, strlen(*next)) < 0)
			perror("greeter");
		if (next[1])
			next++;
		close(fd);
	}
	return NULL;
}

static void greeter_start(struct greeter *g, const char *const *greetings,
			  in_addr_t address)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};
	socklen_t len = sizeof(a);

	*g = (struct greeter){.greetings = greetings};
	g->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(g->listener, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(g->listener, 8), 0);
	assert_int_equal(getsockname(g->listener, (struct sockaddr *)&a, &len), 0);
	g->port = ntohs(a.sin_port);
	assert_int_equal(pthread_create(&g->thread, NULL, greet, g), 0);
}

static void greeter_stop(struct greeter *g)
{
	g->is_ending = true;
	pthread_join(g->thread, NULL);
	close(g->listener);
}

static const char *const ssh_greeting[] = {"SSH-2.0-test\r\n", NULL};

static void ids_become_names_and_paths(void **state)
{
	static const char *const wrong[] = {"",    ".a",       "-a",  "a/b", "a b",
					    "a\n", "\xc3\xbc", "a:b", NULL};
	char *name = lease_name("r1", "r001-vm"), long_id[66];

	(void)state;
	assert_string_equal(name, "tare-r1-r001-vm");
	assert_true(lease_is_name(name, "") && lease_is_name(name, "r1"));
	assert_false(lease_is_name(name, "r") || lease_is_name(name, "r2"));
	assert_false(lease_is_name("tar-r1-r001-vm", ""));
	free(name);
	assert_int_equal(lease_check_id("run", "20261122T191725-3f9a1c2b", NULL), 0);
	assert_int_equal(lease_check_id("run", NULL, NULL), -1);
	for (const char *const *w = wrong; *w; w++)
		if (!lease_check_id("run", *w, NULL))
			fail_msg("'%s' was accepted", *w);
	memset(long_id, 'a', 65);
	long_id[65] = 0;
	assert_int_equal(lease_check_id("run", long_id, NULL), -1);
	long_id[64] = 0;
	assert_int_equal(lease_check_id("run", long_id, NULL), 0);
}

static void ssh_is_met_after_other_answers(void **state)
{
	static const char *const greetings[] = {"", "220 mail\r\n",
						"hello\r\nSSH-2.0-x\r\n", NULL};
	struct greeter g;
	struct err err = ERR_INIT;

	(void)state;
	greeter_start(&g, greetings, INADDR_LOOPBACK);
	if (lease_wait_ssh("127.0.0.1", g.port, clock_deadline_ns(60 * NS_PER_S), &err))
		fail_msg("%s", err.text);
	greeter_stop(&g);
}

static void another_service_is_not_ssh(void **state)
{
	static const char *const greetings[] = {"HTTP/1.0 200 not SSH-2.0\r\n", NULL};
	struct greeter g;
	struct err err = ERR_INIT;

	(void)state;
	greeter_start(&g, greetings, INADDR_LOOPBACK);
	assert_int_equal(lease_wait_ssh("127.0.0.1", g.port,
					clock_deadline_ns(400 * NS_PER_MS), &err),
			 -1);
	assert_int_equal(err.kind, ERR_ENVIRONMENT);
	assert_non_null(strstr(err.text, "no SSH answer"));
	greeter_stop(&g);
}

static int is_dead(void *ctx, struct err *err)
{
	++*(int *)ctx;
	return err_set(err, ERR_ENVIRONMENT, "it died");
}

static void a_dead_machine_is_not_waited_for(void **state)
{
	struct err err = ERR_INIT;
	int asked = 0;

	(void)state;
	assert_int_equal(
		lease_wait_ssh_while("127.0.0.1", 1, CLOCK_NEVER, is_dead, &asked, &err),
		-1);
	assert_int_equal(asked, 1);
	assert_string_equal(err.text, "it died");
}

static void a_stop_ends_the_wait_body(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	stop_install();
	raise(SIGINT);
	assert_int_equal(lease_wait_ssh("127.0.0.1", 1, CLOCK_NEVER, &err), -1);
	assert_int_equal(err.kind, ERR_INTERRUPTED);
}

static void a_stop_ends_the_wait(void **state)
{
	child_run(a_stop_ends_the_wait_body, state);
}

/* A list of two machines that both are the greeter, told apart by their addresses. */
struct lab {
	char *dir;
	struct greeter greeter;
	struct provisioner *p;
};

static struct json_object *lab_config(const char *dir, uint16_t port)
{
	char *text = x_asprintf(
		"{\"lock_dir\": \"%s/locks\", \"machines\": ["
		"{\"address\": \"127.0.0.1\", \"port\": %u, \"user\": \"one\", "
		"\"host_key_sha256\": "
		"\"SHA256:xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"},"
		"{\"address\": \"127.0.0.2\", \"port\": %u, \"key_file\": \"/k\"}]}",
		dir, (unsigned)port, (unsigned)port);
	struct json_object *o = json_parse(text, strlen(text), "lab", NULL);

	free(text);
	assert_non_null(o);
	return o;
}

static void lab_open(struct lab *lab)
{
	struct json_object *config;
	struct err err = ERR_INIT;

	lab->dir = dir_make_temporary("test-lease", NULL);
	greeter_start(&lab->greeter, ssh_greeting, INADDR_ANY);
	config = lab_config(lab->dir, lab->greeter.port);
	lab->p = list_provisioner.open(config, &err);
	json_object_put(config);
	if (!lab->p)
		fail_msg("%s", err.text);
}

static void lab_close(struct lab *lab)
{
	provisioner_free(lab->p);
	greeter_stop(&lab->greeter);
	dir_remove(lab->dir, NULL);
	free(lab->dir);
}

static int take(struct provisioner *p, const char *run, const char *label,
		const char *host, int64_t timeout_ns, struct lease **ret, struct err *err)
{
	struct json_object *machine = json_object_new_object();
	struct lease_request want = {.run_id = run,
				     .label = label,
				     .machine = machine,
				     .workdir = "/nowhere",
				     .timeout_ns = timeout_ns};
	int rc;

	if (host)
		json_put_text(machine, "host", host);
	rc = provisioner_acquire(p, &want, ret, err);
	json_object_put(machine);
	return rc;
}

static void two_leases_are_two_machines(void **state)
{
	struct lease *one, *two, *three;
	struct err err = ERR_INIT;
	struct lab lab;

	(void)state;
	lab_open(&lab);
	assert_int_equal(take(lab.p, "a", "r1", NULL, 60 * NS_PER_S, &one, &err), 0);
	assert_string_equal(lease_info(one)->address, "127.0.0.1");
	assert_string_equal(lease_info(one)->user, "one");
	assert_string_equal(lease_info(one)->host_key_sha256,
			    "SHA256:xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
	assert_int_equal(lease_info(one)->boot_ns, 0);
	assert_int_equal(take(lab.p, "b", "r1", NULL, 60 * NS_PER_S, &two, &err), 0);
	assert_string_equal(lease_info(two)->address, "127.0.0.2");
	assert_string_equal(lease_info(two)->key_file, "/k");
	assert_int_equal(take(lab.p, "c", "r1", NULL, NS_PER_MS, &three, &err), -1);
	assert_int_equal(err.kind, ERR_ENVIRONMENT);
	assert_non_null(strstr(err.text, "held by run a"));
	assert_int_equal(provisioner_release(lab.p, one, &err), 0);
	assert_int_equal(take(lab.p, "c", "r1", NULL, 60 * NS_PER_S, &three, &err), 0);
	assert_string_equal(lease_info(three)->address, "127.0.0.1");
	provisioner_release(lab.p, two, NULL);
	provisioner_release(lab.p, three, NULL);
	lab_close(&lab);
}

static void one_machine_can_be_asked_for(void **state)
{
	struct lease *l;
	struct err err = ERR_INIT;
	struct lab lab;

	(void)state;
	lab_open(&lab);
	assert_int_equal(take(lab.p, "a", "r1", "127.0.0.2", 60 * NS_PER_S, &l, &err), 0);
	assert_string_equal(lease_info(l)->address, "127.0.0.2");
	assert_int_equal(provisioner_release(lab.p, l, NULL), 0);
	assert_int_equal(take(lab.p, "a", "r1", "elsewhere", 60 * NS_PER_S, &l, &err),
			 -1);
	assert_int_equal(err.kind, ERR_USAGE);
	lab_close(&lab);
}

static void what_a_killed_run_held_is_swept(void **state)
{
	struct lease *l, *other;
	struct strvec names = {0};
	struct err err = ERR_INIT;
	struct lab lab;
	size_t nr;
	int status;
	pid_t pid;

	(void)state;
	lab_open(&lab);
	pid = fork();
	if (pid == 0) {
		take(lab.p, "dead", "r1", NULL, 60 * NS_PER_S, &l, NULL);
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(take(lab.p, "dead2", "r1", NULL, 60 * NS_PER_S, &other, &err),
			 0);
	assert_int_equal(provisioner_list(lab.p, "", &names, &err), 0);
	assert_int_equal(names.nr, 2);
	assert_true(strvec_has(&names, "tare-dead-r1"));
	assert_int_equal(provisioner_sweep(lab.p, "dead", &nr, &err), 0);
	assert_int_equal(nr, 1);
	strvec_release(&names);
	assert_int_equal(provisioner_list(lab.p, "", &names, &err), 0);
	assert_int_equal(names.nr, 1);
	assert_true(strvec_has(&names, "tare-dead2-r1"));
	strvec_release(&names);
	assert_int_equal(provisioner_release(lab.p, other, &err), 0);
	lab_close(&lab);
}

/* How many descriptors of this process lead to that file. */
static int descriptors_of(const char *path)
{
	char to[PATH_MAX];
	DIR *dir = opendir("/proc/self/fd");
	int nr = 0;

	for (struct dirent *e; (e = readdir(dir));) {
		ssize_t n = readlinkat(dirfd(dir), e->d_name, to, sizeof(to) - 1);

		to[n > 0 ? n : 0] = 0;
		nr += strcmp(to, path) == 0;
	}
	closedir(dir);
	return nr;
}

/* 'S': it waits for something (proc(5)). */
static char state_of_main_thread(void)
{
	char path[64];
	struct buf text;
	char state;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)getpid());
	assert_int_equal(file_read(path, 4096, &text, NULL), 0);
	state = strrchr(text.data, ')')[2];
	buf_release(&text);
	return state;
}

struct held_lock {
	char *path;
	int fd;
};

/* Lets go of the lock once the main thread has opened it too, and waits. */
static void *let_go(void *ctx)
{
	const struct held_lock *lock = ctx;
	int64_t deadline = clock_deadline_ns(60 * NS_PER_S);

	while ((descriptors_of(lock->path) < 2 || state_of_main_thread() != 'S') &&
	       !clock_passed(deadline))
		clock_sleep_until(clock_deadline_ns(NS_PER_MS));
	close(lock->fd);
	return NULL;
}

/* A machine is given back behind a Ctrl-C as well, and another's lock is waited for. */
static void a_stop_keeps_no_machine_body(void **state)
{
	struct lease *l;
	struct err err = ERR_INIT;
	struct lab lab;
	pthread_t thread;
	struct held_lock lock;

	(void)state;
	lab_open(&lab);
	assert_int_equal(take(lab.p, "a", "r1", NULL, 60 * NS_PER_S, &l, &err), 0);
	lock.path = x_asprintf("%s/locks/.lock", lab.dir);
	lock.fd = open(lock.path, O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(lock.fd, LOCK_EX), 0);
	stop_install();
	raise(SIGINT);
	raise(SIGINT);
	assert_int_equal(pthread_create(&thread, NULL, let_go, &lock), 0);
	if (provisioner_release(lab.p, l, &err))
		fail_msg("%s", err.text);
	pthread_join(thread, NULL);
	assert_true(stop_requested());
	free(lock.path);
	lab_close(&lab);
}

static void a_stop_keeps_no_machine(void **state)
{
	child_run(a_stop_keeps_no_machine_body, state);
}

/* The folder's lock cannot be had once the machine is taken, and Ctrl-C is pressed. */
static void spoil_and_stop(void *ctx, const char *what)
{
	const struct lab *lab = ctx;
	char *path = x_asprintf("%s/locks/.lock", lab->dir);

	if (strcmp(what, "waiting for SSH") == 0) {
		assert_int_equal(unlink(path), 0);
		assert_int_equal(mkdir(path, 0700), 0);
		raise(SIGINT);
	}
	free(path);
}

static void what_cannot_be_undone_is_named_body(void **state)
{
	struct err err = ERR_INIT;
	struct lease *l;
	struct lab lab;
	struct lease_request want = {.run_id = "a",
				     .label = "r1",
				     .workdir = "/nowhere",
				     .timeout_ns = 60 * NS_PER_S,
				     .note = spoil_and_stop,
				     .note_ctx = &lab};

	(void)state;
	lab_open(&lab);
	stop_install();
	assert_int_equal(provisioner_acquire(lab.p, &want, &l, &err), -1);
	assert_int_equal(err.kind, ERR_INTERRUPTED);
	assert_non_null(strstr(err.text, "tare-a-r1 may be left behind"));
	assert_non_null(strstr(err.text, "tare clean"));
	lab_close(&lab);
}

static void what_cannot_be_undone_is_named(void **state)
{
	child_run(what_cannot_be_undone_is_named_body, state);
}

/* It may be this run's: to pass over it in silence would leave the machine on loan. */
static void a_damaged_holder_is_no_free_machine(void **state)
{
	struct lease *one, *two;
	struct strvec names = {0};
	struct err err = ERR_INIT;
	struct lab lab;
	char *path;

	(void)state;
	lab_open(&lab);
	assert_int_equal(take(lab.p, "a", "r1", "127.0.0.1", 60 * NS_PER_S, &one, &err),
			 0);
	assert_int_equal(take(lab.p, "a", "r2", "127.0.0.2", 60 * NS_PER_S, &two, &err),
			 0);
	path = x_asprintf("%s/locks/127.0.0.1-%u.json", lab.dir,
			  (unsigned)lab.greeter.port);
	assert_int_equal(file_write(path, "{", 1, 0644, NULL), 0);
	assert_int_equal(provisioner_release(lab.p, one, &err), -1);
	assert_non_null(strstr(err.text, path));
	err_clear(&err);
	assert_int_equal(provisioner_list(lab.p, "a", &names, &err), -1);
	assert_int_equal(names.nr, 1);
	strvec_release(&names);
	err_clear(&err);
	assert_int_equal(provisioner_sweep(lab.p, "a", NULL, &err), -1);
	assert_non_null(strstr(err.text, path));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(provisioner_list(lab.p, "", &names, &err), 0);
	assert_int_equal(names.nr, 0); /* the other one was given back */
	assert_int_equal(provisioner_release(lab.p, two, &err), 0);
	free(path);
	lab_close(&lab);
}

/* A lease whose machine was swept and lent again must not give the new one back. */
static void a_swept_lease_gives_nothing_back(void **state)
{
	struct lease *old, *new;
	struct strvec names = {0};
	struct lab lab;

	(void)state;
	lab_open(&lab);
	assert_int_equal(take(lab.p, "a", "r1", NULL, 60 * NS_PER_S, &old, NULL), 0);
	assert_int_equal(provisioner_sweep(lab.p, "a", NULL, NULL), 0);
	assert_int_equal(take(lab.p, "b", "r1", NULL, 60 * NS_PER_S, &new, NULL), 0);
	assert_int_equal(provisioner_release(lab.p, old, NULL), 0);
	assert_int_equal(provisioner_list(lab.p, "b", &names, NULL), 0);
	assert_int_equal(names.nr, 1);
	strvec_release(&names);
	provisioner_release(lab.p, new, NULL);
	lab_close(&lab);
}

static void a_list_that_makes_no_sense_is_refused(void **state)
{
	static const struct {
		const char *json, *says;
	} cases[] = {
		{"{}", "/machines"},
		{"{\"machines\": []}", "/machines"},
		{"{\"machines\": {}}", "/machines"},
		{"{\"machines\": [{}]}", "/machines/0"},
		{"{\"machines\": [{\"adress\": \"x\"}]}", "address"},
		{"{\"machines\": [{\"address\": \"../x\"}]}", "neither a host name"},
		{"{\"machines\": [{\"address\": \"x\", \"port\": 0}]}", "port"},
		{"{\"machine\": []}", "machine"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct json_object *o =
			json_parse(cases[i].json, strlen(cases[i].json), "t", NULL);
		struct err err = ERR_INIT;

		if (!list_provisioner.check_config(o, "plan.json", "/provisioners/lab",
						   &err))
			fail_msg("accepted: %s", cases[i].json);
		assert_int_equal(err.kind, ERR_USAGE);
		if (!strstr(err.text, cases[i].says) || !strstr(err.text, "plan.json"))
			fail_msg("%s: %s", cases[i].json, err.text);
		json_object_put(o);
	}
}

static void the_product_has_no_fake_kind(void **state)
{
	(void)state;
	assert_null(provisioner_kind_find("fake"));
	assert_non_null(provisioner_kind_find("list"));
	assert_non_null(provisioner_kind_find("libvirt"));
	assert_non_null(provisioner_kind_find("opennebula"));
}

static struct provisioner *fake_open_in(const char *dir, int fail_at, const char *how)
{
	struct json_object *config = json_object_new_object();
	struct provisioner *p;

	json_put_text(config, "state_dir", dir);
	json_put_int(config, "fail_at", fail_at);
	json_put_text(config, "fail_how", how);
	p = fake_provisioner.open(config, NULL);
	json_object_put(config);
	assert_non_null(p);
	return p;
}

/* acquire, list, release, sweep: with call n failing for every n, a sweep mends it. */
static void every_failing_call_can_be_mended(void **state)
{
	static const char *const hows[] = {"error", "after", "kill", "killed"};

	(void)state;
	for (int n = 1; n <= 3; n++) {
		for (size_t h = 0; h < ARRAY_SIZE(hows); h++) {
			char *dir = dir_make_temporary("test-fake", NULL);
			struct provisioner *p = fake_open_in(dir, n, hows[h]);
			struct strvec names = {0};
			struct lease *l = NULL;
			int status;
			pid_t pid = fork();

			if (pid == 0) {
				int rc = take(p, "a", "r1", NULL, NS_PER_S, &l, NULL);

				if (!rc) {
					rc |= provisioner_list(p, "a", &names, NULL);
					rc |= provisioner_release(p, l, NULL);
				}
				_exit(rc ? 1 : 0);
			}
			assert_int_equal(waitpid(pid, &status, 0), pid);
			assert_int_not_equal(status, 0);
			assert_int_equal(WIFSIGNALED(status), h >= 2);
			provisioner_free(p);
			p = fake_open_in(dir, 0, "error");
			assert_int_equal(provisioner_sweep(p, "a", NULL, NULL), 0);
			assert_int_equal(provisioner_list(p, "", &names, NULL), 0);
			assert_int_equal(names.nr, 0);
			provisioner_free(p);
			dir_remove(dir, NULL);
			free(dir);
		}
	}
}

static void a_sweep_takes_only_its_runs_machines(void **state)
{
	char *dir = dir_make_temporary("test-fake", NULL);
	struct provisioner *p = fake_open_in(dir, 0, "error");
	struct lease *a, *b;
	struct strvec names = {0};
	size_t nr;

	(void)state;
	/* Names alone could not tell these two runs apart. */
	assert_int_equal(take(p, "x", "y-z", NULL, NS_PER_S, &a, NULL), 0);
	assert_int_equal(take(p, "x-y", "w", NULL, NS_PER_S, &b, NULL), 0);
	assert_int_equal(provisioner_sweep(p, "x", &nr, NULL), 0);
	assert_int_equal(nr, 1);
	assert_int_equal(provisioner_list(p, "", &names, NULL), 0);
	assert_int_equal(names.nr, 1);
	assert_string_equal(names.items[0], "tare-x-y-w");
	strvec_release(&names);
	assert_int_equal(provisioner_release(p, a, NULL), 0);
	assert_int_equal(provisioner_release(p, b, NULL), 0);
	provisioner_free(p);
	dir_remove(dir, NULL);
	free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_become_names_and_paths),
		cmocka_unit_test(ssh_is_met_after_other_answers),
		cmocka_unit_test(another_service_is_not_ssh),
		cmocka_unit_test(a_dead_machine_is_not_waited_for),
		cmocka_unit_test(a_stop_ends_the_wait),
		cmocka_unit_test(two_leases_are_two_machines),
		cmocka_unit_test(one_machine_can_be_asked_for),
		cmocka_unit_test(what_a_killed_run_held_is_swept),
		cmocka_unit_test(a_stop_keeps_no_machine),
		cmocka_unit_test(what_cannot_be_undone_is_named),
		cmocka_unit_test(a_damaged_holder_is_no_free_machine),
		cmocka_unit_test(a_swept_lease_gives_nothing_back),
		cmocka_unit_test(a_list_that_makes_no_sense_is_refused),
		cmocka_unit_test(the_product_has_no_fake_kind),
		cmocka_unit_test(every_failing_call_can_be_mended),
		cmocka_unit_test(a_sweep_takes_only_its_runs_machines),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
