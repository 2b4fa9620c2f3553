/* What every program shares: statuses, what --help prints, a full disk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/mem.h"
#include "core/options/program.h"

struct options {
	char *text;
	int64_t gives;
};

static const struct field fields[] = {
	{.name = "text",
	 .kind = FIELD_TEXT,
	 .offset = offsetof(struct options, text),
	 .help = "A text."},
	{.name = "gives",
	 .kind = FIELD_INT,
	 .offset = offsetof(struct options, gives),
	 .help = "A status."},
	{0},
};

static const struct opt_command command = {.name = "tare test",
					   .summary = "test",
					   .usage = "ARGUMENT...",
					   .about = "Test.",
					   .fields = fields,
					   .positional_min = 1,
					   .positional_max = -1};

static int fails(void *options, const struct strvec *rest, struct err *err)
{
	(void)options;
	return err_set(err, ERR_INVALID, "%s is not usable", rest->items[0]);
}

static int gives(void *options, const struct strvec *rest, struct err *err)
{
	struct options *o = options;

	(void)err;
	(void)rest;
	free(o->text); /* the work may take what it wants */
	o->text = x_strdup("new");
	return (int)o->gives;
}

static int run_command(program_work *work, const char *a, const char *b, const char *c)
{
	char *argv[] = {(char *)(uintptr_t) "test", (char *)(uintptr_t)a,
			(char *)(uintptr_t)b, (char *)(uintptr_t)c, NULL};
	struct options o;
	int argc = 1;

	while (argv[argc])
		argc++;
	return program_run(&command, &o, work, argc, argv);
}

static void statuses_come_out(void **state)
{
	(void)state;
	assert_int_equal(run_command(gives, "x", NULL, NULL), EXIT_PASS);
	assert_int_equal(run_command(gives, "--text=y", "--gives=3", "x"), 3);
	assert_int_equal(run_command(fails, "x", NULL, NULL), EXIT_INVALID);
	assert_int_equal(run_command(gives, NULL, NULL, NULL), EXIT_USAGE);
	assert_int_equal(run_command(gives, "--gives=many", "x", NULL), EXIT_USAGE);
	assert_int_equal(run_command(fails, "--version", NULL, NULL), EXIT_PASS);
}

/* /dev/full refuses every write with ENOSPC (full(4)). */
static void what_could_not_be_printed_is_no_pass(void **state)
{
	int kept = dup(STDOUT_FILENO), full = open("/dev/full", O_WRONLY);
	int status;

	(void)state;
	if (full < 0) {
		close(kept);
		skip();
	}
	fflush(stdout);
	dup2(full, STDOUT_FILENO);
	status = run_command(gives, "--help", NULL, NULL);
	clearerr(stdout);
	dup2(kept, STDOUT_FILENO);
	close(full);
	close(kept);
	assert_int_equal(status, EXIT_ENVIRONMENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(statuses_come_out),
		cmocka_unit_test(what_could_not_be_printed_is_no_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
