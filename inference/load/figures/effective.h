/*
 * How many independent requests are as many as these worth? Requests that are answered side
 * by side share a batch, a queue and a moment of the machine, so a slow one is seldom alone.
 * The bounds that say from how many samples a quantile may be stated (distribution_floor())
 * are for independent ones; this number is what to hold against them.
 *
 * Batch means (Law and Carson, Oper. Res. 27, 1979): the window is cut into blocks of equal
 * length, and the number is n times the variance of one request over what the blocks' means
 * make of it, their variance times a block's size; never above n. A memory longer than a
 * block stays unseen.
 */
#ifndef TARE_INFERENCE_LOAD_FIGURES_EFFECTIVE_H
#define TARE_INFERENCE_LOAD_FIGURES_EFFECTIVE_H

#include <stdint.h>

enum { EFFECTIVE_BLOCKS = 20 };

struct effective {
	uint64_t nr[EFFECTIVE_BLOCKS];
	double mean[EFFECTIVE_BLOCKS], squares[EFFECTIVE_BLOCKS]; /* of each block */
};

/* 'place' is where in the window the request began: 0 <= place < 1. */
void effective_add(struct effective *e, double place, double value);

/* NAN: fewer than two requests a block on average, or fewer than half of the blocks used. */
double effective_number(const struct effective *e);

#endif
