#include "gemm/sweep.h"

#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/machine/mig.h"
#include "cuda/device.h"
#include "gemm/metrics.h"
#include "gemm/run.h"

#include <stdlib.h>
#include <string.h>

static double mean_of(const double *values, int64_t nr)
{
	double total = 0;

	for (int64_t i = 0; i < nr; i++)
		total += values[i];
	return nr ? total / (double)nr : 0;
}

/* ---- which numbers ---- */

static struct sweep_part *part_of(struct sweep *s, unsigned multiprocessors)
{
	for (size_t i = 0; i < s->nr; i++)
		if (s->parts[i].multiprocessors == multiprocessors)
			return &s->parts[i];
	GROW(s->parts, s->nr, s->alloc);
	s->parts[s->nr] = (struct sweep_part){.multiprocessors = multiprocessors};
	return &s->parts[s->nr++];
}

static int by_number(const void *a, const void *b)
{
	const struct sweep_part *x = a, *y = b;

	return x->multiprocessors < y->multiprocessors
		       ? -1
		       : x->multiprocessors > y->multiprocessors;
}

static int list_parts(struct sweep *s, const char *pci, struct err *err)
{
	struct mig_profile profiles[2 * MIG_MAX];
	struct nvml *n = nvml_open(err);
	struct nvml_gpu *g;
	size_t nr = 0;
	int rc = -1;

	if (n && nvml_gpu_find(n, pci, &g, err) == 0)
		rc = mig_profiles(n, g, profiles, &nr, err);
	nvml_close(n);
	for (size_t i = 0; rc == 0 && i < nr; i++) {
		struct sweep_part *part = part_of(s, profiles[i].multiprocessors);
		size_t len = strlen(part->profiles);

		snprintf(part->profiles + len, sizeof(part->profiles) - len, "%s%s",
			 len ? ", " : "", profiles[i].name);
	}
	if (rc == 0 && !s->nr)
		rc = err_set(err, ERR_USAGE,
			     "the driver names no MIG profile of this GPU");
	if (s->nr)
		qsort(s->parts, s->nr, sizeof(*s->parts), by_number);
	return rc;
}

/* ---- measuring ---- */

static int open_engine(const struct gemm_options *o, int64_t sms, struct engine **ret,
		       const struct device **ret_device, struct err *err)
{
	const struct engine_request request = {
		.device = o->device, .threads = o->threads, .sms = sms, .algo = o->algo};

	if (engine_open(engine_names[o->backend], &request, ret, err) != 0)
		return -1;
	*ret_device = (*ret)->ops->device(*ret);
	if (*ret_device)
		return 0;
	(*ret)->ops->close(*ret);
	return err_set(err, ERR_USAGE, "--sweep-profiles needs a GPU");
}

static int multiply(const struct gemm_options *o, struct problem p, struct engine *e,
		    struct sweep_part *part, struct err *err)
{
	const struct run_plan plan = {.iterations = o->iterations,
				      .warmup_ns = o->warmup_ns};
	struct run_outcome run;

	if (engine_prepare(e, &p, o->iterations, err) != 0 ||
	    run_measure(e, &p, &plan, &run, err) != 0)
		return -1;
	part->nr = run.nr;
	part->flops = x_calloc((size_t)run.nr, sizeof(*part->flops));
	for (int64_t i = 0; i < run.nr; i++)
		part->flops[i] =
			run.seconds[i] > 0 ? problem_flops(&p) / run.seconds[i] : 0;
	part->is_right = run.verdict.passed;
	run_outcome_release(&run);
	return 0;
}

static int measure_part(const struct gemm_options *o, const struct problem *p,
			struct sweep_part *part, struct err *err)
{
	const struct device *d;
	struct engine *e;
	int rc;

	log_info("%u multiprocessors (%s)", part->multiprocessors, part->profiles);
	if (open_engine(o, part->multiprocessors, &e, &d, err) != 0)
		return -1;
	part->used = d->sm_used;
	rc = multiply(o, *p, e, part, err);
	e->ops->close(e);
	return rc;
}

