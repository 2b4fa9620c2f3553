/*
 * Ctrl-C pressed twice in an arm's turn, while its machine is acquired, left or released:
 * the machine is given back and the folder on it is gone. A third time ends the process,
 * which first names what stays. The machine is a real OpenSSH server of this one
 * (tests/support/sshd.h), lent by a FAKE provisioner that presses the keys itself; a thread
 * presses them as soon as the journal says that the machine is being left.
 */
#include "harness/run/arm_turn.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/base/stop.h"
#include "harness/plan/workload_kind.h"
#include "harness/provision/provisioner_impl.h"
#include "tests/support/child.h"
#include "tests/support/ssh_rig.h"

enum { AT_ACQUIRE = 1, AT_RELEASE, AT_LEAVE };

/* What a test asks for, and what the lender has on loan. */
static struct {
	struct sshd *server;
	int when, presses, on_loan;
} world;

static void press(void)
{
	static const int signals[] = {SIGINT, SIGTERM,
				      SIGHUP}; /* alike ones would merge */

	for (int i = 0; i < world.presses; i++)
		kill(getpid(), signals[i]);
}

static int lender_acquire(struct provisioner *p, const struct lease_request *want,
			  struct lease **ret, struct err *err)
{
	struct lease *l = x_calloc(1, sizeof(*l));

	(void)p;
	(void)err;
	world.on_loan++;
	l->info = (struct lease_info){.id = "1",
				      .name = lease_name(want->run_id, want->label),
				      .address = "127.0.0.1",
				      .port = world.server->port,
				      .key_file = world.server->key_file,
				      .host_key_sha256 = world.server->host_key_sha256};
	if (world.when == AT_ACQUIRE)
		press();
	*ret = l;
	return 0;
}

/* As a real kind does, it waits a little for the machine to go. */
static int lender_release(struct provisioner *p, struct lease *l, struct err *err)
{
	int rc;

	(void)p;
	if (world.when == AT_RELEASE)
		press();
	rc = lease_pause(NS_PER_MS, err);
	if (!rc)
		world.on_loan--;
	free((char *)(uintptr_t)l->info.name);
	free(l);
	return rc;
}

static void lender_free(struct provisioner *p)
{
	free(p);
}

static const struct provisioner_ops lender_ops = {.kind = "lender",
						  .acquire = lender_acquire,
						  .release = lender_release,
						  .free = lender_free};

static struct provisioner *lender_open(struct json_object *config, struct err *err)
{
	struct provisioner *p = x_calloc(1, sizeof(*p));

	(void)config;
	(void)err;
	p->ops = &lender_ops;
	return p;
}

static const struct provisioner_kind lender_kind = {.name = "lender",
						    .open = lender_open};

static bool journal_says(const char *dir, enum step step)
{
	struct journal_entries e;
	bool is = false;

	if (journal_read(&e, dir, NULL))
		return false;
	for (size_t i = 0; i < e.nr; i++)
		is = is || e.items[i].step == step;
	journal_entries_release(&e);
	return is;
}

static void *press_when_left(void *ctx)
{
	const char *dir = ctx;
	char *path = path_join(dir, "journal.jsonl"), events[4096];
	int fd = inotify_init1(IN_CLOEXEC);

	assert_true(inotify_add_watch(fd, path, IN_MODIFY) >= 0);
	while (!journal_says(dir, STEP_LEAVE))
		assert_true(read(fd, events, sizeof(events)) > 0);
	press();
	close(fd);
	free(path);
	return NULL;
}

static bool is_empty(const char *dir)
{
	return rmdir(dir) == 0 && dir_make(dir, 0700, NULL) == 0;
}

/* The turn ends at the machine: there is no tare-probe to bring there. */
static void turn(void **state)
{
	struct provision lab = {.name = (char[]){"lab"}, .kind = &lender_kind};
	struct arm arm = {.name = (char[]){"vm"},
			  .target = ARM_VM,
			  .provisioner = (char[]){"lab"},
			  .ready_timeout_ns = 60 * NS_PER_S};
	const struct plan plan = {
		.provisions = &lab, .provisions_nr = 1, .arms = &arm, .arms_nr = 1};
	char *dir = ssh_rig(state)->dir;
	struct err err = ERR_INIT;
	struct session s;
	pthread_t thread;

	stop_install();
	session_begin_unwritten(&s, &plan);
	s.run_id = x_strdup("r1");
	s.dir = x_strdup(dir);
	s.workdir = x_strdup(dir);
	s.journal = journal_open(dir, &err);
	assert_non_null(s.journal);
	if (world.when == AT_LEAVE)
		assert_int_equal(pthread_create(&thread, NULL, press_when_left, dir), 0);
	assert_int_equal(arm_turn(&s, 1, &arm, NULL, &err), -1);
	if (world.when == AT_LEAVE)
		pthread_join(thread, NULL);
	assert_true(stop_requested());
	assert_int_equal(err.kind,
			 world.when == AT_ACQUIRE ? ERR_INTERRUPTED : ERR_ENVIRONMENT);
	assert_int_equal(world.on_loan, 0);
	assert_true(journal_says(dir, STEP_RELEASE));
	session_end(&s);
}

static void pressed_twice(void **state, int when)
{
	struct ssh_rig *rig = ssh_rig(state);

	world.server = rig->server;
	world.when = when;
	world.presses = 2;
	child_run(turn, state);
	sshd_wait_idle(rig->server);
	assert_true(is_empty(rig->server->tmp));
}

static void twice_while_acquired(void **state)
{
	pressed_twice(state, AT_ACQUIRE);
}

static void twice_while_left(void **state)
{
	pressed_twice(state, AT_LEAVE);
}

static void twice_while_released(void **state)
{
	pressed_twice(state, AT_RELEASE);
}

static void three_times_names_the_machine(void **state)
{
	char said[8192];

	world.server = ssh_rig(state)->server;
	world.when = AT_RELEASE;
	world.presses = 3;
	sshd_wait_idle(world.server);
	assert_int_equal(child_outcome(turn, state, said, sizeof(said)),
			 EXIT_INTERRUPTED);
	if (!strstr(said, "left behind: machine tare-r1-r001-vm"))
		fail_msg("%s", said);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(twice_while_acquired),
		cmocka_unit_test(twice_while_left),
		cmocka_unit_test(twice_while_released),
		cmocka_unit_test(three_times_names_the_machine),
	};

	if (ssh_rig_missing())
		return 77;
	setenv(PROGRAM_DIR_VARIABLE, "/nowhere", 1);
	return cmocka_run_group_tests(tests, ssh_rig_set_up, ssh_rig_tear_down);
}
