/*
 * Which claims stand, for one workload of two arms: the only place that decides whether a
 * comparison is valid. Every pair of rounds is judged, and of each claim the worst is kept with
 * its round. Then
 *   contradicted           invalid, needed or not, with both values
 *   not shown and needed   invalid, with what would show it; a user may take it on trust by name
 *   known of one side only invalid likewise: what is taken out of a document never helps
 *   not shown otherwise    valid, and the sentence says what was not shown
 * Which kinds of comparison need which claims is in reports/verdict/claim_checks.h.
 *
 *	claims_judge(&c, &spec);
 *	why = claims_reason(&c);                       (NULL: valid)
 *	line = claims_line(&c);    "two machines, same GPU by serial, clocks within 0.3 %"
 */
#ifndef TARE_REPORTS_VERDICT_CLAIMS_H
#define TARE_REPORTS_VERDICT_CLAIMS_H

#include "core/base/strvec.h"
#include "reports/results/result_set.h"
#include "reports/verdict/claim_checks.h"

/* One arm of a set; 'label' is what the verdict calls it. Texts are borrowed. */
struct compared_side {
	const struct result_set *set;
	const char *arm, *label;
};

/* Its results of one workload, in order of rounds. */
struct workload_side {
	const struct compared_side *of;
	const struct result *results;
	size_t nr;
};

struct claims {
	struct claim items[CLAIM_NR]; /* by enum claim_id */
	enum work_kind kind;
	size_t pairs; /* of results that were looked at; 0: there is nothing to claim */
};

struct claims_spec {
	struct workload_side sides[2]; /* baseline, candidate */
	const struct strvec *trust;    /* names taken on trust, or NULL */
};

/* 'ret' is to be released. *ret_note (free()): what is worth saying and no reason, or NULL. */
void claims_judge(struct claims *ret, const struct claims_spec *spec, char **ret_note);

/* What can be known before a run, of two machines' facts (tare.machine/1). */
void claims_of_machines(struct claims *ret, const char *const labels[2],
			struct json_object *const facts[2], enum relation relation);

/* By the plan of a run: its arms 'a' and 'b'; a resolved plan or NULL. */
enum relation claims_relation(struct json_object *plan, const char *a, const char *b);

void claims_release(struct claims *c);

/* Why the comparison is invalid; NULL: it is not. free() */
char *claims_reason(const struct claims *c);
/* What was shown, in a line, and what was not, or is taken on trust. free() */
char *claims_line(const struct claims *c);
/* The weaker of both, claim by claim: what holds of several workloads together. */
void claims_merge(struct claims *into, const struct claims *c);
/* Is it about this kind of work at all? A processor has no GPU's clocks. */
bool claims_applies(const struct claims *c, enum claim_id id);

/* A list of {id, title, state, needed, trusted, baseline, candidate, source, sentence, round,
 * remedy}; owned by the caller. */
struct json_object *claims_to_json(const struct claims *c);

#endif
