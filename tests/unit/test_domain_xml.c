/*
 * The description of a machine. libvirt's own schema (/usr/share/libvirt/schemas) says
 * whether it is a valid domain, and xmllint, not our code, reads the values back.
 */
#include "harness/provision/libvirt/domain_xml.h"

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/document/json.h"
#include "core/base/proc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define SCHEMA "/usr/share/libvirt/schemas/domain.rng"

static struct vm_machine machine_from(const char *json)
{
	struct err err = ERR_INIT;
	struct json_object *o = json_parse(json, strlen(json), "test", &err);
	struct vm_machine m;

	assert_non_null(o);
	if (vm_machine_read(&m, o, "test", "", &err))
		fail_msg("%s", err.text);
	json_object_put(o);
	return m;
}

static struct domain_spec spec_of(const struct vm_machine *m)
{
	return (struct domain_spec){
		.machine = m,
		.name = "tare-run1-r001-vm",
		.run_id = "run1",
		.folder = "/w/tare-run1-r001-vm",
		.disk = "/w/disk.qcow2",
		.seed = "/w/seed.iso",
		.console = "/w/console.log",
		.nvram = "/w/nvram.fd",
		.arch = "x86_64",
	};
}

static bool have(const char *program, const char *option)
{
	const char *const argv[] = {program, option, NULL};
	struct proc_spec spec = {
		.argv = argv, .timeout_ns = 10 * NS_PER_S, .output_max = 4096};
	struct proc_outcome o;

	if (proc_run(&spec, &o, NULL))
		return false;
	proc_outcome_release(&o);
	return true;
}

static struct proc_outcome xmllint(const char *xml, const char *option, const char *value)
{
	const char *const argv[] = {"xmllint", option, value, "-", NULL};
	struct proc_spec spec = {
		.argv = argv,
		.input = xml,
		.input_len = strlen(xml),
		.timeout_ns = 30 * NS_PER_S,
		.output_max = 65536,
	};
	struct proc_outcome o;
	struct err err = ERR_INIT;

	if (proc_run(&spec, &o, &err))
		fail_msg("%s", err.text);
	return o;
}

static void assert_valid(const char *xml)
{
	struct proc_outcome o;

	if (!file_exists(SCHEMA))
		return;
	o = xmllint(xml, "--relaxng", SCHEMA);
	if (o.end != PROC_EXITED || o.code != 0)
		fail_msg("%s\n%s", o.diag.data, xml);
	proc_outcome_release(&o);
}

static void assert_reads(const char *xml, const char *xpath, const char *want)
{
	struct proc_outcome o = xmllint(xml, "--xpath", xpath);

	if (o.out.len && o.out.data[o.out.len - 1] == '\n')
		o.out.data[o.out.len - 1] = 0;
	assert_string_equal(o.out.data, want);
	proc_outcome_release(&o);
}

static void a_plain_machine(void **state)
{
	struct vm_machine m = machine_from("{\"image\": \"/i\"}");
	struct domain_spec s = spec_of(&m);
	char *xml = domain_xml(&s, NULL);

	(void)state;
	assert_valid(xml);
	assert_reads(xml, "string(/domain/@type)", "qemu");
	assert_reads(xml, "string(/domain/name)", "tare-run1-r001-vm");
	assert_reads(xml, "string(/domain/description)", "/w/tare-run1-r001-vm");
	assert_reads(xml, "string(/domain/memory)", "2147483648");
	assert_reads(xml, "string(/domain/memory/@unit)", "b");
	assert_reads(xml, "string(/domain/vcpu)", "2");
	assert_reads(xml, "string(/domain/os/type/@machine)", "q35");
	assert_reads(xml, "string(/domain/cpu/@mode)", "maximum");
	assert_reads(xml, "string(//disk[target/@dev='vda']/source/@file)",
		     "/w/disk.qcow2");
	assert_reads(xml, "count(//disk[target/@dev='vdb']/readonly)", "1");
	assert_reads(xml, "string(//interface/@type)", "user");
	assert_reads(xml, "string(//serial/source/@path)", "/w/console.log");
	assert_reads(xml, "count(//hostdev|//kernel|//cputune|//numatune|//seclabel)",
		     "0");
	assert_reads(xml, "string(/domain/on_reboot)", "restart");
	free(xml);
	vm_machine_release(&m);
}

static void the_run_is_in_the_request(void **state)
{
	struct vm_machine m = machine_from("{\"image\": \"/i\"}");
	struct domain_spec s = spec_of(&m);
	char *xml = domain_xml(&s, NULL);

	(void)state;
	assert_reads(xml, "namespace-uri(/domain/metadata/*[1])", "urn:tare:lease");
	assert_reads(xml, "namespace-uri(/domain/metadata/*[2])", "urn:tare:run:run1");
	free(xml);
	vm_machine_release(&m);
}

