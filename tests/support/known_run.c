#include "tests/support/known_run.h"

#include "tests/support/honest.h"

#include "core/base/mem.h"

#include <math.h>
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

void known_run_add(struct result_set *s, const char *arm, int round, const char *metric,
		   enum metric_better better, const double *values)
{
	struct metric_def def = {metric, "unit/s", better, true, ""};
	struct samples m;
	struct result r;

	result_init(&r, "test", "gemm", "gemm");
	r.arm = x_strdup(arm);
	r.round = round;
	samples_init(&m, &def);
	for (; !isnan(*values); values++)
		samples_add(&m, *values);
	result_add_metric(&r, &m);
	honest_result(&r, strcmp(arm, "metal") == 0 ? 0 : 1, round, HONEST_GPU);
	result_set_add(s, &r, "by hand");
}

void known_run_add_one(struct result_set *s, const char *arm, int round,
		       enum metric_better better, double value)
{
	const double values[] = {value, NAN};

	known_run_add(s, arm, round, "m", better, values);
}

void known_run_make(struct result_set *s, double ratio, int rounds,
		    enum metric_better better)
{
	static const double error[KNOWN_RUN_ROUNDS_MAX] = {0.001,  -0.002, 0.0005,
							   0.0015, -0.001, 0.0};

	assert_in_range(rounds, 1, KNOWN_RUN_ROUNDS_MAX);
	result_set_init(s, "run");
	s->is_run = true;
	s->baseline = x_strdup("metal");
	for (int i = 0; i < rounds; i++) {
		double level = 100 * pow(1.1, i);

		known_run_add_one(s, "metal", i + 1, better, level);
		known_run_add_one(s, "vm", i + 1, better, level * ratio * (1 + error[i]));
	}
	result_set_sort(s);
}

void known_run_judge(struct result_set *s, struct judgement *j)
{
	struct judge_options o = {0};
	struct err err = ERR_INIT;

	if (judge_run(j, s, NULL, &o, &err))
		fail_msg("%s", err.text);
}
