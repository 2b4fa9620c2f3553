#include "link/report.h"

#include "core/base/mem.h"
#include "core/machine/machine.h"
#include "link/topology.h"

#include <math.h>
#include <stdlib.h>

/* What changes how the driver copies or launches, without a word in its answer. */
static const char *const recorded[] = {
	"CUDA_VISIBLE_DEVICES",     "CUDA_DEVICE_ORDER",
	"CUDA_LAUNCH_BLOCKING",     "CUDA_DEVICE_MAX_CONNECTIONS",
	"CUDA_MODULE_LOADING",      "CUDA_MPS_PIPE_DIRECTORY",
	"CUDA_FORCE_PTX_JIT",       "CUDA_MPS_ACTIVE_THREAD_PERCENTAGE",
	"CUDA_SCALE_LAUNCH_QUEUES", "LD_PRELOAD",
};

void link_report_begin(const struct link_options *o, const struct rig *rig,
		       struct result *ret)
{
	char *name = x_asprintf("link-%s", rig->nr ? "gpu" : "host");

	result_init(ret, "tare-link", "link", name);
	free(name);
	result_set_params(ret, link_options_params(o, rig->nr ? "cuda" : "host"));
	result_set_machine(ret, machine_read(""));
}

static struct json_object *environment_json(void)
{
	struct json_object *o = json_object_new_object();

	for (size_t i = 0; i < ARRAY_SIZE(recorded); i++)
		if (getenv(recorded[i]))
			json_put_text(o, recorded[i], getenv(recorded[i]));
	return o;
}

static void add_evidence(const struct rig *rig, struct result *r)
{
	struct json_object *cpu = json_member(r->machine, "cpu");
	struct evidence_computed computed = {
		.kind = EVIDENCE_CPU,
		.device = json_get_text(cpu, "model", NULL),
		.backend = "host",
		.library = rig->has_none ? "no GPU: the host's memory alone"
					 : "the host's memory alone",
	};
	char driver[40], kernels[16], device[180];

	if (rig->nr) {
		const struct gpu *g = &rig->gpus[0];
		const struct device *d = &g->device;
		int version = d->driver_version;

		snprintf(driver, sizeof(driver), "CUDA driver %d.%d", version / 1000,
			 version / 10 % 100);
		snprintf(kernels, sizeof(kernels), "sm_%d", d->major * 10 + d->minor);
		snprintf(device, sizeof(device), "%s%s", d->name,
			 rig->nr > 1 ? ", the first of several" : "");
		computed = (struct evidence_computed){
			.kind = EVIDENCE_GPU,
			.device = device,
			.uuid = device_is_mig(d) ? d->asked : d->uuid,
			.backend = "cuda",
			.library = driver,
			.kernels = kernels,
			.multiprocessors = d->sm_used,
			.multiprocessors_whole = g->whole.gpu_multiprocessors,
			.memory_bytes = (int64_t)d->memory_bytes,
		};
	}
	surroundings_report(&rig->around[0], &computed, NULL, r);
}

void link_report_end(const struct rig *rig, struct result *r)
{
	json_put_text(r->details, "backend", rig->nr ? "cuda" : "host");
	json_put_bool(r->details, "has_no_gpu", rig->has_none);
	json_put(r->details, "environment", environment_json());
	add_evidence(rig, r);
	for (int i = 0; i < rig->nr; i++) {
		const struct gpu *g = &rig->gpus[i];

		whole_device_report(&g->whole, &g->device, r);
		if (i > 0)
			surroundings_report_other(
				&rig->around[i],
				json_object_array_get_idx(rig->facts, (size_t)i), r);
	}
	if (!rig->nr)
		return;
	json_put(r->details, "topology", topology_read(rig->gpus, rig->nr, rig->facts));
	json_put(r->details, "gpus", json_object_get(rig->facts));
}

static void print_cell(const struct samples *s, FILE *to)
{
	double low = s->values[0], high = s->values[0], total = 0;
	char mean[64], least[64], most[64];

	for (size_t i = 0; i < s->nr; i++) {
		low = fmin(low, s->values[i]);
		high = fmax(high, s->values[i]);
		total += s->values[i];
	}
	fprintf(to, "%-34s mean %s, least %s, most %s (%zu)\n", s->def.name,
		unit_human(total / (double)s->nr, s->def.unit, mean, sizeof(mean)),
		unit_human(low, s->def.unit, least, sizeof(least)),
		unit_human(high, s->def.unit, most, sizeof(most)), s->nr);
}

void link_report_summary(const struct rig *rig, const struct result *r, FILE *to)
{
	char *computed = evidence_headline(r->evidence);

	fprintf(to, "%s\non %s\n",
		rig->nr > 1     ? "between the host and its GPUs"
		: rig->nr == 1  ? "between the host and a GPU"
		: rig->has_none ? "the host's memory alone: there is no GPU here"
				: "the host's memory alone: nothing else was asked for",
		computed ? computed : "an unknown device");
	free(computed);
	for (size_t i = 0; i < r->metrics_nr; i++)
		print_cell(&r->metrics[i], to);
	for (size_t i = 0; i < r->reasons.nr; i++)
		fprintf(to, "%s: %s\n", result_status_name(r->status),
			r->reasons.items[i]);
	fprintf(to, "%-34s %s\n", "status", result_status_name(r->status));
}
