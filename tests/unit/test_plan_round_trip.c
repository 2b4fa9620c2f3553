/*
 * A plan read back is itself: every kind of field of every table that a plan is read by goes
 * to JSON text and back without losing a bit, and so does a whole plan with fractions in it.
 * What is expected is what was put in.
 */
#include "harness/plan/plan_impl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/base/rng.h"
#include "harness/plan/workload_kind.h"
#include "harness/provision/kinds/provisioner_kinds.h"
#include "harness/provision/provisioner.h"
#include "tests/support/fake_gemm.h"

union member {
	bool flag;
	int choice;
	int64_t number;
	double real;
	char *text;
	struct strvec texts;
	struct int_list ints;
};

/* Whole nanoseconds of up to 52 days are what a double of seconds tells apart. */
static int64_t any_number(const struct field *f, struct rng *rng)
{
	double scale = f->kind == FIELD_SECONDS ? 1e9 : 1;
	double most = f->kind == FIELD_SECONDS ? 0x1p52 : 0x1p62;
	bool has_bounds = f->min != 0 || f->max != 0;
	double low = has_bounds ? f->min * scale : 0;
	double high = has_bounds && f->max * scale < most ? f->max * scale : most;

	return (int64_t)(low + (high - low) * rng_unit(rng));
}

static double any_real(const struct field *f, struct rng *rng)
{
	bool has_bounds = f->min != 0 || f->max != 0;
	double low = has_bounds ? f->min : -1e300;
	double high = has_bounds && f->max < 1e300 ? f->max : 1e300;

	return low + (high - low) * rng_unit(rng);
}

static void fill(const struct field *f, union member *m, struct rng *rng, size_t turn)
{
	static const char *const texts[] = {"", "a \"b\" \\ /", "Größe\t1", "90.5",
					    "all"};
	size_t nr = 0;

	switch (f->kind) {
	case FIELD_FLAG:
		m->flag = turn % 2;
		break;
	case FIELD_CHOICE:
		while (f->choices[nr])
			nr++;
		m->choice = (int)(turn % nr);
		break;
	case FIELD_INT:
	case FIELD_SECONDS:
	case FIELD_BYTES:
		m->number = any_number(f, rng);
		break;
	case FIELD_REAL:
		m->real = any_real(f, rng);
		break;
	case FIELD_TEXT:
		m->text = x_strdup(texts[turn % ARRAY_SIZE(texts)]);
		break;
	case FIELD_TEXTS:
		for (size_t i = 0; i < turn % 4; i++)
			strvec_add(&m->texts, texts[(turn + i) % ARRAY_SIZE(texts)]);
		break;
	case FIELD_INTS:
		m->ints.nr = turn % 4;
		m->ints.items = x_calloc(m->ints.nr + 1, sizeof(*m->ints.items));
		for (size_t i = 0; i < m->ints.nr; i++)
			m->ints.items[i] = any_number(f, rng);
		break;
	}
}

static bool same_member(const struct field *f, const union member *a,
			const union member *b)
{
	switch (f->kind) {
	case FIELD_FLAG:
		return a->flag == b->flag;
	case FIELD_CHOICE:
		return a->choice == b->choice;
	case FIELD_REAL:
		return memcmp(&a->real, &b->real, sizeof(a->real)) == 0;
	case FIELD_TEXT:
		return strcmp(a->text, b->text) == 0;
	case FIELD_TEXTS:
		for (size_t i = 0; i < a->texts.nr && i < b->texts.nr; i++)
			if (strcmp(a->texts.items[i], b->texts.items[i]) != 0)
				return false;
		return a->texts.nr == b->texts.nr;
	case FIELD_INTS:
		return a->ints.nr == b->ints.nr &&
		       (!a->ints.nr || memcmp(a->ints.items, b->ints.items,
					      a->ints.nr * sizeof(*a->ints.items)) == 0);
	default:
		return a->number == b->number;
	}
}

static void check_field(const struct field *f, struct rng *rng, size_t turn)
{
	struct field alone[2] = {*f, {0}};
	union member before, after;
	struct err err = ERR_INIT;
	struct json_object *o, *again;
	const char *text;

	alone[0].offset = 0;
	alone[0].unset = NULL;
	fields_init(alone, &before);
	fields_init(alone, &after);
	fill(f, &before, rng, turn);
	o = fields_to_json(alone, &before);
	text = json_text(o);
	again = json_parse(text, strlen(text), "again", &err);
	if (!again || fields_bind_json(alone, &after, again, "again", "", NULL, &err))
		fail_msg("%s: %s: %s", f->name, text, err.text);
	if (!same_member(f, &before, &after))
		fail_msg("%s: read back as another value: %s", f->name, text);
	json_object_put(o);
	json_object_put(again);
	fields_release(alone, &before);
	fields_release(alone, &after);
}

