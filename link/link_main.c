#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/stop.h"
#include "core/machine/gpu_presence.h"
#include "core/options/program.h"
#include "link/copies.h"
#include "link/latency.h"
#include "link/peers.h"
#include "link/report.h"
#include "link/triad.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int deliver(const struct link_options *o, const struct rig *rig,
		   const struct result *r, struct err *err)
{
	struct json_object *document;

	if (o->output && result_write(r, o->output, err) != 0)
		return -1;
	if (o->json) {
		document = result_to_json(r);
		fputs(json_text(document), stdout);
		json_object_put(document);
	} else {
		link_report_summary(rig, r, stdout);
	}
	fflush(stdout); /* before the reasons; program_run() looks whether it could be */
	for (size_t i = 0; i < r->reasons.nr; i++)
		log_error("%s", r->reasons.items[i]);
	return result_exit_status(r);
}

/* A launch that waits for its kernel never comes back from one that waits for the host. */
static int check_environment(struct err *err)
{
	const char *blocking = getenv("CUDA_LAUNCH_BLOCKING");

	if (!blocking || strcmp(blocking, "0") == 0)
		return 0;
	return err_set(err, ERR_INVALID,
		       "CUDA_LAUNCH_BLOCKING=%.20s makes every launch wait, so that "
		       "nothing can be queued and timed; unset it",
		       blocking);
}

/* CUDA has no device: a machine without one, or one whose GPU does not work. */
static int without_gpu(struct link_options *o, struct rig *rig, struct err *err)
{
	struct err why = *err;
	struct gpu_presence p;

	if (gpu_presence_read(&p, "", NULL))
		return err_set(err, ERR_ENVIRONMENT,
			       "%.400s; yet a GPU is here (%s): %s. Only --what memory "
			       "measures the host beside it",
			       why.text, p.shown_by, p.remedy);
	if (o->what || o->device)
		return err_wrap(err, "--what memory needs no GPU, the rest does");
	link_options_without_gpu(o);
	rig->has_none = true;
	log_info("no GPU is here: the host's memory alone is measured");
	err_clear(err);
	return 0;
}

enum { GPUS_MAX = 256 };

static int open_others(struct rig *rig, struct err *err)
{
	struct cuda *c = &rig->gpus[0].device.cuda;
	bool is_none;
	char which[16];
	int nr = 0;

	if (cuda_ok(c, c->cuDeviceGetCount(&nr), err, "count the GPUs") != 0)
		return -1;
	for (; rig->nr < nr && rig->nr < GPUS_MAX; rig->nr++) {
		struct gpu *g = &rig->gpus[rig->nr];

		snprintf(which, sizeof(which), "%d", rig->nr);
		if (gpu_open(g, rig->nr, which, false, &is_none, err) != 0)
			return err_wrap(err, "GPU %d of %d", rig->nr, nr);
	}
	return 0;
}

static int open_gpus(struct link_options *o, struct rig *rig, struct err *err)
{
	bool is_none = false;

	if (!link_options_need_gpu(o))
		return 0;
	rig->gpus = x_calloc(o->device ? 1 : GPUS_MAX, sizeof(*rig->gpus));
	if (gpu_open(&rig->gpus[0], 0, o->device, o->device, &is_none, err) != 0)
		return is_none ? without_gpu(o, rig, err) : -1;
	rig->nr = 1;
	if (!o->device && open_others(rig, err) != 0)
		return -1;
	if (o->what && link_options_has(o, PART_PEERS) && rig->nr < 2)
		return err_set(err, ERR_ENVIRONMENT,
			       "--what peers needs two GPUs, and %s",
			       o->device ? "--device names one" : "one is here");
	return 0;
}

static void watch(const struct link_options *o, struct rig *rig)
{
	int nr = rig->nr ? rig->nr : 1;

	rig->around = x_calloc((size_t)nr, sizeof(*rig->around));
	rig->facts = json_object_new_array();
	for (int i = 0; i < nr; i++) {
		struct surroundings *s = &rig->around[i];

		surroundings_start(s, rig->nr ? &rig->gpus[i].device : NULL, o->telemetry,
				   o->exclusive);
		for (size_t k = 0; k < s->why_not.nr; k++)
			log_warn("not watched: %s", s->why_not.items[k]);
		if (rig->nr)
			json_object_array_add(rig->facts,
					      device_to_json(&rig->gpus[i].device));
	}
}

static void mark(struct rig *rig, bool begins)
{
	for (int i = 0; i < (rig->nr ? rig->nr : 1); i++)
		surroundings_mark(&rig->around[i], begins);
}

static int measure_gpu(struct gpu *g, const struct link_options *o, struct result *r,
		       struct json_object *facts, struct truth *t, struct err *err)
{
	if (gpu_use(g, err) != 0)
		return -1;
	if (link_options_has(o, PART_COPIES) &&
	    copies_measure(g, o, r, facts, t, err) != 0)
		return -1;
	if (link_options_has(o, PART_LATENCY) && latency_measure(g, o, r, err) != 0)
		return -1;
	return 0;
}

static int measure_all(const struct link_options *o, struct rig *rig, struct result *r,
		       struct err *err)
{
	struct truth copied = {0}, triad = {0};

	for (int i = 0; i < rig->nr; i++)
		if (measure_gpu(&rig->gpus[i], o, r,
				json_object_array_get_idx(rig->facts, (size_t)i), &copied,
				err) != 0)
			return -1;
	if (link_options_has(o, PART_PEERS) && rig->nr > 1 &&
	    peers_measure(rig->gpus, rig->nr, o, r, &copied, &rig->hangs, err) != 0)
		return -1;
	if (link_options_has(o, PART_MEMORY) && triad_measure(o, r, &triad, err) != 0)
		return -1;
	truth_report(&copied, "copies-are-right", r);
	truth_report(&triad, "triad-is-right", r);
	return 0;
}

/* With the GPUs open: the measurement under watch, then the document. */
static int measure(const struct link_options *o, struct rig *rig, struct err *err)
{
	struct result result;
	int rc;

	watch(o, rig);
	link_report_begin(o, rig, &result);
	mark(rig, true);
	rc = measure_all(o, rig, &result, err);
	mark(rig, false);
	for (int i = 0; i < (rig->nr ? rig->nr : 1); i++)
		surroundings_stop(&rig->around[i]);
	if (rc == 0) {
		link_report_end(rig, &result);
		rc = deliver(o, rig, &result, err);
	}
	result_release(&result);
	for (int i = 0; i < (rig->nr ? rig->nr : 1); i++)
		surroundings_release(&rig->around[i]);
	free(rig->around);
	json_object_put(rig->facts);
	return rc;
}

static int execute(void *options, const struct strvec *rest, struct err *err)
{
	struct link_options *o = options;
	struct rig rig = {0};
	int rc = -1;

	(void)rest;
	stop_install();
	if ((o->output && file_can_write(o->output, "--output", err) != 0) ||
	    link_options_resolve(o, err) != 0 || check_environment(err) != 0)
		return -1;
	if (open_gpus(o, &rig, err) == 0)
		rc = measure(o, &rig, err);
	while (rig.nr > 0 && !rig.hangs) /* what a GPU that hangs holds ends with us */
		gpu_close(&rig.gpus[--rig.nr]);
	free(rig.gpus);
	return rc;
}

int main(int argc, char **argv)
{
	struct link_options o = {0};

	return program_run(&link_command, &o, execute, argc, argv);
}
