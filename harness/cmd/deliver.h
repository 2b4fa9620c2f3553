/* What every command that judges does with its report. */
#ifndef TARE_HARNESS_CMD_DELIVER_H
#define TARE_HARNESS_CMD_DELIVER_H

#include "reports/report.h"

#include <stdbool.h>

/*
 * The verdict on stdout: a table and a sentence, or tare.verdict/1 as JSON. Gives its exit
 * status.
 */
int print_verdict(const struct report *r, bool as_json);
/* Writes 'formats' into 'dir' (NULL: writes nothing) before that; -1 where it cannot. */
int deliver_report(const struct report *r, const char *dir, unsigned formats,
		   bool as_json, struct err *err);

#endif
