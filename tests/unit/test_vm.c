/*
 * What a plan says of a virtual machine, the files of a lease, the checks before it, and
 * the seed. Expected documents follow cloud-init's NoCloud pages; the volume's label is
 * where ECMA-119, 8.4.7 puts it.
 */
#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/document/json.h"
#include "core/base/mem.h"
#include "core/base/proc.h"
#include "harness/provision/libvirt/vm_files.h"
#include "harness/provision/libvirt/vm_machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static struct json_object *parsed(const char *text)
{
	struct err err = ERR_INIT;
	struct json_object *o = json_parse(text, strlen(text), "test", &err);

	if (!o)
		fail_msg("%s", err.text);
	return o;
}

static void pci_addresses(void **state)
{
	static const char *const wrong[] = {"",        "41:00",     "0000:41:00.8",
					    "41:20.0", "41:00.0 ",  " 41:00.0",
					    "-1:00.0", "0x41:00.0", "00000:41:00.0",
					    "gpu0",    "0:0:0:0.0", "41:00.0;rm"};
	struct pci_address a;

	(void)state;
	assert_int_equal(pci_address_parse("0008:01:1f.7", &a, NULL), 0);
	assert_int_equal(a.domain, 8);
	assert_int_equal(a.bus, 1);
	assert_int_equal(a.slot, 0x1f);
	assert_int_equal(a.function, 7);
	assert_int_equal(pci_address_parse("c1:00.0", &a, NULL), 0);
	assert_int_equal(a.domain, 0);
	assert_int_equal(a.bus, 0xc1);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct err err = ERR_INIT;

		if (!pci_address_parse(wrong[i], &a, &err))
			fail_msg("'%s' was taken for an address", wrong[i]);
		assert_int_equal(err.kind, ERR_USAGE);
	}
}

