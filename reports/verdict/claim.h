/*
 * A claim: something that must be true of both sides for a verdict about them to mean
 * anything, such as "the same GPU" or "nobody else used it". It is shown, not shown or
 * contradicted, by facts of both sides that have a source. Which claims there are, and how each
 * is judged, is in reports/verdict/claim_checks.h; which of them stand is claims.h's.
 *
 * A weighing gathers what one pair of facts says of one claim. Whatever is against it wins
 * over what is missing, and that over what shows it: a fact that is taken away from a document
 * can therefore never make it greener.
 *
 *	struct weighing w;
 *
 *	weighing_init(&w);
 *	weigh_values(&w, "power limit", "700 W", "600 W");
 *	weigh_against(&w, "power: the limits differ");
 *	claim = weighing_end(&w);
 */
#ifndef TARE_REPORTS_VERDICT_CLAIM_H
#define TARE_REPORTS_VERDICT_CLAIM_H

#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/document/json.h"

#include <stdbool.h>
#include <stdint.h>

enum claim_state { CLAIM_SHOWN, CLAIM_NOT_SHOWN, CLAIM_CONTRADICTED };

struct claim {
	enum claim_state state;
	bool is_needed;  /* what is needed and not shown makes a comparison invalid */
	bool is_trusted; /* not shown, and the user takes it on trust by name */
	char *baseline, *candidate; /* the facts, for people; NULL: not known */
	char *source;               /* where they come from */
	/* Shown: a few words, "same GPU by serial number". Else what is wrong or missing, with
	 * the numbers; what is wrong begins with a name of its own, "mig-route: ...". */
	char *sentence;
	double difference; /* the relative difference that was seen, where there is one */
	int64_t round;     /* that says so; 0: no round */
};

void claim_release(struct claim *c);
/* "shown", "not shown", "contradicted" */
const char *claim_state_name(enum claim_state s);
/* Takes over 'other' where that is worse, or as bad with a larger difference; else releases it. */
void claim_keep_worse(struct claim *c, struct claim *other);

struct weighing {
	struct buf values[2], sources, shown, missing, against;
	double difference;
	bool is_blocked; /* what is missing is needed whatever the kind of comparison */
};

void weighing_init(struct weighing *w);
/* A fact of both sides; NULL: not known. */
void weigh_values(struct weighing *w, const char *label, const char *baseline,
		  const char *candidate);
void weigh_source(struct weighing *w, const char *source);
void weigh_shown(struct weighing *w, const char *fmt, ...) ERR_PRINTF(2, 3);
void weigh_missing(struct weighing *w, const char *fmt, ...) ERR_PRINTF(2, 3);
/* Known of one side alone: that blocks also where the claim is not needed. */
void weigh_one_sided(struct weighing *w, const char *fmt, ...) ERR_PRINTF(2, 3);
void weigh_against(struct weighing *w, const char *fmt, ...) ERR_PRINTF(2, 3);
/* The claim, to be released; 'w' is empty afterwards. */
struct claim weighing_end(struct weighing *w);

#endif
