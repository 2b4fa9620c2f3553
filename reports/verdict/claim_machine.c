#include "reports/verdict/claim_machine.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/document/likeness.h"

/* ---- who ---- */

enum sameness { UNCLEAR, ONE_MACHINE, TWO_MACHINES };

/*
 * One boot is one machine whatever it is called, and so is one board. A boot can always be
 * read: without either nothing is known, for a machine-id is easily another. An equal one may
 * be a clone's, or the same machine after a reboot; another is another's.
 */
static enum sameness sameness(const struct claim_pair *p)
{
	int boot = pair_identity(p, "boot"), board = pair_identity(p, "board");
	int machine = pair_identity(p, "machine");
	const char *a = fact_text(p->sides[0].facts, "hypervisor/kind");
	const char *b = fact_text(p->sides[1].facts, "hypervisor/kind");

	if (boot == 1 || board == 1)
		return ONE_MACHINE;
	if (boot < 0 && board < 0)
		return UNCLEAR;
	if (board == 0 || machine == 0)
		return TWO_MACHINES;
	/* Bare metal and a guest are two, also where a disk is cloned or has no machine-id. */
	if (boot == 0 && a && b && strcmp(a, b) != 0)
		return TWO_MACHINES;
	return UNCLEAR;
}

static bool is_one_result(const struct claim_pair *p)
{
	const struct result *a = p->sides[0].result, *b = p->sides[1].result;

	return a && b && *a->id && strcmp(a->id, b->id) == 0;
}

static void weigh_relation(struct weighing *w, const struct claim_pair *p)
{
	enum sameness s = sameness(p);
	const char *a = p->sides[0].label, *b = p->sides[1].label;

	if (s == ONE_MACHINE && p->relation == RELATION_DIFFERENT)
		weigh_against(
			w,
			"same-machine: %s and %s are one machine; on purpose the plan "
			"says so: \"same_machine_as\"",
			a, b);
	else if (s == TWO_MACHINES && p->relation == RELATION_SAME)
		weigh_against(
			w,
			"same-machine: the plan says that %s and %s are one machine, "
			"and they are two",
			a, b);
	else if (is_one_result(p))
		weigh_shown(w, "one measurement, given twice");
	else if (p->relation == RELATION_SAME_KIND)
		weigh_shown(w, "machines of one kind on purpose");
	else if (s == UNCLEAR)
		weigh_missing(w, "whether %s and %s are two machines is not known", a, b);
	else if (s == TWO_MACHINES)
		weigh_shown(w, "two machines");
	else
		weigh_shown(w, p->relation == RELATION_SAME ? "one machine on purpose"
							    : "one machine");
}

/* The facts and the result must be of one machine: a swapped file would be believed. */
static void weigh_facts_of_result(struct weighing *w, const struct claim_side *s)
{
	static const char *const keys[] = {"boot", "machine"};
	struct json_object *mine = json_member(s->facts, "identity");
	struct json_object *its = side_evidence(s, "identity");
	size_t known = 0;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *a = said(json_get_text(mine, keys[i], NULL));
		const char *b = said(json_get_text(its, keys[i], NULL));

		known += a && b;
		if (!a || !b || likeness_same_text(a, b))
			continue;
		weigh_against(w,
			      "other-machine: %s was measured on another machine (%s %s) "
			      "than its facts are of (%s)",
			      s->label, keys[i], b, a);
		return;
	}
	if (!known && s->result)
		weigh_missing(w,
			      "that the facts of %s are of the machine that measured is "
			      "not known",
			      s->label);
}

/* Two names for a third machine. */
static void weigh_servers(struct weighing *w, const struct claim_pair *p)
{
	const char *a = side_far_server(&p->sides[0]), *b = side_far_server(&p->sides[1]);

	if (a && b && likeness_same_text(a, b) && p->relation == RELATION_DIFFERENT)
		weigh_against(w,
			      "same-server: the loads on %s and on %s ran against one "
			      "server, %s, which is neither",
			      p->sides[0].label, p->sides[1].label, a);
}

/* The same GPU in the facts that the result brought with it, or NULL. */
static struct json_object *gpu_of_result(const struct claim_side *s)
{
	struct json_object *list =
		json_member(s->result ? result_facts(s->result) : NULL, "gpus");
	const char *uuid = json_get_text(s->gpu, "uuid", NULL);

	for (size_t i = 0; uuid && i < json_length(list); i++) {
		struct json_object *gpu = json_object_array_get_idx(list, i);

		if (likeness_same_text(json_get_text(gpu, "uuid", ""), uuid))
			return gpu;
	}
	return NULL;
}

