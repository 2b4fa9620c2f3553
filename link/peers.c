#include "link/peers.h"

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/base/stop.h"
#include "link/chain.h"
#include "link/metrics.h"

#include <stdio.h>
#include <stdlib.h>

enum { TRUTH_BYTES = 4096 };
static const int64_t truth_timeout_ns = 5 * NS_PER_S, run_bytes = INT64_C(1) << 30;

/* What a GPU gives to the others: a buffer that they read, and one that they write. */
struct shelf {
	cu_pointer from, to;
};

struct peers {
	struct gpu *gpus;
	struct shelf *shelves;
	int nr;
	const struct link_options *options;
	struct result *result;
	struct truth *truth;
	struct json_object *list; /* details.peers */
	int granted, untrue;
	char first[240]; /* the first pair that is not true, in words */
	bool hangs;
	double *values;
	int64_t bytes, loops;
	/* The work at hand: 'a' does it, on its own account or with 'b'. */
	struct gpu *a, *b;
	enum link_metric metric;
};

/* ---- is it true? ---- */

/* 'teller' stores, 'reader' reads, in memory of one of them. Words that differ; -1: an error. */
static int tell(struct peers *p, struct gpu *teller, struct gpu *reader, cu_pointer at,
		uint64_t seed, int64_t *ret_wrong, struct err *err)
{
	struct device *d = &teller->device;

	if (gpu_use(teller, err) != 0 ||
	    link_kernels_fill(&teller->kernels, at, TRUTH_BYTES, seed, err) != 0)
		return -1;
	if (device_wait(d, truth_timeout_ns, "store", err) != 0) {
		p->hangs = !stop_requested();
		return -1;
	}
	if (gpu_use(reader, err) != 0)
		return -1;
	return link_kernels_check(&reader->kernels, at, TRUTH_BYTES, seed, ret_wrong,
				  err);
}

/* One way: what 'a' stores in b's memory 'b' sees, and what 'b' stores there 'a' sees. */
static int is_true_one_way(struct peers *p, struct gpu *a, struct gpu *b, char *words,
			   size_t size, struct err *err)
{
	cu_pointer at = p->shelves[b->index].to;
	uint64_t seed = (uint64_t)p->options->seed;
	int64_t unseen = 0, unread = 0;

	/* First the owner's own, so that nothing old can be taken for what 'a' stored. */
	if (tell(p, b, a, at, seed + 1, &unread, err) != 0 ||
	    tell(p, a, b, at, seed + 2, &unseen, err) != 0)
		return -1;
	if (unseen)
		snprintf(words, size,
			 "GPU %d may store in the memory of GPU %d, and GPU %d does not "
			 "see what it stored there: peer access is granted and false",
			 a->index, b->index, b->index);
	else if (unread)
		snprintf(words, size,
			 "GPU %d may read the memory of GPU %d, and reads something else "
			 "than is there: peer access is granted and false",
			 a->index, b->index);
	return 0;
}

static int try_truth(struct peers *p, struct gpu *a, struct gpu *b, char *words,
		     size_t size, struct err *err)
{
	int rc = is_true_one_way(p, a, b, words, size, err);

	if (rc == 0 && !*words)
		rc = is_true_one_way(p, b, a, words, size, err);
	if (rc == 0 || !p->hangs)
		return rc;
	snprintf(words, size,
		 "a store between GPU %d and GPU %d did not end within %.0f s: the peer "
		 "path is broken",
		 a->index, b->index, (double)truth_timeout_ns / 1e9);
	err_clear(err);
	return 0;
}

static int may_access(struct gpu *a, struct gpu *b, bool *ret, struct err *err)
{
	struct cuda *c = &a->device.cuda;
	int can = 0;

	if (cuda_ok(c, c->cuDeviceCanAccessPeer(&can, a->device.id, b->device.id), err,
		    "ask whether GPU %d reaches GPU %d", a->index, b->index) != 0)
		return -1;
	*ret = *ret && can;
	return 0;
}

static int grant(struct gpu *a, struct gpu *b, struct err *err)
{
	struct cuda *c = &a->device.cuda;
	cu_result code;

	if (gpu_use(a, err) != 0)
		return -1;
	code = c->cuCtxEnablePeerAccess(b->device.context, 0);
	return code == CU_PEER_ACCESS_ALREADY
		       ? 0
		       : cuda_ok(c, code, err, "let GPU %d reach GPU %d", a->index,
				 b->index);
}

