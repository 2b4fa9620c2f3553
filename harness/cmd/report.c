/* tare report: draws what was measured. */
#include "harness/cmd/cmd.h"

#include "core/base/file.h"
#include "core/document/run_directory.h"
#include "harness/cmd/deliver.h"
#include "harness/cmd/rows.h"
#include "reports/page/pdf.h"
#include "reports/verdict/noise_floor_measure.h"

#include <stdlib.h>

struct report_options {
	char *formats, *output, *margins, *pdf, *aa;
	struct strvec trust;
	bool json;
};

#define FORMATS_PRESET "html,md,json"
#define AT(member) offsetof(struct report_options, member)

static const struct field fields[] = {
	ROW_FORMATS(AT(formats), FORMATS_PRESET, "What to write: " ROW_FORMATS_ALL),
	ROW_OUTPUT_DIR(AT(output),
		       "Where to write; without it, into the run's own folder."),
	{"pdf", FIELD_TEXT, AT(pdf), .arg = "FILE",
	 .help = "Print the page to FILE too, by Chromium or Chrome where one is "
		 "installed."},
	{"margins", FIELD_TEXT, AT(margins), .arg = "FILE",
	 .help = "Judge by these margins; what they do not name is as in the plan."},
	{"aa", FIELD_TEXT, AT(aa), .arg = "DIR",
	 .help = "A run of 'tare aa' on the same machine: its noise floor is printed "
		 "beside every claim, and kept with the run as aa.json."},
	ROW_TRUST(AT(trust)),
	ROW_VERDICT_JSON(AT(json)),
	{0},
};

static const struct opt_text examples[] = {
	{"tare report runs/first", "Draw the page again, no machine needed."},
	{"tare report -f md,csv -o out runs/first",
	 "A table for a pull request, and the data."},
	{"tare report --pdf first.pdf runs/first", "The page on paper."},
	{0},
};

static const struct opt_command command = {
	.name = "tare report",
	.summary = "judge what a run measured and write the reports again",
	.usage = "[OPTION]... DIR",
	.about = "Reads a run directory and writes its reports. Nothing is measured and "
		 "no machine is asked for anything: the directory holds all that the "
		 "figures need. The exit status is the verdict's.",
	.fields = fields,
	.examples = examples,
	.positional_min = 1,
	.positional_max = 1,
	.positional_kind = "dir",
};

/* The page, written for this alone. */
static int print_pdf(const struct report *r, const char *pdf, struct err *err)
{
	char *dir = dir_make_temporary("tare-page", err), *page;
	int rc;

	if (!dir)
		return -1;
	page = path_join(dir, "report.html");
	rc = report_write(r, dir, REPORT_HTML, err);
	if (!rc)
		rc = pdf_print(page, pdf, err);
	dir_remove(dir, NULL);
	free(page);
	free(dir);
	return rc;
}

static int keep_floor(const char *aa, const char *dir, struct err *err)
{
	struct noise_floor f;
	char *path = path_join(dir, RUNDIR_FLOOR);
	int rc = noise_floor_measure(&f, aa, err);

	if (!rc)
		rc = noise_floor_write(&f, path, err);
	noise_floor_release(&f);
	free(path);
	return rc;
}

static int report(void *options, const struct strvec *rest, struct err *err)
{
	const struct report_options *o = options;
	const char *dir = rest->items[0];
	const struct report_judging how = {o->margins, &o->trust};
	struct report r;
	unsigned formats;
	int status;

	if (deliver_formats(o->formats, FORMATS_PRESET, dir, &formats, err) ||
	    report_load(&r, dir, &how, err))
		return -1;
	if (o->aa) { /* kept only beside what can be read */
		report_release(&r);
		if (keep_floor(o->aa, dir, err) || report_load(&r, dir, &how, err))
			return -1;
	}
	if (o->pdf && print_pdf(&r, o->pdf, err))
		status = -1;
	else
		status = deliver_report(&r, o->output ? o->output : dir, formats, o->json,
					err);
	report_release(&r);
	return status;
}

const struct subcommand cmd_report = {&command, report, sizeof(struct report_options)};