/* The harness's facts and the result's own were asked for minutes apart. */
static void weigh_own_facts(struct weighing *w, const struct claim_side *s)
{
	static const char *const keys[] = {"boot", "machine", "board"};
	struct json_object *own = s->result ? result_facts(s->result) : NULL;
	const char *a = said(json_get_text(s->gpu, "serial", NULL));
	const char *b = said(json_get_text(gpu_of_result(s), "serial", NULL));

	if (a && b && !likeness_same_text(a, b))
		weigh_against(w,
			      "other-machine: the GPU of %s has the serial number %s by "
			      "its result and %s by its machine's facts",
			      s->label, b, a);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		a = said(json_get_text(json_member(s->facts, "identity"), keys[i], NULL));
		b = said(json_get_text(json_member(own, "identity"), keys[i], NULL));
		if (a && b && !likeness_same_text(a, b))
			weigh_against(
				w,
				"other-machine: %s of %s is %s by its result and %s "
				"by its machine's facts",
				keys[i], s->label, b, a);
	}
}

/*
 * A machine with an address stays one and the same through all rounds. One that is leased may
 * be another each time (target "vm"), and so may the GPU that both arms have in a round.
 */
static void weigh_constancy(struct weighing *w, const struct claim_side *s)
{
	struct claim_side first = *s;
	struct claim_pair p = {.sides = {*s}};

	if (!s->first_result || s->first_result == s->result ||
	    (s->target && strcmp(s->target, "vm") == 0))
		return;
	first.result = s->first_result;
	first.facts = s->first_facts;
	p.sides[1] = first;
	if (pair_identity(&p, "machine") == 0 && pair_identity(&p, "board") != 1)
		weigh_against(
			w,
			"other-machine: %s is another machine (%s) than in its first "
			"round (%s)",
			s->label, side_identity(s, "machine"),
			side_identity(&first, "machine"));
}

void check_who(struct weighing *w, const struct claim_pair *p)
{
	const struct claim_side *a = &p->sides[0], *b = &p->sides[1];
	const char *serial = said(json_get_text(a->gpu, "serial", NULL));

	weigh_values(w, "machine", side_identity(a, "machine"),
		     side_identity(b, "machine"));
	weigh_values(w, "boot", side_identity(a, "boot"), side_identity(b, "boot"));
	weigh_source(w, "/etc/machine-id, boot_id, DMI");
	weigh_relation(w, p);
	weigh_servers(w, p);
	weigh_facts_of_result(w, a);
	weigh_facts_of_result(w, b);
	for (size_t i = 0; i < 2; i++) {
		weigh_own_facts(w, &p->sides[i]);
		if (p->is_run)
			weigh_constancy(w, &p->sides[i]);
	}
	weigh_likeness(w, p, CLAIM_WHO);
	if (pair_is_of(p, OF_GPU) && a->gpu && b->gpu)
		weigh_shown(w, "same GPU by %s", serial ? "serial" : "UUID");
}

/* ---- boundary ---- */

/* "bare metal", "VM (kvm)", with the container in it; free(). NULL: not known. */
static char *boundary_text(struct json_object *facts)
{
	const char *hypervisor = fact_text(facts, "hypervisor/kind");
	const char *container = fact_text(facts, "container/kind");
	bool is_in = container && strcmp(container, "none") != 0;

	if (!hypervisor || !container || strcmp(hypervisor, "unknown") == 0 ||
	    strcmp(container, "unknown") == 0)
		return NULL;
	if (strcmp(hypervisor, "none") == 0)
		return x_asprintf("bare metal%s%s", is_in ? ", in " : "",
				  is_in ? container : "");
	return x_asprintf("VM (%s)%s%s", hypervisor, is_in ? ", in " : "",
			  is_in ? container : "");
}

/* An arm is one way of reaching a GPU, in every round. */
static void weigh_constant(struct weighing *w, const struct claim_side *s,
			   const char *now)
{
	char *first = boundary_text(s->first_facts);

	if (first && strcmp(first, now) != 0)
		weigh_against(w, "boundary: %s was '%s' before and is '%s'", s->label,
			      first, now);
	free(first);
	if (s->target && strcmp(s->target, "vm") == 0 &&
	    strncmp(now, "bare metal", 10) == 0)
		weigh_against(
			w,
			"boundary: the plan calls %s a virtual machine, and its facts "
			"show none",
			s->label);
}

