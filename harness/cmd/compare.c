/* tare compare: verdicts from two results, two folders of results, or peers' reports. */
#include "harness/cmd/cmd.h"

#include "harness/cmd/deliver.h"
#include "harness/cmd/rows.h"

struct compare_options {
	char *margins, *formats, *output;
	struct strvec trust;
	bool json;
};

#define FORMATS_PRESET "html,md,json"
#define AT(member) offsetof(struct compare_options, member)

static const struct field fields[] = {
	ROW_PAIR_MARGINS(AT(margins)),
	ROW_FORMATS(AT(formats), FORMATS_PRESET, "With -o: which reports to write."),
	ROW_OUTPUT_DIR(AT(output), "Write reports into this folder too."),
	ROW_TRUST(AT(trust)),
	ROW_VERDICT_JSON(AT(json)),
	{0},
};

static const struct opt_text examples[] = {
	{"tare compare old.json new.json", "Two results of one workload."},
	{"tare compare runs/monday runs/friday", "Two whole runs, arm by arm."},
	{0},
};

static const struct opt_command command = {
	.name = "tare compare",
	.summary = "verdicts from two results, two runs, or peers' own reports",
	.usage = "[OPTION]... BASELINE CANDIDATE",
	.about = "Compares what was measured before: two result documents, two folders "
		 "of them, two run directories, or two reports of another tool. Two "
		 "single results have one round each and cannot show a spread: the "
		 "verdict is then inconclusive and says how many rounds would decide. "
		 "The exit status is the verdict's.",
	.fields = fields,
	.examples = examples,
	.positional_min = 2,
	.positional_max = 2,
	.positional_kind = "file",
};

static int compare(void *options, const struct strvec *rest, struct err *err)
{
	const struct compare_options *o = options;
	const struct report_judging how = {o->margins, &o->trust};
	struct report r;
	unsigned formats;
	int status;

	if (deliver_formats(o->formats, FORMATS_PRESET, o->output, &formats, err) ||
	    report_load_pair(&r, rest->items[0], rest->items[1], &how, err))
		return -1;
	status = deliver_report(&r, o->output, formats, o->json, err);
	report_release(&r);
	return status;
}

const struct subcommand cmd_compare = {&command, compare, sizeof(struct compare_options)};
