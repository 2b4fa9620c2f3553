#include "gemm/surroundings.h"

#include <stdio.h>

/* NVML's accumulators step by a millisecond or so. */
static const double slowdown_seen_s = 0.002;

static void look_for_others(struct watch *w)
{
	const struct device *d = w->device;
	struct isolation now = {0};
	struct err err = ERR_INIT;

	if (!d || !w->wants_exclusive)
		return;
	if (isolation_look(device_is_mig(d) ? d->asked : d->pci, &now, &err) != 0) {
		snprintf(w->why_not, sizeof(w->why_not), "%s", err.text);
		return;
	}
	w->is_others_known = true;
	if (now.others > w->seen.others)
		w->seen.others = now.others;
	if (now.neighbours > w->seen.neighbours)
		w->seen.neighbours = now.neighbours;
}

void watch_start(struct watch *w, const struct device *d, bool telemetry, bool exclusive)
{
	struct err err = ERR_INIT;

	*w = (struct watch){.device = d, .wants_exclusive = exclusive};
	if (!d)
		return;
	look_for_others(w);
	/* The PCI address is right for a MIG part as well. */
	if (telemetry)
		w->telemetry = telemetry_start(d->pci, &err);
	if (telemetry && !w->telemetry)
		snprintf(w->why_not, sizeof(w->why_not), "%s", err.text);
}

void watch_mark(struct watch *w, bool begins)
{
	if (w->telemetry)
		telemetry_mark(w->telemetry, begins);
}

void watch_stop(struct watch *w)
{
	if (w->telemetry)
		telemetry_stop(w->telemetry);
	look_for_others(w);
}

void watch_release(struct watch *w)
{
	telemetry_free(w->telemetry);
	*w = (struct watch){0};
}

static void check_others(const struct watch *w, struct result *r)
{
	char text[128];

	if (!w->is_others_known)
		return;
	if (device_is_mig(w->device))
		snprintf(text, sizeof(text),
			 "%u other processes compute on the MIG device, %u on other "
			 "parts of its GPU",
			 w->seen.others, w->seen.neighbours);
	else
		snprintf(text, sizeof(text), "%u other processes compute on the GPU",
			 w->seen.others);
	result_add_check(r, "gpu-is-alone", !w->seen.others && !w->seen.neighbours, text);
}

static void check_telemetry(const struct telemetry *t, struct result *r)
{
	double slowed = telemetry_hardware_slowdown_s(t);
	double errors = telemetry_uncorrected_errors(t);
	char text[128];

	if (slowed >= 0) {
		snprintf(text, sizeof(text),
			 "heat or the power brake slowed the GPU down for %.3f s of the "
			 "timed span",
			 slowed);
		result_add_check(r, "gpu-not-slowed", slowed < slowdown_seen_s, text);
	}
	if (errors >= 0) {
		snprintf(text, sizeof(text),
			 "%.0f uncorrected memory errors in the timed span", errors);
		result_add_check(r, "gpu-memory-is-right", errors == 0, text);
	}
}

void watch_report(const struct watch *w, struct result *r)
{
	if (w->why_not[0])
		json_put_text(r->details, "not_watched", w->why_not);
	check_others(w, r);
	if (!w->telemetry)
		return;
	check_telemetry(w->telemetry, r);
	json_object_put(r->telemetry);
	r->telemetry = telemetry_json(w->telemetry);
}
