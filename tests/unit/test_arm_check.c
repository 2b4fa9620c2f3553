/* The driver that an arm asks for, against facts written by hand. */
#include "harness/run/arm_check.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

static const char with_gpu[] =
	"{\"pci\":[{\"address\":\"0000:03:00.0\",\"vendor\":\"0x1a03\",\"driver\":"
	"\"ast\"},"
	"{\"address\":\"0008:01:00.0\",\"vendor\":\"0x10de\",\"driver\":\"nvidia\"},"
	"{\"address\":\"0009:01:00.0\",\"vendor\":\"0x10de\",\"driver\":null}]}";
static const char on_vfio[] =
	"{\"pci\":[{\"address\":\"0008:01:00.0\",\"vendor\":\"0x10de\","
	"\"driver\":\"nvgrace_gpu_vfio_pci\"}]}";

static int check(int target, int driver, const char *facts, struct err *err)
{
	struct arm arm = {.target = target, .driver = driver};
	struct json_object *o = json_parse(facts, strlen(facts), "facts", NULL);
	int rc = arm_check_driver(&arm, o, err);

	json_object_put(o);
	return rc;
}

static void test_has_it(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(check(ARM_SSH, ARM_DRIVER_NVIDIA, with_gpu, &err), 0);
	assert_int_equal(check(ARM_SSH, ARM_DRIVER_VFIO, on_vfio, &err), 0);
	assert_int_equal(check(ARM_LOCAL, ARM_DRIVER_ASIS, "{}", &err), 0);
	assert_int_equal(check(ARM_VM, ARM_DRIVER_VFIO, "{}", &err), 0);
}

static void test_has_it_not(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(check(ARM_SSH, ARM_DRIVER_NVIDIA, on_vfio, &err), -1);
	assert_int_equal(err.kind, ERR_ENVIRONMENT);
	assert_non_null(
		strstr(err.text, "tare-probe --bind nvidia --device 0008:01:00.0"));
	err_clear(&err);
	assert_int_equal(check(ARM_SSH, ARM_DRIVER_VFIO, with_gpu, &err), -1);
	assert_non_null(strstr(err.text, "--bind vfio"));
	err_clear(&err);
	assert_int_equal(check(ARM_VM, ARM_DRIVER_NVIDIA, "{\"pci\":[]}", &err), -1);
	assert_non_null(strstr(err.text, "shows no GPU"));
}

static int check_pinned(int driver, const char *address, const char *facts,
			struct err *err)
{
	struct gpu_host host = {0};
	struct arm arm = {.target = ARM_SSH, .driver = driver, .gpu_host = &host};
	struct json_object *o = json_parse(facts, strlen(facts), "facts", NULL);
	int rc;

	host.arm = &arm;
	strvec_add(&host.gpus, address);
	rc = arm_check_driver(&arm, o, err);
	strvec_release(&host.gpus);
	json_object_put(o);
	return rc;
}

/* Another GPU with the driver is no comfort. */
static void test_the_pinned_gpu_counts(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(check_pinned(ARM_DRIVER_NVIDIA, "0008:01:00.0", with_gpu, &err),
			 0);
	assert_int_equal(check_pinned(ARM_DRIVER_NVIDIA, "0009:01:00.0", with_gpu, &err),
			 -1);
	assert_int_equal(err.kind, ERR_ENVIRONMENT);
	assert_non_null(
		strstr(err.text, "tare-probe --bind nvidia --device 0009:01:00.0"));
	assert_int_equal(check_pinned(ARM_DRIVER_VFIO, "0007:01:00.0", on_vfio, &err),
			 -1);
	assert_non_null(strstr(err.text, "does not show the GPU 0007:01:00.0"));
}

/* A host's network cards may be on vfio for other machines; class codes by PCI. */
static void test_a_network_card_is_no_gpu(void **state)
{
	static const char card[] = "{\"pci\":[{\"address\":\"0000:05:00.0\",\"class\":"
				   "\"0x020000\",\"driver\":\"vfio-pci\"}]}";
	static const char gpu[] = "{\"pci\":[{\"address\":\"0000:05:00.0\",\"class\":"
				  "\"0x030200\",\"driver\":\"vfio-pci\"}]}";
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(check(ARM_SSH, ARM_DRIVER_VFIO, card, &err), -1);
	assert_int_equal(check(ARM_SSH, ARM_DRIVER_VFIO, gpu, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_has_it),
		cmocka_unit_test(test_has_it_not),
		cmocka_unit_test(test_the_pinned_gpu_counts),
		cmocka_unit_test(test_a_network_card_is_no_gpu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