static void weigh_boundaries(struct weighing *w, const struct claim_pair *p)
{
	char *texts[2];

	for (size_t i = 0; i < 2; i++)
		texts[i] = boundary_text(p->sides[i].facts);
	weigh_values(w, "", texts[0], texts[1]);
	weigh_source(w, "CPUID, DMI, control groups");
	if (weigh_known(w, p, "what stands between the work and the hardware", texts[0],
			texts[1]))
		weigh_shown(w, "%s against %s", texts[0], texts[1]);
	for (size_t i = 0; i < 2; i++)
		if (texts[i])
			weigh_constant(w, &p->sides[i], texts[i]);
	free(texts[0]);
	free(texts[1]);
}

static const struct {
	const char *route, *words;
} routes[] = {
	{"host", "cut by its host"},
	{"guest", "cut inside the guest that has the whole GPU"},
	{"opennebula", "a MIG-backed vGPU that OpenNebula gave"},
};

static const char *route_words(const char *route)
{
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++)
		if (strcmp(routes[i].route, route) == 0)
			return routes[i].words;
	return route;
}

/* Three products with one name: a slice must have come by the same route. */
static void weigh_parts(struct weighing *w, const struct claim_pair *p)
{
	const char *part[2], *route[2], *label[2];

	for (size_t i = 0; i < 2; i++) {
		part[i] = side_profile(p->sides[i].result);
		route[i] = json_get_text(side_part(p->sides[i].result), "route", NULL);
		label[i] = p->sides[i].label;
	}
	if (!part[0] && !part[1])
		return;
	weigh_values(w, "part", part[0], part[1]);
	if (part[0] && part[1] && route[0] && route[1] && strcmp(route[0], route[1]) != 0)
		weigh_against(w, "mig-route: never alike: %s ran on %s, %s; %s on %s, %s",
			      label[0], part[0], route_words(route[0]), label[1], part[1],
			      route_words(route[1]));
	else if (!part[0] || !part[1] || strcmp(part[0], part[1]) != 0)
		weigh_against(w, "mig-part: %s ran on %s and %s on %s", label[0],
			      part[0] ? part[0] : "a whole GPU", label[1],
			      part[1] ? part[1] : "a whole GPU");
	else if (route[0] && route[1])
		weigh_shown(w, "a slice of a GPU, %s, on both", part[0]);
	else if (!route[0] && !route[1])
		weigh_shown(w,
			    "a slice of a GPU, %s, on both, by which route is not known",
			    part[0]);
	else
		weigh_one_sided(w, "how the part of the GPU came to %s is not known",
				label[route[0] ? 1 : 0]);
}

/* NVML tells a guest 'passthrough' of what its host calls 'none': a GPU of its own. */
static const char *virtual_gpu(struct json_object *gpu)
{
	const char *text = json_get_text(gpu, "virtualization", NULL);

	return text && (strcmp(text, "none") == 0 || strcmp(text, "passthrough") == 0)
		       ? "a GPU of its own"
		       : text;
}

static void weigh_virtual_gpus(struct weighing *w, const struct claim_pair *p)
{
	const char *a = virtual_gpu(p->sides[0].gpu), *b = virtual_gpu(p->sides[1].gpu);

	if (!pair_is_of(p, OF_GPU | OF_SERVER))
		return;
	if (!a && !b && !pair_is_of(p, OF_GPU))
		return;
	weigh_values(w, "GPU", a, b);
	if (weigh_known(w, p, "whether the GPU is virtual", a, b) && strcmp(a, b) != 0)
		weigh_against(w, "gpu-share: %s has %s and %s has %s", p->sides[0].label,
			      a, p->sides[1].label, b);
}

void check_boundary(struct weighing *w, const struct claim_pair *p)
{
	weigh_boundaries(w, p);
	weigh_parts(w, p);
	weigh_virtual_gpus(w, p);
	weigh_likeness(w, p, CLAIM_BOUNDARY);
}

/* ---- the CPU side ---- */

/* "0-3,8" has 5; 0: no such list. */
static int64_t count_cpus(const char *list)
{
	int64_t nr = 0;

	while (list && *list) {
		char *end;
		long from = strtol(list, &end, 10), to = from;

		if (end == list)
			return 0;
		if (*end == '-')
			to = strtol(end + 1, &end, 10);
		if (to < from || (*end && *end != ','))
			return 0;
		nr += to - from + 1;
		list = *end ? end + 1 : end;
	}
	return nr;
}

struct cpu_side {
	int64_t usable, online;  /* processors; 0: not known */
	double quota;            /* 0: none */
	double throttled, steal; /* shares of the span; NAN: not known */
};

static const double steal_span_least_s = 0.5;

