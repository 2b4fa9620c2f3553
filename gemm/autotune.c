#include "gemm/autotune.h"

#include "core/base/mem.h"
#include "core/base/stop.h"

#include <math.h>
#include <stdlib.h>

enum { TRIES = 3 };

/* Times 'nr' products from a fresh C. 1: C is wrong. */
static int try_one(struct engine *e, const struct problem *p, int64_t nr, double *seconds,
		   struct sample *samples, struct err *err)
{
	struct verdict_of_c verdict;

	if (e->ops->reset(e, err) != 0 ||
	    e->ops->multiply(e, nr, seconds, NULL, err) != 0 ||
	    e->ops->sample(e, samples, VERIFY_SAMPLES, err) != 0)
		return -1;
	verify_judge(p, samples, VERIFY_SAMPLES, nr, &verdict);
	return verdict.passed ? 0 : 1;
}

/* A candidate that the library ranks but cannot run is counted and passed over. */
static int find_winner(struct engine *e, const struct problem *p, struct sample *samples,
		       struct autotune *a, struct err *err)
{
	double best = HUGE_VAL, seconds[TRIES];

	for (int i = 0; i < a->candidates; i++) {
		struct err why = ERR_INIT;
		int rc;

		if (stop_check(err) != 0)
			return -1;
		e->ops->choose(e, i);
		rc = try_one(e, p, TRIES, seconds, samples, &why);
		a->failed += rc < 0;
		a->wrong += rc > 0;
		/* The first of the three wakes the kernel up. */
		if (rc == 0 && seconds[1] + seconds[2] < best) {
			best = seconds[1] + seconds[2];
			a->winner = i;
		}
	}
	return 0;
}

static int measure(struct engine *e, const struct problem *p, int64_t iterations,
		   struct sample *samples, struct autotune *a, struct err *err)
{
	int rc;

	if (e->ops->algorithms(e, &a->candidates, err) != 0 ||
	    find_winner(e, p, samples, a, err) != 0)
		return -1;
	if (a->winner < 0)
		return 0;
	a->seconds = x_calloc((size_t)iterations, sizeof(*a->seconds));
	a->nr = iterations;
	e->ops->choose(e, a->winner);
	rc = try_one(e, p, iterations, a->seconds, samples, err);
	if (rc > 0)
		return err_set(err, ERR_INVALID,
			       "algorithm %d was right at first and then wrong",
			       a->winner);
	return rc;
}

int autotune_measure(struct engine *e, const struct problem *p, int64_t iterations,
		     struct autotune *ret, struct err *err)
{
	struct sample *samples;
	struct autotune a = {.winner = -1};
	int rc;

	if (!e->ops->algorithms)
		return err_set(err, ERR_USAGE, "--autotune needs --backend cublas");
	samples = x_calloc(VERIFY_SAMPLES, sizeof(*samples));
	verify_choose(p, samples, VERIFY_SAMPLES);
	rc = measure(e, p, iterations, samples, &a, err);
	e->ops->choose(e, -1);
	free(samples);
	if (rc != 0)
		autotune_release(&a);
	else
		*ret = a;
	return rc;
}

void autotune_release(struct autotune *a)
{
	free(a->seconds);
	*a = (struct autotune){.winner = -1};
}

struct json_object *autotune_json(const struct autotune *a)
{
	struct json_object *o = json_object_new_object();

	json_put_int(o, "candidates", a->candidates);
	json_put_int(o, "failed", a->failed);
	json_put_int(o, "wrong", a->wrong);
	if (a->winner >= 0)
		json_put_int(o, "winner", a->winner);
	else
		json_put(o, "winner", NULL);
	return o;
}
