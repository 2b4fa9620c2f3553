/*
 * What a claim is judged from: one result of either side with the facts of its machine, and the
 * ways to ask them. Whatever is not known is NULL or NAN.
 */
#ifndef TARE_REPORTS_VERDICT_CLAIM_FACTS_H
#define TARE_REPORTS_VERDICT_CLAIM_FACTS_H

#include "core/document/claim_name.h"
#include "core/document/json.h"
#include "reports/results/result_set.h"
#include "reports/verdict/claim.h"

/* What is compared decides which claims are needed. */
enum work_kind {
	WORK_UNKNOWN, /* nothing says what computed: everything is needed */
	WORK_GPU,
	WORK_LINK, /* copies to a GPU and back: the path to it, and not its clock */
	WORK_CPU,
	WORK_SERVER, /* a load on a model server */
	WORK_IMPORT, /* another tool's file */
	WORK_NR
};

/*
 * Which machines the two sides are to be. A declared machine (harness/plan: same_machine_as)
 * that is leased anew each turn is one of a kind.
 */
enum relation { RELATION_ANY, RELATION_DIFFERENT, RELATION_SAME, RELATION_SAME_KIND };

struct claim_side {
	const char *label;
	const struct result *result; /* NULL: before a run */
	struct json_object *facts;   /* of its machine then; NULL: not known */
	struct json_object *gpu;     /* of these, the one that is compared, or NULL */
	/* Of the arm's first round, and what the plan calls the arm ("vm"), or NULL. */
	struct json_object *first_facts;
	const struct result *first_result;
	const char *target;
	/* The result of the arm's round before this, or NULL. */
	const struct result *before;
	/* This turn, the one before and the arm's first as the harness saw them, or NULL. */
	const struct measured_step *step, *step_before, *first_step;
};

struct claim_pair {
	struct claim_side sides[2]; /* baseline, candidate */
	int64_t round;              /* 0: not rounds of one run */
	enum work_kind kind;
	enum relation relation;
	bool is_run; /* both are of one run directory */
};

/* Sets of kinds; what is of no known kind is held to what a GPU's work is held to. */
#define OF_GPU (1u << WORK_GPU | 1u << WORK_LINK | 1u << WORK_UNKNOWN)
#define OF_LINK (1u << WORK_LINK)
#define OF_CPU (1u << WORK_CPU)
#define OF_SERVER (1u << WORK_SERVER)
#define OF_IMPORT (1u << WORK_IMPORT)

bool pair_is_of(const struct claim_pair *p, unsigned kinds);
/* Is "boot", "machine" or "board" equal? 1 or 0; -1: not known of both. */
int pair_identity(const struct claim_pair *p, const char *key);

/* Members of the result's evidence, at a '/'-separated path. */
struct json_object *side_evidence(const struct claim_side *s, const char *path);
const char *side_text(const struct claim_side *s, const char *path);
double side_number(const struct claim_side *s, const char *path);
/* A text that says something: no blank, zeros, or a firmware's word for nothing; else NULL. */
const char *said(const char *text);
/* The address of the server of a load where that is not the machine itself; NULL: it is. */
const char *side_far_server(const struct claim_side *s);
/* By the machine's facts, else as the result itself says. */
const char *side_identity(const struct claim_side *s, const char *key);
/* The part of a GPU that a result ran on: its 'details.mig', and that one's profile. */
struct json_object *side_part(const struct result *r);
const char *side_profile(const struct result *r);
const char *fact_text(struct json_object *facts, const char *path);

double apart(double a, double b); /* the relative difference of the larger */

/* A fact that must be known of both sides: says so where it is not, and returns false. */
bool weigh_known(struct weighing *w, const struct claim_pair *p, const char *what,
		 bool baseline, bool candidate);
/*
 * Is it said of this object that it cannot be told (null), as NVML does in many a guest? What
 * is not there at all was taken away.
 */
bool is_untold(struct json_object *o, const char *path);
/* The rows of core/document/likeness.h that are facts of this claim. */
void weigh_likeness(struct weighing *w, const struct claim_pair *p, enum claim_id claim);

#endif
