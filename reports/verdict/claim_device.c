#include "reports/verdict/claim_device.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/mem.h"
#include "core/document/likeness.h"
#include "core/document/metric.h"

static const char *side_param(const struct claim_side *s, const char *key)
{
	return s->result ? json_get_text(s->result->params, key, NULL) : NULL;
}

/* ---- computed ---- */

/* Asked for by name, or not at all: what else computed is a silent fallback. */
static void weigh_asked(struct weighing *w, const struct claim_side *s, const char *kind)
{
	const char *asked = side_param(s, "backend");
	const char *backend = side_text(s, "computed/backend");
	bool is_asked_gpu = asked && strcmp(asked, "cublas") == 0;
	bool is_asked_cpu = asked && strcmp(asked, "openblas") == 0;

	if (is_asked_gpu && strcmp(kind, "gpu") != 0)
		weigh_against(
			w, "fallback: %s was asked to compute by cuBLAS and did on '%s'",
			s->label, kind);
	else if (is_asked_cpu && strcmp(kind, "cpu") != 0)
		weigh_against(
			w,
			"fallback: %s was asked to compute by OpenBLAS and did on '%s'",
			s->label, kind);
	else if (asked && backend && (is_asked_cpu || is_asked_gpu) &&
		 strcmp(asked, backend) != 0)
		weigh_against(w, "fallback: %s was asked for %s and computed by %s",
			      s->label, asked, backend);
	else if (!is_asked_cpu && (!asked || strcmp(asked, "host") != 0) &&
		 strcmp(kind, "cpu") == 0 &&
		 json_length(json_member(s->facts, "gpus")) > 0)
		weigh_against(
			w,
			"fallback: %s has a GPU and computed on its processor, without "
			"being asked to",
			s->label);
}

/* A part of a GPU has a UUID of its own. */
static bool is_part(const char *uuid)
{
	return strncasecmp(uuid, "MIG-", 4) == 0;
}

static void weigh_same_gpu(struct weighing *w, const struct claim_side *s,
			   const char *other, const char *whose)
{
	const char *uuid = side_text(s, "computed/uuid");

	if (uuid && other && !is_part(uuid) && !is_part(other) &&
	    !likeness_same_text(uuid, other))
		weigh_against(w, "other-gpu: %s computed on %s, and %s is %s", s->label,
			      uuid, whose, other);
}

/* The GPU that both sides have must be the one that worked. */
static void weigh_device_of_facts(struct weighing *w, const struct claim_side *s)
{
	struct json_object *details = s->result ? s->result->details : NULL;
	const char *known = json_get_text(s->gpu, "uuid", NULL);

	weigh_same_gpu(w, s, known, "the GPU compared");
	weigh_same_gpu(w, s, json_get_text(json_member(details, "gpu"), "uuid", NULL),
		       "the GPU of its details");
}

static const struct computed_fact {
	const char *path, *what;
	unsigned known_by, agree; /* kinds that must know it, and that must agree */
} computed_facts[] = {
	{"computed/kind", "what computed", OF_GPU | OF_CPU | OF_SERVER,
	 OF_GPU | OF_CPU | OF_SERVER},
	{"computed/device", "the device that computed", OF_GPU, OF_GPU},
	{"computed/backend", "the backend", OF_GPU | OF_CPU, OF_GPU | OF_CPU},
	{"computed/uuid", "the UUID of the device that computed", OF_GPU, 0},
	{"computed/kernels", "the architecture of the kernels", OF_GPU, OF_GPU},
};

static void weigh_computed(struct weighing *w, const struct claim_pair *p,
			   const struct computed_fact *f)
{
	const char *a = side_text(&p->sides[0], f->path);
	const char *b = side_text(&p->sides[1], f->path);

	weigh_values(w, "", a, b);
	if (!a && !b && !pair_is_of(p, f->known_by))
		return;
	if (weigh_known(w, p, f->what, a, b) && pair_is_of(p, f->agree) &&
	    strcmp(a, b) != 0)
		weigh_against(w, "computed: %s differs: %s on %s, %s on %s", f->what, a,
			      p->sides[0].label, b, p->sides[1].label);
}

/* A server elsewhere computed on a machine of which nothing is known. */
static void weigh_far_servers(struct weighing *w, const struct claim_pair *p)
{
	const char *urls[2] = {side_far_server(&p->sides[0]),
			       side_far_server(&p->sides[1])};

	for (size_t i = 0; i < 2; i++)
		if (urls[i])
			weigh_one_sided(
				w,
				"the server at %s is not %s, and of which machine "
				"it is nothing tells",
				urls[i], p->sides[i].label);
}

