#include "core/options/opt.h"

#include "core/base/log.h"
#include "core/base/mem.h"
#include "tests/support/child.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

struct options {
	int64_t n;
	bool force;
	char *file;
	int mode;
	struct strvec arms;
	char *secret;
};

static const char *const modes[] = {"fast", "exact", NULL};

#define AT(member) .offset = offsetof(struct options, member)

static const struct field fields[] = {
	{.name = "n",
	 .kind = FIELD_INT,
	 AT(n),
	 .letter = 'n',
	 .unset = "4",
	 .min = 1,
	 .max = 9,
	 .help = "How many."},
	{.name = "force", .kind = FIELD_FLAG, AT(force), .letter = 'f', .help = "Do it."},
	{.name = "file", .kind = FIELD_TEXT, AT(file), .arg = "FILE", .help = "Where."},
	{.name = "mode",
	 .kind = FIELD_CHOICE,
	 AT(mode),
	 .choices = modes,
	 .unset = "exact",
	 .letter = 'm',
	 .help = "How. With a \\ and 'quotes'."},
	{.name = "arm",
	 .kind = FIELD_TEXTS,
	 AT(arms),
	 .unset = "metal",
	 .help = "Which."},
	{.name = "secret",
	 .kind = FIELD_TEXT,
	 AT(secret),
	 .is_hidden = true,
	 .help = "Nobody sees this."},
	{0},
};

static const struct opt_text examples[] = {{"tare-x --n 3 a \"b c\"", "Does it."}, {0}};

static const struct opt_command command = {
	.name = "tare-x",
	.summary = "tests options",
	.usage = "[OPTION]... PLAN [MORE]",
	.about = "A paragraph that is longer than a line of help can be, so that it has "
		 "to be broken somewhere near its middle.\n\n.A second one.",
	.fields = fields,
	.examples = examples,
	.positional_min = 1,
	.positional_max = 2,
	.positional_kind = "file",
};

struct outcome {
	enum opt_result result;
	struct options o;
	struct strvec rest;
	struct err err;
};

/* Words separated by blanks; "<>" is an empty one. */
static struct outcome *parse(const char *line)
{
	struct outcome *r = calloc(1, sizeof(*r));
	struct strvec argv = {0};
	char *copy = x_strdup(line), *save = NULL;

	strvec_add(&argv, "tare-x");
	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
		strvec_add(&argv, strcmp(w, "<>") == 0 ? "" : w);
	r->result =
		opt_parse(&command, (int)argv.nr, argv.items, &r->o, &r->rest, &r->err);
	free(copy);
	strvec_release(&argv);
	return r;
}

static void done(struct outcome *r)
{
	fields_release(fields, &r->o);
	strvec_release(&r->rest);
	free(r);
}

static void options_are_set_however_they_are_written(void **state)
{
	static const char *const lines[] = {
		"--n 3 --force --file f --mode fast P",
		"P --n=3 --force --file=f --mode=fast",
		"-n 3 -f --fil f -m fast P",
		"-n3 -f P --file f -mfast",
		"-fn3 --file f --mod fast P",
		"--n 9 --n 3 --no-force --force --file x --file f -m exact -m fast P",
		"--n 3 --force --file f --mode fast -- P",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct outcome *r = parse(lines[i]);

		if (r->result != OPT_RUN)
			fail_msg("%s: %s", lines[i], r->err.text);
		assert_int_equal(r->o.n, 3);
		assert_true(r->o.force);
		assert_string_equal(r->o.file, "f");
		assert_int_equal(r->o.mode, 0);
		assert_int_equal(r->rest.nr, 1);
		assert_string_equal(r->rest.items[0], "P");
		done(r);
	}
}

static void without_options_defaults_stand(void **state)
{
	struct outcome *r = parse("P Q");

	(void)state;
	assert_int_equal(r->result, OPT_RUN);
	assert_int_equal(r->o.n, 4);
	assert_false(r->o.force);
	assert_int_equal(r->o.mode, 1);
	assert_int_equal(r->o.arms.nr, 1);
	assert_string_equal(r->o.arms.items[0], "metal");
	done(r);
}

