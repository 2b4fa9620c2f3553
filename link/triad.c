#include "link/triad.h"

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/base/stop.h"
#include "link/metrics.h"
#include "link/numa.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { ARRAYS = 3, WARMUP = 2 };
static const double factor = 3, value_b = 2, value_c = 0.5;

struct triad {
	double *arrays[ARRAYS];
	int64_t nr, runs; /* elements of an array; runs with the warm-up */
	pthread_mutex_t lock;
	pthread_cond_t told;
	int go; /* under 'lock': 1 when every worker is there, -1 when one cannot be */
	pthread_barrier_t barrier;
	int64_t *begins, *ends; /* of each run; the first worker's */
};

struct worker {
	struct triad *triad;
	pthread_t thread;
	size_t processor;
	int64_t from, to;
	bool is_first;
};

static void stay_on(size_t processor)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(processor, &one);
	pthread_setaffinity_np(pthread_self(), sizeof(one), &one);
}

static bool may_go(struct triad *t)
{
	int go;

	pthread_mutex_lock(&t->lock);
	while (!t->go)
		pthread_cond_wait(&t->told, &t->lock);
	go = t->go;
	pthread_mutex_unlock(&t->lock);
	return go > 0;
}

static void tell(struct triad *t, int go)
{
	pthread_mutex_lock(&t->lock);
	t->go = go;
	pthread_cond_broadcast(&t->told);
	pthread_mutex_unlock(&t->lock);
}

static void *work(void *ctx)
{
	struct worker *w = ctx;
	struct triad *t = w->triad;
	double *restrict a = t->arrays[0];
	const double *restrict b = t->arrays[1], *restrict c = t->arrays[2];

	if (!may_go(t))
		return NULL;
	stay_on(w->processor);
	for (int64_t i = w->from; i < w->to; i++) {
		t->arrays[0][i] = 0;
		t->arrays[1][i] = value_b;
		t->arrays[2][i] = value_c;
	}
	for (int64_t r = 0; r < t->runs; r++) {
		pthread_barrier_wait(&t->barrier);
		if (w->is_first)
			t->begins[r] = clock_mono_ns();
		for (int64_t i = w->from; i < w->to; i++)
			a[i] = b[i] + factor * c[i];
		pthread_barrier_wait(&t->barrier);
		if (w->is_first)
			t->ends[r] = clock_mono_ns();
	}
	return NULL;
}

static int run_workers(struct triad *t, const cpu_set_t *where, int nr, struct err *err)
{
	struct worker *workers = x_calloc((size_t)nr, sizeof(*workers));
	int started = 0, failed = 0;

	pthread_barrier_init(&t->barrier, NULL, (unsigned)nr);
	for (size_t cpu = 0; cpu < CPU_SETSIZE && started < nr && !failed; cpu++) {
		struct worker *w = &workers[started];

		if (!CPU_ISSET(cpu, where))
			continue;
		*w = (struct worker){.triad = t,
				     .processor = cpu,
				     .from = t->nr * started / nr,
				     .to = t->nr * (started + 1) / nr,
				     .is_first = started == 0};
		failed = pthread_create(&w->thread, NULL, work, w);
		started += !failed;
	}
	tell(t, failed ? -1 : 1);
	for (int i = 0; i < started; i++)
		pthread_join(workers[i].thread, NULL);
	pthread_barrier_destroy(&t->barrier);
	free(workers);
	return failed ? err_set(err, ERR_ENVIRONMENT,
				"the triad could start only %d threads of %d: %s",
				started, nr, strerror(failed))
		      : 0;
}

static int64_t wrong_elements(const struct triad *t)
{
	int64_t wrong = 0;

	for (int64_t i = 0; i < t->nr; i++)
		wrong += t->arrays[0][i] != value_b + factor * value_c;
	return wrong;
}

static void add_cell(const struct triad *t, const struct link_options *o, int node,
		     struct result *r)
{
	double *values = x_calloc((size_t)o->samples, sizeof(*values));

	for (int64_t i = 0; i < o->samples; i++)
		values[i] = (double)(ARRAYS * t->nr) * sizeof(double) /
			    ((double)(t->ends[WARMUP + i] - t->begins[WARMUP + i]) / 1e9);
	cell_add(r, LINK_TRIAD, values, o->samples, "node%d", node);
	if (!link_options_need_gpu(o)) /* nothing else is measured that could */
		r->metrics[r->metrics_nr - 1].def.gate = true;
	free(values);
}

static void put_facts(const struct triad *t, int node, int processors,
		      struct json_object *list)
{
	struct json_object *o = json_object_new_object();
	int found = numa_node_of(t->arrays[0]);

	json_put_int(o, "node", node);
	json_put_int(o, "processors", processors);
	json_put(o, "memory_node", found < 0 ? NULL : json_object_new_int(found));
	json_object_array_add(list, o);
}

static int measure_node(const struct link_options *o, int node, const cpu_set_t *where,
			struct result *r, struct json_object *facts, struct truth *truth,
			struct err *err)
{
	int nr = CPU_COUNT(where), rc = 0;
	struct triad t = {.lock = PTHREAD_MUTEX_INITIALIZER,
			  .told = PTHREAD_COND_INITIALIZER,
			  .nr = o->triad_bytes / (int64_t)sizeof(double),
			  .runs = o->samples + WARMUP};

	for (int i = 0; i < ARRAYS && rc == 0; i++) {
		void *array;

		rc = host_alloc(&array, o->triad_bytes, "an array (--triad-bytes)", err);
		t.arrays[i] = array;
	}
	t.begins = x_calloc((size_t)t.runs, sizeof(*t.begins));
	t.ends = x_calloc((size_t)t.runs, sizeof(*t.ends));
	if (rc == 0)
		rc = run_workers(&t, where, nr, err);
	if (rc == 0) {
		truth_note(truth, wrong_elements(&t), o->triad_bytes,
			   "the triad of node %d", node);
		add_cell(&t, o, node, r);
		put_facts(&t, node, nr, facts);
	}
	free(t.begins);
	free(t.ends);
	for (int i = 0; i < ARRAYS; i++)
		free(t.arrays[i]);
	return rc;
}

int triad_measure(const struct link_options *o, struct result *r, struct truth *t,
		  struct err *err)
{
	struct json_object *list = json_object_new_array();
	int nodes[NUMA_NODES_MAX], nr = numa_nodes(nodes, NUMA_NODES_MAX), rc = 0;
	cpu_set_t where;

	json_put(r->details, "memory", list);
	for (int i = 0; i < nr && rc == 0; i++) {
		numa_processors(nodes[i], &where);
		rc = stop_check(err) != 0
			     ? -1
			     : measure_node(o, nodes[i], &where, r, list, t, err);
	}
	if (nr > 0 || rc != 0)
		return rc;
	numa_processors(-1, &where);
	return measure_node(o, 0, &where, r, list, t, err);
}
