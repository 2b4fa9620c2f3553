#include "inference/mock/mock_fault.h"

#include "core/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static struct mock_fault parsed(const char *text)
{
	struct mock_fault f = {0};
	struct err err = ERR_INIT;

	if (mock_fault_parse(text, &f, &err))
		fail_msg("%s: %s", text, err.text);
	return f;
}

static void specifications_are_read(void **state)
{
	struct mock_fault f;

	(void)state;
	f = parsed("stall=250ms,after=5,rate=0.5");
	assert_int_equal(f.kind, FAULT_STALL);
	assert_int_equal(f.value, 250 * NS_PER_MS);
	assert_int_equal(f.after, 5);
	assert_int_equal(f.when, FAULT_RATE);
	f = parsed("status=503,nth=7");
	assert_int_equal(f.value, 503);
	assert_int_equal(f.when, FAULT_NTH);
	assert_int_equal(f.nth, 7);
	f = parsed("reset");
	assert_int_equal(f.kind, FAULT_RESET);
	assert_int_equal(f.when, FAULT_ALWAYS);
}

static void mistakes_are_named(void **state)
{
	static const struct {
		const char *text, *word;
	} table[] = {
		{"statsu=500", "did you mean 'status'"},
		{"status", "needs a value"},
		{"status=99", "400 to 599"},
		{"status=500x", "whole number"},
		{"reset=1", "takes no value"},
		{"reset,rate=2", "from 0 to 1"},
		{"reset,rate=nan", "from 0 to 1"},
		{"reset,every=0", "every"},
		{"reset,sometimes=1", "sometimes"},
		{"stall=long", "stall"},
		{"coalesce=65", "1 to 64"},
		{"", "no kind"},
		{"reset,", "no option"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct mock_fault f;
		struct err err = ERR_INIT;

		assert_int_equal(mock_fault_parse(table[i].text, &f, &err), -1);
		assert_int_equal(err.kind, ERR_USAGE);
		if (!strstr(err.text, table[i].word))
			fail_msg("'%s': %s", table[i].text, err.text);
	}
}

static bool hits(struct mock_fault *fault, int64_t seed, int64_t serial)
{
	const struct mock_faults one = {.items = fault, .nr = 1, .seed = seed};

	return mock_fault_pick(&one, false, serial)->kind != FAULT_NONE;
}

static void they_hit_whom_they_should(void **state)
{
	struct mock_fault every = parsed("reset,every=3"), nth = parsed("reset,nth=3");
	struct mock_fault rate = parsed("reset,rate=0.1");
	int hit = 0, again = 0, other = 0;

	(void)state;
	for (int64_t i = 1; i <= 9; i++) {
		assert_int_equal(hits(&every, 1, i), i % 3 == 0);
		assert_int_equal(hits(&nth, 1, i), i == 3);
	}
	for (int64_t i = 1; i <= 10000; i++) {
		hit += hits(&rate, 42, i);
		again += hits(&rate, 42, i);
		other += hits(&rate, 42, i) && hits(&rate, 43, i);
	}
	/* Binomial(10000, 0.1): deviation 30. Five of them; the draw repeats. */
	assert_in_range(hit, 850, 1150);
	assert_int_equal(hit, again);
	assert_true(other < hit / 2); /* another seed hits others */
}

static void the_first_that_hits_is_picked(void **state)
{
	struct mock_fault items[] = {parsed("slow-accept=1"), parsed("reset,nth=2"),
				     parsed("empty")};
	const struct mock_faults f = {.items = items, .nr = 3, .seed = 1};
	const struct mock_faults none = {.seed = 1};

	(void)state;
	assert_int_equal(mock_fault_pick(&f, false, 1)->kind, FAULT_EMPTY);
	assert_int_equal(mock_fault_pick(&f, false, 2)->kind, FAULT_RESET);
	assert_int_equal(mock_fault_pick(&f, true, 2)->kind, FAULT_SLOW_ACCEPT);
	assert_int_equal(mock_fault_pick(&none, false, 2)->kind, FAULT_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(specifications_are_read),
		cmocka_unit_test(mistakes_are_named),
		cmocka_unit_test(they_hit_whom_they_should),
		cmocka_unit_test(the_first_that_hits_is_picked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