static void a_machine_that_makes_no_sense_is_refused(void **state)
{
	static const struct {
		const char *json, *says;
	} cases[] = {
		{"{}", "image"},
		{"{\"image\": \"/i\", \"vcpu\": 2}", "vcpus"},
		{"{\"image\": \"/i\", \"vcpus\": 0}", "vcpus"},
		{"{\"image\": \"/i\", \"memory\": \"1Ki\"}", "memory"},
		{"{\"image\": \"/i\", \"virt\": \"xen\"}", "virt"},
		{"{\"image\": \"/i\", \"initrd\": \"/r\"}", "belong to a 'kernel'"},
		{"{\"image\": \"/i\", \"kernel\": \"/k\", \"firmware\": \"efi\"}",
		 "firmware"},
		{"{\"image\": \"/i\", \"vcpus\": 2, \"pin_cpus\": [1]}", "pin_cpus"},
		{"{\"image\": \"/i\", \"gpus\": [\"nowhere\"]}", "/arms/vm/gpus"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct json_object *o = parsed(cases[i].json);
		struct err err = ERR_INIT;

		if (!vm_machine_check(o, "plan.json", "/arms/vm", &err))
			fail_msg("accepted: %s", cases[i].json);
		assert_int_equal(err.kind, ERR_USAGE);
		if (!strstr(err.text, cases[i].says) || !strstr(err.text, "plan.json"))
			fail_msg("%s: %s", cases[i].json, err.text);
		json_object_put(o);
	}
}

static void an_arms_own_keys_are_passed_over(void **state)
{
	struct json_object *o = parsed("{\"image\": \"/i\", \"target\": \"vm\", "
				       "\"provisioner\": \"x\", \"driver\": \"vfio\"}");

	(void)state;
	assert_int_equal(vm_machine_check(o, "plan.json", "", NULL), 0);
	json_object_put(o);
}

static void kvm_needs_its_device(void **state)
{
	char *root = dir_make_temporary("test-vm", NULL), *path;
	char why[256] = "";

	(void)state;
	assert_false(vm_host_has_kvm(root, why, sizeof(why)));
	assert_non_null(strstr(why, "No such file"));
	path = x_asprintf("%s/dev", root);
	assert_int_equal(dir_make(path, 0755, NULL), 0);
	free(path);
	path = x_asprintf("%s/dev/kvm", root);
	assert_int_equal(file_write(path, "x", 1, 0644, NULL), 0);
	assert_false(vm_host_has_kvm(root, why, sizeof(why)));
	assert_non_null(strstr(why, "creates no machine"));
	free(path);
	dir_remove(root, NULL);
	free(root);
}

static void put_file(const char *root, const char *name, const char *text)
{
	char *path = path_join(root, name), *dir = x_strdup(path);

	*strrchr(dir, '/') = 0;
	assert_int_equal(dir_make(dir, 0755, NULL), 0);
	assert_int_equal(file_write(path, text, strlen(text), 0644, NULL), 0);
	free(path);
	free(dir);
}

static const char *state_of(struct json_object *report, const char *name)
{
	struct json_object *checks = json_member(report, "checks");

	for (size_t i = 0; i < json_object_array_length(checks); i++) {
		struct json_object *c = json_object_array_get_idx(checks, i);

		if (strcmp(json_get_text(c, "name", ""), name) == 0)
			return json_get_text(c, "state", "");
	}
	return "absent";
}

static struct json_object *check_on(const char *root, const char *machine)
{
	struct json_object *o = parsed(machine), *report = NULL;
	struct err err = ERR_INIT;

	if (vm_check(root, o, &report, &err))
		fail_msg("%s", err.text);
	json_object_put(o);
	return report;
}

static void the_check_before_a_lease(void **state)
{
	static const char pages[] = "sys/devices/system/node/node1/hugepages/"
				    "hugepages-1048576kB/free_hugepages";
	static const char machine[] =
		"{\"image\": \"/nowhere/i\", \"vcpus\": 1, \"pin_cpus\": [3], "
		"\"memory\": \"4Gi\", \"hugepages\": \"1Gi\", \"numa_node\": 1, "
		"\"gpus\": [\"0008:01:00.0\"]}";
	char *root = dir_make_temporary("test-vm", NULL), *link;
	struct json_object *r = check_on(root, machine);

	(void)state;
	assert_string_equal(state_of(r, "kvm"), "warning");
	assert_string_equal(state_of(r, "image"), "failed");
	assert_string_equal(state_of(r, "hugepages"), "failed");
	assert_string_equal(state_of(r, "numa_node"), "failed");
	assert_string_equal(state_of(r, "pin_cpus"), "failed");
	assert_string_equal(state_of(r, "gpu"), "failed");
	assert_string_equal(json_get_text(r, "summary", ""),
			    "5 would fail, 1 to look at");
	json_object_put(r);

	put_file(root, pages, "4\n");
	put_file(root, "sys/devices/system/cpu/cpu3/online", "1\n");
	put_file(root, "sys/bus/pci/devices/0008:01:00.0/vendor", "0x10de\n");
	link = x_asprintf("%s/sys/bus/pci/devices/0008:01:00.0/iommu_group", root);
	assert_int_equal(symlink("../../../../kernel/iommu_groups/17", link), 0);
	r = check_on(root, machine);
	assert_string_equal(state_of(r, "hugepages"), "ok");
	assert_string_equal(state_of(r, "numa_node"), "ok");
	assert_string_equal(state_of(r, "pin_cpus"), "absent");
	assert_string_equal(state_of(r, "gpu"), "ok");
	json_object_put(r);

	put_file(root, pages, "3\n");
	r = check_on(root, machine);
	assert_string_equal(state_of(r, "hugepages"), "failed");
	json_object_put(r);
	free(link);
	dir_remove(root, NULL);
	free(root);
}

/* A guest is no larger than its host, whatever the template says. */
static void memory_that_the_host_has_not(void **state)
{
	static const char machine[] = "{\"image\": \"/nowhere/i\", \"memory\": \"4Gi\"}";
	static const struct {
		const char *info, *want;
	} hosts[] = {
		{"MemTotal: 3145728 kB\nMemAvailable: 3000000 kB\n", "failed"},
		{"MemTotal: 8388608 kB\nMemAvailable: 2097152 kB\n", "warning"},
		{"MemTotal: 8388608 kB\nMemAvailable: 6291456 kB\n", "ok"},
	};
	char *root = dir_make_temporary("test-vm", NULL);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		struct json_object *r;

		put_file(root, "proc/meminfo", hosts[i].info);
		r = check_on(root, machine);
		assert_string_equal(state_of(r, "memory"), hosts[i].want);
		json_object_put(r);
	}
	dir_remove(root, NULL);
	free(root);
}

