#include "harness/cmd/deliver.h"

#include "core/base/log.h"
#include "reports/output/report_print.h"

#include <stdio.h>

static void print_json(const struct report *r)
{
	struct json_object *o = judgement_to_json(&r->judgement);

	fputs(json_text(o), stdout);
	putchar('\n');
	json_object_put(o);
}

int print_verdict(const struct report *r, bool as_json)
{
	if (as_json)
		print_json(r);
	else
		report_print(r, stdout);
	fflush(stdout); /* before any word on stderr, where both are one terminal */
	return verdict_exit_status(r->judgement.overall);
}

int deliver_formats(const char *given, const char *preset, const char *dir, unsigned *ret,
		    struct err *err)
{
	if (given && !dir)
		return err_set(err, ERR_USAGE,
			       "--format writes reports: name the folder that they go "
			       "into too (-o DIR)");
	return report_formats_parse(given ? given : preset, ret, err);
}

int deliver_report(const struct report *r, const char *dir, unsigned formats,
		   bool as_json, struct err *err)
{
	int status;

	if (dir && report_write(r, dir, formats, err))
		return -1;
	status = print_verdict(r, as_json);
	if (dir)
		log_info("written to %s", dir);
	return status;
}
