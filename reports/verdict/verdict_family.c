#include "reports/verdict/verdict_family.h"

#include <stdlib.h>

#include "core/base/mem.h"
#include "reports/verdict/verdict_rule.h"

static int by_p_beyond(const void *a, const void *b)
{
	const struct comparison *x = *(struct comparison *const *)a;
	const struct comparison *y = *(struct comparison *const *)b;

	return (x->p_beyond > y->p_beyond) - (x->p_beyond < y->p_beyond);
}

static void withhold(struct comparison *c, size_t needed_n, size_t family)
{
	char *alone = c->reason;

	c->reason = x_asprintf("%s; alone that is %s, among %zu gating metrics it is not "
			       "beyond chance (Holm)",
			       alone, verdict_name(c->verdict), family);
	free(alone);
	c->verdict = VERDICT_INCONCLUSIVE;
	c->needed_n = needed_n;
	if (!needed_n)
		return;
	alone = c->reason;
	c->reason =
		x_asprintf("%s; about %zu rounds a side would decide", alone, needed_n);
	free(alone);
}

/* Holm's procedure over the claims of one kind, the strongest first. */
static void hold_claims(struct comparison **family, size_t nr, const struct looks *looks,
			enum verdict claim)
{
	bool stands = true;
	size_t kept = 0;

	for (size_t i = 0; i < nr; i++) {
		struct comparison *c = family[i];
		double alpha = ALPHA_DEGRADED / (double)(nr - kept);
		size_t needed_n;

		if (c->verdict != claim)
			continue;
		stands = comparison_stands(c, looks, claim, alpha, &needed_n) && stands;
		if (stands)
			kept++;
		else
			withhold(c, needed_n, nr);
	}
}

void family_hold(struct comparison *items, size_t items_nr, const struct looks *looks)
{
	struct comparison **family = x_calloc(items_nr + 1, sizeof(*family));
	size_t nr = 0;

	for (size_t i = 0; i < items_nr; i++) {
		struct comparison *c = &items[i];

		if (c->gate && c->has_interval && c->verdict != VERDICT_NONE &&
		    c->verdict != VERDICT_INVALID)
			family[nr++] = c;
	}
	qsort(family, nr, sizeof(*family), by_p_beyond);
	for (size_t i = 0; i < 2 && nr > 1; i++)
		hold_claims(family, nr, looks, i ? VERDICT_IMPROVED : VERDICT_DEGRADED);
	free(family);
}