void check_computed(struct weighing *w, const struct claim_pair *p)
{
	const char *device = side_text(&p->sides[0], "computed/device");

	weigh_source(w, "the program's own context");
	for (size_t i = 0; i < ARRAY_SIZE(computed_facts); i++)
		weigh_computed(w, p, &computed_facts[i]);
	for (size_t i = 0; i < 2; i++) {
		const char *kind = side_text(&p->sides[i], "computed/kind");

		if (kind)
			weigh_asked(w, &p->sides[i], kind);
		weigh_device_of_facts(w, &p->sides[i]);
	}
	weigh_far_servers(w, p);
	weigh_likeness(w, p, CLAIM_COMPUTED);
	weigh_shown(w, "computed on %s", device ? device : "the same kind of device");
}

/* ---- whole device ---- */

/* The driver keeps some memory for itself, and passthrough takes some: less than a slice's. */
#define SHARE_OF_MEMORY 0.1

static void weigh_share(struct weighing *w, const struct claim_side *s)
{
	double had = side_number(s, "computed/multiprocessors");
	double whole = side_number(s, "computed/multiprocessors_whole");
	double told = json_real(json_member(s->gpu, "multiprocessors"), NAN);
	double used = json_real(json_at(s->result ? s->result->details : NULL,
					"gpu/multiprocessors_used"),
				NAN);
	double memory = side_number(s, "computed/memory_bytes");
	double memory_told = json_real(json_member(s->gpu, "memory_bytes"), NAN);

	if (isfinite(whole) && isfinite(told) && whole != told)
		weigh_against(
			w,
			"whole-device: the GPU of %s has %.0f multiprocessors by its "
			"result and %.0f by NVML",
			s->label, whole, told);
	if (isfinite(used) && isfinite(had) && used != had)
		weigh_against(
			w,
			"whole-device: %s used %.0f multiprocessors of the %.0f that "
			"it had",
			s->label, used, had);
	if (side_profile(s->result))
		return; /* asked for as a part: both sides must have as much of it */
	if (isfinite(had) && isfinite(whole) && had != whole)
		weigh_against(w,
			      "whole-device: %s computed on %.0f of the GPU's %.0f "
			      "multiprocessors",
			      s->label, had, whole);
	if (isfinite(memory) && isfinite(memory_told) &&
	    memory < (1 - SHARE_OF_MEMORY) * memory_told)
		weigh_against(
			w,
			"whole-device: %s had %.3g GiB of the GPU's %.3g GiB of memory",
			s->label, memory / 0x1p30, memory_told / 0x1p30);
}

void check_whole_device(struct weighing *w, const struct claim_pair *p)
{
	static const char *const paths[] = {"computed/multiprocessors",
					    "computed/multiprocessors_whole",
					    "computed/memory_bytes"};
	static const char *const names[] = {"the number of multiprocessors had",
					    "the GPU's number of multiprocessors",
					    "the memory that could be used"};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		double a = side_number(&p->sides[0], paths[i]);
		double b = side_number(&p->sides[1], paths[i]);

		if (!isfinite(a) && !isfinite(b) && !pair_is_of(p, OF_GPU))
			continue;
		if (weigh_known(w, p, names[i], isfinite(a), isfinite(b)) &&
		    apart(a, b) > (i == 2 ? SHARE_OF_MEMORY : 0))
			weigh_against(w, "whole-device: %s: %.0f on %s, %.0f on %s",
				      names[i], a, p->sides[0].label, b,
				      p->sides[1].label);
	}
	weigh_share(w, &p->sides[0]);
	weigh_share(w, &p->sides[1]);
	weigh_source(w, "CUDA");
	weigh_likeness(w, p, CLAIM_WHOLE_DEVICE);
	if (pair_is_of(p, OF_GPU))
		weigh_shown(w, side_profile(p->sides[0].result)
				       ? "the same part of the GPU"
				       : "the whole GPU");
}

/* ---- clocks, power ---- */

static struct json_object *telemetry_of(const struct claim_side *s)
{
	return s->result ? s->result->telemetry : NULL;
}

/* Readings within the timed span. */
struct readings {
	size_t nr;
	double mean; /* NAN: none */
};

