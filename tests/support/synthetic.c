#include "tests/support/synthetic.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/document/json.h"
#include "core/base/mem.h"
#include "core/document/result.h"
#include "core/base/rng.h"
#include "core/document/run_directory.h"
#include "core/base/strvec.h"
#include "tests/support/honest.h"
#include "tests/support/synthetic_details.h"

static void must(int rc, const struct err *err)
{
	if (!rc)
		return;
	fprintf(stderr, "synthetic run: %s\n", err->text);
	abort();
}

static struct json_object *object(const char *text)
{
	struct err err = ERR_INIT;
	struct json_object *o = json_parse(text, strlen(text), "synthetic", &err);

	must(o ? 0 : -1, &err);
	return o;
}

static bool is_gpu(const struct synthetic_run *run)
{
	for (const struct synthetic_workload *w = run->workloads; w->name; w++)
		if (w->has_gpu)
			return true;
	return run->has_gpu;
}

static const char *gpu_of(const struct synthetic_run *run, int arm)
{
	return arm > 0 && run->has_other_gpu ? "\"GPU-other\"" : "\"GPU-0001\"";
}

static struct json_object *machine(const struct synthetic_run *run, int arm)
{
	struct json_object *o =
		honest_machine(arm, is_gpu(run) ? HONEST_GPU : HONEST_CPU);

	honest_edit(o, "cpu/model", "\"Synthetic CPU\"");
	honest_edit(o, "kernel/release", "\"6.1.0-synthetic\"");
	if (arm > 0 && run->is_emulated) {
		honest_edit(o, "cpu/model", "\"QEMU TCG CPU version 2.5+\"");
		honest_edit(o, "hypervisor",
			    "{\"kind\": \"qemu\", \"present\": true, \"vendor\": "
			    "\"TCGTCGTCGTCG\"}");
	}
	if (is_gpu(run)) {
		honest_edit(o, "gpus/0/name", "\"Synthetic GPU\"");
		honest_edit(o, "gpus/0/uuid", gpu_of(run, arm));
	}
	return o;
}

static enum honest_kind kind_of(const struct synthetic_run *run,
				const struct synthetic_workload *w)
{
	if (strcmp(w->kind, "load") == 0)
		return HONEST_SERVER;
	return is_gpu(run) ? HONEST_GPU : HONEST_CPU;
}

static void put_evidence(struct result *r, const struct synthetic_run *run, int arm,
			 const struct synthetic_workload *w)
{
	enum honest_kind kind = kind_of(run, w);

	honest_result(r, arm, (int)r->round, kind);
	if (kind != HONEST_GPU)
		return;
	honest_edit(r->evidence, "computed/device", "\"Synthetic GPU\"");
	honest_edit(r->evidence, "computed/uuid",
		    w->part ? "\"MIG-0001\"" : gpu_of(run, arm));
	if (w->part) /* "1g.18gb" */
		honest_edit(r->evidence, "computed/multiprocessors", "16");
}

static void add_metric(struct result *r, const struct synthetic_metric *m,
		       struct rng *rng, bool is_candidate)
{
	double round = m->mean * (is_candidate ? m->ratio : 1) *
		       exp(m->round_sd * rng_normal(rng));
	struct metric_def def = {.name = m->name,
				 .unit = m->unit,
				 .gate = m->gate,
				 .better = m->better[0] == 'h'   ? METRIC_HIGHER
					   : m->better[0] == 'l' ? METRIC_LOWER
								 : METRIC_NONE};
	struct samples s;

	samples_init(&s, &def);
	for (int i = 0; i < m->samples; i++)
		samples_add(&s, round * exp(m->sample_sd * rng_normal(rng)));
	result_add_metric(r, &s);
}

static void write_result(const char *dir, const struct synthetic_run *run, int arm,
			 int round, const struct synthetic_workload *w, struct rng *rng)
{
	char *path = rundir_result_path(dir, round, run->arms[arm], w->name);
	struct err err = ERR_INIT;
	struct result r;

	result_init(&r, "synthetic", w->kind, w->name);
	result_set_machine(&r, machine(run, arm));
	free(r.arm);
	r.arm = x_strdup(run->arms[arm]);
	r.round = round;
	result_set_params(&r, object("{\"n\": 2048, \"note\": \"synthetic\"}"));
	json_put_text(r.details, "note", "synthetic numbers from a seed, never measured");
	if (w->is_mock)
		json_put_bool(r.details, "is_mock", true);
	for (const struct synthetic_metric *m = w->metrics; m->name; m++)
		add_metric(&r, m, rng, arm > 0);
	if (w->has_stages)
		synthetic_stages(&r, arm > 0 && w->ratio > 0 ? w->ratio : 1, rng);
	if (w->has_telemetry)
		synthetic_telemetry(&r, arm > 0 && round % 3 == 0, rng);
	if (w->has_gpu)
		synthetic_gpu(&r, w->part);
	put_evidence(&r, run, arm, w);
	must(result_write(&r, path, &err), &err);
	result_release(&r);
	free(path);
}

static void write_plan(const char *dir, const struct synthetic_run *run)
{
	struct json_object *o = json_object_new_object(),
			   *arms = json_object_new_object();
	char *path = path_join(dir, RUNDIR_PLAN);
	char *schedule = x_asprintf("{\"rounds\": {\"min\": 3, \"max\": %d}}",
				    run->rounds_max ? run->rounds_max : run->rounds);
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(run->arms) && run->arms[i]; i++)
		json_put(arms, run->arms[i], object("{\"target\": \"synthetic\"}"));
	json_put_text(o, "name", run->name);
	json_put(o, "arms", arms);
	json_put_text(o, "baseline", run->arms[0]);
	json_put(o, "schedule", object(schedule));
	must(json_write_file(path, o, 0644, &err), &err);
	json_object_put(o);
	free(path);
	free(schedule);
}

