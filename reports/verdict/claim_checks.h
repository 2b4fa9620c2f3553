/*
 * The claims of a verdict, one row each: how a claim is judged on a pair of results, and which
 * kinds of comparison need it. What a claim rests on is in the machine's facts
 * (tare.machine/1) and in the result's own evidence (core/document/evidence.h). docs/claims.md
 * tells every row to users.
 */
#ifndef TARE_REPORTS_VERDICT_CLAIM_CHECKS_H
#define TARE_REPORTS_VERDICT_CLAIM_CHECKS_H

#include "reports/verdict/claim_facts.h"

struct claim_def {
	const char *title;  /* for tables: "the same work" */
	const char *remedy; /* what would show it */
	unsigned needed_by; /* a bit of each enum work_kind */
	void (*check)(struct weighing *w, const struct claim_pair *p);
};

extern const struct claim_def claim_defs[CLAIM_NR];

enum work_kind work_kind_of(const struct result *baseline,
			    const struct result *candidate);
const char *work_kind_name(
	enum work_kind k); /* "gpu", "cpu", "server", "import"; "unknown" */

#endif
