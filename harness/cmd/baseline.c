/* tare baseline: makes and shows baseline files. */
#include "harness/cmd/cmd.h"

#include "core/base/log.h"
#include "harness/cmd/command.h"
#include "reports/import/baseline.h"
#include "reports/import/result_files.h"

#include <stdio.h>

struct baseline_command_options {
	char *output, *name, *note, *arm;
	bool replace;
};

#define AT(member) offsetof(struct baseline_command_options, member)

static const struct field fields[] = {
	{"output", FIELD_TEXT, AT(output), .arg = "FILE", .letter = 'o',
	 .help = "save: the file to write."},
	{"name", FIELD_TEXT, AT(name), .arg = "NAME",
	 .help = "save: what the baseline is called; without it, where it came from."},
	{"note", FIELD_TEXT, AT(note), .arg = "TEXT",
	 .help = "save: why this is the baseline."},
	{"arm", FIELD_TEXT, AT(arm), .arg = "NAME",
	 .help = "save: only this arm's results."},
	{"replace", FIELD_FLAG, AT(replace),
	 .help = "save: an existing file may be replaced."},
	{0},
};

static const struct opt_text examples[] = {
	{"tare baseline save --arm vm -o perf.json runs/first", "Keep perf.json in git."},
	{"tare baseline show perf.json", "Machines and figures of a baseline."},
	{0},
};

static const struct opt_command command = {
	.name = "tare baseline",
	.summary =
		"make or show a baseline: results, raw samples and machine in one file",
	.usage = "save|show [OPTION]... RESULTS",
	.about = "'save' writes the results of a run, a folder or a file into one JSON "
		 "document with their raw samples, the machines' facts and where they "
		 "came from; it is small enough for git, and 'tare gate' holds later "
		 "results against it. Results that are not ok are refused. 'show' prints "
		 "what a baseline holds.",
	.fields = fields,
	.examples = examples,
	.positional_min = 1,
	.positional_max = -1,
	.positional_kind = "file",
};

static int save(void *options, const struct strvec *rest, struct err *err)
{
	const struct baseline_command_options *o = options;
	struct baseline_options save = {
		.name = o->name, .note = o->note, .arm = o->arm, .replace = o->replace};
	struct result_set s;
	int rc;

	if (!o->output)
		return err_set(err, ERR_USAGE, "'tare baseline save' needs -o FILE");
	if (result_set_load(&s, rest->items[0], err))
		return -1;
	rc = result_set_check_units(&s, err);
	if (!rc)
		rc = baseline_save(&s, &save, o->output, err);
	if (!rc)
		log_info("baseline: %s", o->output);
	result_set_release(&s);
	return rc;
}

static int show(void *options, const struct strvec *rest, struct err *err)
{
	struct result_set s;

	(void)options;
	if (result_set_load(&s, rest->items[0], err))
		return -1;
	baseline_show(&s, stdout);
	result_set_release(&s);
	return EXIT_PASS;
}

static int baseline(void *options, const struct strvec *rest, struct err *err)
{
	static const struct command_action actions[] = {
		{"save", save, 1, 1, "RESULTS"},
		{"show", show, 1, 1, "FILE"},
		{0},
	};

	return command_act(&command, actions, options, rest, err);
}

const struct subcommand cmd_baseline = {&command, baseline,
					sizeof(struct baseline_command_options)};
