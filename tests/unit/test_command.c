/* Actions of a command by its first argument. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/cmd/command.h"

static const struct field fields[] = {{0}};

static const struct opt_command command = {.name = "tare test",
					   .summary = "test",
					   .usage = "add|show ARGUMENT...",
					   .about = "Test.",
					   .fields = fields,
					   .positional_min = 1,
					   .positional_max = -1};

static int fails(void *options, const struct strvec *rest, struct err *err)
{
	(void)options;
	return err_set(err, ERR_INVALID, "%s is not usable", rest->items[0]);
}

static int add(void *options, const struct strvec *rest, struct err *err)
{
	(void)options;
	(void)err;
	assert_int_equal(rest->nr, 2);
	assert_string_equal(rest->items[0], "a");
	return EXIT_INCONCLUSIVE;
}

static int acts(void *options, const struct strvec *rest, struct err *err)
{
	static const struct command_action actions[] = {
		{"add", add, 2, 2, "ONE TWO"}, {"show", fails, 0, 1, "[ONE]"}, {0}};

	return command_act(&command, actions, options, rest, err);
}

static int run_command(const char *a, const char *b, const char *c)
{
	char *argv[] = {(char *)(uintptr_t) "test", (char *)(uintptr_t)a,
			(char *)(uintptr_t)b, (char *)(uintptr_t)c, NULL};
	int argc = 1;

	while (argv[argc])
		argc++;
	return program_run(&command, NULL, acts, argc, argv);
}

static void actions_are_found(void **state)
{
	(void)state;
	assert_int_equal(run_command("add", "a", "b"), EXIT_INCONCLUSIVE);
	assert_int_equal(run_command("add", "a", NULL), EXIT_USAGE);
	assert_int_equal(run_command("show", "a", "b"), EXIT_USAGE);
	assert_int_equal(run_command("shw", "a", NULL), EXIT_USAGE);
	assert_int_equal(run_command("show", "a", NULL), EXIT_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(actions_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
