/*
 * What a plan says and the attributes that go with the request: expected texts follow
 * OpenNebula's template syntax and its documentation of Grace (reference/opennebula.md,
 * 2.1 and 2.6).
 */
#include "core/document/json.h"
#include "core/base/mem.h"
#include "harness/provision/opennebula/opennebula_machine.h"
#include "harness/provision/opennebula/opennebula_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GRACE                                                                          \
	"<PCI><CLASS>0302</CLASS><DEVICE>2941</DEVICE><VENDOR>10de</VENDOR><IOMMU>YES" \
	"</IOMMU><ROOT>dedicated</ROOT><ACPI_NODES>"

static const char two_gpus_and_a_card[] =
	"<VMTEMPLATE><ID>7</ID><NAME>gb200</NAME><TEMPLATE>" GRACE
	"2-9</ACPI_NODES></PCI>" GRACE
	"10-17</ACPI_NODES></PCI><PCI><TYPE>NIC</TYPE><NETWORK>ib \"0\"</NETWORK>"
	"<VENDOR>15b3</VENDOR></PCI></TEMPLATE></VMTEMPLATE>";

static void read_template(struct one_template *t, const char *xml)
{
	struct one_doc *d = one_doc_new("VMTEMPLATE", NULL, NULL);

	assert_int_equal(one_doc_feed(d, xml, strlen(xml), NULL), 0);
	assert_int_equal(one_doc_finish(d, NULL), 0);
	assert_int_equal(one_template_read(t, one_doc_root(d), NULL), 0);
	one_doc_free(d);
}

static char *extra(const char *machine, int64_t host, struct err *err)
{
	struct json_object *o = json_parse(machine, strlen(machine), "test", NULL);
	struct one_machine m;
	struct one_template t;
	char *text = NULL;

	read_template(&t, two_gpus_and_a_card);
	if (!one_machine_bind(&m, o, "plan.json", "/arms/vm", err))
		one_machine_extra(&m, &t, host, "run-1", &text, err);
	one_machine_release(&m);
	one_template_release(&t);
	json_object_put(o);
	return text;
}

static void assert_extra(const char *machine, int64_t host, const char *want)
{
	char *have = extra(machine, host, NULL);

	assert_non_null(have);
	assert_string_equal(have, want);
	free(have);
}

static void requests(void **state)
{
	(void)state;
	assert_extra("{\"template\": \"gb200\"}", -1, "TARE_RUN_ID=\"run-1\"\n");
	/* Placed by hand: the scheduler is not asked. */
	assert_extra("{\"template\": \"gb200\", \"pin\": {\"host\": \"a\"}}", 3,
		     "TARE_RUN_ID=\"run-1\"\n");
	assert_extra("{\"template\": \"gb200\", \"pin\": {\"host\": \"a\", \"by\": "
		     "\"scheduler\"}}",
		     3, "TARE_RUN_ID=\"run-1\"\nSCHED_REQUIREMENTS=\"ID=3\"\n");
	/* Addresses take the place of the kind; the rest and the network card stay. */
	assert_extra("{\"template\": \"gb200\", \"pin\": {\"host\": \"a\", \"gpu\": "
		     "[\"0019:01:00.0\", \"0008:01:00.0\"]}}",
		     0,
		     "TARE_RUN_ID=\"run-1\"\n"
		     "PCI=[ SHORT_ADDRESS=\"0019:01:00.0\", IOMMU=\"YES\", "
		     "ROOT=\"dedicated\", ACPI_NODES=\"2-9\" ]\n"
		     "PCI=[ SHORT_ADDRESS=\"0008:01:00.0\", IOMMU=\"YES\", "
		     "ROOT=\"dedicated\", ACPI_NODES=\"10-17\" ]\n"
		     "PCI=[ VENDOR=\"15b3\", TYPE=\"NIC\", NETWORK=\"ib \\\"0\\\"\" ]\n");
	assert_extra("{\"template\": \"gb200\", \"gpu\": {\"device\": \"2330\", "
		     "\"profile\": \"1127 (NVIDIA H100XM-1-10C)\"}}",
		     -1,
		     "TARE_RUN_ID=\"run-1\"\n"
		     "PCI=[ VENDOR=\"10de\", DEVICE=\"2330\", CLASS=\"0302\", "
		     "PROFILE=\"1127 (NVIDIA H100XM-1-10C)\", IOMMU=\"YES\", "
		     "ROOT=\"dedicated\", ACPI_NODES=\"2-9\" ]\n"
		     "PCI=[ VENDOR=\"15b3\", TYPE=\"NIC\", NETWORK=\"ib \\\"0\\\"\" ]\n");
}