static void check_table(const struct field *fields)
{
	struct rng rng;

	rng_init(&rng, 20261130);
	for (const struct field *f = fields; f && f->name; f++)
		for (size_t turn = 0; turn < 100; turn++)
			check_field(f, &rng, turn);
}

static void every_field_of_a_plan(void **state)
{
	static const struct field *const tables[] = {
		plan_fields,    arm_fields,      arm_fixed_fields, arm_ssh_fields,
		arm_mig_fields, schedule_fields, rounds_fields,    workload_fields};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		check_table(tables[i]);
	for (const struct provisioner_kind *const *k = provisioner_kinds(); *k; k++) {
		check_table((*k)->fields);
		check_table((*k)->machine_fields);
		for (const struct machine_object *m = (*k)->machine_objects; m && m->name;
		     m++)
			check_table(m->fields);
	}
}

/* Of kinds and bounds that no table of today has. */
static void every_kind_of_field(void **state)
{
	static const char *const choices[] = {"one", "two", NULL};
	static const struct field fields[] = {
		{.name = "flag", .kind = FIELD_FLAG},
		{.name = "int", .kind = FIELD_INT},
		{.name = "real", .kind = FIELD_REAL},
		{.name = "small-real", .kind = FIELD_REAL, .min = 0, .max = 1},
		{.name = "seconds", .kind = FIELD_SECONDS},
		{.name = "short", .kind = FIELD_SECONDS, .min = 0, .max = 1},
		{.name = "bytes", .kind = FIELD_BYTES},
		{.name = "text", .kind = FIELD_TEXT},
		{.name = "choice", .kind = FIELD_CHOICE, .choices = choices},
		{.name = "texts", .kind = FIELD_TEXTS},
		{.name = "ints", .kind = FIELD_INTS},
		{0},
	};

	(void)state;
	check_table(fields);
}

static void read_plan(const char *dir, const char *timeout, struct plan *ret)
{
	char *path = path_join(dir, "p.json");
	char *text = x_asprintf(
		"{\"name\": \"x\", \"baseline\": \"a\", \"arms\": {\"a\": {\"target\": "
		"\"local\", \"ready_timeout\": 1.25}, \"b\": {\"target\": "
		"\"local\", \"same_machine_as\": \"a\"}}, "
		"\"workloads\": [{\"gemm\": {\"n\": 64, \"warmup_seconds\": 0.1}, "
		"\"timeout\": %s}], \"schedule\": {\"budget\": \"1500ms\"}, "
		"\"margins\": {\"gemm.flops\": 0.015}}",
		timeout);
	struct err err = ERR_INIT;

	assert_int_equal(file_write(path, text, strlen(text), 0644, NULL), 0);
	if (plan_read(ret, path, &err))
		fail_msg("%s: %s", timeout, err.text);
	free(text);
	free(path);
}

static void a_plan_with_fractions(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
	} timeouts[] = {
		{"90", 90000000000},        {"90.5", 90500000000},
		{"90.9", 90900000000},      {"1.001", 1001000000},
		{"\"2min\"", 120000000000}, {"604799.999999999", 604799999999999},
	};
	char digests[ARRAY_SIZE(timeouts)][65], again[65];
	char *path = path_join(*state, "again.json");

	for (size_t i = 0; i < ARRAY_SIZE(timeouts); i++) {
		struct json_object *o;
		struct err err = ERR_INIT;
		struct plan p;

		read_plan(*state, timeouts[i].text, &p);
		plan_digest(&p, digests[i]);
		o = plan_to_json(&p);
		plan_release(&p);
		assert_int_equal(json_write_file(path, o, 0644, &err), 0);
		json_object_put(o);
		if (plan_read(&p, path, &err))
			fail_msg("%s", err.text);
		assert_int_equal(p.workloads[0].timeout_ns, timeouts[i].ns);
		assert_int_equal(p.schedule.budget_ns, 1500000000);
		assert_int_equal(p.arms[0].ready_timeout_ns, 1250000000);
		plan_digest(&p, again);
		plan_release(&p);
		assert_string_equal(digests[i], again);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(digests[k], digests[i]);
	}
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_of_a_plan),
		cmocka_unit_test(every_kind_of_field),
		cmocka_unit_test(a_plan_with_fractions),
	};

	return cmocka_run_group_tests(tests, fake_gemm_set_up, fake_gemm_tear_down);
}