/* What was read before the span is of the warm-up, and what was read after it of nothing. */
static struct readings readings_of(const struct claim_side *s, const char *key)
{
	struct json_object *series = json_member(telemetry_of(s), "series");
	struct json_object *times = json_member(series, "t_s");
	struct json_object *values = json_member(series, key);
	double span = json_get_real(telemetry_of(s), "span_s", 0), sum = 0;
	struct readings r = {.nr = 0};

	for (size_t i = 0; i < json_length(times) && i < json_length(values); i++) {
		double at = json_real(json_object_array_get_idx(times, i), NAN);
		double v = json_real(json_object_array_get_idx(values, i), NAN);

		if (!(at >= 0 && at <= span) || !isfinite(v))
			continue;
		sum += v;
		r.nr++;
	}
	r.mean = r.nr ? sum / (double)r.nr : NAN;
	return r;
}

/* The mean over the timed span; NAN: not watched there. */
static double telemetry_mean(const struct claim_side *s, const char *key)
{
	if (!readings_of(s, key).nr)
		return NAN;
	return json_get_real(json_member(telemetry_of(s), key), "mean", NAN);
}

/* A summary must be one of its readings, and no clock is above the GPU's greatest. */
static void weigh_summary(struct weighing *w, const struct claim_side *s, double mean)
{
	struct json_object *clock = json_member(telemetry_of(s), "sm_clock_hz");
	double least = json_get_real(clock, "least", NAN);
	double most = json_get_real(clock, "most", NAN);
	double greatest = json_get_real(s->gpu, "max_sm_clock_hz", NAN);
	struct readings r = readings_of(s, "sm_clock_hz");
	char text[2][48];

	if (mean < least * (1 - ROUNDED) || mean > most * (1 + ROUNDED))
		weigh_against(w,
			      "clocks: the mean of %s, %s, is not between its least and "
			      "most",
			      s->label, unit_human(mean, "Hz", text[0], sizeof(text[0])));
	if (apart(mean, r.mean) > CLOCKS_TOLERANCE)
		weigh_against(w,
			      "clocks: the mean of %s is said to be %s, and that of its "
			      "readings is %s",
			      s->label, unit_human(mean, "Hz", text[0], sizeof(text[0])),
			      unit_human(r.mean, "Hz", text[1], sizeof(text[1])));
	if (fmax(mean, fmax(most, r.mean)) > greatest * (1 + ROUNDED))
		weigh_against(w, "clocks: %s ran above the GPU's greatest clock, %s",
			      s->label,
			      unit_human(greatest, "Hz", text[0], sizeof(text[0])));
}

/* Whose clocks these are. */
static void weigh_watched_gpu(struct weighing *w, const struct claim_side *s)
{
	weigh_same_gpu(w, s, json_get_text(telemetry_of(s), "uuid", NULL),
		       "the GPU watched");
}

/* Equal clocks far below the greatest are equal, but nobody's idea of this GPU. */
static void weigh_clocks_shown(struct weighing *w, const struct claim_pair *p,
			       double mean)
{
	double greatest = json_get_real(p->sides[0].gpu, "max_sm_clock_hz", NAN);
	char text[2][48];

	weigh_shown(w, "clocks within %.1g %%", fmax(100 * w->difference, 0.1));
	if (mean < CLOCKS_LOW * greatest)
		weigh_shown(w, "both far below the greatest (%s of %s)",
			    unit_human(mean, "Hz", text[0], sizeof(text[0])),
			    unit_human(greatest, "Hz", text[1], sizeof(text[1])));
}

static void weigh_watched(struct weighing *w, const char *label, const char *unit,
			  double a, double b)
{
	char texts[2][48];

	weigh_values(w, label,
		     isfinite(a) ? unit_human(a, unit, texts[0], sizeof(texts[0])) : NULL,
		     isfinite(b) ? unit_human(b, unit, texts[1], sizeof(texts[1]))
				 : NULL);
	if (isfinite(a) || isfinite(b))
		weigh_source(w, "NVML over the timed span");
}

