/*
 * A machine that is given back while the journal takes no line (a full disk, here a limit on
 * the size of files): both failures are told. The provisioner is the FAKE one, whose count
 * of calls cannot be written either, so that its release fails.
 */
#include "harness/run/arm_lease.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/mem.h"
#include "tests/support/fake_provisioner.h"

/* What give_back says on standard error, and its result; no file can grow meanwhile. */
static int give_back_on_full_disk(struct session *s, const struct arm *arm,
				  struct lease *lease, char said[4096], struct err *err)
{
	struct step_at at = {.round = 1, .arm = arm->name};
	struct rlimit was, none = {0};
	int ends[2], kept = dup(STDERR_FILENO), rc;
	ssize_t len;

	assert_int_equal(pipe(ends), 0);
	getrlimit(RLIMIT_FSIZE, &was);
	none.rlim_max = was.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	dup2(ends[1], STDERR_FILENO);
	setrlimit(RLIMIT_FSIZE, &none);
	rc = arm_lease_give_back(s, &at, arm, lease, err);
	setrlimit(RLIMIT_FSIZE, &was);
	dup2(kept, STDERR_FILENO);
	close(kept);
	close(ends[1]);
	len = read(ends[0], said, 4095);
	said[len > 0 ? len : 0] = 0;
	close(ends[0]);
	return rc;
}

static void both_failures_are_told(void **state)
{
	char *dir = dir_make_temporary("tare-test-arm-lease", NULL), said[4096];
	struct json_object *config = json_object_new_object();
	struct provision lab = {
		.name = (char[]){"lab"}, .kind = &fake_provisioner, .config = config};
	const struct plan plan = {.provisions = &lab, .provisions_nr = 1};
	const struct arm arm = {.name = (char[]){"vm"},
				.target = ARM_VM,
				.provisioner = (char[]){"lab"},
				.ready_timeout_ns = NS_PER_S};
	struct step_at at = {.round = 1, .arm = "vm"};
	struct err err = ERR_INIT;
	struct session s;
	struct lease *lease;

	(void)state;
	json_put_text(config, "state_dir", dir);
	session_begin_unwritten(&s, &plan);
	s.run_id = x_strdup("r1");
	s.workdir = x_strdup(dir);
	s.journal = journal_open(dir, &err);
	assert_non_null(s.journal);
	if (arm_lease_take(&s, &at, &arm, "one", &lease, &err))
		fail_msg("%s", err.text);
	assert_int_equal(give_back_on_full_disk(&s, &arm, lease, said, &err), -1);
	assert_non_null(strstr(err.text, "journal cannot be written"));
	assert_non_null(strstr(said, "release of tare-r1-one"));
	session_end(&s);
	json_object_put(config);
	dir_remove(dir, NULL);
	free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_failures_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
