/*
 * Fills a history with 100,000 results: 20 machines, 2 arms, 5 workloads, 500 days, 8
 * metrics a result of which 2 gate. A quarter of the series loses 8 % on a day
 * of its own. Usage: history_fill DATABASE SEED
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/rng.h"
#include "reports/history/history.h"

enum { machines = 20, arms = 2, workloads = 5, days = 500, metrics = 8 };

static const int64_t first_day_ns = INT64_C(1735689600) * NS_PER_S; /* 2025-01-01 */

struct where {
	int machine, arm, workload, day;
};

static double level_of(const struct where *w, int metric)
{
	int series = (w->machine * arms + w->arm) * workloads + w->workload;
	int change = 100 + series * 37 % 300;

	return series % 4 == 0 && metric < 2 && w->day >= change ? 0.92 : 1;
}

static void add_metrics(struct result *r, const struct where *w, struct rng *rng)
{
	static const char *const names[metrics] = {"a.first",   "a.second", "a.third",
						   "a.fourth",  "a.fifth",  "a.sixth",
						   "a.seventh", "a.eighth"};

	for (int m = 0; m < metrics; m++) {
		struct metric_def def = {names[m], "1", METRIC_HIGHER, m < 2, ""};
		struct samples s;

		samples_init(&s, &def);
		for (int i = 0; i < 10; i++)
			samples_add(&s,
				    1000 * level_of(w, m) * (1 + 0.01 * rng_normal(rng)));
		result_add_metric(r, &s);
	}
}

static void add_result(struct result_set *set, const struct where *w, struct rng *rng)
{
	struct json_object *machine = json_object_new_object();
	struct json_object *cpu = json_object_new_object();
	char label[CLOCK_LABEL_SIZE], *model;
	struct result r;

	result_init(&r, "bench", "gemm", "bench");
	free(r.name);
	r.name = x_asprintf("workload-%d", w->workload);
	r.arm = x_asprintf("arm-%d", w->arm);
	clock_label(first_day_ns + w->day * 86400 * NS_PER_S, label);
	free(r.created);
	r.created = x_strdup(label);
	model = x_asprintf("machine-%d", w->machine);
	json_put_text(cpu, "model", model);
	json_put(machine, "cpu", cpu);
	free(model);
	result_set_machine(&r, machine);
	add_metrics(&r, w, rng);
	result_set_add(set, &r, "bench");
}

static int fill(struct history *h, uint64_t seed, struct err *err)
{
	struct rng rng;

	rng_init(&rng, seed);
	for (int machine = 0; machine < machines; machine++) {
		struct result_set set;
		struct history_added n;
		int rc;

		result_set_init(&set, "bench");
		for (int i = 0; i < arms * workloads * days; i++) {
			const struct where w = {.machine = machine,
						.arm = i % arms,
						.workload = i / arms % workloads,
						.day = i / arms / workloads};

			add_result(&set, &w, &rng);
		}
		/* Facts are by arm: one machine a set. */
		result_set_sort(&set);
		rc = history_add(h, &set, 1, &n, err);
		history_added_release(&n);
		result_set_release(&set);
		if (rc)
			return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct err err = ERR_INIT;
	struct history *h;
	int rc;

	if (argc != 3)
		return EXIT_USAGE;
	h = history_open(argv[1], HISTORY_WRITE, &err);
	rc = h ? fill(h, strtoull(argv[2], NULL, 10), &err) : -1;
	history_close(h);
	return rc ? log_failure(&err) : 0;
}
