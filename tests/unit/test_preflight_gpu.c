/*
 * Every fact of a GPU on its whole way: said by the (fake) NVML, written into
 * tare.machine/1, judged by the preflight. What a setting is called on the way is nobody's
 * business here, so a producer and a judge with words of their own are found.
 */
#include "core/base/mem.h"
#include "core/machine/machine.h"
#include "probe/preflight.h"
#include "tests/support/built.h"
#include "tests/support/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct fact {
	const char *set; /* TARE_FAKE_NVML_SET */
	const char *id;
	enum preflight_state as_host, as_guest;
	const char *evidence; /* a part of it */
} facts[] = {
	{"persistence=1", "gpu.persistence", PREFLIGHT_OK, PREFLIGHT_OK, "on"},
	{"persistence=0", "gpu.persistence", PREFLIGHT_WARN, PREFLIGHT_WARN, "off"},
	{"ecc=1", "gpu.ecc", PREFLIGHT_OK, PREFLIGHT_OK, "on"},
	{"ecc=0", "gpu.ecc", PREFLIGHT_WARN, PREFLIGHT_WARN, "off"},
	{"ecc=1 ecc_next=0", "gpu.ecc", PREFLIGHT_FAIL, PREFLIGHT_FAIL,
	 "off after a reset"},
	{"", "gpu.memory", PREFLIGHT_OK, PREFLIGHT_OK, "0 rows"},
	{"remap_uncorrectable=2", "gpu.memory", PREFLIGHT_OK, PREFLIGHT_OK, "2 rows"},
	{"remap_pending=1", "gpu.memory", PREFLIGHT_FAIL, PREFLIGHT_FAIL, "Pending: Yes"},
	{"remap_failed=1", "gpu.memory", PREFLIGHT_FAIL, PREFLIGHT_FAIL,
	 "Remapping Failure Occurred: Yes"},
	{"retired_pending=1", "gpu.memory", PREFLIGHT_FAIL, PREFLIGHT_FAIL, "Pending"},
	{"retired_double=4", "gpu.memory", PREFLIGHT_OK, PREFLIGHT_OK, "4 pages"},
	{"virtual=0", "gpu.virtualization", PREFLIGHT_OK, PREFLIGHT_WARN, "none"},
	{"virtual=1", "gpu.virtualization", PREFLIGHT_WARN, PREFLIGHT_OK, "passthrough"},
	{"virtual=2", "gpu.virtualization", PREFLIGHT_WARN, PREFLIGHT_WARN,
	 "a part of a GPU: NVIDIA H200 (FAKE)"},
	{"virtual=3", "gpu.virtualization", PREFLIGHT_WARN, PREFLIGHT_WARN, "host-vgpu"},
	{"virtual=0 vgpus=2", "gpu.virtualization", PREFLIGHT_WARN, PREFLIGHT_WARN,
	 "2 virtual GPUs share it"},
	{"fabric=0", "gpu.fabric", PREFLIGHT_OK, PREFLIGHT_OK, "Not Supported"},
	{"fabric=1", "gpu.fabric", PREFLIGHT_FAIL, PREFLIGHT_FAIL, "Not Started"},
	{"fabric=2", "gpu.fabric", PREFLIGHT_FAIL, PREFLIGHT_FAIL, "In Progress"},
	{"fabric=3", "gpu.fabric", PREFLIGHT_OK, PREFLIGHT_OK, "Completed"},
	{"fabric=3 fabric_status=999", "gpu.fabric", PREFLIGHT_FAIL, PREFLIGHT_FAIL,
	 "status 999"},
	{"cc=0", "gpu.confidential", PREFLIGHT_OK, PREFLIGHT_OK, "off"},
	{"cc=1", "gpu.confidential", PREFLIGHT_WARN, PREFLIGHT_WARN, "on"},
	{"nvle=0", "gpu.nvlink_encryption", PREFLIGHT_OK, PREFLIGHT_OK, "off"},
	{"nvle=1", "gpu.nvlink_encryption", PREFLIGHT_WARN, PREFLIGHT_WARN, "on"},
	{"compute=0", "gpu.compute_mode", PREFLIGHT_OK, PREFLIGHT_OK, "default"},
	{"compute=3", "gpu.compute_mode", PREFLIGHT_OK, PREFLIGHT_OK,
	 "exclusive-process"},
	{"compute=2", "gpu.compute_mode", PREFLIGHT_FAIL, PREFLIGHT_FAIL, "prohibited"},
	{"mps=0", "gpu.mps", PREFLIGHT_OK, PREFLIGHT_OK, "off"},
	{"mps=3", "gpu.mps", PREFLIGHT_WARN, PREFLIGHT_WARN, "on"},
	{"", "gpu.uuid", PREFLIGHT_OK, PREFLIGHT_OK, "GPU-fafafafa"},
	{"", "gpu.mig", PREFLIGHT_OK, PREFLIGHT_OK, "off"},
};

