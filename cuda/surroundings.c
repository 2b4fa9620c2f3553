#include "cuda/surroundings.h"

#include "core/base/buf.h"
#include "core/machine/nvml.h"

#include <stdio.h>
#include <string.h>

/* NVML's accumulators step by a millisecond or so. */
static const double slowdown_seen_s = 0.002;

static int count_others(const struct device *d, struct other_processes *ret,
			struct err *err)
{
	struct nvml *n = nvml_open(err);
	struct nvml_gpu *gpu, *part;
	unsigned here = 0, whole = 0;
	int rc = -1;

	if (n && device_is_mig(d))
		rc = nvml_mig_find(n, d->asked, &gpu, &part, err) ||
		     nvml_processes(n, part, NULL, 0, &here, err) ||
		     nvml_processes(n, gpu, NULL, 0, &whole, err);
	else if (n)
		rc = nvml_gpu_find(n, d->pci, &gpu, err) ||
		     nvml_processes(n, gpu, NULL, 0, &here, err);
	nvml_close(n);
	if (rc)
		return -1;
	if (!here)
		return err_set(err, ERR_ENVIRONMENT,
			       "NVML lists no process on the GPU, not even this one, so "
			       "that others are not seen either");
	*ret = (struct other_processes){.on_device = here - 1,
					.on_gpu = whole > here ? whole - here : 0};
	return 0;
}

static void add_why_not(struct surroundings *s, const struct err *err)
{
	for (size_t i = 0; i < s->why_not.nr; i++)
		if (strcmp(s->why_not.items[i], err->text) == 0)
			return;
	strvec_add(&s->why_not, err->text);
}

static void look_for_others(struct surroundings *s)
{
	const struct device *d = s->device;
	struct other_processes now = {0};
	struct err err = ERR_INIT;

	if (!d)
		return;
	if (count_others(d, &now, &err) != 0) {
		s->is_others_known = false;
		add_why_not(s, &err);
		return;
	}
	if (now.on_device > s->seen.on_device)
		s->seen.on_device = now.on_device;
	if (now.on_gpu > s->seen.on_gpu)
		s->seen.on_gpu = now.on_gpu;
}

void surroundings_start(struct surroundings *s, const struct device *d, bool telemetry,
			bool exclusive)
{
	struct err err = ERR_INIT;

	*s = (struct surroundings){.device = d,
				   .called = "the GPU",
				   .wants_exclusive = exclusive,
				   .is_others_known = d};
	evidence_init(&s->evidence);
	if (!d)
		return;
	look_for_others(s);
	/* The PCI address is right for a MIG part as well. */
	if (telemetry)
		s->telemetry = telemetry_start(d->pci, &err);
	if (telemetry && !s->telemetry)
		add_why_not(s, &err);
}

void surroundings_mark(struct surroundings *s, bool begins)
{
	if (begins)
		around_begin(&s->around, "");
	if (s->telemetry)
		telemetry_mark(s->telemetry, begins);
	if (!begins)
		around_end(&s->around, &s->evidence);
}

void surroundings_stop(struct surroundings *s)
{
	if (s->telemetry)
		telemetry_stop(s->telemetry);
	look_for_others(s);
}

void surroundings_release(struct surroundings *s)
{
	telemetry_free(s->telemetry);
	evidence_release(&s->evidence);
	strvec_release(&s->why_not);
	*s = (struct surroundings){0};
}

static void check_others(const struct surroundings *s, struct result *r)
{
	char text[128];

	if (!s->is_others_known || !s->wants_exclusive)
		return;
	if (device_is_mig(s->device))
		snprintf(text, sizeof(text),
			 "%u other processes compute on the MIG device, %u on other "
			 "parts of its GPU",
			 s->seen.on_device, s->seen.on_gpu);
	else
		snprintf(text, sizeof(text), "%u other processes compute on %s",
			 s->seen.on_device, s->called);
	result_add_check(r, "gpu-is-alone", !s->seen.on_device && !s->seen.on_gpu, text);
}

static void check_telemetry(const struct surroundings *s, struct result *r)
{
	const struct telemetry *t = s->telemetry;
	double slowed = telemetry_hardware_slowdown_s(t);
	double errors = telemetry_uncorrected_errors(t);
	char text[128];

	if (slowed >= 0) {
		snprintf(text, sizeof(text),
			 "heat or the power brake slowed %s down for %.3f s of the "
			 "timed span",
			 s->called, slowed);
		result_add_check(r, "gpu-not-slowed", slowed < slowdown_seen_s, text);
	}
	if (errors >= 0) {
		snprintf(text, sizeof(text),
			 "%.0f uncorrected memory errors of %s in the timed span", errors,
			 s->called);
		result_add_check(r, "gpu-memory-is-right", errors == 0, text);
	}
}

static void put_why_not(const struct surroundings *s, struct result *r)
{
	struct buf b;

	if (!s->why_not.nr)
		return;
	buf_init(&b, 4 * ERR_TEXT_MAX);
	for (size_t i = 0; i < s->why_not.nr; i++)
		buf_printf(&b, "%s%s", i ? "; " : "", s->why_not.items[i]);
	json_put_text(r->details, "not_watched", b.data);
	buf_release(&b);
}

static void put_evidence(const struct surroundings *s,
			 const struct evidence_computed *computed, const char *digest_c,
			 struct result *r)
{
	struct evidence e = s->evidence; /* what it owns stays there */

	e.computed = *computed;
	e.others.known = s->is_others_known;
	e.others.processes = s->seen.on_device + s->seen.on_gpu;
	e.digest_c = digest_c;
	around_report(&e, r);
}

void surroundings_report(const struct surroundings *s,
			 const struct evidence_computed *computed, const char *digest_c,
			 struct result *r)
{
	put_why_not(s, r);
	put_evidence(s, computed, digest_c, r);
	check_others(s, r);
	if (!s->telemetry)
		return;
	check_telemetry(s, r);
	json_object_put(r->telemetry);
	r->telemetry = telemetry_json(s->telemetry);
}

void surroundings_report_other(const struct surroundings *s, struct json_object *facts,
			       struct result *r)
{
	check_others(s, r);
	if (!s->telemetry)
		return;
	check_telemetry(s, r);
	json_put(facts, "telemetry", telemetry_json(s->telemetry));
}