static struct cpu_side cpu_side(const struct claim_side *s)
{
	struct json_object *confinement = json_member(s->facts, "confinement");
	const char *own = side_text(s, "cpu/affinity");
	double seconds = side_number(s, "span/seconds");
	double periods = side_number(s, "cpu/periods");
	double throttled = side_number(s, "cpu/throttled_periods");
	double steal = side_number(s, "cpu/steal_s");
	struct cpu_side c = {.throttled = NAN, .steal = NAN};

	c.usable = count_cpus(own ? own : json_get_text(confinement, "affinity", NULL));
	c.online = json_get_int(json_member(s->facts, "cpu"), "threads", 0);
	c.quota = json_get_real(confinement, "cpu_quota", 0);
	if (c.usable && c.quota >= (double)c.usable)
		c.quota = 0; /* a limit that nothing can reach */
	if (periods >= 0 && throttled >= 0)
		c.throttled = periods > 0 ? throttled / periods : 0;
	/*
	 * The counter may step back by some ticks, and no further. It is told in ticks of 10 ms
	 * and in lumps, so that of a shorter span it says nothing either way.
	 */
	if (seconds > 0 && c.usable && steal >= -0.1)
		c.steal = seconds < steal_span_least_s
				  ? 0
				  : fmax(steal, 0) /
					    (seconds *
					     (double)(c.online ? c.online : c.usable));
	return c;
}

static void weigh_held_back(struct weighing *w, const struct claim_side *s,
			    const struct cpu_side *c)
{
	const char *affinity = side_text(s, "cpu/affinity");

	if (c->throttled >= HELD_BACK_SHARE)
		weigh_against(w,
			      "cpu-quota: a quota held %s back in %.0f of %.0f periods "
			      "(cgroup cpu.stat)",
			      s->label, side_number(s, "cpu/throttled_periods"),
			      side_number(s, "cpu/periods"));
	if (side_number(s, "cpu/throttled_s") > 0 &&
	    side_number(s, "cpu/throttled_periods") == 0)
		weigh_against(
			w,
			"cpu-quota: a quota held %s back for %.4g s in no period at "
			"all (cgroup cpu.stat)",
			s->label, side_number(s, "cpu/throttled_s"));
	if (c->steal >= HELD_BACK_SHARE)
		weigh_against(w,
			      "cpu-steal: the hypervisor gave %.1f %% of the processors' "
			      "time on %s to others",
			      100 * c->steal, s->label);
	if (affinity && strstr(affinity, "then"))
		weigh_against(w, "cpu-affinity: the processors of %s changed: %s",
			      s->label, affinity);
}

static void weigh_confined(struct weighing *w, const struct claim_pair *p,
			   const struct cpu_side c[2])
{
	bool a = c[0].online && c[0].usable < c[0].online;
	bool b = c[1].online && c[1].usable < c[1].online;

	if (c[0].usable && c[1].usable && (a || b) && c[0].usable != c[1].usable)
		weigh_against(w,
			      "cpu-affinity: %s may use %lld of %lld processors and %s "
			      "%lld of %lld",
			      p->sides[0].label, (long long)c[0].usable,
			      (long long)c[0].online, p->sides[1].label,
			      (long long)c[1].usable, (long long)c[1].online);
	if (c[0].quota != c[1].quota)
		weigh_against(w, "cpu-quota: %.3g processors on %s, %.3g on %s (0: none)",
			      c[0].quota, p->sides[0].label, c[1].quota,
			      p->sides[1].label);
}

void check_cpu_free(struct weighing *w, const struct claim_pair *p)
{
	struct cpu_side c[2];
	char texts[2][64];

	for (size_t i = 0; i < 2; i++) {
		c[i] = cpu_side(&p->sides[i]);
		snprintf(texts[i], sizeof(texts[i]),
			 "%lld processors, quota %.3g, steal %.2g %%",
			 (long long)c[i].usable, c[i].quota,
			 isfinite(c[i].steal) ? 100 * c[i].steal : 0);
		weigh_held_back(w, &p->sides[i], &c[i]);
	}
	weigh_values(w, "", c[0].usable ? texts[0] : NULL, c[1].usable ? texts[1] : NULL);
	weigh_source(w, "cgroup cpu.stat, /proc/stat, affinity");
	weigh_confined(w, p, c);
	if (weigh_known(w, p, "on which processors the program might run", c[0].usable,
			c[1].usable) &
	    weigh_known(w, p, "whether a quota held it back", isfinite(c[0].throttled),
			isfinite(c[1].throttled)) &
	    weigh_known(w, p, "what the hypervisor gave to others", isfinite(c[0].steal),
			isfinite(c[1].steal)))
		weigh_shown(w, "the CPU side free");
}
