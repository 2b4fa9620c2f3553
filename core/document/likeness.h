/*
 * Are two machines like for like? A table of facts (paths into tare.machine/1,
 * core/machine/machine.h) compared one by one. What must agree, or the comparison of their
 * numbers says nothing about virtualisation (another GPU, another driver); what is worth
 * a note (mitigations, page size); and what differs between metal and a VM by nature
 * (the hypervisor flag, the clock source), which the table shows and nobody holds against
 * it. With several GPUs on a side the one that both have, by UUID, is compared.
 */
#ifndef TARE_CORE_DOCUMENT_LIKENESS_H
#define TARE_CORE_DOCUMENT_LIKENESS_H

#include "core/document/claim_name.h"
#include "core/document/json.h"

#include <stdbool.h>
#include <stddef.h>

enum likeness_weight {
	LIKENESS_MUST,  /* a difference makes the comparison not like for like */
	LIKENESS_NOTE,  /* a difference is a possible cause: shown, marked */
	LIKENESS_NATURE /* differs between metal and a VM by nature: shown only */
};

struct likeness_field {
	const char *path;  /* "cpu/model", "gpus/0/uuid"; NULL ends the table */
	const char *label; /* "CPU model" */
	enum likeness_weight weight;
	double tolerance; /* numbers: largest relative difference that counts as the same */
	const char *why;     /* one sentence: what a difference does to the numbers */
	enum claim_id claim; /* MUST: which of a verdict's claims it is a fact of */
};

enum likeness_state {
	LIKENESS_SAME,
	LIKENESS_EXPECTED, /* differs, by nature */
	LIKENESS_DIFFERS,  /* differs, and is worth a note */
	LIKENESS_BREAKS,   /* differs, and must not */
	LIKENESS_UNKNOWN,  /* one side does not say */
	LIKENESS_ABSENT    /* neither side says: left out of tables for people */
};

struct likeness_row {
	const struct likeness_field *field;
	enum likeness_state state;
	char *baseline, *candidate; /* as text for people; NULL: not known */
};

struct likeness {
	struct likeness_row *rows; /* in the table's order, one for each field */
	size_t nr;
	size_t breaks, differs,
		unknown; /* rows of that state; unknown: MUST fields only */
};

/* Equal but for blanks around them and the case of their letters, which sources differ in. */
bool likeness_same_text(const char *a, const char *b);
/* Either machine may be NULL: everything is unknown then. */
void likeness_compare(struct likeness *ret, struct json_object *baseline,
		      struct json_object *candidate);
/* The GPU of 'machine' that is compared with those of 'other'; borrowed, or NULL. */
struct json_object *likeness_gpu(struct json_object *machine, struct json_object *other);
void likeness_release(struct likeness *l);
/* No row breaks. */
bool likeness_holds(const struct likeness *l);

/* "same", "expected", "differs", "breaks", "unknown", "absent" */
const char *likeness_state_name(enum likeness_state state);
/* {like_for_like, rows: [{path, label, state, baseline, candidate, why}]} */
struct json_object *likeness_to_json(const struct likeness *l);

#endif
