/* tare gate: results against a baseline file, for a pipeline. */
#include "harness/cmd/cmd.h"

#include "core/base/log.h"
#include "harness/cmd/deliver.h"
#include "harness/cmd/rows.h"

struct gate_options {
	char *baseline, *margins, *formats, *output;
	struct strvec trust;
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
	ROW_TRUST(AT(trust)),
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

/* A regression gate on another GPU finds nothing but the other GPU: said with its remedy. */
static void tell_gpu(const struct report *r, const struct gate_options *o)
{
	for (size_t i = 0; i < r->judgement.pairs_nr; i++) {
		const struct likeness *l = &r->judgement.pairs[i].likeness;

		for (size_t k = 0; k < l->nr; k++) {
			const struct likeness_row *row = &l->rows[k];

			if (row->state != LIKENESS_BREAKS ||
			    row->field->claim != CLAIM_WHO)
				continue;
			log_warn("%s is a baseline of another GPU (%s; these results are "
				 "of %s): 'tare baseline save' on this GPU makes one",
				 o->baseline, row->baseline, row->candidate);
			return;
		}
	}
}

static int gate(void *options, const struct strvec *rest, struct err *err)
{
	const struct gate_options *o = options;
	const struct report_judging how = {o->margins, &o->trust};
	struct report r;
	unsigned formats;
	int status;

	if (deliver_formats(o->formats, FORMATS_PRESET, o->output, &formats, err) ||
	    report_load_pair(&r, o->baseline, rest->items[0], &how, err))
		return -1;
	status = deliver_report(&r, o->output, formats, o->json, err);
	tell_gpu(&r, o);
	report_release(&r);
	return status;
}

const struct subcommand cmd_gate = {&command, gate, sizeof(struct gate_options)};