static void note(struct peers *p, struct gpu *a, struct gpu *b, bool is_granted,
		 const char *words)
{
	struct json_object *o = json_object_new_object();
	struct json_object *pair = json_object_new_array();

	json_object_array_add(pair, json_object_new_int(a->index));
	json_object_array_add(pair, json_object_new_int(b->index));
	json_put(o, "gpus", pair);
	json_put_bool(o, "is_granted", is_granted);
	json_put(o, "is_true", is_granted ? json_object_new_boolean(!*words) : NULL);
	json_put_text(o, "words", *words ? words : NULL);
	json_object_array_add(p->list, o);
	p->granted += is_granted;
	if (!*words)
		return;
	if (p->untrue++ == 0)
		snprintf(p->first, sizeof(p->first), "%s", words);
}

/* ---- how fast? ---- */

static int copy_from_to(struct peers *p, struct gpu *by, cu_pointer to, cu_pointer from,
			struct err *err)
{
	struct cuda *c = &by->device.cuda;

	return cuda_ok(c, c->cuMemcpyAsync(to, from, (size_t)p->bytes, by->device.stream),
		       err, "%s between GPU %d and GPU %d", link_metrics[p->metric].name,
		       p->a->index, p->b->index);
}

static int write_once(struct peers *p, struct gpu *from, struct gpu *to, struct err *err)
{
	return copy_from_to(p, from, p->shelves[to->index].to,
			    p->shelves[from->index].from, err);
}

static int queue_write(void *ctx, struct err *err)
{
	struct peers *p = ctx;

	for (int64_t i = 0; i < p->loops; i++)
		if (write_once(p, p->a, p->b, err) != 0)
			return -1;
	return 0;
}

static int queue_read(void *ctx, struct err *err)
{
	struct peers *p = ctx;

	for (int64_t i = 0; i < p->loops; i++)
		if (copy_from_to(p, p->a, p->shelves[p->a->index].to,
				 p->shelves[p->b->index].from, err) != 0)
			return -1;
	return 0;
}

/* b's stream begins with a's timed span, and that ends after b's. */
static int queue_both(void *ctx, struct err *err)
{
	struct peers *p = ctx;
	struct cuda *c = &p->a->device.cuda;
	struct device *b = &p->b->device;

	if (cuda_ok(c, c->cuStreamWaitEvent(b->stream, p->a->timer.begins[0], 0), err,
		    "order a stream behind another GPU's") != 0)
		return -1;
	for (int64_t i = 0; i < p->loops; i++)
		if (write_once(p, p->a, p->b, err) != 0 ||
		    write_once(p, p->b, p->a, err) != 0)
			return -1;
	if (cuda_ok(c, c->cuEventRecord(p->b->joined, b->stream), err,
		    "record an event") != 0)
		return -1;
	return cuda_ok(c, c->cuStreamWaitEvent(p->a->device.stream, p->b->joined, 0), err,
		       "order a stream behind another GPU's");
}

static int queue_loads(void *ctx, struct err *err)
{
	struct peers *p = ctx;

	return chain_queue(p->a, p->shelves[p->b->index].to, err);
}

/* 'amount' over the seconds of a run, or the seconds over it, as the metric is. */
static int run(struct peers *p, gate_queue *queue, double amount, struct err *err)
{
	bool is_rate = link_metrics[p->metric].better == METRIC_HIGHER;
	int64_t timeout_ns = (30 + p->bytes * p->loops / 100000000) * NS_PER_S;
	double seconds;

	if (gpu_use(p->a, err) != 0)
		return -1;
	for (int64_t i = -1; i < p->options->samples; i++) {
		if (gate_run(p->a, queue, p, timeout_ns, &seconds, err) != 0)
			return -1;
		if (i >= 0)
			p->values[i] = is_rate ? amount / seconds : seconds / amount;
	}
	cell_add(p->result, p->metric, p->values, p->options->samples, "%d_%d",
		 p->a->index, p->b->index);
	return 0;
}

/* The source full, the target empty: each by its owner. */
static int prepare(struct peers *p, struct gpu *from, struct gpu *to, struct err *err)
{
	struct device *d = &to->device;

	if (gpu_use(from, err) != 0 ||
	    link_kernels_fill(&from->kernels, p->shelves[from->index].from, p->bytes,
			      (uint64_t)p->options->seed, err) != 0 ||
	    device_wait(&from->device, 30 * NS_PER_S, "fill a buffer", err) != 0 ||
	    gpu_use(to, err) != 0 ||
	    cuda_ok(&d->cuda,
		    d->cuda.cuMemsetD8Async(p->shelves[to->index].to, 0, (size_t)p->bytes,
					    d->stream),
		    err, "clear a buffer") != 0)
		return -1;
	return device_wait(d, 30 * NS_PER_S, "clear a buffer", err);
}

static int verify(struct peers *p, struct gpu *owner, struct err *err)
{
	int64_t wrong = 0;

	if (gpu_use(owner, err) != 0 ||
	    link_kernels_check(&owner->kernels, p->shelves[owner->index].to, p->bytes,
			       (uint64_t)p->options->seed, &wrong, err) != 0)
		return -1;
	truth_note(p->truth, wrong, p->bytes, "%s of GPUs %d and %d",
		   link_metrics[p->metric].name, p->a->index, p->b->index);
	return 0;
}

