/* What every command has besides its own fields, for those who parse and print them. */
#ifndef TARE_CORE_OPTIONS_OPT_STANDARD_H
#define TARE_CORE_OPTIONS_OPT_STANDARD_H

#include "core/options/field.h"

enum describe_format { DESCRIBE_NONE, DESCRIBE_JSON, DESCRIBE_MAN, DESCRIBE_BASH };

struct opt_standard {
	bool help, version, quiet, verbose;
	int describe; /* enum describe_format */
};

extern const struct field opt_standard_fields[];

#endif
