/*
 * Driver binding against a folder that looks like sysfs, with a kernel of a few lines
 * (tests/support/fake_kernel.h) that fails on demand at the n-th write. What must hold
 * comes from binding.h: done in full, or as it was.
 */
#include "probe/binding.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "core/base/mem.h"
#include "core/machine/sysfs.h"
#include "probe/pci_device.h"
#include "tests/support/fake_kernel.h"
#include "tests/support/tree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void kernel_start(struct fake_kernel *k)
{
	*k = (struct fake_kernel){.root = tree_make("tests/machines/binding.tree")};
}

static void check_driver(struct fake_kernel *k, const char *address, const char *want)
{
	char *has = pci_device_driver(k->root, address);

	if (!want)
		assert_null(has);
	else if (!has)
		fail_msg("%s has no driver, not %s", address, want);
	else
		assert_string_equal(has, want);
	free(has);
}

static void check_override(struct fake_kernel *k, const char *address, const char *want)
{
	char *path = x_asprintf("/sys/bus/pci/devices/%s/driver_override", address);
	char *has = tree_get(k->root, path);

	assert_string_equal(has, want);
	free(has);
	free(path);
}

static int apply(struct fake_kernel *k, const char *const *addresses, const char *driver,
		 struct binding *b, struct err *err)
{
	struct binding_host host = fake_kernel_host(k);

	return binding_apply(
		&host,
		&(struct binding_request){.addresses = addresses, .driver = driver}, b,
		err);
}

static const char *const gpu[] = {"0000:18:00.0", NULL};
static const char *const grace[] = {"0008:01:00.0", NULL};
static const char *const both[] = {"0000:18:00.0", "0008:01:00.0", NULL};

static void test_there_and_back(void **state)
{
	struct fake_kernel k;
	struct binding b;
	struct err err = ERR_INIT;

	(void)state;
	kernel_start(&k);
	if (apply(&k, gpu, "vfio", &b, &err))
		fail_msg("%s", err.text);
	assert_true(b.is_changed);
	check_driver(&k, gpu[0], "vfio-pci");
	check_override(&k, gpu[0], "vfio-pci");
	binding_release(&b);
	assert_int_equal(apply(&k, gpu, "vfio", &b, &err), 0); /* nothing left to do */
	assert_false(b.is_changed);
	assert_int_equal(b.nr, 0);
	binding_release(&b);
	if (apply(&k, gpu, "nvidia", &b, &err))
		fail_msg("%s", err.text);
	check_driver(&k, gpu[0], "nvidia");
	check_override(&k, gpu[0], "(null)");
	binding_release(&b);
	tree_remove(k.root);
}