static int measure_copies(struct peers *p, struct gpu *a, struct gpu *b, struct err *err)
{
	double amount = (double)p->bytes * (double)p->loops;

	p->a = a;
	p->b = b;
	p->metric = LINK_PEER_WRITE;
	if (prepare(p, a, b, err) != 0 || run(p, queue_write, amount, err) != 0 ||
	    verify(p, b, err) != 0)
		return -1;
	p->metric = LINK_PEER_READ;
	if (prepare(p, b, a, err) != 0 || run(p, queue_read, amount, err) != 0 ||
	    verify(p, a, err) != 0)
		return -1;
	if (a->index > b->index)
		return 0;
	p->metric = LINK_PEER_BOTH;
	return prepare(p, a, b, err) || prepare(p, b, a, err) ||
			       run(p, queue_both, 2 * amount, err) || verify(p, a, err) ||
			       verify(p, b, err)
		       ? -1
		       : 0;
}

static int measure_loads(struct peers *p, struct gpu *a, struct gpu *b, struct err *err)
{
	p->a = a;
	p->b = b;
	p->metric = LINK_LOAD_PEER;
	if (gpu_use(b, err) != 0 || chain_store(b, p->shelves[b->index].to, err) != 0)
		return -1;
	return run(p, queue_loads, CHAIN_LOADS, err);
}

static int measure_pair(struct peers *p, struct gpu *a, struct gpu *b, struct err *err)
{
	char words[240] = "";
	bool is_granted = true;

	if (stop_check(err) != 0 || may_access(a, b, &is_granted, err) != 0 ||
	    may_access(b, a, &is_granted, err) != 0)
		return -1;
	if (is_granted && (grant(a, b, err) != 0 || grant(b, a, err) != 0 ||
			   try_truth(p, a, b, words, sizeof(words), err) != 0))
		return -1;
	note(p, a, b, is_granted, words);
	if (!is_granted || *words)
		return 0;
	if (measure_copies(p, a, b, err) != 0 || measure_copies(p, b, a, err) != 0)
		return -1;
	return measure_loads(p, a, b, err) || measure_loads(p, b, a, err) ? -1 : 0;
}

static int make_shelves(struct peers *p, struct err *err)
{
	int64_t to = p->bytes > CHAIN_BYTES ? p->bytes : CHAIN_BYTES;

	for (int i = 0; i < p->nr; i++) {
		struct device *d = &p->gpus[i].device;
		struct shelf *s = &p->shelves[i];

		if (gpu_use(&p->gpus[i], err) != 0 ||
		    device_alloc(d, &s->from, (size_t)p->bytes, "a buffer (--sizes)",
				 err) != 0 ||
		    device_alloc(d, &s->to, (size_t)to, "a buffer (--sizes)", err) != 0)
			return -1;
	}
	return 0;
}

static void free_shelves(struct peers *p)
{
	for (int i = 0; i < p->nr && !p->hangs; i++) {
		gpu_use(&p->gpus[i], NULL);
		device_free(&p->gpus[i].device, p->shelves[i].from);
		device_free(&p->gpus[i].device, p->shelves[i].to);
	}
	free(p->shelves);
	free(p->values);
}

static void add_check(const struct peers *p)
{
	char text[360];

	if (!p->granted)
		return;
	snprintf(text, sizeof(text), "%d of %d pairs of GPUs are not what they say%s%s",
		 p->untrue, p->granted, p->untrue ? "; first " : "", p->first);
	result_add_check(p->result, "peers-are-true", p->untrue == 0, text);
}

int peers_measure(struct gpu *gpus, int nr, const struct link_options *o,
		  struct result *r, struct truth *t, bool *ret_hangs, struct err *err)
{
	struct peers p = {.gpus = gpus,
			  .nr = nr,
			  .options = o,
			  .result = r,
			  .truth = t,
			  .list = json_object_new_array(),
			  .bytes = o->sizes.items[o->sizes.nr - 1]};
	int rc;

	json_put(r->details, "peers", p.list);
	p.loops = link_loops(run_bytes, p.bytes, 4);
	p.shelves = x_calloc((size_t)nr, sizeof(*p.shelves));
	p.values = x_calloc((size_t)o->samples, sizeof(*p.values));
	rc = make_shelves(&p, err);
	for (int a = 0; a < nr && rc == 0; a++)
		for (int b = a + 1; b < nr && rc == 0 && !p.hangs; b++)
			rc = measure_pair(&p, &gpus[a], &gpus[b], err);
	free_shelves(&p);
	*ret_hangs = p.hangs;
	if (rc == 0)
		add_check(&p);
	return rc;
}