int sweep_measure(const struct gemm_options *o, const struct problem *p,
		  struct sweep *ret, struct err *err)
{
	struct sweep s = {0};
	const struct device *d;
	struct engine *e;
	int rc;

	*ret = s;
	if (o->sms > 0)
		return err_set(err, ERR_USAGE,
			       "--sms and --sweep-profiles exclude each other");
	if (open_engine(o, 0, &e, &d, err) != 0)
		return -1;
	s.whole = d->sm_count;
	rc = list_parts(&s, d->pci, err);
	e->ops->close(e);
	/* A profile that has them all is the whole GPU, which is measured anyway. */
	for (size_t i = 0; i < s.nr && rc == 0; i++)
		if ((int)s.parts[i].multiprocessors < s.whole)
			rc = measure_part(o, p, &s.parts[i], err);
	if (rc == 0)
		*ret = s;
	else
		sweep_release(&s);
	return rc;
}

void sweep_release(struct sweep *s)
{
	for (size_t i = 0; i < s->nr; i++)
		free(s->parts[i].flops);
	free(s->parts);
	*s = (struct sweep){0};
}

/* ---- the document ---- */

static void add_metric(const struct sweep_part *part, struct result *r)
{
	struct samples s;

	samples_init(&s, &gemm_metrics[GEMM_FLOPS]);
	s.def.name = x_asprintf("%s@sms%u", s.def.name, part->multiprocessors);
	s.def.unit = x_strdup(s.def.unit);
	s.def.gate = false;
	s.owns_texts = true;
	for (int64_t i = 0; i < part->nr; i++)
		samples_add(&s, part->flops[i]);
	result_add_metric(r, &s);
}

static struct json_object *part_json(const struct sweep *s, const struct sweep_part *part,
				     double whole)
{
	struct json_object *o = json_object_new_object();
	bool is_whole = !part->nr;

	json_put_text(o, "profiles", part->profiles);
	json_put_int(o, "multiprocessors", part->multiprocessors);
	json_put_int(o, "multiprocessors_used", is_whole ? s->whole : part->used);
	json_put_real(o, "sm_ratio", (double)part->multiprocessors / s->whole);
	json_put_real(o, "throughput_share",
		      is_whole ? 1 : mean_of(part->flops, part->nr) / whole);
	return o;
}

static void check_parts(const struct sweep *s, struct result *r)
{
	size_t wrong = 0, nr = 0;
	char text[80];

	for (size_t i = 0; i < s->nr; i++) {
		nr += s->parts[i].nr > 0;
		wrong += s->parts[i].nr && !s->parts[i].is_right;
	}
	snprintf(text, sizeof(text), "C was wrong on %zu of %zu numbers", wrong, nr);
	result_add_check(r, "c-is-right-in-sweep", wrong == 0, text);
}

void sweep_report(const struct sweep *s, struct result *r)
{
	const struct samples *all = result_metric(r, gemm_metrics[GEMM_FLOPS].name);
	double whole = mean_of(all->values, (int64_t)all->nr);
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < s->nr; i++) {
		json_object_array_add(list, part_json(s, &s->parts[i], whole));
		if (s->parts[i].nr)
			add_metric(&s->parts[i], r);
	}
	json_put(r->details, "sweep", list);
	check_parts(s, r);
}

void sweep_summary(const struct result *r, FILE *to)
{
	struct json_object *list = json_member(r->details, "sweep");

	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *o = json_object_array_get_idx(list, i);

		fprintf(to,
			"%4lld SMs (%lld used)  %5.1f %% of them, %5.1f %% of the rate  "
			"%s\n",
			(long long)json_get_int(o, "multiprocessors", 0),
			(long long)json_get_int(o, "multiprocessors_used", 0),
			100 * json_get_real(o, "sm_ratio", 0),
			100 * json_get_real(o, "throughput_share", 0),
			json_get_text(o, "profiles", ""));
	}
}
