/*
 * Is a GPU here? Trees with what the kernel and the driver show of one, and the fake NVML in
 * the states that hide it. Classes of PCI: display controllers are 03xx, 0403 is the sound of
 * a GPU (PCI Code and ID Assignment Specification); NVIDIA is 10de, 1002 is AMD.
 */
#include "core/machine/gpu_presence.h"

#include "core/base/mem.h"
#include "core/machine/nvml_impl.h"
#include "tests/support/built.h"
#include "tests/support/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define AT "/sys/bus/pci/devices/0000:17:00.0"

static char *new_root(void)
{
	char *root = x_strdup("/tmp/tare-test-XXXXXX");

	assert_non_null(mkdtemp(root));
	return root;
}

static void put_device(const char *root, const char *vendor, const char *class_code,
		       const char *driver)
{
	tree_put(root, AT "/vendor", vendor);
	tree_put(root, AT "/class", class_code);
	if (driver)
		tree_link(root, AT "/driver", driver);
}

static void check(const char *root, const char *shown_by, const char *remedy)
{
	struct gpu_presence p;

	assert_true(gpu_presence_read(&p, root, NULL));
	if (!strstr(p.shown_by, shown_by))
		fail_msg("'%s' is not in: %s", shown_by, p.shown_by);
	if (!strstr(p.remedy, remedy))
		fail_msg("'%s' is not in: %s", remedy, p.remedy);
}

static void check_none(const char *root)
{
	struct gpu_presence p;

	assert_false(gpu_presence_read(&p, root, NULL));
}

static void test_pci(void **state)
{
	static const struct {
		const char *driver, *shown_by, *remedy;
	} cases[] = {
		{NULL, "PCI device 0000:17:00.0 (driver none)", "modprobe nvidia"},
		{"drivers/vfio-pci", "(driver vfio-pci)", "give it back"},
		{"drivers/nvgrace_gpu_vfio_pci", "(driver nvgrace_gpu_vfio_pci)",
		 "give it back"},
		{"drivers/nouveau", "(driver nouveau)", "install NVIDIA's driver"},
		{"drivers/nvidia", "(driver nvidia)", "dmesg"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *root = new_root();

		put_device(root, "0x10de", i % 2 ? "0x030000" : "0x030200",
			   cases[i].driver);
		check(root, cases[i].shown_by, cases[i].remedy);
		tree_remove(root);
	}
}

static void test_others_are_none(void **state)
{
	static const char *const devices[][2] = {
		{"0x1002", "0x030000"}, {"0x10de", "0x040300"}, {"0x10de", "0x068000"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		char *root = new_root();

		check_none(root);
		put_device(root, devices[i][0], devices[i][1], NULL);
		tree_put(root, "/dev/nvidiactl", "");
		tree_put(root, "/proc/driver/nvidia/version", "");
		check_none(root);
		tree_remove(root);
	}
}

static void test_driver_files(void **state)
{
	static const char *const files[] = {
		"/proc/driver/nvidia/gpus/0000:17:00.0/information", "/dev/nvidia0"};
	static const char *const shown[] = {"/proc/driver/nvidia/gpus/0000:17:00.0",
					    "/dev/nvidia0"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char *root = new_root();

		tree_put(root, files[i], "");
		check(root, shown[i], "reload the driver or reboot");
		tree_remove(root);
	}
}

/* On this machine, where no GPU may be but the fake NVML's. */
static void test_nvml(void **state)
{
	static const struct {
		const char *code, *shown_by, *remedy;
	} cases[] = {
		{"15", "NVML_ERROR_GPU_IS_LOST (15)", "Xid 79"},
		{"18", "NVML_ERROR_LIB_RM_VERSION_MISMATCH (18)", "two versions"},
		{"4", "NVML_ERROR_NO_PERMISSION (4)", "run as root"},
		{"999", "NVML_ERROR_UNKNOWN (999)", "dmesg"},
	};
	struct gpu_presence p;

	(void)state;
	setenv("TARE_FAKE_NVML_GPUS", "0", 1);
	if (gpu_presence_read(&p, "", NULL)) { /* a real one */
		print_message("%s\n", p.shown_by);
		skip();
	}
	setenv("TARE_FAKE_NVML_LOST", "1", 1);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		setenv("TARE_FAKE_NVML_CODE", cases[i].code, 1);
		check("", cases[i].shown_by, cases[i].remedy);
	}
	setenv("TARE_FAKE_NVML_CODE", "9", 1); /* libraries without a driver */
	check_none("");
	unsetenv("TARE_FAKE_NVML_LOST");
	unsetenv("TARE_FAKE_NVML_GPUS");
	check("", "NVML counts 1", "dmesg");
	setenv("CUDA_VISIBLE_DEVICES", "-1", 1);
	check("", "NVML counts 1", "CUDA_VISIBLE_DEVICES=-1 may hide it: unset it");
	assert_true(gpu_presence_read(&p, "", "-1"));
	assert_string_equal(p.remedy, "nvidia-smi -L lists the UUIDs of what is there");
	unsetenv("CUDA_VISIBLE_DEVICES");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pci),
		cmocka_unit_test(test_others_are_none),
		cmocka_unit_test(test_driver_files),
		cmocka_unit_test(test_nvml),
	};

	(void)argc;
	if (built_start_on_fakes(argv) != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