/* Parts of a GPU go with its driver, idle or not: refused, and nothing is touched. */
static void test_parts_stop_it_as_processes_do(void **state)
{
	static const struct {
		const char *path, *target, *word;
	} parts[] = {
		{"/sys/bus/pci/devices/0000:18:00.0/virtfn0", "../0000:18:00.4",
		 "0000:18:00.4 (virtual function)"},
		{"/sys/bus/pci/devices/0000:18:00.0/83b8f4f2-509f-382f-3c1e-e6bfe0fa1001/x",
		 NULL, "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001 (mediated device)"},
		{"/proc/driver/nvidia/capabilities/gpu2/mig/gi3/access", NULL,
		 "MIG slice gi3"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		struct fake_kernel k;
		struct binding b;
		struct err err = ERR_INIT;

		kernel_start(&k);
		if (parts[i].target)
			tree_link(k.root, parts[i].path, parts[i].target);
		else
			tree_put(k.root, parts[i].path, "");
		assert_int_equal(apply(&k, gpu, "vfio", &b, &err), -1);
		if (!strstr(err.text, parts[i].word))
			fail_msg("'%s' is not in: %s", parts[i].word, err.text);
		assert_int_equal(b.nr, 0);
		check_driver(&k, gpu[0], "nvidia");
		binding_release(&b);
		tree_remove(k.root);
	}
}

static void test_grace_has_its_own_vfio(void **state)
{
	struct fake_kernel k;
	struct binding b;
	struct err err = ERR_INIT;

	(void)state;
	kernel_start(&k);
	if (apply(&k, grace, "vfio", &b, &err))
		fail_msg("%s", err.text);
	check_driver(&k, grace[0], "nvgrace_gpu_vfio_pci");
	assert_string_equal(b.steps[0].what, "load");
	binding_release(&b);
	tree_remove(k.root);
}

static void refused(struct fake_kernel *k, const char *const *addresses,
		    const char *driver, const char *why)
{
	struct binding b;
	struct err err = ERR_INIT;

	assert_int_equal(apply(k, addresses, driver, &b, &err), -1);
	if (!strstr(err.text, why))
		fail_msg("'%s' is not in: %s", why, err.text);
	assert_int_equal(k->writes, 0); /* nothing was touched */
	assert_int_equal(b.nr, 0);
	binding_release(&b);
}

static void test_refusals(void **state)
{
	static const char *const disk[] = {"0000:02:00.0", NULL};
	static const char *const console[] = {"0000:03:00.0", NULL};
	static const char *const nobody[] = {"0000:99:00.0", NULL};
	static const char *const path[] = {"../../../../etc", NULL};
	struct fake_kernel k;

	(void)state;
	kernel_start(&k);
	refused(&k, disk, "vfio", "neither a GPU nor an accelerator");
	refused(&k, console, "vfio", "no IOMMU group");
	refused(&k, nobody, "vfio", "no such PCI device");
	refused(&k, path, "vfio", "not a PCI address");
	refused(&k, gpu, "../nvidia", "is not a driver");
	refused(&k, gpu, "", "is not a driver");
	tree_link(k.root, "/sys/bus/pci/devices/0000:03:00.0/iommu_group",
		  "../../../../kernel/iommu_groups/9");
	tree_put(k.root, "/sys/bus/pci/devices/0000:03:00.0/boot_vga", "1\n");
	refused(&k, console, "vfio", "console or a monitor");
	tree_put(k.root, "/sys/bus/pci/devices/0000:03:00.0/boot_vga", "0\n");
	tree_put(k.root, "/sys/bus/pci/devices/0000:03:00.0/drm/card0/card0-DP-1/enabled",
		 "enabled\n");
	refused(&k, console, "vfio", "console or a monitor");
	tree_link(k.root, "/proc/812/fd/5", "/dev/nvidia2");
	refused(&k, gpu, "vfio", "812 (nvidia-persiste)");
	tree_link(k.root, "/proc/812/fd/5", "/dev/nvidia1"); /* another GPU's */
	tree_link(k.root, "/sys/bus/pci/devices/0000:18:00.1/driver",
		  "../../drivers/snd_hda_intel");
	refused(&k, gpu, "vfio", "0000:18:00.1 (snd_hda_intel)");
	tree_remove(k.root);
}

/* The group's other user may come along: then nobody is left in it. */
static void test_group_together(void **state)
{
	static const char *const pair[] = {"0000:18:00.0", "0000:18:00.1", NULL};
	struct fake_kernel k;
	struct binding_host host;
	struct binding b;
	struct err err = ERR_INIT;

	(void)state;
	kernel_start(&k);
	host = fake_kernel_host(&k);
	fake_kernel_give(&k, pair[1], "snd_hda_intel");
	if (binding_apply(&host,
			  &(struct binding_request){.addresses = pair,
						    .driver = "vfio",
						    .any_device = true},
			  &b, &err))
		fail_msg("%s", err.text);
	check_driver(&k, pair[0], "vfio-pci");
	check_driver(&k, pair[1], "vfio-pci");
	binding_release(&b);
	tree_remove(k.root);
}

static void test_module_is_missing(void **state)
{
	struct fake_kernel k;
	struct binding b;
	struct err err = ERR_INIT;

	(void)state;
	kernel_start(&k);
	k.not_there = "nvgrace_gpu_vfio_pci";
	assert_int_equal(apply(&k, both, "vfio", &b, &err), -1);
	assert_non_null(strstr(err.text, "cannot be loaded"));
	check_driver(&k, both[0], "nvidia"); /* the first was bound, and is back */
	check_driver(&k, both[1], "nvidia");
	check_override(&k, both[0], "(null)");
	binding_release(&b);
	tree_remove(k.root);
}

/* Failing at write n, for every n that a change of two devices has. */
static void test_failure_at_every_write(void **state)
{
	int n;

	(void)state;
	for (n = 1;; n++) {
		struct fake_kernel k;
		struct binding b;
		struct err err = ERR_INIT;
		int rc;

		kernel_start(&k);
		k.fail_at = n;
		rc = apply(&k, both, "vfio", &b, &err);
		if (rc) {
			assert_true(strstr(err.text, "0000:18:00.0") ||
				    strstr(err.text, "0008:01:00.0"));
			assert_null(strstr(err.text, "could not be undone"));
			for (int i = 0; i < 2; i++) {
				check_driver(&k, both[i], "nvidia");
				check_override(&k, both[i], "(null)");
			}
			for (size_t i = 0; i < b.nr; i++)
				assert_true(b.steps[i].state == BINDING_FAILED ||
					    b.steps[i].state == BINDING_UNDONE);
		}
		binding_release(&b);
		tree_remove(k.root);
		if (!rc)
			break;
	}
	assert_int_equal(n, 7); /* override, unbind and probe of each, then none fails */
}

/* The kernel takes a write and does nothing: noticed at the very step. */
static void test_silence_at_every_write(void **state)
{
	(void)state;
	for (int n = 2; n <= 3; n++) {
		struct fake_kernel k;
		struct binding b;
		struct err err = ERR_INIT;

		kernel_start(&k);
		k.silent_at = n;
		assert_int_equal(apply(&k, gpu, "vfio", &b, &err), -1);
		assert_non_null(strstr(err.text, "nothing changed"));
		check_driver(&k, gpu[0], "nvidia");
		check_override(&k, gpu[0], "(null)");
		binding_release(&b);
		tree_remove(k.root);
	}
}

/* Undoing fails as well: the error and the document say what is left. */
static void test_undo_fails_too(void **state)
{
	struct fake_kernel k;
	struct binding_host host;
	struct binding_request want = {.addresses = gpu, .driver = "vfio"};
	struct binding b;
	struct err err = ERR_INIT;
	struct json_object *o;

	(void)state;
	kernel_start(&k);
	host = fake_kernel_host(&k);
	k.fail_at = 3;
	k.fails_on = true;
	assert_int_equal(binding_apply(&host, &want, &b, &err), -1);
	assert_non_null(strstr(err.text, "could not be undone: unbind of 0000:18:00.0"));
	o = binding_to_json(&host, &want, &b, &err);
	assert_string_equal(json_object_get_string(json_at(o, "steps/1/state")), "left");
	assert_string_equal(json_object_get_string(json_at(o, "steps/2/state")),
			    "failed");
	assert_null(json_at(o, "devices/0/driver"));
	assert_non_null(json_at(o, "error"));
	json_object_put(o);
	binding_release(&b);
	tree_remove(k.root);
}

/*
 * As a run puts a device back: the driver that it had, and the override that it had,
 * which says nothing where vfio had it by its id alone.
 */
static void test_put_back_exactly(void **state)
{
	static const struct {
		const char *driver, *override;
	} before[] = {{"vfio-pci", "none"},
		      {"vfio-pci", "vfio-pci"},
		      {"nvidia", "none"},
		      {"none", "none"},
		      {"none", "pci-stub"}};
	struct fake_kernel k;
	struct err err = ERR_INIT;

	(void)state;
	kernel_start(&k);
	for (size_t i = 0; i < ARRAY_SIZE(before); i++) {
		struct binding_host host = fake_kernel_host(&k);
		const char *override = before[i].override, *driver = before[i].driver;
		struct binding b;

		if (apply(&k, gpu, i % 2 ? "nvidia" : "vfio", &b, &err))
			fail_msg("%s", err.text);
		binding_release(&b);
		if (binding_apply(&host,
				  &(struct binding_request){.addresses = gpu,
							    .driver = driver,
							    .override = override},
				  &b, &err))
			fail_msg("%s", err.text);
		check_driver(&k, gpu[0], strcmp(driver, "none") ? driver : NULL);
		check_override(&k, gpu[0],
			       strcmp(override, "none") ? override : "(null)");
		binding_release(&b);
	}
	tree_remove(k.root);
}

/* Looking touches nothing and tells what putting back needs. */
static void test_look(void **state)
{
	struct binding_request want = {.addresses = both};
	struct binding none = {0};
	struct fake_kernel k;
	struct binding_host host;
	struct err err = ERR_INIT;
	struct json_object *o;

	(void)state;
	kernel_start(&k);
	host = fake_kernel_host(&k);
	tree_put(k.root, "/sys/bus/pci/devices/0000:18:00.0/driver_override", "nvidia\n");
	assert_int_equal(binding_look(&host, &want, &err), 0);
	o = binding_to_json(&host, &want, &none, NULL);
	assert_string_equal(json_object_get_string(json_at(o, "devices/0/override")),
			    "nvidia");
	assert_string_equal(json_object_get_string(json_at(o, "devices/1/driver")),
			    "nvidia");
	assert_null(json_at(o, "devices/1/override"));
	json_object_put(o);
	want.addresses = (const char *const[]){"0000:99:00.0", NULL};
	assert_int_equal(binding_look(&host, &want, &err), -1);
	assert_int_equal(k.writes, 0);
	tree_remove(k.root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_parts_stop_it_as_processes_do),
		cmocka_unit_test(test_grace_has_its_own_vfio),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_group_together),
		cmocka_unit_test(test_module_is_missing),
		cmocka_unit_test(test_failure_at_every_write),
		cmocka_unit_test(test_silence_at_every_write),
		cmocka_unit_test(test_undo_fails_too),
		cmocka_unit_test(test_put_back_exactly),
		cmocka_unit_test(test_look),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
