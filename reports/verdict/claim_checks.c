#include "reports/verdict/claim_checks.h"

#include <string.h>

#include "reports/verdict/claim_device.h"
#include "reports/verdict/claim_machine.h"
#include "reports/verdict/claim_work.h"

/* ---- the table ---- */

#define MEASURE_AGAIN "measure again with this version of tare"

const struct claim_def claim_defs[CLAIM_NR] = {
	[CLAIM_WHO] = {"which machines", MEASURE_AGAIN, OF_GPU | OF_CPU | OF_SERVER,
		       check_who},
	[CLAIM_BOUNDARY] = {"which boundary", MEASURE_AGAIN, OF_GPU | OF_CPU | OF_SERVER,
			    check_boundary},
	[CLAIM_COMPUTED] = {"what computed", MEASURE_AGAIN, OF_GPU | OF_CPU | OF_SERVER,
			    check_computed},
	[CLAIM_WHOLE_DEVICE] = {"the whole device", MEASURE_AGAIN, OF_GPU,
				check_whole_device},
	[CLAIM_CLOCKS] =
		{"clocks delivered",
		 "measure with telemetry (NVML) and more iterations, so that the timed span "
		 "lasts for a second or more",
		 OF_GPU & ~OF_LINK, check_clocks},
	[CLAIM_POWER] = {"power limit", "NVML must answer on both sides", OF_GPU,
			 check_power},
	[CLAIM_ALONE] = {"nobody else", "NVML must answer on both sides", OF_GPU,
			 check_alone},
	[CLAIM_CPU_FREE] = {"the CPU side free", MEASURE_AGAIN,
			    OF_GPU | OF_CPU | OF_SERVER, check_cpu_free},
	[CLAIM_PATH] = {"the path to the device",
			"tare-probe reads it from PCI configuration space", OF_LINK,
			check_path},
	[CLAIM_HEALTH] = {"the GPU's health",
			  "NVML and the kernel log must be readable (root)", OF_GPU,
			  check_health},
	[CLAIM_SAME_WORK] = {"the same work", MEASURE_AGAIN,
			     OF_GPU | OF_CPU | OF_SERVER | OF_IMPORT, check_same_work},
	[CLAIM_SAME_SOFTWARE] = {"the same software", MEASURE_AGAIN, OF_GPU | OF_CPU,
				 check_same_software},
	[CLAIM_TIME] = {"sane clocks and turns",
			"measure both arms in one run and in turns",
			OF_GPU | OF_CPU | OF_SERVER, check_time},
};

/* ---- kinds ---- */

static bool is_import(const struct result *r)
{
	return r && strcmp(r->kind, "import") == 0 && !result_facts(r) &&
	       json_object_object_length(r->evidence) == 0;
}

static bool is_kind(const struct result *r, const char *kind, const char *backend)
{
	const char *is =
		r ? json_get_text(json_member(r->evidence, "computed"), "kind", NULL)
		  : NULL;

	if (!r)
		return false;
	if (is)
		return strcmp(is, kind) == 0;
	return backend && strcmp(json_get_text(r->params, "backend", ""), backend) == 0;
}

enum work_kind work_kind_of(const struct result *a, const struct result *b)
{
	if (is_import(a) || is_import(b))
		return WORK_IMPORT;
	if (is_kind(a, "gpu", "cublas") || is_kind(b, "gpu", "cublas"))
		return a && b && strcmp(a->kind, "link") == 0 &&
				       strcmp(b->kind, "link") == 0
			       ? WORK_LINK
			       : WORK_GPU;
	if (is_kind(a, "server", NULL) || is_kind(b, "server", NULL) ||
	    (a && strcmp(a->kind, "load") == 0) || (b && strcmp(b->kind, "load") == 0))
		return WORK_SERVER;
	if (is_kind(a, "cpu", "openblas") && is_kind(b, "cpu", "openblas"))
		return WORK_CPU;
	return WORK_UNKNOWN;
}

const char *work_kind_name(enum work_kind k)
{
	static const char *const names[WORK_NR] = {
		[WORK_UNKNOWN] = "unknown", [WORK_GPU] = "gpu",
		[WORK_LINK] = "link",       [WORK_CPU] = "cpu",
		[WORK_SERVER] = "server",   [WORK_IMPORT] = "import",
	};

	return names[k];
}