static void every_field_of_the_plan(void **state)
{
	struct vm_machine m = machine_from(
		"{\"image\": \"/i\", \"kernel\": \"/k\", \"initrd\": \"/r\", "
		"\"cmdline\": "
		"\"root=LABEL=x\", \"vcpus\": 3, \"memory\": \"4Gi\", \"machine\": "
		"\"pc\", \"cpu\": \"EPYC\", \"network\": \"lab\", \"gpus\": "
		"[\"0008:01:00.0\", \"41:1f.7\"], \"pin_cpus\": [4, 6, 8], "
		"\"numa_node\": 1, \"hugepages\": \"1Gi\"}");
	struct domain_spec s = spec_of(&m);
	char *xml;

	(void)state;
	s.is_kvm = true;
	s.owner = "+0:+0";
	s.unconfined = "apparmor";
	xml = domain_xml(&s, NULL);
	assert_valid(xml);
	assert_reads(xml, "string(/domain/@type)", "kvm");
	assert_reads(xml, "string(//os/kernel)", "/k");
	assert_reads(xml, "string(//os/initrd)", "/r");
	assert_reads(xml, "string(//os/cmdline)", "root=LABEL=x");
	assert_reads(xml, "string(//os/type/@machine)", "pc");
	assert_reads(xml, "string(//cpu/model)", "EPYC");
	assert_reads(xml, "string(//cpu/topology/@cores)", "3");
	assert_reads(xml, "string(//interface/source/@network)", "lab");
	assert_reads(xml, "count(//hostdev[@managed='yes'])", "2");
	assert_reads(xml, "string(//hostdev[1]/source/address/@domain)", "0x0008");
	assert_reads(xml, "string(//hostdev[1]/source/address/@bus)", "0x01");
	assert_reads(xml, "string(//hostdev[2]/source/address/@domain)", "0x0000");
	assert_reads(xml, "string(//hostdev[2]/source/address/@bus)", "0x41");
	assert_reads(xml, "string(//hostdev[2]/source/address/@slot)", "0x1f");
	assert_reads(xml, "string(//hostdev[2]/source/address/@function)", "0x7");
	assert_reads(xml, "string(//vcpupin[@vcpu='0']/@cpuset)", "4");
	assert_reads(xml, "string(//vcpupin[@vcpu='2']/@cpuset)", "8");
	assert_reads(xml, "string(//numatune/memory/@nodeset)", "1");
	assert_reads(xml, "string(//numatune/memory/@mode)", "strict");
	assert_reads(xml, "string(//hugepages/page/@size)", "1073741824");
	assert_reads(xml, "string(//seclabel[@model='dac']/label)", "+0:+0");
	assert_reads(xml, "string(//seclabel[@model='apparmor']/@type)", "none");
	assert_reads(xml, "string(/domain/on_reboot)", "destroy");
	free(xml);
	vm_machine_release(&m);
}

static void uefi_keeps_its_variables_in_the_lease(void **state)
{
	struct vm_machine m = machine_from("{\"image\": \"/i\", \"firmware\": \"efi\"}");
	struct domain_spec s = spec_of(&m);
	char *xml = domain_xml(&s, NULL);

	(void)state;
	assert_valid(xml);
	assert_reads(xml, "string(//os/@firmware)", "efi");
	assert_reads(xml, "string(//os/nvram)", "/w/nvram.fd");
	assert_reads(xml, "string(//feature[@name='secure-boot']/@enabled)", "no");
	free(xml);
	vm_machine_release(&m);
}

/* kernel-parameters.txt: no_timer_check [X86,APIC] */
static void x86_does_not_test_its_timer(void **state)
{
	struct vm_machine m = machine_from("{\"image\": \"/i\", \"kernel\": \"/k\"}");
	struct domain_spec s = spec_of(&m);
	char *xml = domain_xml(&s, NULL);

	(void)state;
	assert_valid(xml);
	assert_reads(xml, "contains(//os/cmdline, 'console=ttyS0')", "true");
	assert_reads(xml, "contains(//os/cmdline, ' no_timer_check')", "true");
	free(xml);
	vm_machine_release(&m);
}

