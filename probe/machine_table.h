/* A machine's facts as a table for people. */
#ifndef TARE_PROBE_MACHINE_TABLE_H
#define TARE_PROBE_MACHINE_TABLE_H

#include "core/document/json.h"

#include <stdio.h>

void show_machine(struct json_object *machine, FILE *to);

#endif