struct seen {
	struct preflight p;
	char *root; /* nothing is in it: these checks look at the document */
};

/* The running machine with the fake's GPUs, once as a host and once as a guest. */
static void look(struct seen *s, bool is_guest, int64_t on_bus)
{
	struct json_object *machine = machine_read("");
	struct json_object *count = json_member(machine, "gpu_count");

	json_put_bool(json_member(machine, "hypervisor"), "is_guest", is_guest);
	json_put_int(count, "pci", on_bus);
	json_put_int(count, "pci_elsewhere", 0);
	s->root = tree_make("/dev/null");
	preflight_run(&s->p, s->root, machine);
	json_object_put(machine);
}

static void done(struct seen *s)
{
	preflight_release(&s->p);
	tree_remove(s->root);
}

static void expect(const struct seen *s, const char *set, const char *id,
		   enum preflight_state want, const char *evidence)
{
	const struct preflight_row *r = NULL;

	for (size_t i = 0; i < s->p.nr; i++)
		if (strcmp(s->p.rows[i].id, id) == 0)
			r = &s->p.rows[i];
	if (!r)
		fail_msg("no check %s", id);
	if (r->state != want || !strstr(r->evidence, evidence))
		fail_msg("%s with '%s' is %d, not %d: %s", id, set, (int)r->state,
			 (int)want, r->evidence);
}

static void test_every_fact(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
		const struct fact *f = &facts[i];

		setenv("TARE_FAKE_NVML_SET", f->set, 1);
		for (int guest = 0; guest < 2; guest++) {
			struct seen s;

			look(&s, guest, 1);
			expect(&s, f->set, f->id, guest ? f->as_guest : f->as_host,
			       f->evidence);
			done(&s);
		}
	}
	unsetenv("TARE_FAKE_NVML_SET");
}

/* What a driver does not tell is unknown, in every check of a GPU. */
static void test_not_told_is_unknown(void **state)
{
	struct seen s;

	(void)state;
	setenv("TARE_FAKE_NVML_NA", "1", 1);
	look(&s, false, 1);
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
		if (strcmp(facts[i].id, "gpu.uuid") != 0)
			expect(&s, "nothing", facts[i].id, PREFLIGHT_UNKNOWN, "not told");
	done(&s);
	unsetenv("TARE_FAKE_NVML_NA");
}

/* On a host too: GPUs on the bus whose driver does not start are not 'not applicable'. */
static void test_what_cannot_be_asked(void **state)
{
	struct seen s;

	(void)state;
	setenv("TARE_FAKE_NVML_INIT", "18", 1);
	look(&s, false, 2);
	expect(&s, "mismatch", "gpu.count", PREFLIGHT_FAIL,
	       "Driver/library version mismatch");
	expect(&s, "mismatch", "gpu.uuid", PREFLIGHT_FAIL, "no driver that answers");
	expect(&s, "mismatch", "gpu.ecc", PREFLIGHT_UNKNOWN, "not told");
	done(&s);
	unsetenv("TARE_FAKE_NVML_INIT");
	setenv("TARE_FAKE_NVML_GPUS", "0", 1);
	look(&s, false, 1);
	expect(&s, "no devices", "gpu.count", PREFLIGHT_FAIL, "No devices were found");
	expect(&s, "no devices", "gpu.mig", PREFLIGHT_UNKNOWN, "not told");
	done(&s);
	unsetenv("TARE_FAKE_NVML_GPUS");
	setenv("TARE_FAKE_NVML_SHAPE", "gb200", 1);
	setenv("TARE_FAKE_NVML_UNREADABLE", "1", 1);
	look(&s, false, 4);
	expect(&s, "lost", "gpu.count", PREFLIGHT_FAIL, "GPU 1 of this machine");
	expect(&s, "lost", "gpu.ecc", PREFLIGHT_UNKNOWN, "GPU 1: not told");
	done(&s);
	unsetenv("TARE_FAKE_NVML_UNREADABLE");
	look(&s, false, 4);
	expect(&s, "all", "gpu.count", PREFLIGHT_OK, "4 on the bus");
	done(&s);
	look(&s, false, 5);
	expect(&s, "one is missing", "gpu.count", PREFLIGHT_FAIL, "5 on the bus");
	done(&s);
	unsetenv("TARE_FAKE_NVML_SHAPE");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_fact),
		cmocka_unit_test(test_not_told_is_unknown),
		cmocka_unit_test(test_what_cannot_be_asked),
	};

	(void)argc;
	if (built_start_on_fakes(argv))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