void check_clocks(struct weighing *w, const struct claim_pair *p)
{
	double a = telemetry_mean(&p->sides[0], "sm_clock_hz");
	double b = telemetry_mean(&p->sides[1], "sm_clock_hz");
	char text[2][48];

	weigh_watched(w, "mean", "Hz", a, b);
	weigh_likeness(w, p, CLAIM_CLOCKS);
	for (size_t i = 0; i < 2; i++) {
		weigh_watched_gpu(w, &p->sides[i]);
		weigh_summary(w, &p->sides[i], i ? b : a);
	}
	if (!pair_is_of(p, OF_GPU & ~OF_LINK))
		return; /* a server's GPU rests between requests, and copies need no clock */
	if (!weigh_known(w, p, "the mean clock of the timed span (no reading within it)",
			 isfinite(a), isfinite(b)))
		return;
	w->difference = apart(a, b);
	if (w->difference > CLOCKS_TOLERANCE)
		weigh_against(w, "clocks delivered differ by %.2g %%: %s and %s",
			      100 * w->difference,
			      unit_human(a, "Hz", text[0], sizeof(text[0])),
			      unit_human(b, "Hz", text[1], sizeof(text[1])));
	else
		weigh_clocks_shown(w, p, a);
}

/* The limit by the harness's facts and by the result's own. */
static void weigh_own_limit(struct weighing *w, const struct claim_side *s)
{
	struct json_object *own = s->result ? result_facts(s->result) : NULL;
	struct json_object *gpu = likeness_gpu(own, s->facts);
	double a = json_get_real(s->gpu, "power_limit_w", NAN);
	double b = json_get_real(gpu, "power_limit_w", NAN);

	if (likeness_same_text(json_get_text(gpu, "uuid", "-"),
			       json_get_text(s->gpu, "uuid", "")) &&
	    apart(a, b) > 0.001)
		weigh_against(
			w,
			"power: the limit of %s is %.4g W by its result and %.4g W by "
			"its machine's facts",
			s->label, b, a);
}

void check_power(struct weighing *w, const struct claim_pair *p)
{
	weigh_likeness(w, p, CLAIM_POWER);
	weigh_own_limit(w, &p->sides[0]);
	weigh_own_limit(w, &p->sides[1]);
	weigh_watched(w, "drawn", "W", telemetry_mean(&p->sides[0], "power_w"),
		      telemetry_mean(&p->sides[1], "power_w"));
	if (pair_is_of(p, OF_GPU))
		weigh_shown(w, "same power limit");
}

/* ---- alone ---- */

void check_alone(struct weighing *w, const struct claim_pair *p)
{
	double nr[2];
	char texts[2][32];

	for (size_t i = 0; i < 2; i++) {
		const struct claim_side *s = &p->sides[i];
		bool is_told = json_get_bool(side_evidence(s, "others"), "known", false);

		nr[i] = is_told ? side_number(s, "others/processes") : NAN;
		nr[i] = nr[i] >= 0 ? nr[i] : NAN;
		snprintf(texts[i], sizeof(texts[i]), "%.0f", nr[i]);
		if (nr[i] > 0)
			weigh_against(
				w,
				"alone: %.0f other processes computed on the device of "
				"%s",
				nr[i], s->label);
	}
	weigh_values(w, "other processes:", isfinite(nr[0]) ? texts[0] : NULL,
		     isfinite(nr[1]) ? texts[1] : NULL);
	if (!isfinite(nr[0]) && !isfinite(nr[1]) && !pair_is_of(p, OF_GPU))
		return;
	weigh_source(w, "NVML");
	if (weigh_known(w, p, "who else computed on the device", isfinite(nr[0]),
			isfinite(nr[1])))
		weigh_shown(w, "nobody else");
}

/* ---- path ---- */

struct link_side {
	double width, speed; /* NAN: not known */
};

/* The first of two keys that is there: link_path's words and those of the PCI list. */
static double either(struct json_object *o, const char *a, const char *b)
{
	double v = json_get_real(o, a, NAN);

	return isfinite(v) ? v : json_get_real(o, b, NAN);
}

/* NVML's domains have eight digits, sysfs's four. */
static bool is_one_address(const char *a, const char *b)
{
	size_t len = strlen(a), tail = strlen(b);

	if (!len || !tail)
		return false;
	return strcasecmp(a + (len > tail ? len - tail : 0),
			  b + (tail > len ? tail - len : 0)) == 0;
}

static struct json_object *pci_link(const struct claim_side *s)
{
	struct json_object *list = json_member(s->facts, "pci");
	const char *address = json_get_text(s->gpu, "pci_address", "");

