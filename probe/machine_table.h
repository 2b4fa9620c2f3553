/* A machine's facts as a table for people. */
#ifndef TARE_PROBE_MACHINE_TABLE_H
#define TARE_PROBE_MACHINE_TABLE_H

#include "core/document/json.h"

#include <stdio.h>

void machine_table_show(struct json_object *machine, FILE *to);

#endif