/* The first on the command line takes the default's place, further ones are added. */
static void a_list_grows(void **state)
{
	struct outcome *r = parse("--arm a --arm b P");

	(void)state;
	assert_int_equal(r->o.arms.nr, 2);
	assert_string_equal(r->o.arms.items[0], "a");
	assert_string_equal(r->o.arms.items[1], "b");
	done(r);
}

static void words_that_look_like_options_are_taken(void **state)
{
	struct outcome *r = parse("--file --n -- --force -");

	(void)state;
	assert_int_equal(r->result, OPT_RUN);
	assert_string_equal(r->o.file, "--n");
	assert_int_equal(r->rest.nr, 2);
	assert_string_equal(r->rest.items[0], "--force");
	assert_string_equal(r->rest.items[1], "-");
	done(r);
	r = parse("--file= <>");
	assert_int_equal(r->result, OPT_RUN);
	assert_string_equal(r->o.file, "");
	assert_string_equal(r->rest.items[0], "");
	done(r);
}

static void mistakes_are_told(void **state)
{
	static const struct {
		const char *line, *want;
	} cases[] = {
		{"--nn 3 P", "unknown option '--nn'"},
		{"--forse P", "unknown option '--forse'; did you mean '--force'?"},
		{"--f P", "'--f' is short for several"},
		{"-x P", "unknown option '-x'; 'tare-x --help' lists them"},
		{"--n P", "--n: 'P' is not a number"},
		{"P --n", "option '--n' needs a value: How many."},
		{"P -n", "option '-n' needs a value"},
		{"--n 0 P", "--n: 0 is out of range"},
		{"--force=yes P", "option '--force' takes no value"},
		{"--no-n P", "unknown option '--no-n'"},
		{"--mode slow P", "--mode: 'slow' is not one of fast, exact"},
		{"", "too few arguments; usage: tare-x [OPTION]... PLAN [MORE]"},
		{"a b c", "unexpected argument 'c'"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct outcome *r = parse(cases[i].line);

		if (r->result != OPT_ERROR)
			fail_msg("'%s' was accepted", cases[i].line);
		assert_int_equal(r->err.kind, ERR_USAGE);
		if (!strstr(r->err.text, cases[i].want))
			fail_msg("'%s': %s", cases[i].line, r->err.text);
		done(r);
	}
}

static void a_required_option_must_be_given(void **state)
{
	static const struct field required[] = {
		{.name = "plan",
		 .kind = FIELD_TEXT,
		 AT(file),
		 .is_required = true,
		 .unset = "default",
		 .help = "Which."},
		{0},
	};
	const struct opt_command c = {
		.name = "tare-y", .usage = "", .fields = required, .positional_max = 0};
	struct strvec argv = {0};
	struct strvec rest = {0};
	struct options o;
	struct err err = ERR_INIT;

	(void)state;
	strvec_add_all(&argv, (const char *const[]){"tare-y", "--plan", "p", NULL});
	assert_int_equal(opt_parse(&c, 1, argv.items, &o, &rest, &err), OPT_ERROR);
	assert_string_equal(err.text, "option '--plan' must be given: Which.");
	fields_release(required, &o);
	assert_int_equal(opt_parse(&c, 3, argv.items, &o, &rest, &err), OPT_RUN);
	fields_release(required, &o);
	strvec_release(&rest);
	strvec_release(&argv);
}

static void say(const char *what)
{
	log_error("%s", what);
	log_info("%s", what);
	log_debug("%s", what);
}

static void speak(void **state)
{
	(void)state;
	done(parse("-q P"));
	say("a");
	log_set_level(LOG_NORMAL);
	done(parse("P"));
	say("b");
	done(parse("--verbose P"));
	say("c");
}

static void the_level_of_words_is_set(void **state)
{
	char text[200];

	assert_int_equal(child_outcome(speak, state, text, sizeof(text)), 0);
	assert_string_equal(text, "tare: error: a\ntare: error: b\ntare: b\n"
				  "tare: error: c\ntare: c\ntare: c\n");
}

static char *printed(void (*print)(const struct opt_command *, FILE *))
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	print(&command, to);
	fclose(to);
	return text;
}

