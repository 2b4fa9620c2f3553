/* Decimal numbers to doubles, held to the C library's strtod() bit by bit. */
#include "core/document/decimal.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/base/rng.h"

static void agrees(const char *text)
{
	double want = strtod(text, NULL), got = 0;
	const char *end = NULL;

	if (!decimal_read(text, &end, &got))
		fail_msg("%s was not read", text);
	if (*end || memcmp(&want, &got, sizeof(want)) != 0)
		fail_msg("%s: %.17g (%a), expected %.17g (%a)", text, got, got, want,
			 want);
}

/* Halves of the last place, their neighbours, both ends of what is exact. */
static void hard_numbers_agree(void **state)
{
	static const char *const hard[] = {
		"0.0",
		"-0.0",
		"0e5",
		"1",
		"-17",
		"123456789012345678",
		"9007199254740993e0",
		"9007199254740993.0",
		"9007199254740992.999",
		"9007199254740993.000",
		"9007199254740995.0",
		"18014398509481983e0",
		"18014398509481985e0",
		"36028797018963967.5",
		"4503599627370496.5",
		"4503599627370497.5",
		"0.1",
		"0.3",
		"2.2250738585072014e-308",
		"4.9e-324",
		"2e-324",
		"1.7976931348623157e308",
		"9999999999999999999e0",
		"9999999999999999999e27",
		"9999999999999999999e-27",
		"1e27",
		"1e-27",
		"1e28",
		"1e-28",
		"8.5e-27",
		"1234567890123456789012.5e-10",
		"0.00000000000000000000000000012345",
		"1.00000000000000011102230246251565",
		"6.6e13",
		"0.0074444448704607535",
		"1E5",
		"1e+5",
		"7205759403792793e11",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(hard) / sizeof(*hard); i++)
		agrees(hard[i]);
}

/* Any bits and any number of digits, as files have them. */
static void random_numbers_agree(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 20261122);
	for (int i = 0; i < 400000; i++) {
		uint64_t bits = rng_u64(&rng), digits = rng_u64(&rng);
		char text[64];
		double x;

		memcpy(&x, &bits, sizeof(x));
		if (isfinite(x)) {
			snprintf(text, sizeof(text), "%.*g", 1 + i % 21, x);
			/* few digits of the largest doubles round beyond them */
			if (strpbrk(text, ".e") && isfinite(strtod(text, NULL)))
				agrees(text);
		}
		snprintf(text, sizeof(text), "%s%llu.%llue%d", i % 2 ? "-" : "",
			 (unsigned long long)(digits >> (i % 64)),
			 (unsigned long long)(bits >> (i % 61)), i % 70 - 35);
		agrees(text);
		snprintf(text, sizeof(text), "%llue%d", (unsigned long long)digits,
			 i % 56 - 28);
		agrees(text);
	}
}

/* A double has 53 bits: 54 and a half of the last place is where rounding shows. */
static void halfway_numbers_agree(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 7);
	for (int i = 0; i < 200000; i++) {
		uint64_t odd = (rng_u64(&rng) >> 10 | UINT64_C(1) << 53) | 1;
		char text[64];

		snprintf(text, sizeof(text), "%llu.0", (unsigned long long)odd);
		agrees(text);
		snprintf(text, sizeof(text), "%llu.%d", (unsigned long long)odd - 1,
			 i % 10);
		agrees(text);
	}
}

static void what_is_no_json_number_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"-",
		"+1",
		"01",
		".5",
		"1.",
		"1.e5",
		"1e",
		"1e+",
		"NaN",
		"inf",
		"1e999",
		"-1e999",
		"--1",
		"e5",
		"Infinity",
		/* whole numbers that JSON readers keep as integers, or refuse */
		"1000000000000000000",
		"18446744073709551616",
	};
	const char *end;
	double x;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (decimal_read(bad[i], &end, &x))
			fail_msg("'%s' was read as %g", bad[i], x);
}

static void the_end_is_behind_the_number(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		double value;
	} cases[] = {
		{"1.5, 2", 3, 1.5}, {"0x10", 1, 0}, {"12]", 2, 12},
		{"1e2e3", 3, 100},  {"-0]", 2, 0},  {"3.25.1", 4, 3.25},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *end;
		double x;

		assert_true(decimal_read(cases[i].text, &end, &x));
		assert_int_equal(end - cases[i].text, cases[i].len);
		assert_true(x == cases[i].value && !signbit(x));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hard_numbers_agree),
		cmocka_unit_test(random_numbers_agree),
		cmocka_unit_test(halfway_numbers_agree),
		cmocka_unit_test(what_is_no_json_number_is_refused),
		cmocka_unit_test(the_end_is_behind_the_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
