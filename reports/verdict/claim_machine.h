/*
 * Claims about the machines of both sides: which they are, what stands between the work and
 * their hardware, and whether their processors were free.
 */
#ifndef TARE_REPORTS_VERDICT_CLAIM_MACHINE_H
#define TARE_REPORTS_VERDICT_CLAIM_MACHINE_H

#include "reports/verdict/claim_facts.h"

/* The CPU side is held back from this part of the time on; less is the noise of a scheduler. */
#define HELD_BACK_SHARE 0.05
/* two machines, or one on purpose, and the same GPU */
void check_who(struct weighing *w, const struct claim_pair *p);
/* bare metal, hypervisor, container, part of a GPU and its route */
void check_boundary(struct weighing *w, const struct claim_pair *p);
/* quota, affinity, steal */
void check_cpu_free(struct weighing *w, const struct claim_pair *p);

#endif
