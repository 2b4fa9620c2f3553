#include "core/machine/around.h"

#include "core/base/mem.h"
#include "core/machine/machine_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CLOCK_READINGS = 5 };

static int64_t steal_ticks(const char *root)
{
	int64_t steal, all;

	return machine_steal_ticks(root, &steal, &all) ? steal : -1;
}

void around_begin(struct around *a, const char *root)
{
	char *affinity = machine_affinity(root);

	*a = (struct around){.root = root};
	snprintf(a->affinity, sizeof(a->affinity), "%s", affinity ? affinity : "");
	free(affinity);
	a->steal_ticks = steal_ticks(root);
	cgroup_history_read(&a->throttling, root);
	a->wall_offset_ns = clock_wall_offset_ns(CLOCK_READINGS);
	a->wall_ns = clock_wall_ns();
	a->mono_ns = clock_mono_ns();
}

static void end_cpu(const struct around *a, struct evidence *e)
{
	char *affinity = machine_affinity(a->root);
	int64_t steal = steal_ticks(a->root);
	struct cgroup_history now;
	struct cgroup_throttling t;

	cgroup_history_read(&now, a->root);
	if (cgroup_held_back(&a->throttling, &now, &t)) {
		e->cpu.throttled_s = t.seconds;
		e->cpu.throttled_periods = t.throttled;
		e->cpu.periods = t.periods;
	}
	if (steal >= 0 && a->steal_ticks >= 0)
		e->cpu.steal_s =
			(double)(steal - a->steal_ticks) / (double)sysconf(_SC_CLK_TCK);
	free(e->cpu.affinity);
	e->cpu.affinity = affinity;
	if (affinity && *a->affinity && strcmp(a->affinity, affinity) != 0) {
		e->cpu.affinity = x_asprintf("%s, then %s", a->affinity, affinity);
		free(affinity);
	}
}

void around_end(const struct around *a, struct evidence *e)
{
	int64_t mono_ns = clock_mono_ns(), wall_ns = clock_wall_ns();
	int64_t offset_ns = clock_wall_offset_ns(CLOCK_READINGS);

	clock_label(a->wall_ns, e->span.started);
	clock_label(wall_ns, e->span.ended);
	e->span.seconds = (double)(mono_ns - a->mono_ns) / 1e9;
	e->span.wall_step_s = (double)(offset_ns - a->wall_offset_ns) / 1e9;
	end_cpu(a, e);
	json_object_put(e->identity);
	e->identity = machine_identity(a->root);
}

static void check_held_back(const struct evidence *e, struct result *r)
{
	double share = e->cpu.throttled_s / e->span.seconds;
	bool passed = share <= AROUND_HELD_BACK_MAX;
	char text[240];

	if (!(share >= 0))
		return;
	snprintf(text, sizeof(text),
		 "a CPU quota held processors back for %.3g s in %.3g s (%lld of %lld "
		 "periods); %.0f %% is allowed%s",
		 e->cpu.throttled_s, e->span.seconds, (long long)e->cpu.throttled_periods,
		 (long long)e->cpu.periods, 100 * AROUND_HELD_BACK_MAX,
		 passed ? ""
			: ": raise the quota of its container or service (cpu.max, "
			  "CPUQuota=)");
	result_add_check(r, "cpu-not-held-back", passed, text);
}

void around_report(const struct evidence *e, struct result *r)
{
	check_held_back(e, r);
	result_set_evidence(r, evidence_to_json(e));
}
