/* tare-load: the load generator as a program. */
#include "core/log.h"
#include "core/opt.h"
#include "core/stop.h"
#include "inference/load_files.h"
#include "inference/load_options.h"
#include "inference/load_peers.h"
#include "inference/load_records.h"
#include "inference/load_result.h"
#include "inference/load_run.h"

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
	return load_write_peers(r, err);
}

/* Exit status of a run whose result was made. */
static int deliver(const char *output, bool prints_json, const struct result *result,
		   struct err *err)
{
	struct json_object *json;

	if (output && result_write(result, output, err))
		return log_failure(err);
	if (prints_json) {
		json = result_to_json(result);
		fputs(json_text(json), stdout);
		json_object_put(json);
	} else {
		load_result_print(result, stdout);
	}
	if (fflush(stdout)) {
		err_errno(err, "standard output");
		return log_failure(err);
	}
	return result_exit_status(result);
}

static int run(const struct load_options *o)
{
	struct err err = ERR_INIT;
	struct load_run r;
	struct result result;
	int rc;

	if (load_check_files(o, &err))
		return log_failure(&err);
	stop_install();
	if (load_run_prepare(&r, o, &err) || load_run_all(&r, &err)) {
		rc = log_failure(&err);
	} else {
		load_result_make(&result, &r);
		rc = deliver(o->output, o->prints_json, &result, &err);
		result_release(&result);
		err_clear(&err);
		/* The result stands, whatever becomes of the files beside it. */
		if (write_files(&r, &err))
			rc = log_failure(&err);
	}
	load_run_release(&r);
	return rc;
}

struct merge_options {
	char *output;
	bool prints_json;
};

static const struct field merge_fields[] = {
	{.name = "json",
	 .kind = FIELD_FLAG,
	 .offset = offsetof(struct merge_options, prints_json),
	 .help = "Print the result document on standard output."},
	{.name = "output",
	 .kind = FIELD_TEXT,
	 .letter = 'o',
	 .arg = "FILE",
	 .offset = offsetof(struct merge_options, output),
	 .help = "Write the result document to a file."},
	{0},
};

static const struct opt_command merge_command = {
	.name = "tare-load merge",
	.summary = "makes one exact result of the parts of a shared load",
	.usage = "[OPTION]... RECORDS...",
	.about = "Reads the files that tare-load wrote with --records in each part "
		 "(--part "
		 "K/N) of one load, all parts of it, and computes every figure anew from "
		 "all requests together. The machines' clocks must agree.",
	.fields = merge_fields,
	.positional_min = 1,
	.positional_max = -1,
	.positional_kind = "file",
};

static int merge_main(int argc, char **argv)
{
	struct merge_options o = {.output = NULL};
	struct strvec rest = {.nr = 0};
	struct err err = ERR_INIT;
	struct result result;
	int rc = EXIT_PASS;

	switch (opt_parse(&merge_command, argc, argv, &o, &rest, &err)) {
	case OPT_RUN:
		if (load_merge(strvec_argv(&rest), rest.nr, &result, &err)) {
			rc = log_failure(&err);
			break;
		}
		rc = deliver(o.output, o.prints_json, &result, &err);
		result_release(&result);
		break;
	case OPT_DONE:
		break;
	default:
		rc = log_failure(&err);
	}
	strvec_release(&rest);
	fields_release(merge_fields, &o);
	return rc;
}

static int load_main(int argc, char **argv)
{
	struct load_options o = {.target = NULL};
	struct strvec rest = {.nr = 0};
	struct err err = ERR_INIT;
	int rc;

	switch (opt_parse(&load_command, argc, argv, &o, &rest, &err)) {
	case OPT_RUN:
		rc = run(&o);
		break;
	case OPT_DONE:
		rc = EXIT_PASS;
		break;
	default:
		rc = log_failure(&err);
	}
	strvec_release(&rest);
	fields_release(load_command.fields, &o);
	return rc;
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "merge"))
		return merge_main(argc - 1, argv + 1);
	return load_main(argc, argv);
}
