/*
 * The SSH target on a line that is cut or goes silent (tests/support/ssh_rig.h).
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

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A whole life; 0 when everything went well, else the error's text is there. */
static int whole_life(struct sshd *s, const char *from, const char *back,
		      int64_t timeout_ns, struct err *err)
{
	struct ssh_params p = sshd_params(s);
	const char *argv[] = {"echo", "hello", NULL};
	struct proc_outcome o;
	struct target *t;
	int rc;

	p.connect_timeout_ns = timeout_ns;
	t = target_ssh_new(&p, err);
	if (!t)
		return -1;
	rc = target_run(t,
			&(struct proc_spec){.argv = argv,
					    .timeout_ns = timeout_ns,
					    .output_max = 4096},
			&o, err);
	if (!rc) {
		rc = o.end == PROC_EXITED && strcmp(o.out.data, "hello\n") == 0 ? 0 : -1;
		if (rc)
			err_set(err, ERR_ENVIRONMENT, "not done in time");
		proc_outcome_release(&o);
	}
	if (!rc)
		rc = ssh_rig_send(t, from, "file", timeout_ns, err);
	if (!rc)
		rc = ssh_rig_get(t, "file", back, timeout_ns, err);
	if (target_close(t, rc ? NULL : err))
		rc = -1;
	return rc;
}

static void test_line_cut_anywhere(void **state)
{
	struct sshd *s = ssh_rig(state)->server;
	char *from = path_join(ssh_rig(state)->dir, "small");
	char *back = path_join(ssh_rig(state)->dir, "small-back");
	int before, failures = 0;
	long long step = 257, after;

	ssh_rig_write_random(from, 8000);
	sshd_wait_idle(s);
	before = ssh_rig_open_files();
	for (after = 0;; after += step) {
		struct err err = ERR_INIT;
		int rc;

		unlink(back);
		sshd_set_fault(s, SSHD_CUT, after);
		rc = whole_life(s, from, back, 20 * NS_PER_S, &err);
		if (rc == 0)
			break;
		assert_int_equal(err.kind, ERR_ENVIRONMENT);
		assert_true(err.text[0] != '\0');
		failures++;
		if (after > 3000)
			step = 1999;
		assert_true(after < 200000);
	}
	sshd_set_fault(s, SSHD_SOUND, 0);
	sshd_wait_idle(s);
	assert_int_equal(ssh_rig_open_files(), before);
	assert_true(failures > 12); /* the sweep did cut it, many times */
	free(from);
	free(back);
}

static void test_line_goes_silent(void **state)
{
	struct sshd *s = ssh_rig(state)->server;
	static const long long points[] = {0, 1500, 6500};
	char *from = path_join(ssh_rig(state)->dir, "small");
	char *back = path_join(ssh_rig(state)->dir, "silent-back");
	int before;

	sshd_wait_idle(s);
	before = ssh_rig_open_files();
	for (size_t i = 0; i < ARRAY_SIZE(points); i++) {
		struct err err = ERR_INIT;
		int64_t start = clock_mono_ns();

		sshd_set_fault(s, SSHD_SILENT, points[i]);
		assert_int_equal(whole_life(s, from, back, NS_PER_S, &err), -1);
		assert_int_equal(err.kind, ERR_ENVIRONMENT);
		/* Not a measure of speed: that it ends at all, long before a minute. */
		assert_true(clock_mono_ns() - start < 60 * NS_PER_S);
	}
	sshd_set_fault(s, SSHD_SOUND, 0);
	sshd_wait_idle(s);
	assert_int_equal(ssh_rig_open_files(), before);
	free(from);
	free(back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line_cut_anywhere),
		cmocka_unit_test(test_line_goes_silent),
	};

	if (ssh_rig_missing())
		return 77;
	return cmocka_run_group_tests(tests, ssh_rig_set_up, ssh_rig_tear_down);
}
