/*
 * Which GPU changes hands between an arm and VMs, and who else has a say in it, follows
 * from the arms; what does not follow is asked for before anything runs. The workload's
 * program is tests/support/fake_gemm.h.
 */
#include "harness/plan/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/mem.h"
#include "tests/support/fake_gemm.h"

static const char frame[] =
	"{'name': 'x', 'baseline': 'metal', 'workloads': [{'gemm': {}}],"
	" 'provisioners': {'here': {'kind': 'libvirt'},"
	"  'cloud': {'kind': 'opennebula', 'endpoint': 'http://localhost:1/RPC2',"
	"            'auth_file': '/none'}},"
	" 'arms': {%s}}";

/* JSON with single quotes, for the eye. */
static int read_arms(const char *arms, struct plan *ret, struct err *err)
{
	char *text = x_asprintf(frame, arms);
	struct json_object *o;
	int rc;

	for (char *c = text; *c; c++)
		if (*c == '\'')
			*c = '"';
	o = json_parse(text, strlen(text), "plan", err);
	rc = o ? plan_from_json(ret, o, "plan", err) : -1;
	json_object_put(o);
	free(text);
	return rc;
}

#define HERE "'metal': {'target': 'local', 'driver': 'nvidia'},"
#define VM "'target': 'vm', 'provisioner': 'cloud', 'template': 't', 'driver': 'vfio',"

static void pinned_to_the_host(void **state)
{
	static const char arms[] =
		"'metal': {'target': 'ssh', 'host': 'gpu-7', 'driver': 'nvidia',"
		"          'gpus': '0009:01:00.0'},"
		"'other': {'target': 'ssh', 'host': 'gpu-8', 'driver': 'nvidia'},"
		"'vm': {" VM "'pin': {'host': 'gpu-7', 'gpu': '0008:01:00.0'}},"
		"'short': {" VM "'pin': {'host': 'gpu-7', 'gpu': 'E1:00.0'}}";
	struct err err = ERR_INIT;
	const struct gpu_host *h;
	struct plan p;

	(void)state;
	if (read_arms(arms, &p, &err))
		fail_msg("%s", err.text);
	h = plan_arm(&p, "vm")->gpu_host;
	assert_non_null(h);
	assert_ptr_equal(h, plan_arm(&p, "metal")->gpu_host);
	assert_ptr_equal(h, plan_arm(&p, "short")->gpu_host);
	assert_null(plan_arm(&p, "other")->gpu_host); /* its driver is only checked */
	assert_string_equal(h->arm->name, "metal");
	assert_string_equal(h->provisioner, "cloud");
	assert_string_equal(h->name, "gpu-7");
	assert_int_equal(h->gpus.nr, 3);
	assert_true(strvec_has(&h->gpus, "0008:01:00.0"));
	assert_true(strvec_has(&h->gpus, "0009:01:00.0"));
	assert_true(strvec_has(&h->gpus, "0000:e1:00.0"));
	plan_release(&p);
}

/* A machine of this computer's libvirt: nobody schedules, so there is no host to name. */
static void on_this_computer(void **state)
{
	static const char arms[] =
		HERE "'vm': {'target': 'vm', 'provisioner': 'here', 'image': '/i',"
		     "       'driver': 'vfio', 'gpus': ['41:00.0']},"
		     "'plain': {'target': 'vm', 'provisioner': 'here', 'image': '/i'}";
	struct err err = ERR_INIT;
	const struct gpu_host *h;
	struct plan p;

	(void)state;
	if (read_arms(arms, &p, &err))
		fail_msg("%s", err.text);
	h = plan_arm(&p, "vm")->gpu_host;
	assert_ptr_equal(h, plan_arm(&p, "metal")->gpu_host);
	assert_null(plan_arm(&p, "plain")->gpu_host);
	assert_null(h->name);
	assert_string_equal(h->gpus.items[0], "0000:41:00.0");
	plan_release(&p);
}

/* A driver with nobody to share the GPU with changes nothing, as it always was. */
static void alone(void **state)
{
	static const char metal[] = "'metal': {'target': 'local', 'driver': 'nvidia'}";
	static const char vm[] = "'metal': {'target': 'local'},"
				 "'vm': {" VM "'pin': {'host': 'x', 'gpu': '01:00.0'}}";
	struct err err = ERR_INIT;
	struct plan p;

	(void)state;
	if (read_arms(metal, &p, &err))
		fail_msg("%s", err.text);
	assert_null(p.arms[0].gpu_host);
	plan_release(&p);
	if (read_arms(vm, &p, &err))
		fail_msg("%s", err.text);
	assert_null(plan_arm(&p, "vm")->gpu_host);
	plan_release(&p);
}

static void what_does_not_follow(void **state)
{
	static const struct {
		const char *arms, *why;
	} wrong[] = {
		{HERE "'vm': {" VM "'gpu': {'count': 1}}",
		 "which GPU is to change its driver?"},
		{HERE "'b': {'target': 'ssh', 'host': 'h', 'driver': 'nvidia'},"
		      "'vm': {" VM "'pin': {'host': 'x', 'gpu': '01:00.0'}}",
		 "Name it by 'host_arm'"},
		{HERE "'vm': {" VM
		      "'host_arm': 'vm', 'pin': {'host': 'x', 'gpu': '01:00.0'}}",
		 "a driver of its own"},
		{HERE "'a': {" VM "'pin': {'host': 'x', 'gpu': '01:00.0'}},"
		      "'b': {" VM "'pin': {'host': 'y', 'gpu': '01:00.0'}}",
		 "cannot be the arm 'metal'"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct err err = ERR_INIT;
		struct plan p;

		assert_int_equal(read_arms(wrong[i].arms, &p, &err), -1);
		if (!strstr(err.text, wrong[i].why))
			fail_msg("%s", err.text);
		assert_int_equal(err.kind, ERR_USAGE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pinned_to_the_host),
		cmocka_unit_test(on_this_computer),
		cmocka_unit_test(alone),
		cmocka_unit_test(what_does_not_follow),
	};

	return cmocka_run_group_tests(tests, fake_gemm_set_up, fake_gemm_tear_down);
}