static bool have(const char *program)
{
	const char *const argv[] = {program, "--version", NULL};
	struct proc_spec spec = {
		.argv = argv, .timeout_ns = 10 * NS_PER_S, .output_max = 4096};
	struct proc_outcome o;

	if (proc_run(&spec, &o, NULL))
		return false;
	proc_outcome_release(&o);
	return true;
}

static void a_lease_has_files_of_its_own(void **state)
{
	char *work = dir_make_temporary("test-vm", NULL), *image, label[7] = "";
	struct vm_machine m = {.user = (char[]){"root"}};
	struct err err = ERR_INIT;
	struct vm_files f;
	struct stat st;
	FILE *iso;

	(void)state;
	if (!have("xorrisofs") || !have("qemu-img"))
		skip();
	image = path_join(work, "image.raw");
	m.image = image;
	assert_int_equal(file_write(image, "0123456789abcdef", 16, 0644, NULL), 0);
	if (vm_files_make(&f, work, "tare-a-b", &m, &err))
		fail_msg("%s", err.text);
	assert_int_equal(stat(f.folder, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(stat(f.key_file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(strncmp(f.host_key_sha256, "SHA256:", 7), 0);
	/* 32 bytes in base64 without padding (RFC 4648). */
	assert_int_equal(strlen(f.host_key_sha256), 7 + 43);
	iso = fopen(f.seed, "r");
	assert_non_null(iso);
	assert_int_equal(fseek(iso, 16 * 2048 + 40, SEEK_SET), 0);
	assert_int_equal(fread(label, 1, 6, iso), 6);
	assert_string_equal(label, "cidata");
	fclose(iso);
	vm_files_release(&f);

	/* A killed process left the folder: the next lease of that name replaces it. */
	if (vm_files_make(&f, work, "tare-a-b", &m, &err))
		fail_msg("%s", err.text);
	assert_int_equal(vm_folder_remove(f.folder, "tare-a-b", &err), 0);
	assert_false(file_exists(f.folder));
	assert_int_equal(vm_folder_remove(f.folder, "tare-a-b", &err), 0);
	vm_files_release(&f);
	dir_remove(work, NULL);
	free(image);
	free(work);
}

/* A document of the seed that is made for that lease and user, and its login key. */
static struct json_object *seed_document(const char *name, const char *user,
					 const char *file, size_t behind, struct buf *key)
{
	char *work = dir_make_temporary("test-vm", NULL), *image, *path;
	struct vm_machine m = {0};
	struct json_object *o;
	struct vm_files f;
	struct buf text;

	image = path_join(work, "image.raw");
	assert_int_equal(file_write(image, "0123456789abcdef", 16, 0644, NULL), 0);
	m.image = image;
	m.user = (char *)user;
	assert_int_equal(vm_files_make(&f, work, name, &m, NULL), 0);
	path = path_join(f.folder, file);
	assert_int_equal(file_read(path, 1 << 16, &text, NULL), 0);
	assert_int_equal(strncmp(text.data, "#cloud-config\n", behind), 0);
	o = parsed(text.data + behind);
	buf_release(&text);
	free(path);
	path = path_join(f.folder, "id.pub");
	assert_int_equal(file_read(path, 1 << 16, key, NULL), 0);
	free(path);
	vm_files_release(&f);
	dir_remove(work, NULL);
	free(image);
	free(work);
	return o;
}

static void the_seed_says_who_may_log_in(void **state)
{
	struct json_object *o;
	struct buf key;

	(void)state;
	if (!have("xorrisofs") || !have("qemu-img"))
		skip();
	o = seed_document("tare-a-b", "root", "user-data", 14, &key);
	assert_non_null(
		strstr(json_get_text(json_member(o, "ssh_keys"), "ed25519_private", ""),
		       "BEGIN OPENSSH PRIVATE KEY"));
	/* The key's line without its end. */
	key.data[strcspn(key.data, "\n")] = 0;
	assert_string_equal(json_object_get_string(json_object_array_get_idx(
				    json_member(o, "ssh_authorized_keys"), 0)),
			    key.data);
	assert_false(json_get_bool(o, "disable_root", true));
	assert_false(json_get_bool(o, "ssh_pwauth", true));
	assert_null(json_member(o, "users"));
	json_object_put(o);
	buf_release(&key);

	o = seed_document("tare-a-b", "ubuntu", "user-data", 14, &key);
	assert_true(json_get_bool(o, "disable_root", false));
	assert_string_equal(
		json_get_text(json_object_array_get_idx(json_member(o, "users"), 0),
			      "name", ""),
		"ubuntu");
	json_object_put(o);
	buf_release(&key);
}

static void the_host_name_is_one(void **state)
{
	struct json_object *o;
	struct buf key;
	const char *host;

	(void)state;
	if (!have("xorrisofs") || !have("qemu-img"))
		skip();
	o = seed_document("tare-20261122T191725-3f9a1c2b-r001_a.b-and-a-label-"
			  "that-goes-on-and-on",
			  "root", "meta-data", 0, &key);
	host = json_get_text(o, "local-hostname", "");
	assert_in_range(strlen(host), 1, 63);
	assert_int_equal(
		host[strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRST"
				  "UVWXYZ0123456789-")],
		0);
	assert_int_not_equal(host[strlen(host) - 1], '-');
	json_object_put(o);
	buf_release(&key);
}

static void a_missing_image_leaves_no_folder(void **state)
{
	char *work = dir_make_temporary("test-vm", NULL), *folder;
	struct vm_machine m = {.user = (char[]){"root"}, .image = (char[]){"/nowhere"}};
	struct err err = ERR_INIT;
	struct vm_files f;

	(void)state;
	assert_int_equal(vm_files_make(&f, work, "tare-a-b", &m, &err), -1);
	assert_non_null(strstr(err.text, "/nowhere"));
	folder = path_join(work, "tare-a-b");
	assert_false(file_exists(folder));
	free(folder);
	dir_remove(work, NULL);
	free(work);
}

static void a_folder_that_is_not_a_leases_is_left_alone(void **state)
{
	char *work = dir_make_temporary("test-vm", NULL);
	char *folder = path_join(work, "tare-a-b"), *file = path_join(folder, "thesis");
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(dir_make(folder, 0755, NULL), 0);
	assert_int_equal(file_write(file, "x", 1, 0644, NULL), 0);
	assert_int_equal(vm_folder_remove(folder, "tare-a-b", &err), -1);
	assert_int_equal(vm_folder_remove(work, "tare-a-b", NULL), -1);
	assert_int_equal(vm_folder_remove(folder, "other", NULL), -1);
	assert_true(file_exists(file));
	dir_remove(work, NULL);
	free(folder);
	free(file);
	free(work);
}

static void the_console_is_quoted(void **state)
{
	static const char log[] =
		"one\r\ntwo\r\nthree\r\nfour\r\nfive\r\n\r\n"
		"[\033[0;1;31mFAILED\033[0m] six\r\n\a\001seven\r\neight\r\n\n";
	char *dir = dir_make_temporary("test-vm", NULL);
	struct vm_files f = {.folder = path_join(dir, "tare-a-b"),
			     .console = path_join(dir, "console.log")};
	struct err err = ERR_INIT;
	char text[200], small[12];

	(void)state;
	assert_int_equal(file_write(f.console, log, strlen(log), 0600, NULL), 0);
	assert_string_equal(vm_console_tail(f.console, text, sizeof(text)),
			    "three | four | five | [FAILED] six | seven | eight");
	assert_true(strlen(vm_console_tail(f.console, small, sizeof(small))) <
		    sizeof(small));
	err_set(&err, ERR_ENVIRONMENT, "no answer");
	vm_console_quote(&f, &err);
	assert_non_null(strstr(err.text, "no answer; its console ends with: three"));
	assert_non_null(strstr(err.text, "tare-a-b.console.log"));
	assert_false(file_exists(f.console));
	assert_string_equal(vm_console_tail("/nowhere", text, sizeof(text)), "");
	vm_files_release(&f);
	dir_remove(dir, NULL);
	free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pci_addresses),
		cmocka_unit_test(a_machine_that_makes_no_sense_is_refused),
		cmocka_unit_test(an_arms_own_keys_are_passed_over),
		cmocka_unit_test(kvm_needs_its_device),
		cmocka_unit_test(the_check_before_a_lease),
		cmocka_unit_test(memory_that_the_host_has_not),
		cmocka_unit_test(the_seed_says_who_may_log_in),
		cmocka_unit_test(the_host_name_is_one),
		cmocka_unit_test(a_lease_has_files_of_its_own),
		cmocka_unit_test(a_missing_image_leaves_no_folder),
		cmocka_unit_test(a_folder_that_is_not_a_leases_is_left_alone),
		cmocka_unit_test(the_console_is_quoted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