static void check_help_line(const char *line, size_t len)
{
	if (len > 80)
		fail_msg("longer than 80 columns: %.*s", (int)len, line);
	if (len && line[len - 1] == ' ')
		fail_msg("blank at the end: '%.*s'", (int)len, line);
}

static void help_shows_every_option_that_is_not_hidden(void **state)
{
	char *help = printed(opt_print_help);

	(void)state;
	assert_non_null(strstr(help, "Usage: tare-x [OPTION]... PLAN [MORE]\n"));
	assert_non_null(strstr(help, "-n, --n N"));
	assert_non_null(strstr(help, "How many. Default: 4."));
	assert_non_null(strstr(help, "-m, --mode NAME"));
	assert_non_null(strstr(help, "One of fast, exact."));
	assert_non_null(strstr(help, "--file FILE"));
	assert_non_null(strstr(help, "-q, --quiet"));
	assert_non_null(strstr(help, "tare-x --n 3 a \"b c\""));
	assert_null(strstr(help, "secret"));
	assert_null(strstr(help, "describe"));
	for (char *line = help; *line; line += strcspn(line, "\n") + 1)
		check_help_line(line, strcspn(line, "\n"));
	free(help);
}

static void the_manual_page_is_mdoc(void **state)
{
	char *man = printed(opt_print_man);

	(void)state;
	assert_memory_equal(man, ".Dd ", 4);
	assert_non_null(strstr(man, "\n.Dt TARE-X 1\n"));
	assert_non_null(strstr(man, "\n.Sh SYNOPSIS\n"));
	assert_non_null(strstr(man, "\n.It Fl n , Fl \\-n Ar N\n"));
	assert_non_null(strstr(man, "With a \\e and"));
	assert_non_null(strstr(man, "\n\\&.A second one.")); /* no macro */
	assert_non_null(strstr(man, "\n.Sh EXIT STATUS\n"));
	assert_null(strstr(man, "secret"));
	free(man);
}

/* The completion is tried in the shell that it is for. */
static void completion_works_in_bash(void **state)
{
	static const char script[] =
		"COMP_WORDS=(tare-x \"$2\" \"$3\"); COMP_CWORD=2; eval \"$1\"; _tare_x;"
		" echo \"${COMPREPLY[*]}\"";
	char *bash = printed(opt_print_bash);
	const char *const cases[][3] = {
		{"", "--fo", "--force"},
		{"", "--mo", "--mode"},
		{"--mode", "", "fast exact"},
		{"--mode", "e", "exact"},
		{"", "--sec", ""},
	};

	(void)state;
	assert_non_null(strstr(bash, "complete -F _tare_x tare-x\n"));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int fds[2];
		char got[200] = "";
		char *want = x_asprintf("%s\n", cases[i][2]);
		pid_t pid;

		assert_int_equal(pipe(fds), 0);
		pid = fork();
		if (pid == 0) {
			dup2(fds[1], 1);
			execlp("bash", "bash", "-c", script, "bash", bash, cases[i][0],
			       cases[i][1], (char *)NULL);
			_exit(127);
		}
		close(fds[1]);
		assert_true(read(fds[0], got, sizeof(got) - 1) > 0);
		assert_string_equal(got, want);
		close(fds[0]);
		free(want);
	}
	free(bash);
}

static void a_command_describes_itself(void **state)
{
	struct json_object *o = opt_describe(&command);

	(void)state;
	assert_string_equal(json_get_text(o, "name", ""), "tare-x");
	assert_int_equal(json_object_array_length(json_member(o, "options")),
			 ARRAY_SIZE(fields) - 1);
	json_object_put(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_set_however_they_are_written),
		cmocka_unit_test(without_options_defaults_stand),
		cmocka_unit_test(a_list_grows),
		cmocka_unit_test(words_that_look_like_options_are_taken),
		cmocka_unit_test(mistakes_are_told),
		cmocka_unit_test(a_required_option_must_be_given),
		cmocka_unit_test(the_level_of_words_is_set),
		cmocka_unit_test(help_shows_every_option_that_is_not_hidden),
		cmocka_unit_test(the_manual_page_is_mdoc),
		cmocka_unit_test(completion_works_in_bash),
		cmocka_unit_test(a_command_describes_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