static void aarch64_has_its_own_defaults(void **state)
{
	struct vm_machine m = machine_from("{\"image\": \"/i\", \"kernel\": \"/k\"}");
	struct domain_spec s = spec_of(&m);
	char *xml;

	(void)state;
	s.arch = "aarch64";
	xml = domain_xml(&s, NULL);
	assert_valid(xml);
	assert_reads(xml, "string(//os/type/@machine)", "virt");
	assert_reads(xml, "contains(//os/cmdline, 'console=ttyAMA0')", "true");
	assert_reads(xml, "contains(//os/cmdline, 'no_timer_check')", "false");
	free(xml);
	vm_machine_release(&m);
}

static void odd_texts_read_back_the_same(void **state)
{
	static const char odd[] = "/a & b <c> \"d\" 'e'\t\xc3\xbc ]]> &amp; %";
	struct vm_machine m = machine_from("{\"image\": \"/i\", \"network\": \"x\"}");
	struct domain_spec s = spec_of(&m);
	char *xml;

	(void)state;
	free(m.network);
	m.network = strdup(odd);
	s.disk = s.console = s.folder = odd;
	xml = domain_xml(&s, NULL);
	assert_reads(xml, "string(//disk[target/@dev='vda']/source/@file)", odd);
	assert_reads(xml, "string(//serial/source/@path)", odd);
	assert_reads(xml, "string(//interface/source/@network)", odd);
	assert_reads(xml, "string(/domain/description)", odd);
	free(xml);
	vm_machine_release(&m);
}

static void what_xml_cannot_hold_is_refused(void **state)
{
	struct vm_machine m = machine_from("{\"image\": \"/i\"}");
	struct domain_spec s = spec_of(&m);
	struct err err = ERR_INIT;

	(void)state;
	s.console = "/a\001b";
	assert_null(domain_xml(&s, &err));
	assert_int_equal(err.kind, ERR_USAGE);
	assert_non_null(strstr(err.text, "control character"));
	vm_machine_release(&m);
}

static void a_users_own_text_is_filled(void **state)
{
	static const char text[] =
		"<domain type='@TYPE@'><name>@NAME@</name>@TARE@"
		"<x at='a@@b' k='@KERNEL@' m='@MACHINE@' v='@VCPUS@' "
		"b='@MEMORY_BYTES@' i='@INITRD@'/><d>@DISK@</d></domain>";
	struct vm_machine m = machine_from("{\"image\": \"/i\", \"kernel\": \"/k'<\"}");
	struct domain_spec s = spec_of(&m);
	char *xml = domain_xml_fill(&s, text, "own.xml", NULL);

	(void)state;
	assert_reads(xml, "string(//name)", "tare-run1-r001-vm");
	assert_reads(xml, "string(//x/@at)", "a@b");
	assert_reads(xml, "string(//x/@k)", "/k'<");
	assert_reads(xml, "string(//x/@m)", "q35");
	assert_reads(xml, "string(//x/@v)", "2");
	assert_reads(xml, "string(//x/@b)", "2147483648");
	assert_reads(xml, "string(//x/@i)", "");
	assert_reads(xml, "string(//d)", "/w/disk.qcow2");
	assert_reads(xml, "namespace-uri(//metadata/*[2])", "urn:tare:run:run1");
	free(xml);
	vm_machine_release(&m);
}

static void a_users_text_that_would_leave_machines_is_refused(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{"<name>@NAME@</name>", "must be in it"},
		{"<x>@TARE@</x>", "must be in it"},
		{"", "must be in it"},
		{"<name>@NAME@</name>@TARE@ @DISC@", "'@DISC@' is no placeholder"},
		{"<name>@NAME@</name>@TARE@ me@here", "no placeholder"},
	};
	struct vm_machine m = machine_from("{\"image\": \"/i\"}");
	struct domain_spec s = spec_of(&m);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct err err = ERR_INIT;

		assert_null(domain_xml_fill(&s, cases[i].text, "own.xml", &err));
		assert_int_equal(err.kind, ERR_USAGE);
		if (!strstr(err.text, cases[i].says) || !strstr(err.text, "own.xml"))
			fail_msg("%s", err.text);
	}
	vm_machine_release(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_machine),
		cmocka_unit_test(the_run_is_in_the_request),
		cmocka_unit_test(every_field_of_the_plan),
		cmocka_unit_test(uefi_keeps_its_variables_in_the_lease),
		cmocka_unit_test(x86_does_not_test_its_timer),
		cmocka_unit_test(aarch64_has_its_own_defaults),
		cmocka_unit_test(odd_texts_read_back_the_same),
		cmocka_unit_test(what_xml_cannot_hold_is_refused),
		cmocka_unit_test(a_users_own_text_is_filled),
		cmocka_unit_test(a_users_text_that_would_leave_machines_is_refused),
	};

	if (!have("xmllint", "--version")) {
		puts("xmllint is not installed (package libxml2-utils)");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
