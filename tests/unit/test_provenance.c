/*
 * An arm is called by what its results say computed, not by what stands in its machine: a run
 * that measured the processor of a machine with a GPU names the processor.
 */
#include "reports/results/provenance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/mem.h"
#include "core/document/evidence.h"

static void add(struct result_set *s, const char *arm, enum evidence_kind kind,
		const char *device)
{
	struct evidence e;
	struct result r;

	evidence_init(&e);
	e.computed.kind = kind;
	e.computed.device = device;
	result_init(&r, "test", "gemm", "gemm");
	r.arm = x_strdup(arm);
	r.round = (int64_t)s->nr + 1;
	result_set_machine(
		&r, json_parse("{\"gpus\": [{\"name\": \"H200\"}]}", 29, "facts", NULL));
	if (kind != EVIDENCE_UNKNOWN)
		result_set_evidence(&r, evidence_to_json(&e));
	result_set_add(s, &r, "a test");
	evidence_release(&e);
}

static void check(const struct result_set *s, const char *arm, const char *wanted)
{
	char *text = provenance_computed(s, arm);

	if (wanted)
		assert_string_equal(text, wanted);
	else
		assert_null(text);
	free(text);
}

static void test_what_computed(void **state)
{
	struct result_set s;

	(void)state;
	result_set_init(&s, "a test");
	add(&s, "old", EVIDENCE_UNKNOWN, "x");
	add(&s, "cpu", EVIDENCE_CPU, "AMD EPYC");
	add(&s, "cpu", EVIDENCE_CPU, "AMD EPYC");
	add(&s, "served", EVIDENCE_SERVER, "http://a:1");
	add(&s, "both", EVIDENCE_GPU, "H200");
	add(&s, "both", EVIDENCE_SERVER, "http://a:1");
	add(&s, "both", EVIDENCE_CPU, "AMD EPYC");
	check(&s, "old", NULL);
	check(&s, "cpu", "the processor, AMD EPYC");
	check(&s, "served", NULL);
	check(&s, "both", "H200 and the processor, AMD EPYC");
	check(&s, "none", NULL);
	result_set_release(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_computed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
