/* tare-load: the load generator as a program. */
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/options/program.h"
#include "core/base/stop.h"
#include "inference/load/load_files.h"
#include "inference/load/load_options.h"
#include "inference/load/load_records.h"
#include "inference/load/load_result.h"
#include "inference/load/load_run.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

static int write_files(const struct load_run *r, struct err *err)
{
	const struct load_options *o = r->options;

	if (o->requests_file && load_write_requests(r, o->requests_file, err))
		return -1;
	if (o->chunks_file && load_write_chunks(r, o->chunks_file, err))
		return -1;
	if (o->records_file && load_write_records(r, o->records_file, err))
		return -1;
	return load_write_formats(r, err);
}

/* Exit status of a run whose result was made, or -1. */
static int deliver(const char *output, bool prints_json, const struct result *result,
		   struct err *err)
{
	struct json_object *json;

	if (output && result_write(result, output, err))
		return -1;
	if (prints_json) {
		json = result_to_json(result);
		fputs(json_text(json), stdout);
		json_object_put(json);
	} else {
		load_result_print(result, stdout);
	}
	fflush(stdout); /* files come next; program_run() looks whether it could be */
	return result_exit_status(result);
}

static int measure(void *options, const struct strvec *rest, struct err *err)
{
	const struct load_options *o = options;
	struct load_run r;
	struct result result;
	int rc = -1;

	(void)rest;
	if (load_check_files(o, err))
		return -1;
	stop_install();
	if (!load_run_prepare(&r, o, err) && !load_run_all(&r, err)) {
		load_result_make(&result, &r);
		rc = deliver(o->output, o->prints_json, &result, err);
		result_release(&result);
		/* The result stands, whatever becomes of the files beside it. */
		if (rc < 0)
			rc = log_failure(err);
		err_clear(err);
		if (write_files(&r, err))
			rc = -1;
	}
	load_run_release(&r);
	return rc;
}

struct merge_options {
	char *output;
	bool prints_json;
};

static const struct field merge_fields[] = {
	{"json", FIELD_FLAG, offsetof(struct merge_options, prints_json),
	 .help = "Print the result document on standard output."},
	{"output", FIELD_TEXT, offsetof(struct merge_options, output), .arg = "FILE",
	 .letter = 'o', .help = "Write the result document to a file."},
	{0},
};

static const struct opt_command merge_command = {
	.name = "tare-load merge",
	.summary = "makes one exact result of the parts of a shared load",
	.usage = "[OPTION]... RECORDS...",
	.about = "Reads the files that tare-load wrote with --records in each part "
		 "(--part K/N) of one load, all parts of it, and computes every "
		 "figure anew from all requests together. The machines' clocks must "
		 "agree.",
	.fields = merge_fields,
	.positional_min = 1,
	.positional_max = -1,
	.positional_kind = "file",
};

static int merge(void *options, const struct strvec *rest, struct err *err)
{
	const struct merge_options *o = options;
	struct result result;
	int rc;

	if ((o->output && file_can_write(o->output, "--output", err)) ||
	    load_merge(strvec_argv(rest), rest->nr, &result, err))
		return -1;
	rc = deliver(o->output, o->prints_json, &result, err);
	result_release(&result);
	return rc;
}

int main(int argc, char **argv)
{
	struct merge_options merge_options;
	struct load_options load_options = {0};

	if (argc > 1 && !strcmp(argv[1], "merge"))
		return program_run(&merge_command, &merge_options, merge, argc - 1,
				   argv + 1);
	return program_run(&load_command, &load_options, measure, argc, argv);
}
