/* Against the C library's own maths, which is there wherever this runs. */
#include "core/base/library.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct maths {
	double (*root)(double), (*missing)(double);
};

static const char *const names[] = {"libtare-nowhere.so.1", "libm.so.6", NULL};

static void test_second_name_opens(void **state)
{
	const struct library_symbol symbols[] = {
		{"tare_no_such", offsetof(struct maths, missing), true},
		{"sqrt", offsetof(struct maths, root), false},
		{0}};
	struct maths m = {NULL, NULL};
	const char *name = NULL;
	char why[LIBRARY_WHY_MAX];
	void *library = library_open(names, &name, why);

	(void)state;
	assert_non_null(library);
	assert_string_equal(name, "libm.so.6");
	assert_null(library_find(library, symbols, &m));
	assert_null(m.missing);
	assert_true(m.root(81) == 9);
}

static void test_what_is_missing(void **state)
{
	const struct library_symbol symbols[] = {
		{"sqrt", offsetof(struct maths, root), false},
		{"tare_no_such", offsetof(struct maths, missing), false},
		{0}};
	const char *const nowhere[] = {"libtare-nowhere.so.1", "libtare-no.so", NULL};
	char why[LIBRARY_WHY_MAX];
	struct maths m;
	void *library = library_open(&names[1], NULL, why);

	(void)state;
	assert_string_equal(library_find(library, symbols, &m), "tare_no_such");
	assert_null(library_open(nowhere, NULL, why));
	assert_non_null(strstr(why, "libtare-nowhere.so.1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_second_name_opens),
		cmocka_unit_test(test_what_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