void synthetic_write(const char *dir, const struct synthetic_run *run)
{
	char *results = path_join(dir, RUNDIR_RESULTS);
	char *machines = path_join(dir, RUNDIR_MACHINES);
	struct err err = ERR_INIT;
	struct rng rng;

	rng_init(&rng, run->seed);
	must(dir_make(results, 0755, &err), &err);
	must(dir_make(machines, 0755, &err), &err);
	write_plan(dir, run);
	for (int round = 1; round <= run->rounds; round++) {
		for (int arm = 0; arm < (int)ARRAY_SIZE(run->arms) && run->arms[arm];
		     arm++) {
			char *path = rundir_machine_path(dir, round, run->arms[arm]);
			struct json_object *facts = machine(run, arm);

			must(json_write_file(path, facts, 0644, &err), &err);
			json_object_put(facts);
			free(path);
			for (const struct synthetic_workload *w = run->workloads; w->name;
			     w++)
				write_result(dir, run, arm, round, w, &rng);
		}
	}
	free(results);
	free(machines);
}

#define LOAD_METRICS(r)                                                                \
	{"load.output_tokens_per_s", "token/s", "higher", true, 2400, r, 0.006, 0, 1}, \
		{"load.ttft_s", "s", "lower", true, 0.052, 1 / (r), 0.010, 0.3, 800},  \
	{                                                                              \
		"load.itl_s", "s", "lower", true, 0.0081, 1 / (r), 0.008, 0.2, 2000    \
	}

static const struct synthetic_run named[] = {
	{.name = "demo",
	 .arms = {"metal", "vm"},
	 .rounds = 3,
	 .rounds_max = 6,
	 .seed = 1,
	 .is_emulated = true,
	 .workloads = {{.name = "gemm",
			.kind = "gemm",
			.metrics = {{"gemm.flops", "FLOP/s", "higher", true, 8.1e10,
				     0.048, 0.01, 0.004, 10},
				    {"gemm.time", "s", "lower", false, 0.212, 1 / 0.048,
				     0.01, 0.004, 10}}}}},
	{.name = "gpu",
	 .arms = {"metal", "vm"},
	 .rounds = 7,
	 .rounds_max = 12,
	 .seed = 3,
	 .has_gpu = true,
	 .workloads = {{.name = "gemm",
			.kind = "gemm",
			.has_telemetry = true,
			.has_gpu = true,
			.metrics = {{"gemm.flops", "FLOP/s", "higher", true, 6.6e13,
				     0.9987, 0.0012, 0.001, 10},
				    {"gemm.time", "s", "lower", false, 0.133, 1 / 0.9987,
				     0.0012, 0.001, 10}}},
		       {.name = "gemm@1g.18gb",
			.kind = "gemm",
			.has_gpu = true,
			.part = "1g.18gb",
			.metrics = {{"gemm.flops", "FLOP/s", "higher", true, 7.9e12,
				     0.9982, 0.0012, 0.001, 10}}},
		       {.name = "load",
			.kind = "load",
			.has_gpu = true,
			.has_stages = true,
			.ratio = 0.93,
			.metrics = {LOAD_METRICS(0.93)}}}},
	{.name = "large",
	 .arms = {"metal", "vm"},
	 .rounds = 12,
	 .seed = 4,
	 .has_gpu = true,
	 .workloads = {{.name = "gemm",
			.kind = "gemm",
			.has_telemetry = true,
			.has_gpu = true,
			.metrics = {{"gemm.flops", "FLOP/s", "higher", true, 6.6e13,
				     0.9995, 0.002, 0.001, 10},
				    {"gemm.time", "s", "lower", true, 0.133, 1, 0.002,
				     0.001, 10},
				    {"gemm.gap", "s", "lower", true, 1e-5, 1.01, 0.01,
				     0.001, 10},
				    {"gemm.wall_time", "s", "lower", true, 1.4, 1.001,
				     0.004, 0, 1},
				    {"gemm.start_time", "s", "lower", true, 0.8, 1.02,
				     0.01, 0, 1}}},
		       {.name = "load",
			.kind = "load",
			.has_stages = true,
			.has_telemetry = true,
			.ratio = 0.995,
			.metrics = {LOAD_METRICS(0.995)}}}},
	{.name = "mock",
	 .arms = {"first", "second"},
	 .rounds = 6,
	 .seed = 5,
	 .workloads = {{.name = "load",
			.kind = "load",
			.is_mock = true,
			.metrics = {LOAD_METRICS(1.0)}}}},
	{.name = "<script>alert(1)</script>",
	 .arms = {"metal\"><img src=x onerror=alert(2)>", "vm'|`x`\x1b[31m\\"},
	 .rounds = 3,
	 .seed = 6,
	 .workloads = {{.name = "a<b>&amp;c",
			.kind = "gemm",
			.metrics = {{"m<svg onload=alert(3)>", "FLOP/s</text>", "higher",
				     true, 100, 0.9, 0.001, 0.001, 3}}}}},
};

const struct synthetic_run *synthetic_named(const char *name)
{
	if (strcmp(name, "markup") == 0)
		return &named[ARRAY_SIZE(named) - 1];
	for (size_t i = 0; i < ARRAY_SIZE(named); i++)
		if (strcmp(named[i].name, name) == 0)
			return &named[i];
	return NULL;
}
