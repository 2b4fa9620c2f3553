#include "reports/verdict/copies.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "reports/statistics/stats.h"

/* How likely a false alarm may be, over all pairs that are looked at. */
static const double chance_most = 1e-3;

struct listed {
	const struct result *result;
	const char *label;
};

static int by_id(const void *va, const void *vb)
{
	const struct listed *a = va, *b = vb;

	return strcmp(a->result->id, b->result->id);
}

/* The next metric that gates, from *at on; NULL: no more. */
static const struct samples *next_gating(const struct result *r, size_t *at)
{
	while (*at < r->metrics_nr) {
		const struct samples *s = &r->metrics[(*at)++];

		if (s->def.gate)
			return s;
	}
	return NULL;
}

static int compare_samples(const struct samples *a, const struct samples *b)
{
	int names = strcmp(a->def.name, b->def.name);

	if (names)
		return names;
	if (a->nr != b->nr)
		return a->nr < b->nr ? -1 : 1;
	return a->nr ? memcmp(a->values, b->values, a->nr * sizeof(*a->values)) : 0;
}

static int compare_values(const struct result *a, const struct result *b)
{
	size_t at_a = 0, at_b = 0;

	for (;;) {
		const struct samples *x = next_gating(a, &at_a);
		const struct samples *y = next_gating(b, &at_b);
		int order;

		if (!x || !y)
			return (x != NULL) - (y != NULL);
		order = compare_samples(x, y);
		if (order)
			return order;
	}
}

static int by_values(const void *va, const void *vb)
{
	const struct listed *a = va, *b = vb;

	return compare_values(a->result, b->result);
}

static int by_number(const void *va, const void *vb)
{
	double a = *(const double *)va, b = *(const double *)vb;

	return (a > b) - (a < b);
}

/*
 * The logarithm of the chance that a list drawn from the same values is the same: each of nr
 * draws is equal with the sum of the squared shares.
 */
static double log_chance(const size_t *counts, size_t kinds, size_t nr)
{
	double equal = 0;

	for (size_t i = 0; i < kinds; i++)
		equal += pow((double)counts[i] / (double)nr, 2);
	return nr ? (double)nr * log(equal) : 0;
}

static double log_chance_of_samples(const struct samples *s)
{
	double *sorted = x_calloc(s->nr + 1, sizeof(*sorted)), chance;
	size_t *counts = x_calloc(s->nr + 1, sizeof(*counts)), kinds = 0;

	if (s->nr)
		memcpy(sorted, s->values, s->nr * sizeof(*sorted));
	qsort(sorted, s->nr, sizeof(*sorted), by_number);
	for (size_t i = 0; i < s->nr; i++) {
		kinds += !i || sorted[i] > sorted[i - 1];
		counts[kinds - 1]++;
	}
	chance = log_chance(counts, kinds, s->nr);
	free(sorted);
	free(counts);
	return chance;
}

static double log_chance_of_result(const struct result *r)
{
	const struct samples *s;
	double sum = 0;
	size_t at = 0;

	while ((s = next_gating(r, &at)))
		sum += log_chance_of_samples(s);
	return sum;
}

static char *say(const struct listed *a, const struct listed *b, const char *what)
{
	return x_asprintf(
		"given-twice: one measurement, given twice: round %lld of %s and "
		"round %lld of %s have %s",
		(long long)a->result->round, a->label, (long long)b->result->round,
		b->label, what);
}

static char *find_id(struct listed *list, size_t nr)
{
	qsort(list, nr, sizeof(*list), by_id);
	for (size_t i = 1; i < nr; i++)
		if (*list[i].result->id && by_id(&list[i - 1], &list[i]) == 0)
			return say(&list[i - 1], &list[i], "one id");
	return NULL;
}

static char *find_values(struct listed *list, size_t nr)
{
	double most = log(chance_most) - log(fmax(1, (double)nr * (double)(nr - 1) / 2));

	qsort(list, nr, sizeof(*list), by_values);
	for (size_t i = 1; i < nr; i++)
		if (by_values(&list[i - 1], &list[i]) == 0 &&
		    log_chance_of_result(list[i].result) < most)
			return say(&list[i - 1], &list[i],
				   "the same values, bit for bit");
	return NULL;
}

/* A sum in another order has other last bits. */
static bool is_one_mean(double a, double b)
{
	return fabs(a - b) <= 1e-12 * fabs(a);
}

/* The results' means of a metric as samples of their own; false: one has none. */
static bool means_of(const struct workload_side *s, const char *metric,
		     struct samples *ret)
{
	samples_init(ret, &(struct metric_def){.name = metric});
	for (size_t i = 0; i < s->nr; i++) {
		const struct samples *one = result_metric(&s->results[i], metric);

		if (!one || !one->nr)
			return false;
		samples_add(ret, stats_mean(one->values, one->nr));
	}
	return true;
}

/* Round by round one mean: also where the values within a round were put in another order. */
static bool are_one(const struct workload_side sides[2], const char *metric)
{
	double most = log(chance_most);
	struct samples a, b = {0};
	bool are = means_of(&sides[0], metric, &a) && means_of(&sides[1], metric, &b) &&
		   log_chance_of_samples(&a) < most;

	for (size_t i = 0; i < a.nr && are; i++)
		are = is_one_mean(a.values[i], b.values[i]);
	samples_release(&a);
	samples_release(&b);
	return are;
}

static char *find_sides(const struct workload_side sides[2])
{
	const struct samples *s;
	size_t at = 0;

	if (!sides[0].nr || sides[0].nr != sides[1].nr)
		return NULL;
	while ((s = next_gating(sides[0].results, &at)))
		if (are_one(sides, s->def.name))
			return x_asprintf(
				"given-twice: one measurement, given twice: all "
				"%zu results of %s and %s have the same values of "
				"%s",
				sides[0].nr, sides[0].of->label, sides[1].of->label,
				s->def.name);
	return NULL;
}

char *copies_find(const struct workload_side sides[2])
{
	struct listed *list = x_calloc(sides[0].nr + sides[1].nr + 1, sizeof(*list));
	size_t nr = 0;
	char *text = NULL;

	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; k < sides[i].nr; k++)
			list[nr++] =
				(struct listed){&sides[i].results[k], sides[i].of->label};
	if (nr > 1)
		text = find_id(list, nr);
	if (!text && nr > 1)
		text = find_values(list, nr);
	if (!text)
		text = find_sides(sides);
	free(list);
	return text;
}
