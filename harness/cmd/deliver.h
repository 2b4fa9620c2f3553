/* What every command that judges does with its report. */
#ifndef TARE_HARNESS_CMD_DELIVER_H
#define TARE_HARNESS_CMD_DELIVER_H

#include "reports/content/report.h"
#include "reports/output/report_write.h"

#include <stdbool.h>

/*
 * Which reports: those of --format, else the preset. ERR_USAGE where some were asked for
 * and there is no folder ('dir' NULL) that they could go into.
 */
int deliver_formats(const char *given, const char *preset, const char *dir, unsigned *ret,
		    struct err *err);
/*
 * The verdict on stdout: a table and a sentence, or tare.verdict/1 as JSON. Gives its exit
 * status.
 */
int print_verdict(const struct report *r, bool as_json);
/* Writes 'formats' into 'dir' (NULL: writes nothing) before that; -1 where it cannot. */
int deliver_report(const struct report *r, const char *dir, unsigned formats,
		   bool as_json, struct err *err);

#endif