	for (size_t i = 0; i < json_length(list); i++) {
		struct json_object *d = json_object_array_get_idx(list, i);

		if (is_one_address(json_get_text(d, "address", ""), address))
			return json_member(d, "link");
	}
	return NULL;
}

/*
 * The device's own link. What is above it is the hypervisor's invention in a guest, and one
 * link has one width at both of its ends.
 */
static struct link_side link_side(const struct claim_side *s)
{
	struct json_object *path = json_member(s->gpu, "link_path");
	struct json_object *link =
		json_length(path) ? json_object_array_get_idx(path, 0) : pci_link(s);

	return (struct link_side){json_get_real(link, "width", NAN),
				  either(link, "speed_gts", "speed_gt_per_s")};
}

/* The narrowest of the ports above, of a machine that sees the real ones; NAN: none. */
static double narrowest_above(const struct claim_side *s)
{
	struct json_object *path = json_member(s->gpu, "link_path");
	const char *hypervisor = fact_text(s->facts, "hypervisor/kind");
	double least = NAN;

	if (!hypervisor || strcmp(hypervisor, "none") != 0)
		return NAN;
	for (size_t i = 1; i < json_length(path); i++)
		least = fmin(least, json_get_real(json_object_array_get_idx(path, i),
						  "width", NAN));
	return least;
}

static void weigh_link_text(struct weighing *w, const struct link_side l[2])
{
	char texts[2][64];

	for (size_t i = 0; i < 2; i++)
		snprintf(texts[i], sizeof(texts[i]), "x%.0f at %.3g GT/s", l[i].width,
			 l[i].speed);
	weigh_values(w, "PCIe", isfinite(l[0].width) ? texts[0] : NULL,
		     isfinite(l[1].width) ? texts[1] : NULL);
	weigh_source(w, "PCI configuration space");
}

/* A link at rest steps down to this and below. */
static const double resting_gts = 5;

void check_path(struct weighing *w, const struct claim_pair *p)
{
	const struct claim_side *a = &p->sides[0], *b = &p->sides[1];
	struct link_side l[2] = {link_side(a), link_side(b)};
	double above[2] = {narrowest_above(a), narrowest_above(b)};

	if (pair_is_of(p, OF_CPU) || (!isfinite(l[0].width) && !isfinite(l[1].width)))
		return;
	weigh_link_text(w, l);
	for (size_t i = 0; i < 2; i++)
		if (!isfinite(l[i].width) && is_untold(p->sides[i].gpu, "link_path")) {
			weigh_missing(w, "the link to the GPU cannot be told on %s",
				      p->sides[i].label);
			return;
		}
	if (!weigh_known(w, p, "the width of the link to the GPU", isfinite(l[0].width),
			 isfinite(l[1].width)))
		return;
	if (l[0].width != l[1].width)
		weigh_against(w, "path: the GPU's link is x%.0f on %s and x%.0f on %s",
			      l[0].width, a->label, l[1].width, b->label);
	else if (l[0].speed != l[1].speed && fmin(l[0].speed, l[1].speed) > resting_gts)
		weigh_against(
			w,
			"path: the GPU's link runs at %.3g GT/s on %s and %.3g GT/s on "
			"%s",
			l[0].speed, a->label, l[1].speed, b->label);
	if (isfinite(above[0]) && isfinite(above[1]) && above[0] != above[1])
		weigh_against(w,
			      "path: above the GPU is a port of x%.0f on %s and of x%.0f "
			      "on %s",
			      above[0], a->label, above[1], b->label);
	weigh_shown(w, "link x%.0f", l[0].width);
}

/* ---- health ---- */

static const struct {
	const char *path, *words;
} ailments[] = {
	{"ecc_pending", "a change of ECC is pending: the next reset applies it"},
	{"remap/pending", "a row remap is pending: reset the GPU"},
	{"remap/failed", "a row remap failed: the GPU is to be replaced"},
	{"retired_pages/pending", "pages are pending retirement: reset the GPU"},
};

/* Modes with what they are now and after the next reset. */
static const struct {
	const char *key, *words;
} modes[] = {{"ecc", "ECC"}, {"mig", "MIG mode"}};

static bool is_true(struct json_object *o)
{
	return json_object_is_type(o, json_type_boolean) ? json_object_get_boolean(o)
							 : json_real(o, NAN) > 0;
}

/*
 * Faults of the program that ran, not of the GPU (NVIDIA, "XID Errors", r580: 13 and 31 for
 * its own accesses, 43 for what it stopped, 45 for its clean-up).
 */
