#include "core/base/err.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void a_failure_has_kind_text_and_status(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(err_exit_status(&err), EXIT_PASS);
	assert_int_equal(err_set(&err, ERR_USAGE, "key '%s' is %d", "n", 3), -1);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_null(err.origin);
	assert_string_equal(err.text, "key 'n' is 3");
	err_clear(&err);
	assert_int_equal(err.kind, ERR_NONE);
	assert_string_equal(err.text, "");
}

/* The contract's numbers, written out here a second time on purpose. */
static void every_kind_has_its_exit_status(void **state)
{
	static const struct {
		enum err_kind kind;
		int status;
	} want[] = {
		{ERR_NONE, 0},        {ERR_USAGE, 2},    {ERR_INVALID, 4},
		{ERR_ENVIRONMENT, 5}, {ERR_INTERNAL, 6}, {ERR_INTERRUPTED, 130},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++) {
		struct err err = {.kind = want[i].kind};

		assert_int_equal(err_exit_status(&err), want[i].status);
	}
}

static void errno_is_kept_and_put_into_words(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	errno = ENOENT;
	assert_int_equal(err_errno(&err, "%s", "plan.json"), -1);
	assert_string_equal(err.text, "plan.json: No such file or directory");
	assert_string_equal(err.origin, "errno");
	assert_int_equal(err.code, ENOENT);
	assert_int_equal(err.kind, ERR_ENVIRONMENT);
}

static void context_goes_in_front_and_the_kind_stays(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	err_set_code(&err, ERR_ENVIRONMENT, "curl", 7, "connection refused");
	assert_int_equal(err_wrap(&err, "host %s", "a"), -1);
	assert_int_equal(err_wrap(&err, "arm '%s'", "vm"), -1);
	assert_string_equal(err.text, "arm 'vm': host a: connection refused");
	assert_int_equal(err.kind, ERR_ENVIRONMENT);
	assert_string_equal(err.origin, "curl");
	assert_int_equal(err.code, 7);
}

static void a_text_that_does_not_fit_is_cut(void **state)
{
	struct err err = ERR_INIT;
	char longer[2 * ERR_TEXT_MAX];

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	err_set(&err, ERR_USAGE, "%s", longer);
	assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
	err_wrap(&err, "place");
	assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
	assert_memory_equal(err.text, "place: xxx", 10);
	err_wrap(&err, "%s", longer);
	assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
	errno = ENOENT;
	err_errno(&err, "%s", longer);
	assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
}

static void nobody_has_to_listen(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, ERR_USAGE, "x"), -1);
	assert_int_equal(err_set_code(NULL, ERR_USAGE, "x", 1, "x"), -1);
	assert_int_equal(err_errno(NULL, "x"), -1);
	assert_int_equal(err_wrap(NULL, "x"), -1);
	err_clear(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failure_has_kind_text_and_status),
		cmocka_unit_test(every_kind_has_its_exit_status),
		cmocka_unit_test(errno_is_kept_and_put_into_words),
		cmocka_unit_test(context_goes_in_front_and_the_kind_stays),
		cmocka_unit_test(a_text_that_does_not_fit_is_cut),
		cmocka_unit_test(nobody_has_to_listen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
