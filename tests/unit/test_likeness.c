/* The like-for-like table on machines written by hand; states follow from likeness.h. */
#include "core/document/likeness.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

static struct json_object *parse(const char *text)
{
	struct err err = ERR_INIT;
	struct json_object *o = json_parse(text, strlen(text), "test", &err);

	if (!o)
		fail_msg("%s", err.text);
	return o;
}

static const struct likeness_row *row(const struct likeness *l, const char *path)
{
	for (size_t i = 0; i < l->nr; i++) {
		if (strcmp(l->rows[i].field->path, path) == 0)
			return &l->rows[i];
	}
	fail_msg("no row %s", path);
	return NULL;
}

static const char metal[] =
	"{\"gpus\":[{\"uuid\":\"GPU-a\",\"vbios\":\"1\"},{\"uuid\":\"GPU-b\",\"vbios\":"
	"\"2\","
	"\"power_limit_w\":1200}],\"cpu\":{\"architecture\":\"aarch64\",\"threads\":144},"
	"\"memory\":{\"total_bytes\":1000},\"hypervisor\":{\"kind\":\"none\"},"
	"\"mitigations\":{\"meltdown\":\"Not affected\",\"spectre_v2\":\"A\"}}";
static const char vm[] =
	"{\"gpus\":[{\"uuid\":\"GPU-b\",\"vbios\":\"2\",\"power_limit_w\":1200.5}],"
	"\"cpu\":{\"architecture\":\"aarch64\",\"threads\":64},"
	"\"memory\":{\"total_bytes\":980},\"hypervisor\":{\"kind\":\"kvm\"},"
	"\"mitigations\":{\"meltdown\":\"Not affected\",\"spectre_v2\":\"B\"}}";

static void test_states(void **state)
{
	struct json_object *a = parse(metal), *b = parse(vm);
	struct likeness l;

	(void)state;
	likeness_compare(&l, a, b);
	assert_true(likeness_holds(&l));
	assert_int_equal(row(&l, "gpus/0/uuid")->state, LIKENESS_SAME);
	assert_string_equal(row(&l, "gpus/0/uuid")->baseline, "GPU-b");
	assert_int_equal(row(&l, "gpus/0/vbios")->state, LIKENESS_SAME);
	assert_int_equal(row(&l, "gpus/0/power_limit_w")->state, LIKENESS_SAME);
	assert_int_equal(row(&l, "cpu/threads")->state, LIKENESS_DIFFERS);
	assert_string_equal(row(&l, "cpu/threads")->candidate, "64");
	assert_int_equal(row(&l, "memory/total_bytes")->state, LIKENESS_SAME);
	assert_int_equal(row(&l, "hypervisor/kind")->state, LIKENESS_EXPECTED);
	assert_int_equal(row(&l, "mitigations")->state, LIKENESS_DIFFERS);
	assert_null(strstr(row(&l, "mitigations")->baseline, "meltdown"));
	assert_non_null(strstr(row(&l, "mitigations")->candidate, "B"));
	assert_int_equal(row(&l, "kernel/release")->state, LIKENESS_ABSENT);
	assert_null(row(&l, "kernel/release")->baseline);
	likeness_release(&l);
	json_object_put(a);
	json_object_put(b);
}

static void test_another_gpu_breaks(void **state)
{
	struct json_object *a = parse(metal);
	struct json_object *b = parse("{\"gpus\":[{\"uuid\":\"GPU-c\"}]}");
	struct likeness l;

	(void)state;
	likeness_compare(&l, a, b);
	assert_false(likeness_holds(&l));
	assert_int_equal(row(&l, "gpus/0/uuid")->state, LIKENESS_BREAKS);
	assert_int_equal(row(&l, "gpus/0/vbios")->state, LIKENESS_UNKNOWN);
	assert_int_equal(l.breaks, 1);
	likeness_release(&l);
	json_object_put(a);
	json_object_put(b);
}

static void test_missing_machine(void **state)
{
	struct json_object *a = parse(metal), *o;
	struct likeness l;

	(void)state;
	likeness_compare(&l, a, NULL);
	assert_true(likeness_holds(&l));
	assert_true(l.unknown > 0);
	o = likeness_to_json(&l);
	assert_true(json_get_bool(o, "like_for_like", false));
	assert_int_equal(json_object_array_length(json_member(o, "rows")), l.nr);
	json_object_put(o);
	likeness_release(&l);
	likeness_compare(&l, NULL, NULL);
	assert_true(likeness_holds(&l));
	likeness_release(&l);
	json_object_put(a);
}

/* A table that says nothing about why would leave the reader alone. */
static void test_every_field_says_why(void **state)
{
	struct likeness l;

	(void)state;
	likeness_compare(&l, NULL, NULL);
	assert_true(l.nr > 20);
	for (size_t i = 0; i < l.nr; i++) {
		const struct likeness_field *f = l.rows[i].field;

		assert_true(f->label && f->label[0]);
		assert_true(f->why && f->why[0]);
	}
	likeness_release(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_another_gpu_breaks),
		cmocka_unit_test(test_missing_machine),
		cmocka_unit_test(test_every_field_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
