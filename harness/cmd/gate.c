/* tare gate: results against a baseline file, for a pipeline. */
#include "harness/cmd/cmd.h"

#include "harness/cmd/deliver.h"
#include "harness/cmd/rows.h"

#include <string.h>

struct gate_options {
	char *baseline, *margins, *formats, *output;
	bool json;
};

#define FORMATS_PRESET "md,json,junit"
#define AT(member) offsetof(struct gate_options, member)

static const struct field fields[] = {
	{"baseline", FIELD_TEXT, AT(baseline), .arg = "FILE", .letter = 'b',
	 .is_required = true,
	 .help = "What the results are held against: a file of 'tare baseline save', or "
		 "any results."},
	ROW_PAIR_MARGINS(AT(margins)),
	ROW_FORMATS(AT(formats), FORMATS_PRESET, "With -o: " ROW_FORMATS_ALL),
	ROW_OUTPUT_DIR(AT(output),
		       "Write the forms that a pipeline reads into this folder."),
	ROW_VERDICT_JSON(AT(json)),
	{0},
};

static const struct opt_text examples[] = {
	{"tare gate --baseline perf.json runs/today",
	 "Passes, or says what became slower."},
	{"tare gate -b perf.json -f junit,github -o ci runs/today",
	 "The same with files for the pipeline's own pages."},
	{0},
};

static const struct opt_command command = {
	.name = "tare gate",
	.summary = "hold results against a baseline; the exit status is the verdict",
	.usage = "[OPTION]... --baseline FILE RESULTS",
	.about = "Compares RESULTS (a run directory, a folder of results or one of them) "
		 "with a baseline and prints the table that a reviewer reads. Only "
		 "gating metrics decide. The exit status is the verdict: 0 equivalent or "
		 "improved, 1 degraded, 3 not enough rounds to tell, 4 not comparable.",
	.fields = fields,
	.examples = examples,
	.positional_min = 1,
	.positional_max = 1,
	.positional_kind = "file",
};

/* A regression gate on another GPU would find nothing but the other GPU. */
static int check_gpu(const struct report *r, const struct gate_options *o,
		     struct err *err)
{
	for (size_t i = 0; i < r->judgement.pairs_nr; i++) {
		const struct likeness *l = &r->judgement.pairs[i].likeness;

		for (size_t k = 0; k < l->nr; k++) {
			const struct likeness_row *row = &l->rows[k];

			if (row->state == LIKENESS_BREAKS &&
			    (strcmp(row->field->path, "gpus/0/uuid") == 0 ||
			     strcmp(row->field->path, "gpus/0/name") == 0))
				return err_set(err, ERR_INVALID,
					       "%s is a baseline of another GPU (%s; "
					       "these results are of %s): 'tare baseline "
					       "save' on this GPU makes one",
					       o->baseline, row->baseline,
					       row->candidate);
		}
	}
	return 0;
}

static int gate(void *options, const struct strvec *rest, struct err *err)
{
	const struct gate_options *o = options;
	struct report r;
	unsigned formats;
	int status;

	if (deliver_formats(o->formats, FORMATS_PRESET, o->output, &formats, err) ||
	    report_load_pair(&r, o->baseline, rest->items[0], o->margins, err))
		return -1;
	status = check_gpu(&r, o, err);
	if (!status)
		status = deliver_report(&r, o->output, formats, o->json, err);
	report_release(&r);
	return status;
}

const struct subcommand cmd_gate = {&command, gate, sizeof(struct gate_options)};