static void mistakes(void **state)
{
	static const struct {
		const char *machine, *part;
	} cases[] = {
		{"{}", "template"},
		{"{\"template\": 7}", "/arms/vm/template"},
		{"{\"template\": \"x\", \"pin\": {\"hots\": \"a\"}}",
		 "did you mean 'host'"},
		{"{\"template\": \"x\", \"pin\": []}", "/arms/vm/pin"},
		{"{\"template\": \"x\", \"pin\": {\"by\": \"hand\"}}", "/arms/vm/pin/by"},
		{"{\"template\": \"x\", \"gpu\": {\"device\": \"0x2941\"}}",
		 "without 0x"},
		{"{\"template\": \"x\", \"gpu\": {\"count\": 0}}", "/arms/vm/gpu/count"},
		{"{\"template\": \"x\", \"gpu\": {\"profile\": \"a\\\" ]\"}}", "quotes"},
		{"{\"template\": \"x\", \"pin\": {\"gpu\": \"01:00.0\"}}",
		 "needs 'host'"},
		{"{\"template\": \"x\", \"pin\": {\"host\": \"a\", \"gpu\": \"01:00\"}}",
		 "not a PCI address"},
		{"{\"template\": \"x\", \"pin\": {\"host\": \"a\", \"gpu\": "
		 "\"01:00.0\"}}",
		 "has 2 GPUs but the plan names 1"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = ERR_INIT;
		char *text = extra(cases[i].machine, 0, &err);

		assert_null(text);
		assert_int_equal(err.kind, ERR_USAGE);
		if (!strstr(err.text, cases[i].part))
			fail_msg("%s: '%s' does not hold '%s'", cases[i].machine,
				 err.text, cases[i].part);
	}
}

static void addresses(void **state)
{
	char at[] = "e1:00.0";
	struct one_pci p = {.short_address = at};

	(void)state;
	assert_true(one_pci_is_at(&p, "e1:00.0"));
	assert_true(one_pci_is_at(&p, "0000:E1:00.0"));
	assert_true(one_pci_is_at(&p, "0000:e1:00:0"));
	assert_false(one_pci_is_at(&p, "0001:e1:00.0"));
	assert_false(one_pci_is_at(&p, "e1:00.1"));
	assert_false(one_pci_is_at(&p, "e1:00"));
	assert_false(one_pci_is_at(&p, "e1:00.0x"));
	assert_false(one_pci_is_at(&p, ""));
}

/* 'grep -q' of OpenNebula's own vgpu script takes 58 for 588; tare does not. */
static void profiles(void **state)
{
	(void)state;
	assert_true(one_profile_offered("588 (B),58 (A)", "58 (A)"));
	assert_true(one_profile_offered("58 (A), 588 (B)", "588 (B)"));
	assert_false(one_profile_offered("588 (B)", "58"));
	assert_false(one_profile_offered("588 (B)", "588"));
	assert_false(one_profile_offered(NULL, "58 (A)"));
}

/* The numbers of include/VirtualMachine.h as reference/opennebula.md 4.6 lists them. */
static void states(void **state)
{
	static const int failures[] = {36, 37, 38, 39, 40, 41, 42,
				       44, 46, 47, 48, 49, 50, 61};

	(void)state;
	assert_int_equal(one_state_find(3, 3)->outlook, ONE_READY);
	assert_int_equal(one_state_find(1, 0)->outlook, ONE_WAIT);
	assert_int_equal(one_state_find(2, 0)->outlook, ONE_HELD);
	assert_int_equal(one_state_find(6, 0)->outlook, ONE_GONE);
	assert_int_equal(one_state_find(11, 0)->outlook, ONE_FAILED);
	assert_int_equal(one_state_find(3, 16)->outlook, ONE_LOST);
	assert_int_equal(one_state_find(3, 99)->outlook, ONE_FAILED);
	assert_int_equal(one_state_find(77, 0)->outlook, ONE_FAILED);
	for (size_t i = 0; i < ARRAY_SIZE(failures); i++) {
		const struct one_state *s = one_state_find(3, failures[i]);

		assert_int_equal(s->outlook, ONE_FAILED);
		assert_non_null(strstr(s->name, "FAILURE"));
		assert_non_null(s->remedy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests),  cmocka_unit_test(mistakes),
		cmocka_unit_test(addresses), cmocka_unit_test(profiles),
		cmocka_unit_test(states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
