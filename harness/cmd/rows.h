/*
 * Rows of option tables (struct field) that several subcommands have: the name, the
 * letter, the kind and the wording stand here once. 'at' is the offset of the member in
 * the command's own struct.
 *
 *	static const struct field fields[] = {
 *		ROW_OUTPUT_DIR(AT(output), "Write reports into this folder too."),
 *		ROW_VERDICT_JSON(AT(json)),
 *		{0},
 *	};
 *
 * A row that takes 'text' is alike but for its sentence, for the commands do different
 * things with the value. --margins of 'report' (on top of the plan's) and of 'history'
 * (no plans), --dry-run of 'run' (checks the plan) and --aa of 'run' and 'report' mean
 * something of their own and stay with their commands.
 */
#ifndef TARE_HARNESS_CMD_ROWS_H
#define TARE_HARNESS_CMD_ROWS_H

#include "core/options/field.h"

/* bool; gate, compare, report, run, aa: whatever judges prints its verdict in two ways. */
#define ROW_VERDICT_JSON(at)                                          \
	{                                                             \
		.name = "json", .kind = FIELD_FLAG, .offset = (at),   \
		.help = "Print the verdict as JSON (tare.verdict/1)." \
	}

/* char *; gate, compare: two sides that may each have come with a plan. */
#define ROW_PAIR_MARGINS(at)                                                             \
	{                                                                                \
		.name = "margins", .kind = FIELD_TEXT, .offset = (at), .arg = "FILE",    \
		.help = "What counts as no difference, by metric: the form of a plan's " \
			"'margins'. What it does not name is as in the plans of both "   \
			"sides, the candidate's before the baseline's."                  \
	}

/* struct strvec; gate, compare, report. */
#define ROW_TRUST(at)                                                                  \
	{                                                                              \
		.name = "trust", .kind = FIELD_TEXTS, .offset = (at), .arg = "CLAIM",  \
		.help = "Take what a verdict rests on and is not shown on trust, by "  \
			"name: who, clocks ...; may be repeated. The report says so. " \
			"What is contradicted cannot be trusted away."                 \
	}

/* int64_t, 0 when not given; run, aa. */
#define ROW_ROUNDS(at)                                                                  \
	{                                                                               \
		.name = "rounds", .kind = FIELD_INT, .offset = (at), .min = 1,          \
		.max = 999, .arg = "N",                                                 \
		.help = "Exactly so many rounds, instead of the plan's least and most." \
	}

/* char *, NULL when not given, for deliver_formats(); gate, compare, report. */
#define ROW_FORMATS(at, preset, text)                                                \
	{                                                                            \
		.name = "format", .kind = FIELD_TEXT, .offset = (at), .letter = 'f', \
		.arg = "LIST", .help = text " Without it: " preset "."               \
	}

/* Every format there is, for such a text; gate, report. */
#define ROW_FORMATS_ALL "html, md, json, csv, junit, ctrf, github, gitlab, prometheus."

/* char *; gate, compare, report, run, aa, lease, check. */
#define ROW_OUTPUT_DIR(at, text)                                                     \
	{                                                                            \
		.name = "output", .kind = FIELD_TEXT, .offset = (at), .letter = 'o', \
		.arg = "DIR", .help = (text)                                         \
	}

#endif
