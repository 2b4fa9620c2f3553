#include "core/base/strvec.h"

#include "core/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static void it_is_an_argument_vector_at_any_length(void **state)
{
	struct strvec v = {0};

	(void)state;
	assert_non_null(strvec_argv(&v));
	assert_null(strvec_argv(&v)[0]);
	for (size_t i = 0; i < 100; i++) {
		char want[20];

		strvec_addf(&v, "item %zu", i);
		snprintf(want, sizeof(want), "item %zu", i);
		assert_int_equal(v.nr, i + 1);
		assert_string_equal(strvec_argv(&v)[i], want);
		assert_null(strvec_argv(&v)[i + 1]);
	}
	strvec_release(&v);
	assert_int_equal(v.nr, 0);
	assert_null(v.items);
	strvec_release(&v);
}

static void it_owns_copies(void **state)
{
	char word[] = "one";
	const char *const more[] = {word, "two", NULL};
	struct strvec v = {0};

	(void)state;
	strvec_add(&v, word);
	strvec_add_all(&v, more);
	word[0] = 'X';
	assert_int_equal(v.nr, 3);
	assert_string_equal(v.items[0], "one");
	assert_string_equal(v.items[1], "one");
	assert_true(strvec_has(&v, "two"));
	assert_false(strvec_has(&v, "tw"));
	assert_false(strvec_has(&v, "Xne"));
	strvec_release(&v);
}

static void a_long_format_is_not_cut(void **state)
{
	struct strvec v = {0};

	(void)state;
	strvec_addf(&v, "%*s|", 5000, "x");
	assert_int_equal(strlen(v.items[0]), 5001);
	assert_int_equal(v.items[0][5000], '|');
	strvec_release(&v);
}

static void the_name_somebody_meant_is_found(void **state)
{
	static const char *const names[] = {"iterations", "precision", "seed", "n",
					    "alpha"};
	static const struct {
		const char *typed, *want;
	} cases[] = {
		{"itterations", "iterations"},
		{"iteration", "iterations"},
		{"percision", "precision"},
		{"sead", "seed"},
		{"seed", "seed"},
		{"aplha", "alpha"},
		{"warmup", NULL},
		{"temperature", NULL},
	};
	char longest[200], text[DID_YOU_MEAN_SIZE], want[100];
	const char *option = "--xy", *same = longest;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		snprintf(want, sizeof(want), "; did you mean '%s'?", cases[i].want);
		assert_string_equal(did_you_mean(text, cases[i].typed, names,
						 ARRAY_SIZE(names), "(none)"),
				    cases[i].want ? want : "(none)");
	}
	assert_string_equal(did_you_mean(text, "x", NULL, 0, ""), "");
	/* The dashes of options make nothing nearer. */
	assert_string_equal(did_you_mean(text, "--a", &option, 1, ""), "");
	memset(longest, 'y', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_string_equal(did_you_mean(text, longest, names, ARRAY_SIZE(names), ""),
			    "");
	longest[64] = '\0';
	assert_string_equal(did_you_mean(text, longest, &same, 1, "") + 80, "'?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_an_argument_vector_at_any_length),
		cmocka_unit_test(it_owns_copies),
		cmocka_unit_test(a_long_format_is_not_cut),
		cmocka_unit_test(the_name_somebody_meant_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
