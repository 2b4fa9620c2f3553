/*
 * Claims about the device that computed: which, how much of it, how fast it was clocked, who else
 * used it, the way to it, and its health.
 */
#ifndef TARE_REPORTS_VERDICT_CLAIM_DEVICE_H
#define TARE_REPORTS_VERDICT_CLAIM_DEVICE_H

#include "reports/verdict/claim_facts.h"

/*
 * Delivered clocks: how far the mean SM clocks of the timed spans may be apart. A power-capped
 * H200 repeats its mean clock within 0.5 % from round to round (docs/validation.md), and a GEMM
 * follows its clock in proportion, so that this is the largest difference that still fits into
 * the usual margins of 1 to 2 %.
 */
#define CLOCKS_TOLERANCE 0.015
/* Digits that a document's numbers lose, and clocks that NVML tells in whole MHz. */
#define ROUNDED 0.001
/* Below this part of the greatest clock a GPU under load was told to be slow, or rests. */
#define CLOCKS_LOW 0.5

/* device, backend, kernels; a fallback */
void check_computed(struct weighing *w, const struct claim_pair *p);
/* multiprocessors and memory */
void check_whole_device(struct weighing *w, const struct claim_pair *p);
/* the mean over the timed spans */
void check_clocks(struct weighing *w, const struct claim_pair *p);
/* the limit */
void check_power(struct weighing *w, const struct claim_pair *p);
/* other processes on the device */
void check_alone(struct weighing *w, const struct claim_pair *p);
/* width and speed of the link */
void check_path(struct weighing *w, const struct claim_pair *p);
/* what is pending or failed */
void check_health(struct weighing *w, const struct claim_pair *p);

#endif
