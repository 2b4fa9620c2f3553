/*
 * The noise floor of a set-up: what 'tare aa' found between two sides that are the same.
 * For each metric the difference that this set-up shows where there is none (the farther
 * end of the 90 % interval from 1), the smallest margin that it could confirm, and how
 * alike neighbouring rounds are there. A run
 * keeps it as aa.json (tare.floor/1, configs/schema/floor.json), so that its reports can
 * print it beside every claim.
 */
#ifndef TARE_REPORTS_VERDICT_NOISE_FLOOR_H
#define TARE_REPORTS_VERDICT_NOISE_FLOOR_H

#include "reports/results/result_set.h"
#include "reports/verdict/judgement.h"

#define FLOOR_SCHEMA "tare.floor/1"

struct floor_item {
	char *workload, *digest, *metric, *statistic;
	double ratio, floor, smallest_margin; /* 0: not known */
	struct interval ci95;
	struct memory
		memory; /* of its rounds (reports/statistics/memory.h); nr 0: unknown */
	enum verdict verdict;
};

struct noise_floor {
	char *source;                /* the run of 'tare aa'; NULL: there is none */
	struct json_object *machine; /* facts of its baseline, or NULL */
	struct floor_item *items;
	size_t nr, alloc;
};

/* What one comparison of a run of 'tare aa' shows; without an interval it shows nothing. */
void noise_floor_add(struct noise_floor *f, const struct result_set *s,
		     const struct comparison *c);
int noise_floor_write(const struct noise_floor *f, const char *path, struct err *err);
int noise_floor_read(struct noise_floor *ret, const char *path, struct err *err);
void noise_floor_release(struct noise_floor *f);

/*
 * Before anything is judged: gives the paired comparisons from index 'from' on the memory
 * of the rounds of 'tare aa', where it is of the same work on the same machine and of
 * MEMORY_ROUNDS_MIN rounds or more.
 */
void noise_floor_lend_memory(const struct noise_floor *f, struct judgement *j,
			     size_t from, const struct result_set *set, const char *arm);

/*
 * Puts the floors beside the comparisons from index 'from' on, whose baseline is 'set's
 * 'arm': those of the same work on the same machine. A metric in which 'tare aa' found a
 * difference where there is none is invalid ("noise-floor: ..."); one whose margin lies
 * below its floor has a note.
 */
void noise_floor_apply(const struct noise_floor *f, struct judgement *j, size_t from,
		       const struct result_set *set, const char *arm);

#endif
