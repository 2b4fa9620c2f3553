/*
 * Did the bytes arrive? Buffers of the host filled with the pattern and held against it, and an
 * account of every buffer that was looked at, which becomes a check of the result.
 */
#ifndef TARE_LINK_VERIFY_H
#define TARE_LINK_VERIFY_H

#include "core/document/result.h"

#include <stdint.h>

/* 'bytes' is a multiple of 8. */
void pattern_fill(void *to, int64_t bytes, uint64_t seed);
int64_t pattern_wrong(const void *from, int64_t bytes, uint64_t seed); /* words */

/* Zeroed at first. */
struct truth {
	int64_t buffers, wrong_buffers;
	char first[200]; /* the first wrong one, in words */
};

void truth_note(struct truth *t, int64_t wrong_words, int64_t bytes, const char *fmt, ...)
	ERR_PRINTF(4, 5);
/* The check of that name; none where nothing was looked at. */
void truth_report(const struct truth *t, const char *check, struct result *r);

#endif