static bool is_of_programs(struct json_object *codes)
{
	for (size_t i = 0; i < json_length(codes); i++) {
		double code = json_real(json_object_array_get_idx(codes, i), NAN);

		if (code != 13 && code != 31 && code != 43 && code != 45)
			return false;
	}
	return json_length(codes) > 0;
}

static void weigh_xid(struct weighing *w, const struct claim_side *s)
{
	struct json_object *xid = json_member(s->facts, "xid");
	int64_t count = json_get_int(xid, "count", 0);
	const char *address = json_get_text(xid, "last_address", NULL);
	const char *mine = json_get_text(s->gpu, "pci_address", NULL);

	if (count <= 0 || is_of_programs(json_member(xid, "codes")))
		return;
	/* The only one, and another GPU's. */
	if (count == 1 && address && mine && !is_one_address(address, mine))
		return;
	weigh_against(w, "health: %s had %lld Xid since its boot, the last %lld (%s)",
		      s->label, (long long)count, (long long)json_get_int(xid, "last", 0),
		      json_get_text(xid, "source", "kernel log"));
}

static void weigh_fabric(struct weighing *w, const struct claim_side *s)
{
	struct json_object *fabric = json_member(s->gpu, "fabric");
	const char *state = json_get_text(fabric, "state", NULL);
	int64_t status = json_get_int(fabric, "status", 0);

	if (!state || strcmp(state, "Not Supported") == 0 ||
	    (strcmp(state, "Completed") == 0 && !status))
		return;
	weigh_against(w,
		      "health: the NVLink fabric of %s is '%s', status %lld: is Fabric "
		      "Manager running?",
		      s->label, state, (long long)status);
}

static void weigh_ailments(struct weighing *w, const struct claim_side *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(ailments); i++)
		if (is_true(json_at(s->gpu, ailments[i].path)))
			weigh_against(w, "health: %s: %s", s->label, ailments[i].words);
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		struct json_object *mode = json_member(s->gpu, modes[i].key);

		if (json_object_is_type(mode, json_type_object) &&
		    json_get_bool(mode, "enabled", false) !=
			    json_get_bool(mode, "pending", false))
			weigh_against(w,
				      "health: %s: a change of %s is pending: the next "
				      "reset applies it",
				      s->label, modes[i].words);
	}
	weigh_xid(w, s);
	weigh_fabric(w, s);
}

/* Facts of health that one side has and the other lacks are not shown. */
static const struct {
	const char *path, *what;
	bool is_machine; /* of the machine, else of the GPU */
} health_facts[] = {
	{"remap/pending", "whether a row remap is pending", false},
	{"remap/failed", "whether a row remap failed", false},
	{"retired_pages/pending", "whether pages are to be retired", false},
	{"ecc_pending", "whether a change of ECC is pending", false},
	{"xid/count", "what Xid there were", true},
	{"fabric/state", "the state of the NVLink fabric", false},
};

void check_health(struct weighing *w, const struct claim_pair *p)
{
	const char *untold = NULL;
	size_t known = 0;

	if (pair_is_of(p, OF_CPU))
		return;
	weigh_ailments(w, &p->sides[0]);
	weigh_ailments(w, &p->sides[1]);
	for (size_t i = 0; i < ARRAY_SIZE(health_facts); i++) {
		const struct claim_side *s = p->sides;
		bool is[2];

		for (size_t k = 0; k < 2; k++)
			is[k] = json_at(health_facts[i].is_machine ? s[k].facts
								   : s[k].gpu,
					health_facts[i].path) != NULL;
		if (is[0] != is[1] && !health_facts[i].is_machine &&
		    is_untold(s[is[0] ? 1 : 0].gpu, health_facts[i].path))
			untold = s[is[0] ? 1 : 0].label;
		else if (is[0] || is[1])
			known += weigh_known(w, p, health_facts[i].what, is[0], is[1]);
	}
	weigh_source(w, "NVML, kernel log");
	if (known)
		weigh_shown(w, known < ARRAY_SIZE(health_facts)
				       ? "nothing pending as far as NVML and the kernel "
					 "log tell"
				       : "nothing pending");
	else if (pair_is_of(p, OF_GPU))
		weigh_missing(w, "the health of the GPU is not known");
	if (known && untold)
		weigh_shown(w, "what else %s cannot tell is not shown", untold);
}
