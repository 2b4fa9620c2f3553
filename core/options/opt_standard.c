#include "core/options/opt_standard.h"

static const char *const describe_choices[] = {"none", "json", "man", "bash", NULL};

const struct field opt_standard_fields[] = {
	{.name = "quiet",
	 .kind = FIELD_FLAG,
	 .offset = offsetof(struct opt_standard, quiet),
	 .letter = 'q',
	 .help = "Print errors and results only."},
	{.name = "verbose",
	 .kind = FIELD_FLAG,
	 .offset = offsetof(struct opt_standard, verbose),
	 .letter = 'v',
	 .help = "Print every step."},
	{.name = "help",
	 .kind = FIELD_FLAG,
	 .offset = offsetof(struct opt_standard, help),
	 .letter = 'h',
	 .help = "Print this help and exit."},
	{.name = "version",
	 .kind = FIELD_FLAG,
	 .offset = offsetof(struct opt_standard, version),
	 .help = "Print the version and how it was built, and exit."},
	{.name = "describe",
	 .kind = FIELD_CHOICE,
	 .offset = offsetof(struct opt_standard, describe),
	 .choices = describe_choices,
	 .unset = "none",
	 .arg = "FORMAT",
	 .is_hidden = true,
	 .help = "Print the option table as json, man (mdoc) or bash (completion)."},
	{0},
};
